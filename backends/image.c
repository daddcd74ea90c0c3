/* The loader of images.  Layout: the loaded sections of the object in their order, then for each global symbol its address
 * and a jump to that, so that calls reach any distance.  System V ABI, AMD64 supplement, 4.4 (relocation).
 *
 * Kernels have code and constants, no variables: an object with writable sections is left to LLVM's loader.  Tables for
 * unwinding are left out. */
#include "image.h"
#include "cpu/runtime.h"
#include "memory.h"
#include <dlfcn.h>
#include <elf.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct sec_image {
  unsigned char *base;
  size_t         size;
};

enum { MAX_SECTIONS = 64, SLOT = 16, STUB = 8 /* its place in the slot */ };
#define NOT_LOADED SIZE_MAX

/* An object's parts, all inside of it. */
typedef struct object {
  const unsigned char *bytes;
  size_t               size;
  const Elf64_Shdr    *sections;
  size_t               n_sections;
  const Elf64_Sym     *symbols;
  size_t               n_symbols, first_global;
  const char          *names; /* of symbols */
  size_t               names_size;
  size_t               place[MAX_SECTIONS]; /* in the image, or NOT_LOADED */
  size_t               slots;               /* the place of the first global symbol's slot */
  size_t               image_size;
  unsigned char       *base;
} object;

/* ---- reading ---- */
static bool inside(uint64_t offset, uint64_t size, uint64_t whole) { return offset <= whole && size <= whole - offset; }

static bool read_header(object *o) {
  const Elf64_Ehdr *h = (const Elf64_Ehdr *)o->bytes;
  if (o->size < sizeof *h || memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 || h->e_ident[EI_CLASS] != ELFCLASS64) return false;
  if (h->e_ident[EI_DATA] != ELFDATA2LSB || h->e_type != ET_REL || h->e_machine != EM_X86_64) return false;
  if (h->e_shentsize != sizeof(Elf64_Shdr) || h->e_shnum > MAX_SECTIONS || h->e_shoff % 8) return false;
  if (!inside(h->e_shoff, h->e_shnum * sizeof(Elf64_Shdr), o->size)) return false;
  o->sections = (const Elf64_Shdr *)(o->bytes + h->e_shoff);
  o->n_sections = h->e_shnum;
  for (size_t i = 0; i < o->n_sections; i++)
    if (o->sections[i].sh_type != SHT_NOBITS && !inside(o->sections[i].sh_offset, o->sections[i].sh_size, o->size)) return false;
  return true;
}

static bool read_symbols(object *o) {
  for (size_t i = 0; i < o->n_sections; i++) {
    const Elf64_Shdr *s = &o->sections[i];
    if (s->sh_type == SHT_SYMTAB_SHNDX) return false;
    if (s->sh_type != SHT_SYMTAB) continue;
    if (o->symbols || s->sh_offset % 8 || s->sh_entsize != sizeof(Elf64_Sym) || s->sh_link >= o->n_sections) return false;
    const Elf64_Shdr *names = &o->sections[s->sh_link];
    if (names->sh_type != SHT_STRTAB || !names->sh_size) return false;
    o->symbols = (const Elf64_Sym *)(o->bytes + s->sh_offset);
    o->n_symbols = s->sh_size / sizeof(Elf64_Sym);
    o->first_global = s->sh_info;
    o->names = (const char *)o->bytes + names->sh_offset;
    o->names_size = names->sh_size;
  }
  return o->symbols && o->first_global <= o->n_symbols && o->names[o->names_size - 1] == 0;
}

static bool read_places(object *o) {
  size_t at = 0;
  for (size_t i = 0; i < o->n_sections; i++) {
    const Elf64_Shdr *s = &o->sections[i];
    uint64_t          align = s->sh_addralign ? s->sh_addralign : 1;
    bool              unwinding = s->sh_type == SHT_X86_64_UNWIND;
    o->place[i] = NOT_LOADED;
    if (!(s->sh_flags & SHF_ALLOC) || unwinding) continue;
    if (s->sh_flags & (SHF_WRITE | SHF_TLS) || (s->sh_type != SHT_PROGBITS && s->sh_type != SHT_NOBITS)) return false;
    if (align > 4096 || align & (align - 1) || s->sh_size > (1u << 30)) return false;
    o->place[i] = at = (at + align - 1) & ~(align - 1);
    at += s->sh_size;
  }
  o->slots = (at + SLOT - 1) & ~(size_t)(SLOT - 1);
  o->image_size = o->slots + (o->n_symbols - o->first_global) * SLOT;
  return o->image_size && o->image_size < (1u << 30);
}

/* ---- symbols ---- */
static pthread_once_t libm_once = PTHREAD_ONCE_INIT;
static void          *libm;
static void           libm_open(void) { libm = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL); }

/* A runtime function, or what LLVM itself calls: memcpy and its like from the process, mathematics from libm. */
static void *find_outside(const char *name) {
  size_t                     n;
  const sec_compiler_symbol *symbols = sec_runtime_symbols(&n);
  for (size_t i = 0; i < n; i++)
    if (strcmp(symbols[i].name, name) == 0) return symbols[i].address;
  void *found = dlsym(RTLD_DEFAULT, name);
  if (found) return found;
  pthread_once(&libm_once, libm_open);
  return libm ? dlsym(libm, name) : NULL;
}

static const char *symbol_name(const object *o, const Elf64_Sym *s) { return s->st_name < o->names_size ? o->names + s->st_name : ""; }

static bool symbol_address(const object *o, size_t index, uint64_t *address) {
  if (index >= o->n_symbols) return false;
  const Elf64_Sym *s = &o->symbols[index];
  if (index >= o->first_global && s->st_shndx == SHN_UNDEF) { /* its slot was filled before */
    memcpy(address, o->base + o->slots + (index - o->first_global) * SLOT, sizeof *address);
    return *address != 0;
  }
  if (s->st_shndx >= o->n_sections || o->place[s->st_shndx] == NOT_LOADED || s->st_value > o->sections[s->st_shndx].sh_size) return false;
  *address = (uint64_t)(uintptr_t)o->base + o->place[s->st_shndx] + s->st_value;
  return true;
}

/* The address of each global symbol and `jmp *address(%rip)` behind it. */
static bool fill_slots(object *o) {
  static const unsigned char jump[STUB] = {0xff, 0x25, 0xf2, 0xff, 0xff, 0xff, 0xcc, 0xcc}; /* to 14 bytes before its end */
  for (size_t i = o->first_global; i < o->n_symbols; i++) {
    unsigned char *slot = o->base + o->slots + (i - o->first_global) * SLOT;
    uint64_t       address = 0;
    if (o->symbols[i].st_shndx == SHN_UNDEF) address = (uint64_t)(uintptr_t)find_outside(symbol_name(o, &o->symbols[i]));
    else if (!symbol_address(o, i, &address)) return false;
    if (!address) return false;
    memcpy(slot, &address, sizeof address);
    memcpy(slot + STUB, jump, sizeof jump);
  }
  return true;
}

/* ---- relocation ---- */
static bool store_32(unsigned char *at, uint64_t value) {
  int64_t wide = (int64_t)value;
  int32_t narrow = (int32_t)wide;
  memcpy(at, &narrow, sizeof narrow);
  return narrow == wide;
}

/* The ABI's names: S symbol, A addend, P place. */
static bool relocate(const object *o, size_t section, const Elf64_Rela *r) {
  uint64_t type = ELF64_R_TYPE(r->r_info), index = ELF64_R_SYM(r->r_info), S;
  bool     wide = type == R_X86_64_64 || type == R_X86_64_PC64;
  if (!inside(r->r_offset, wide ? 8 : 4, o->sections[section].sh_size) || o->sections[section].sh_type == SHT_NOBITS) return false;
  if (!symbol_address(o, index, &S)) return false;
  unsigned char *at = o->base + o->place[section] + r->r_offset;
  uint64_t       A = (uint64_t)r->r_addend, P = (uint64_t)(uintptr_t)at;
  bool           global = index >= o->first_global;
  uint64_t       slot = (uint64_t)(uintptr_t)o->base + o->slots + (index - o->first_global) * SLOT;
  switch (type) {
  case R_X86_64_64: S += A; break;
  case R_X86_64_PC64: S += A - P; break;
  case R_X86_64_PC32: return store_32(at, S + A - P);
  case R_X86_64_PLT32: return store_32(at, S + A - P) || (global && store_32(at, slot + STUB + A - P));
  case R_X86_64_GOTPCREL:
  case R_X86_64_GOTPCRELX:
  case R_X86_64_REX_GOTPCRELX: return global && store_32(at, slot + A - P);
  default: return false;
  }
  memcpy(at, &S, sizeof S);
  return true;
}

static bool relocate_section(const object *o, const Elf64_Shdr *s) {
  if (s->sh_type != SHT_RELA && s->sh_type != SHT_REL) return true;
  if (s->sh_info >= o->n_sections) return false;
  if (o->place[s->sh_info] == NOT_LOADED) return true;
  if (s->sh_type == SHT_REL || s->sh_offset % 8 || s->sh_entsize != sizeof(Elf64_Rela)) return false;
  const Elf64_Rela *r = (const Elf64_Rela *)(o->bytes + s->sh_offset);
  for (size_t i = 0; i < s->sh_size / sizeof *r; i++)
    if (!relocate(o, s->sh_info, &r[i])) return false;
  return true;
}

/* ---- images ---- */
static bool fill(object *o) {
  for (size_t i = 0; i < o->n_sections; i++)
    if (o->place[i] != NOT_LOADED && o->sections[i].sh_type != SHT_NOBITS)
      memcpy(o->base + o->place[i], o->bytes + o->sections[i].sh_offset, o->sections[i].sh_size);
  if (!fill_slots(o)) return false;
  for (size_t i = 0; i < o->n_sections; i++)
    if (!relocate_section(o, &o->sections[i])) return false;
  return true;
}

static void look_up(const object *o, const char *const *names, void **addresses, int n) {
  for (int k = 0; k < n; k++) {
    addresses[k] = NULL;
    for (size_t i = o->first_global; i < o->n_symbols && !addresses[k]; i++) {
      uint64_t address;
      if (o->symbols[i].st_shndx != SHN_UNDEF && strcmp(symbol_name(o, &o->symbols[i]), names[k]) == 0 && symbol_address(o, i, &address))
        addresses[k] = (void *)(uintptr_t)address;
    }
  }
}

sec_image *sec_image_load(const void *bytes, size_t size, const char *const *names, void **addresses, int n) {
  object o = {.bytes = bytes, .size = size};
#ifndef __x86_64__
  return NULL;
#endif
  if (!read_header(&o) || !read_symbols(&o) || !read_places(&o)) return NULL;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size = (o.image_size + page - 1) & ~(page - 1);
  sec_image *image = sec_mem_try(1, sizeof *image);
  void      *base = image ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : MAP_FAILED;
  if (base == MAP_FAILED) {
    sec_mem_free(image);
    return NULL;
  }
  *image = (sec_image){base, size};
  o.base = base;
  if (fill(&o) && mprotect(base, size, PROT_READ | PROT_EXEC) == 0) {
    look_up(&o, names, addresses, n);
    return image;
  }
  sec_image_unload(image);
  return NULL;
}

void sec_image_unload(sec_image *image) {
  if (!image) return;
  munmap(image->base, image->size);
  sec_mem_free(image);
}
