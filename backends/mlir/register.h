/* The dialects of kernels' text, and how they become LLVM IR. */
#ifndef SEC_MLIR_REGISTER_H
#define SEC_MLIR_REGISTER_H

#include <mlir-c/IR.h>

/* The caller destroys it, after the context is made. */
MlirDialectRegistry registry_create(void);

#endif
