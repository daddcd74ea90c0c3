/* Index maps: where an array's element is read, as an affine function of a group's loop indices. */
#include "plan.h"
#include <string.h>

sec_map sec_map_native(const sec_aval *aval) {
  sec_map m = {.rank = aval->rank};
  for (int a = 0, d = 0; a < aval->rank; a++)
    if (aval->dims[a] != 1) m.axis[a].coef[d++] = 1;
  return m;
}

/* Equal as functions: axes of size 1 do not matter. */
bool sec_map_equal(const sec_map *a, const sec_map *b, const sec_aval *aval) {
  for (int k = 0; k < aval->rank; k++) {
    if (aval->dims[k] == 1) continue;
    if (a->axis[k].dynamic || b->axis[k].dynamic || a->axis[k].offset != b->axis[k].offset) return false;
    if (memcmp(a->axis[k].coef, b->axis[k].coef, sizeof a->axis[k].coef) != 0) return false;
  }
  return true;
}

/* to += factor * from */
static void add_scaled(sec_affine *to, const sec_affine *from, int64_t factor, sec_dynamics *dynamics) {
  to->offset += factor * from->offset;
  for (int d = 0; d < SEC_MAX_DIMS; d++) to->coef[d] += factor * from->coef[d];
  for (uint32_t t = from->dynamic; t; t = dynamics->list[t - 1].next) {
    if (dynamics->n == SEC_MAX_DYNAMICS) return; /* callers check n before they add terms */
    sec_dynamic term = dynamics->list[t - 1];
    term.factor *= factor;
    term.next = to->dynamic;
    dynamics->list[dynamics->n++] = term;
    to->dynamic = (uint32_t)dynamics->n;
  }
}

static void through_view(const sec_eqn *e, const sec_aval *in, const sec_aval *out, sec_map *map, sec_dynamics *dynamics) {
  sec_index_map view;
  memset(&view, 0, sizeof view);
  e->prim->view(e->params, in, out, &view);
  sec_map result = {.rank = in->rank};
  for (int a = 0; a < in->rank; a++) {
    result.axis[a].offset = view.axis[a].offset;
    for (int k = 0; k < out->rank; k++)
      if (view.axis[a].coef[k]) add_scaled(&result.axis[a], &map->axis[k], view.axis[a].coef[k], dynamics);
  }
  *map = result;
}

/* A reshape that adds or drops axes of size 1 or splits axes: each operand axis is made of neighbouring result axes. */
static void through_split(const sec_aval *in, const sec_aval *out, sec_map *map, sec_dynamics *dynamics) {
  sec_map result = {.rank = in->rank};
  int     k = out->rank - 1;
  for (int a = in->rank; a-- > 0;)
    for (int64_t done = 1; done < in->dims[a]; k--) {
      if (out->dims[k] == 1) continue;
      add_scaled(&result.axis[a], &map->axis[k], done, dynamics);
      done *= out->dims[k];
    }
  *map = result;
}

bool sec_reshape_splits(const sec_aval *in, const sec_aval *out) {
  int k = out->rank - 1;
  for (int a = in->rank; a-- > 0;) {
    int64_t done = 1;
    for (; done < in->dims[a] && k >= 0; k--) done *= out->dims[k];
    if (done != in->dims[a]) return false; /* sizes of 0 never get here */
  }
  for (; k >= 0; k--)
    if (out->dims[k] != 1) return false;
  return in->size > 0;
}

static void through_dynamic_slice(const sec_frame *f, const sec_eqn *e, const sec_aval *in, const sec_aval *out, sec_map *map,
                                  sec_dynamics *dynamics) {
  for (int a = 0; a < in->rank; a++) {
    if (in->dims[a] == out->dims[a]) continue; /* the start can only be 0 */
    sec_ref start = e->in[1 + a];
    dynamics->list[dynamics->n++] = (sec_dynamic){.ref = start, .limit = in->dims[a] - out->dims[a], .factor = 1, .next = map->axis[a].dynamic};
    map->axis[a].dynamic = (uint32_t)dynamics->n;
  }
  (void)f;
}

bool sec_map_step(const sec_frame *f, sec_ref *ref, sec_map *map, sec_dynamics *dynamics, bool through) {
  if (sec_ref_is_literal(*ref) || !(sec_is_virtual(f, *ref) || through)) return false;
  const sec_eqn *e = f->def[*ref];
  if (!e || dynamics->n > SEC_MAX_DYNAMICS - 2 * SEC_MAX_RANK) return false;
  const sec_aval *out = f->j->avals[*ref], *in = e->n_in ? sec_ref_aval(f->j, e->in[0]) : NULL;
  switch (e->prim->form) {
  case SEC_FORM_VIEW: through_view(e, in, out, map, dynamics); break;
  case SEC_FORM_RESHAPE: through_split(in, out, map, dynamics); break;
  case SEC_FORM_DYNAMIC_SLICE: through_dynamic_slice(f, e, in, out, map, dynamics); break;
  default: return false;
  }
  *ref = e->in[0];
  return true;
}
