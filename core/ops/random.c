/* threefry2x32: the counter-based generator of Salmon et al., "Parallel Random Numbers: As Easy as
 * 1, 2, 3" (SC 2011), with 20 rounds: two words of a key encrypt two words of a counter. */
#include "structure.h"

enum { N_ROUNDS = 20, PARITY = 0x1BD11BDA };

/* bits that x1 is rotated by, in rounds i mod 8 */
static const int rotations[8] = {13, 15, 26, 6, 17, 29, 16, 24};

static sec_status threefry_type(sec_typing *t) {
  for (int i = 0; i < 4; i++)
    if (t->in[i]->dtype != SEC_U32)
      return sec_type_error(t, SEC_TYPE, "convert it to u32", "operand %d is %s, not u32", i,
                            t->in[i]->text);
  const sec_aval *shape = sec_type_shape(t);
  if (shape == NULL) return sec_error_status(t->cx);
  SEC_TRY(sec_type_gives_at(t, 0, SEC_U32, false, shape->rank, shape->dims));
  return sec_type_gives_at(t, 1, SEC_U32, false, shape->rank, shape->dims);
}

static void threefry(const uint32_t k[2], uint32_t x[2]) {
  const uint32_t key[3] = {k[0], k[1], k[0] ^ k[1] ^ PARITY};
  x[0] += key[0];
  x[1] += key[1];
  for (uint32_t i = 0; i < N_ROUNDS; i++) {
    int r = rotations[i % 8];
    x[0] += x[1];
    x[1] = (x[1] << r | x[1] >> (32 - r)) ^ x[0];
    if (i % 4 != 3) continue;
    uint32_t group = i / 4 + 1; /* after each four rounds the key comes in again */
    x[0] += key[group % 3];
    x[1] += key[(group + 1) % 3] + group;
  }
}

static sec_status threefry_eval(const sec_eval *e) {
  for (int64_t i = 0; i < e->out[0]->aval->size; i++) {
    uint32_t word[4];
    for (int k = 0; k < 4; k++)
      word[k] = (uint32_t)sec_get_i(e->in[k], e->in[k]->aval->rank == 0 ? 0 : i);
    threefry(word, word + 2);
    sec_put_i(e->out[0], i, word[2]);
    sec_put_i(e->out[1], i, word[3]);
  }
  return SEC_OK;
}

static void threefry_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  sec_lv parity = sec_l_int(b, SEC_LT_I32, PARITY);
  sec_lv key[3] = {
      x[0], x[1], sec_l_binary(b, "arith.xori", sec_l_binary(b, "arith.xori", x[0], x[1]), parity)};
  sec_lv x0 = sec_l_binary(b, "arith.addi", x[2], key[0]),
         x1 = sec_l_binary(b, "arith.addi", x[3], key[1]);
  (void)l;
  for (int i = 0; i < N_ROUNDS; i++) {
    int r = rotations[i % 8];
    x0 = sec_l_binary(b, "arith.addi", x0, x1);
    sec_lv left = sec_l_binary(b, "arith.shli", x1, sec_l_int(b, SEC_LT_I32, r));
    sec_lv right = sec_l_binary(b, "arith.shrui", x1, sec_l_int(b, SEC_LT_I32, 32 - r));
    x1 = sec_l_binary(b, "arith.xori", sec_l_binary(b, "arith.ori", left, right), x0);
    if (i % 4 != 3) continue;
    int group = i / 4 + 1;
    x0 = sec_l_binary(b, "arith.addi", x0, key[group % 3]);
    x1 = sec_l_binary(b, "arith.addi", x1, key[(group + 1) % 3]);
    x1 = sec_l_binary(b, "arith.addi", x1, sec_l_int(b, SEC_LT_I32, group));
  }
  out[0] = x0;
  out[1] = x1;
}

/* Lanes of rank 0 that meet shaped ones are broadcast; all batched operands get one shape. */
static sec_status threefry_batch(sec_batch *b) {
  const sec_aval *lane = b->out_avals[0];
  int64_t dims[SEC_LIST], front = 0;
  sec_value in[4];
  sec_prepend(b->size, lane->dims, lane->rank, dims);
  for (int i = 0; i < 4; i++) {
    bool stretched = b->batched[i] && b->in_avals[i]->rank == 0;
    in[i] = stretched ? sec_broadcast_in_dim(b->in[i], lane->rank + 1, dims, &front)
            : b->in_avals[i]->rank == 0 ? b->in[i]
                                        : sec_batch_operand(b, i);
  }
  b->out_batched[0] = b->out_batched[1] = true;
  return sec_threefry2x32(in, b->out);
}

/* about four operations a round */
static sec_cost threefry_cost(const sec_typing *t) {
  double size = (double)t->out[0]->size;
  return (sec_cost){4 * N_ROUNDS * size, 24 * size};
}

SEC_PRIMITIVE(threefry2x32,
              .doc = "Two random words of a key (two words) and a counter (two words).",
              .operands = {"key0", "key1", "count0", "count1"}, .type = threefry_type,
              .eval = threefry_eval, .batch = threefry_batch, .form = SEC_FORM_ELEMENTWISE,
              .lower = threefry_lower, .cost = threefry_cost, .takes = SEC_TAKES_UINT,
              .flags = SEC_FLAG_NO_GRADIENT)

sec_status sec_threefry2x32(const sec_value in[4], sec_value out[2]) {
  out[0] = out[1] = SEC_VALUE_POISON;
  for (int i = 0; i < 4; i++)
    if (sec_value_aval(in[i]) == NULL) return sec_error_status(NULL);
  return sec_bind(&sec_threefry2x32_p, in, 4, NULL, out, 2);
}
