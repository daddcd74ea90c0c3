/* The rows of jaxpr_forms.h: parameters of JAX that this engine has no use for, and other names. */
#include "jaxpr_forms.h"
#include "ops/gather.h"
#include <string.h>

#define SCATTER(update)                                                                                                \
  .fixed = {"indices_are_sorted=False", "unique_indices=False", "update_consts=()", update},                           \
  .dimensions = "ScatterDimensionNumbers", .lists = sec_scatter_names

static const sec_text_form forms[] = {
    {.prim = "broadcast_in_dim", .hidden = {"shape"}, .unless_zero = {"broadcast_dimensions"}},
    {.prim = "iota", .fixed = {"sharding=None"}},
    {.prim = "reshape", .fixed = {"dimensions=None", "sharding=None"}},
    {.prim = "reduce_sum", .fixed = {"out_sharding=None"}},
    {.prim = "scan", .fixed = {"unroll=1"}},
    {.prim = "jit", .unless_zero = {"num_consts"}},
    {.prim = "checkpoint", .text = "remat2", .fixed = {"differentiated=False"}, .unless_zero = {"num_consts"}},
    {.prim = "custom_jvp_call",
     .fixed = {"symbolic_zeros=False"},
     .unless_zero = {"num_consts"},
     .renamed = {"jvp_jaxpr_fun", "jvp"},
     .named_by = "call_jaxpr"},
    {.prim = "custom_vjp_call",
     .fixed = {"symbolic_zeros=False"},
     .hidden = {"n_res"},
     .unless_zero = {"num_consts"},
     .named_by = "call_jaxpr"},
    {.prim = "gather",
     .fixed = {"fill_value=None", "indices_are_sorted=False", "unique_indices=False"},
     .dimensions = "GatherDimensionNumbers",
     .lists = sec_gather_names},
    {.prim = "scatter", SCATTER("update_jaxpr=None")},
    {.prim = "scatter_add", .text = "scatter-add", SCATTER("update_jaxpr="), .update = "add"},
    {.prim = "scatter_mul", .text = "scatter-mul", SCATTER("update_jaxpr="), .update = "mul"},
    {.prim = "scatter_min", .text = "scatter-min", SCATTER("update_jaxpr="), .update = "min"},
    {.prim = "scatter_max", .text = "scatter-max", SCATTER("update_jaxpr="), .update = "max"},
    {.prim = "qr", .fixed = {"use_magma=None"}},
    {.prim = "eigh", .fixed = {"algorithm=None", "sort_eigenvalues=True", "subset_by_index=None"}},
    {.prim = "svd", .fixed = {"algorithm=None", "subset_by_index=None"}},
    {.prim = "eig", .fixed = {"implementation=None"}},
    {.prim = "schur", .fixed = {"select_callable=None", "sort_eig_vals=False"}},
};
enum { N_FORMS = sizeof forms / sizeof *forms };

const sec_text_form *sec_text_form_of(const sec_primitive *prim) {
  static const sec_text_form none = {0};
  for (int i = 0; i < N_FORMS; i++)
    if (strcmp(forms[i].prim, prim->name) == 0) return &forms[i];
  return &none;
}

const sec_primitive *sec_text_primitive(const char *name) {
  for (int i = 0; i < N_FORMS; i++)
    if (forms[i].text && strcmp(forms[i].text, name) == 0) return sec_primitive_find(forms[i].prim);
  return sec_primitive_find(name);
}

static const char *const modes[] = {[SEC_MODE_CLIP] = "GatherScatterMode.CLIP",
                                    [SEC_MODE_FILL_OR_DROP] = "GatherScatterMode.FILL_OR_DROP",
                                    [SEC_MODE_PROMISE_IN_BOUNDS] = "GatherScatterMode.PROMISE_IN_BOUNDS"};
enum { N_MODES = sizeof modes / sizeof *modes };

const char *sec_text_mode(int64_t mode) { return mode >= 0 && mode < N_MODES ? modes[mode] : NULL; }

int64_t sec_text_mode_of(const char *text) {
  for (int i = 0; i < N_MODES; i++)
    if (strcmp(modes[i], text) == 0) return i;
  return -1;
}
