/* Which dialects, conversions and translations there are: those of kernels.
 *
 * MLIR's C API registers everything or, of conversions and translations, nothing.  Everything takes milliseconds and, linked
 * statically, three times the bytes; so the functions behind it are called by the names that the C++ ABI gives them.  A
 * reference is passed as a pointer; an MlirDialectRegistry and an MlirContext hold just that.  The linker checks the
 * names. */
#include "register.h"
#include <mlir-c/Dialect/Arith.h>
#include <mlir-c/Dialect/ControlFlow.h>
#include <mlir-c/Dialect/LLVM.h>
#include <mlir-c/Dialect/Math.h>
#include <mlir-c/Dialect/SCF.h>
#include <mlir-c/Dialect/UB.h>
#include <mlir-c/Dialect/Vector.h>

#define DIALECTS(X) X(llvm) X(scf) X(cf) X(arith) X(math) X(vector) X(ub)

/* void mlir::SPACE::registerConvertXToLLVMInterface(mlir::DialectRegistry &) */
#define CONVERSIONS(X)                                                                                   \
  X(arith, "_ZN4mlir5arith35registerConvertArithToLLVMInterfaceERNS_15DialectRegistryE")                 \
  X(cf, "_ZN4mlir2cf41registerConvertControlFlowToLLVMInterfaceERNS_15DialectRegistryE")                 \
  X(math, "_ZN4mlir34registerConvertMathToLLVMInterfaceERNS_15DialectRegistryE")                         \
  X(ub, "_ZN4mlir2ub32registerConvertUBToLLVMInterfaceERNS_15DialectRegistryE")                          \
  X(vector, "_ZN4mlir6vector36registerConvertVectorToLLVMInterfaceERNS_15DialectRegistryE")

/* void mlir::registerXDialectTranslation(mlir::DialectRegistry &) */
#define TRANSLATIONS(X)                                                           \
  X(builtin, "_ZN4mlir33registerBuiltinDialectTranslationERNS_15DialectRegistryE") \
  X(llvm, "_ZN4mlir30registerLLVMDialectTranslationERNS_15DialectRegistryE")

#define DECLARE_CONVERSION(name, symbol) void conversion_##name(void *registry) __asm__(symbol);
#define DECLARE_TRANSLATION(name, symbol) void translation_##name(void *registry) __asm__(symbol);
CONVERSIONS(DECLARE_CONVERSION)
TRANSLATIONS(DECLARE_TRANSLATION)

#define INSERT_DIALECT(name) mlirDialectHandleInsertDialect(mlirGetDialectHandle__##name##__(), registry);
#define CALL_CONVERSION(name, symbol) conversion_##name(registry.ptr);
#define CALL_TRANSLATION(name, symbol) translation_##name(registry.ptr);

MlirDialectRegistry registry_create(void) {
  MlirDialectRegistry registry = mlirDialectRegistryCreate();
  DIALECTS(INSERT_DIALECT)
  CONVERSIONS(CALL_CONVERSION)
  TRANSLATIONS(CALL_TRANSLATION)
  return registry;
}
