/* sort at run time, called by generated code.
 *
 * A key becomes an unsigned word in the same order, its image: NaN last, -0 beside +0.  One operand
 * alone is sorted as images, and read back from them; several are sorted as pairs of an image and an
 * index, one key after another from the last to the first, and then moved to their places. */
#include "../pool.h"
#include "radix.h"
#include "runtime.h"

#include <secant/dtype.h>
#include <stdbool.h>
#include <string.h>

enum { MOST = 16, BLOCK = 16 }; /* operands; columns that are brought together when inner > 1 */

typedef struct sorter {
  int n_operands, n_keys, dtype[MOST];
  size_t size[MOST];
  int64_t n, inner;
} sorter;

/* One row: its operands and results, and room for two times n words of 64 bits. */
typedef struct row {
  const sorter *s;
  const char *in[MOST];
  char *out[MOST];
  sec_word64 *words, *spare;
  sec_radix_counts *counts;
} row;

static size_t element_size(int64_t dtype) {
  static const unsigned char sizes[] = {
#define SEC_DTYPE(name, NAME, ctype, size, kind, bits, mlir, numpy) size,
#include <secant/dtype.def>
#undef SEC_DTYPE
  };
  return sizes[dtype];
}

/* ---- images ---- */
typedef uint8_t __attribute__((may_alias)) word8;
typedef uint16_t __attribute__((may_alias)) word16;

/* The image of an element; `infinity`: its bits for floats, 0 for integers and bools.  `sign`: the
 * sign bit, 0 where the type has none. */
#define IMAGE(bits)                                                                                \
  static inline uint##bits##_t image##bits(uint##bits##_t x, uint##bits##_t sign,                  \
                                           uint##bits##_t infinity) {                              \
    uint##bits##_t magnitude = (uint##bits##_t)(x & ~sign);                                        \
    if (infinity == 0) return x ^ sign;                                                            \
    if (magnitude > infinity) return (uint##bits##_t)-1;                                           \
    return (uint##bits##_t)(x & sign && magnitude ? ~x : magnitude | sign);                        \
  }                                                                                                \
                                                                                                   \
  static inline uint##bits##_t preimage##bits(uint##bits##_t y, uint##bits##_t sign,               \
                                              uint##bits##_t infinity) {                           \
    if (infinity == 0) return y ^ sign;                                                            \
    return (uint##bits##_t)(y & sign ? y ^ sign : ~y);                                             \
  }                                                                                                \
                                                                                                   \
  /* -0 and NaN: their images do not tell them from +0 and from other NaNs. */                     \
  static inline bool is_special##bits(uint##bits##_t x, uint##bits##_t sign,                       \
                                      uint##bits##_t infinity) {                                   \
    return infinity != 0 && (x == sign || (x & ~sign) > infinity);                                 \
  }

IMAGE(8)
IMAGE(16)
IMAGE(32)
IMAGE(64)

/* IMAGES of n elements as words of another width, shifted; true if one of them is special. */
#define READ(name, bits, to_bits, SIGN, INFINITY_BITS)                                             \
  static bool read##to_bits##_##name(const void *from, sec_word##to_bits *to, int64_t n) {         \
    const word##bits *x = from;                                                                    \
    bool special = false;                                                                          \
    for (int64_t i = 0; i < n; i++) {                                                              \
      uint##bits##_t v = x[i];                                                                     \
      special |= is_special##bits(v, SIGN, INFINITY_BITS);                                         \
      to[i] = image##bits(v, SIGN, INFINITY_BITS);                                                 \
    }                                                                                              \
    return special;                                                                                \
  }
