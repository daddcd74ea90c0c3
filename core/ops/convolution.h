/* Convolutions: what the rules of conv_general_dilated share.  A result element sums, over the input features of its group
 * and the places of the kernel, products of what sliding.h says is under each place with the kernel's element: no flip. */
#ifndef SEC_CONVOLUTION_H
#define SEC_CONVOLUTION_H

#include "sliding.h"

typedef struct sec_conv {
  int       n;                  /* spatial axes */
  int64_t   lhs[SEC_MAX_RANK];  /* axes of lhs: batch, feature, spatial ones */
  int64_t   rhs[SEC_MAX_RANK];  /* of rhs: output feature, input feature, spatial ones */
  int64_t   out[SEC_MAX_RANK];  /* of the result: batch, feature, spatial ones */
  int64_t   feature_groups, batch_groups; /* one of them is 1 */
  sec_slide axis[SEC_MAX_RANK]; /* of each spatial axis */
} sec_conv;

sec_conv  sec_conv_of(const sec_params *p, const sec_aval *lhs, const sec_aval *rhs);
sec_value sec_conv_bind(sec_value lhs, sec_value rhs, const sec_conv *c, sec_dtype result);
static inline int64_t sec_conv_groups(const sec_conv *c) { return c->feature_groups * c->batch_groups; }

/* convolution_rules.c */
sec_value  sec_conv_transpose_lhs(const sec_rule *r, sec_value ct);
sec_value  sec_conv_transpose_rhs(const sec_rule *r, sec_value ct);
sec_status sec_conv_batch(sec_batch *b);
/* convolution_lower.c */
bool sec_conv_expand(const sec_rule *r, sec_value *out);
int  sec_conv_meta(const sec_typing *t, int64_t *meta);

#endif
