/* The target as text.  LLVM would tell the processor's name and features, but is not opened for code that is on disk: so it
 * is what LLVM looks at, the answers of cpuid, and of the libraries their sizes and times. */
#include "target.h"
#include "compiler.h"
#include "memory.h"
#include "text.h"
#include <cpuid.h>
#include <secant/base.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef SECANT_COMPILER_FILES /* the shared libraries behind libsecant-mlir, with a : after each */
#define SECANT_COMPILER_FILES ""
#endif
#ifndef SECANT_LLVM_VERSION
#define SECANT_LLVM_VERSION "unknown"
#endif

#define FORMAT 1 /* of what runtime functions expect of code: raise it when one of them changes */

/* Leaf, subleaf, and which of eax, ebx, ecx, edx to take: no register that differs from core to core. */
enum { EAX = 1, EBX = 2, ECX = 4, EDX = 8, ALL = 15 };
static const struct {
  unsigned leaf, subleaf, registers;
} leaves[] = {
    {0, 0, ALL}, {1, 0, EAX | ECX | EDX}, {7, 0, EBX | ECX | EDX}, {7, 1, ALL}, {0xd, 1, EAX}, {0x14, 0, EBX}, {0x19, 0, EBX}, {0x24, 0, EBX},
    {0x80000001, 0, ECX | EDX}, {0x80000008, 0, EBX}, {0x80000021, 0, EAX}};

static void add_processor(sec_buffer *t) {
  sec_buffer_add(t, ", cpu");
  for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++) {
    unsigned r[4] = {0};
    if (!__get_cpuid_count(leaves[i].leaf, leaves[i].subleaf, &r[0], &r[1], &r[2], &r[3])) memset(r, 0, sizeof r);
    for (int k = 0; k < 4; k++)
      if (leaves[i].registers >> k & 1) sec_buffer_add(t, " %x", r[k]);
  }
  unsigned a, b, c = 0, d;
  if (__get_cpuid(1, &a, &b, &c, &d) && c & bit_OSXSAVE) { /* which vector registers the system saves */
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    sec_buffer_add(t, " xcr0 %x", a);
  }
}

static void add_file(sec_buffer *t, const char *path) {
  struct stat s;
  const char *slash = strrchr(path, '/');
  if (stat(path, &s) != 0) memset(&s, 0, sizeof s);
  sec_buffer_add(t, ", %s %lld %lld.%09ld", slash ? slash + 1 : path, (long long)s.st_size, (long long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
}

char *sec_target_text(void) {
  sec_buffer t = {0};
  sec_buffer_add(&t, "secant %s, objects %d, llvm %s", sec_version(), FORMAT, SECANT_LLVM_VERSION);
  char *library = sec_compiler_path();
  if (library) add_file(&t, library);
  free(library);
  for (const char *at = SECANT_COMPILER_FILES; *at; at += strcspn(at, ":") + 1) {
    char path[4096];
    snprintf(path, sizeof path, "%.*s", (int)strcspn(at, ":"), at);
    add_file(&t, path);
  }
  add_processor(&t);
  if (!t.failed) return t.data;
  sec_mem_free(t.data);
  return NULL;
}
