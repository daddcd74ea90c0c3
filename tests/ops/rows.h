/* Operands and parameters of primitives that need them: jaxpr text with T for the dtype under test.  Elementwise
 * primitives without parameters need no row.  Several rows may stand for one primitive. */
#ifndef SEC_TEST_ROWS_H
#define SEC_TEST_ROWS_H

/* ORDERED: the first operand lies below the last.  POSITIVE_DEFINITE and TRIANGULAR: operand 0 has a heavy diagonal. */
typedef enum fill { FILL_DOMAIN, FILL_ORDERED, FILL_POSITIVE_DEFINITE, FILL_TRIANGULAR } fill;
/* NAMED: a collective, mapped over an axis "i" before it is run.  VALUES: the derivative is NaN there, as in JAX.
 * WIDE: in f32 and f64 alone.  REAL: not of complex numbers. */
typedef enum row_flags { ROW_NAMED = 1, ROW_VALUES = 2, ROW_WIDE = 4, ROW_REAL = 8 } row_flags;

typedef struct row {
  const char *prim, *inputs, *equation, *results;
  fill        fill;
  row_flags   flags;
} row;

#define SCALAR_BODY "{ lambda ; p:T[] q:T[]. let r:T[] = mul p q; s:T[] = sin r in (s, r) }"

static const row rows[] = {
    {"integer_pow", "a:T[17]", "b:T[17] = integer_pow[y=3] a", "b"},
    {"integer_pow", "a:T[]", "b:T[] = integer_pow[y=2] a", "b"},
    {"round", "a:T[33]", "b:T[33] = round[rounding_method=0] a", "b"},
    {"round", "a:T[3,5]", "b:T[3,5] = round[rounding_method=1] a", "b"},
    {"clamp", "l:T[] a:T[17] h:T[]", "b:T[17] = clamp l a h", "b", FILL_ORDERED},
    {"clamp", "l:T[3,5] a:T[3,5] h:T[3,5]", "b:T[3,5] = clamp l a h", "b", FILL_ORDERED},
    {"select_n", "w:bool[17] a:T[17] b:T[17]", "c:T[17] = select_n w a b", "c"},
    {"select_n", "w:bool[] a:T[3,2] b:T[3,2]", "c:T[3,2] = select_n w a b", "c"},
    {"select_n", "w:i32[33] a:T[33] b:T[33] c:T[33]", "d:T[33] = select_n w a b c", "d"},
    {"convert_element_type", "a:T[17]", "b:f32[17] = convert_element_type[new_dtype=float32 weak_type=False] a", "b"},
    {"convert_element_type", "a:T[17]", "b:f64[17] = convert_element_type[new_dtype=float64 weak_type=False] a", "b"},
    {"convert_element_type", "a:T[2,3]", "b:i32[2,3] = convert_element_type[new_dtype=int32 weak_type=False] a", "b"},
    {"convert_element_type", "a:T[]", "b:bool[] = convert_element_type[new_dtype=bool weak_type=False] a", "b"},
    {"convert_element_type", "a:T[9]", "b:u64[9] = convert_element_type[new_dtype=uint64 weak_type=False] a", "b"},
    {"convert_element_type", "a:T[17]", "b:i8[17] = convert_element_type[new_dtype=int8 weak_type=False] a", "b"},
    {"convert_element_type", "a:T[17]", "b:u8[17] = convert_element_type[new_dtype=uint8 weak_type=False] a", "b"},
    {"convert_element_type", "a:T[33]", "b:i16[33] = convert_element_type[new_dtype=int16 weak_type=False] a", "b"},
    {"convert_element_type", "a:T[33]", "b:u16[33] = convert_element_type[new_dtype=uint16 weak_type=False] a", "b"},
    {"convert_element_type", "a:T[33]", "b:f16[33] = convert_element_type[new_dtype=float16 weak_type=False] a", "b", FILL_DOMAIN, ROW_VALUES},
    {"convert_element_type", "a:T[33]", "b:bf16[33] = convert_element_type[new_dtype=bfloat16 weak_type=False] a", "b", FILL_DOMAIN, ROW_VALUES},
    {"bitcast_convert_type", "a:f16[17]", "b:u16[17] = bitcast_convert_type[new_dtype=uint16] a", "b"},
    {"bitcast_convert_type", "a:i8[5]", "b:u8[5] = bitcast_convert_type[new_dtype=uint8] a", "b"},
    {"bitcast_convert_type", "a:f32[17]", "b:u32[17] = bitcast_convert_type[new_dtype=uint32] a", "b"},
    {"bitcast_convert_type", "a:i64[3,3]", "b:f64[3,3] = bitcast_convert_type[new_dtype=float64] a", "b"},
    {"bessel_jn", "a:T[17]", "b:T[17] = bessel_jn 2.0:T[] a", "b"},
    {"polygamma", "a:T[17]", "b:T[17] = polygamma 2.0:T[] a", "b"},
    {"zeta_grad", "a:T[17] b:T[17]", "c:T[17] = zeta_grad 1.0:T[] a b", "c"},
    {"igamma_grad", "a:T[17] b:T[17]", "c:T[17] = igamma_grad 1.0:T[] a b", "c"},
    {"expn", "a:T[17]", "b:T[17] = expn 3.0:T[] a", "b"},
    {"spence_grad", "a:T[17]", "b:T[17] = spence_grad 0.0:T[] a", "b"},
    {"regularized_incomplete_beta", "a:T[17]", "b:T[17] = regularized_incomplete_beta 1.5:T[] 2.5:T[] a", "b"},
    {"hyp1f1_grad", "a:T[5] b:T[5] c:T[5]", "d:T[5] = hyp1f1_grad 0.0:T[] a b c", "d"},
    {"hyp2f1_grad", "a:T[5] b:T[5] c:T[5] e:T[5]", "d:T[5] = hyp2f1_grad 0.0:T[] a b c e", "d"},
    {"convert_element_type", "a:T[5]", "b:c64[5] = convert_element_type[new_dtype=complex64 weak_type=False] a", "b"},
    {"convert_element_type", "a:T[5]", "b:c128[5] = convert_element_type[new_dtype=complex128 weak_type=False] a", "b"},
    {"reinterpret", "a:f64[3,2]", "b:c128[3] = reinterpret[new_dtype=complex128 shape=(3,) weak_type=False] a", "b", FILL_DOMAIN, ROW_VALUES},
    {"reinterpret", "a:c64[3]", "b:f32[3,2] = reinterpret[new_dtype=float32 shape=(3, 2) weak_type=False] a", "b", FILL_DOMAIN, ROW_VALUES},
    {"complex", "a:f64[17] b:f64[17]", "c:c128[17] = complex a b", "c"},
    {"complex", "a:f32[3,2] b:f32[]", "c:c64[3,2] = complex a b", "c"},
    {"fft", "a:c128[7]", "b:c128[7] = fft[fft_lengths=(7,) fft_type=0] a", "b"},
    {"fft", "a:c128[2,3,8]", "b:c128[2,3,8] = fft[fft_lengths=(3, 8) fft_type=1] a", "b"},
    {"fft", "a:c64[37,16]", "b:c64[37,16] = fft[fft_lengths=(16,) fft_type=0] a", "b"},
    {"fft", "a:f64[3,10]", "b:c128[3,6] = fft[fft_lengths=(10,) fft_type=2] a", "b"},
    {"fft", "a:f64[4,9]", "b:c128[4,5] = fft[fft_lengths=(4, 9) fft_type=2] a", "b"},
    {"fft", "a:c128[3,6]", "b:f64[3,10] = fft[fft_lengths=(10,) fft_type=3] a", "b"},
    {"fft", "a:c128[4,5]", "b:f64[4,9] = fft[fft_lengths=(4, 9) fft_type=3] a", "b"},
    {"iota", "", "a:T[17] = iota[dimension=0 dtype=T shape=(17,)] ", "a"},
    {"iota", "", "a:T[2,3,5] = iota[dimension=1 dtype=T shape=(2, 3, 5)] ", "a"},
    {"broadcast_in_dim", "a:T[3]", "b:T[3,5] = broadcast_in_dim[broadcast_dimensions=(0,) shape=(3, 5)] a", "b"},
    {"broadcast_in_dim", "a:T[]", "b:T[2,0,3] = broadcast_in_dim[broadcast_dimensions=() shape=(2, 0, 3)] a", "b"},
    {"broadcast_in_dim", "a:T[1,5]", "b:T[3,5,2] = broadcast_in_dim[broadcast_dimensions=(0, 1) shape=(3, 5, 2)] a", "b"},
    {"reshape", "a:T[2,6]", "b:T[3,4] = reshape[new_sizes=(3, 4)] a", "b"},
    {"reshape", "a:T[1,1]", "b:T[] = reshape[new_sizes=()] a", "b"},
    {"squeeze", "a:T[3,1,5,1]", "b:T[3,5] = squeeze[dimensions=(1, 3)] a", "b"},
    {"expand_dims", "a:T[3,5]", "b:T[1,3,1,5] = expand_dims[dimensions=(0, 2)] a", "b"},
    {"transpose", "a:T[2,3,5]", "b:T[5,2,3] = transpose[permutation=(2, 0, 1)] a", "b"},
    {"transpose", "a:T[17,33]", "b:T[33,17] = transpose[permutation=(1, 0)] a", "b"},
    {"transpose", "a:T[2,1,3,2,4]", "b:T[4,3,2,1,2] = transpose[permutation=(4, 2, 0, 1, 3)] a", "b"},
    {"rev", "a:T[3,5]", "b:T[3,5] = rev[dimensions=(1,)] a", "b"},
    {"rev", "a:T[4,0]", "b:T[4,0] = rev[dimensions=(0, 1)] a", "b"},
    {"concatenate", "a:T[2,3] b:T[2,0] c:T[2,17]", "d:T[2,20] = concatenate[dimension=1] a b c", "d"},
    {"concatenate", "a:T[3] b:T[1]", "c:T[4] = concatenate[dimension=0] a b", "c"},
    {"pad", "a:T[3,4] v:T[]", "b:T[6,11] = pad[padding_config=((1, 2, 0), (2, -1, 2))] a v", "b"},
    {"pad", "a:T[] v:T[]", "b:T[] = pad[padding_config=()] a v", "b"},
    {"slice", "a:T[7,9]", "b:T[3,4] = slice[limit_indices=(7, 8) start_indices=(1, 4) strides=(2, 1)] a", "b"},
    {"slice", "a:T[5]", "b:T[0] = slice[limit_indices=(2,) start_indices=(2,) strides=(1,)] a", "b"},
    {"dynamic_slice", "a:T[5,7] i:i32[] j:i32[]", "b:T[2,7] = dynamic_slice[slice_sizes=(2, 7)] a i j", "b"},
    {"dynamic_slice", "a:T[33] i:i64[]", "b:T[17] = dynamic_slice[slice_sizes=(17,)] a i", "b"},
    {"dynamic_update_slice", "a:T[5,7] u:T[2,3] i:i32[] j:i32[]", "b:T[5,7] = dynamic_update_slice a u i j", "b"},
    {"gather", "a:T[5,3] i:i32[4,1]",
     "b:T[4,3] = gather[collapsed_slice_dims=(0,) fill_value=0 mode=0 offset_dims=(1,) operand_batching_dims=() slice_sizes=(1, 3) "
     "start_index_map=(0,) start_indices_batching_dims=()] a i", "b"},
    {"gather", "a:T[7] i:i32[6,1]",
     "b:T[6] = gather[collapsed_slice_dims=(0,) fill_value=0 mode=1 offset_dims=() operand_batching_dims=() slice_sizes=(1,) "
     "start_index_map=(0,) start_indices_batching_dims=()] a i", "b"},
    {"scatter", "a:T[7] i:i32[3,1] u:T[3]",
     "b:T[7] = scatter[inserted_window_dims=(0,) mode=1 operand_batching_dims=() scatter_dims_to_operand_dims=(0,) "
     "scatter_indices_batching_dims=() update_window_dims=()] a i u", "b"},
    {"scatter_add", "a:T[5,3] i:i32[4,1] u:T[4,3]",
     "b:T[5,3] = scatter_add[inserted_window_dims=(0,) mode=0 operand_batching_dims=() scatter_dims_to_operand_dims=(0,) "
     "scatter_indices_batching_dims=() update_window_dims=(1,)] a i u", "b"},
    {"scatter_mul", "a:T[17] i:i32[3,1] u:T[3]",
     "b:T[17] = scatter_mul[inserted_window_dims=(0,) mode=1 operand_batching_dims=() scatter_dims_to_operand_dims=(0,) "
     "scatter_indices_batching_dims=() unique_indices=True update_window_dims=()] a i u", "b"},
    {"scatter_min", "a:T[17] i:i32[3,1] u:T[3]",
     "b:T[17] = scatter_min[inserted_window_dims=(0,) mode=1 operand_batching_dims=() scatter_dims_to_operand_dims=(0,) "
     "scatter_indices_batching_dims=() update_window_dims=()] a i u", "b"},
    {"scatter_max", "a:T[17] i:i32[3,1] u:T[3]",
     "b:T[17] = scatter_max[inserted_window_dims=(0,) mode=1 operand_batching_dims=() scatter_dims_to_operand_dims=(0,) "
     "scatter_indices_batching_dims=() update_window_dims=()] a i u", "b"},
    {"reduce_sum", "a:T[3,17]", "b:T[3] = reduce_sum[axes=(1,)] a", "b"},
    {"reduce_sum", "a:T[3,5,7]", "b:T[5] = reduce_sum[axes=(0, 2)] a", "b"},
    {"reduce_sum", "a:T[0,5]", "b:T[5] = reduce_sum[axes=(0,)] a", "b"},
    {"reduce_sum", "a:T[33]", "b:T[] = reduce_sum[axes=(0,)] a", "b"},
    {"reduce_sum", "a:T[130,70]", "b:T[70] = reduce_sum[axes=(0,)] a", "b"},
    {"reduce_sum", "a:T[70,3,50]", "b:T[3] = reduce_sum[axes=(0, 2)] a", "b"},
    {"reduce_sum", "a:T[9,300]", "b:T[9] = reduce_sum[axes=(1,)] a", "b"},
    {"reduce_prod", "a:T[3,5]", "b:T[3] = reduce_prod[axes=(1,)] a", "b"},
    {"reduce_prod", "a:T[2,2,2]", "b:T[2] = reduce_prod[axes=(0, 2)] a", "b"},
    {"reduce_max", "a:T[3,17]", "b:T[3] = reduce_max[axes=(1,)] a", "b"},
    {"reduce_max", "a:T[0,2]", "b:T[2] = reduce_max[axes=(0,)] a", "b", FILL_DOMAIN, ROW_VALUES},
    {"reduce_min", "a:T[17,3]", "b:T[3] = reduce_min[axes=(0,)] a", "b"},
    {"reduce_and", "a:T[3,5]", "b:T[5] = reduce_and[axes=(0,)] a", "b"},
    {"reduce_or", "a:T[3,5]", "b:T[3] = reduce_or[axes=(1,)] a", "b"},
    {"reduce_xor", "a:T[3,5]", "b:T[3] = reduce_xor[axes=(1,)] a", "b"},
    {"reduce_xor", "a:T[70,9]", "b:T[9] = reduce_xor[axes=(0,)] a", "b"},
    {"argmax", "a:T[3,17]", "b:i32[3] = argmax[axes=(1,) index_dtype=int32] a", "b"},
    {"argmin", "a:T[17,3]", "b:i64[3] = argmin[axes=(0,) index_dtype=int64] a", "b"},
    {"cumsum", "a:T[3,17]", "b:T[3,17] = cumsum[axis=1 reverse=False] a", "b"},
    {"cumsum", "a:T[5,3]", "b:T[5,3] = cumsum[axis=0 reverse=True] a", "b"},
    {"cumprod", "a:T[2,5]", "b:T[2,5] = cumprod[axis=1 reverse=False] a", "b"},
    {"cummax", "a:T[2,9]", "b:T[2,9] = cummax[axis=1 reverse=True] a", "b"},
    {"cummin", "a:T[9]", "b:T[9] = cummin[axis=0 reverse=False] a", "b"},
    {"reduce_window_sum", "a:T[7]", "b:T[5] = reduce_window_sum[base_dilation=(1,) padding=((0, 0),) window_dilation=(1,) window_dimensions=(3,) window_strides=(1,)] a", "b"},
    {"reduce_window_max", "a:T[7]", "b:T[5] = reduce_window_max[base_dilation=(1,) padding=((0, 0),) window_dilation=(1,) window_dimensions=(3,) window_strides=(1,)] a", "b"},
    {"reduce_window_min", "a:T[7]", "b:T[5] = reduce_window_min[base_dilation=(1,) padding=((0, 0),) window_dilation=(1,) window_dimensions=(3,) window_strides=(1,)] a", "b"},
    {"reduce_window_prod", "a:T[7]", "b:T[5] = reduce_window_prod[base_dilation=(1,) padding=((0, 0),) window_dilation=(1,) window_dimensions=(3,) window_strides=(1,)] a", "b"},
    {"reduce_window_sum", "a:T[5,7]", "b:T[3,10] = reduce_window_sum[base_dilation=(1, 2) padding=((1, 1), (-1, 2)) window_dilation=(1, 2) window_dimensions=(2, 3) window_strides=(2, 1)] a", "b"},
    {"reduce_window_sum", "a:T[300]", "b:T[241] = reduce_window_sum[base_dilation=(1,) padding=((0, 0),) window_dilation=(1,) window_dimensions=(60,) window_strides=(1,)] a", "b"},
    {"reduce_window_sum", "a:T[3,12,12]", "b:T[3,6,6] = reduce_window_sum[base_dilation=(1, 1, 1) padding=((0, 0), (2, 2), (2, 2)) window_dilation=(1, 1, 1) window_dimensions=(1, 6, 6) window_strides=(1, 2, 2)] a", "b"},
    {"reduce_window_sum", "a:T[4]", "b:T[0] = reduce_window_sum[base_dilation=(1,) padding=((0, 0),) window_dilation=(1,) window_dimensions=(9,) window_strides=(1,)] a", "b"},
    {"reduce_window_max", "a:T[2,8,9,3]", "b:T[2,4,5,3] = reduce_window_max[base_dilation=(1, 1, 1, 1) padding=((0, 0), (0, 0), (0, 1), (0, 0)) window_dilation=(1, 1, 1, 1) window_dimensions=(1, 2, 2, 1) window_strides=(1, 2, 2, 1)] a", "b"},
    {"reduce_window_min", "a:T[2,9]", "b:T[2,4] = reduce_window_min[base_dilation=(1, 1) padding=((0, 0), (1, 0)) window_dilation=(1, 1) window_dimensions=(1, 3) window_strides=(1, 2)] a", "b"},
    {"reduce_window_prod", "a:T[3,4]", "b:T[2,4] = reduce_window_prod[base_dilation=(1, 1) padding=((0, 0), (1, 1)) window_dilation=(1, 2) window_dimensions=(2, 2) window_strides=(1, 1)] a", "b"},
    {"reduce_window_and", "a:T[9]", "b:T[7] = reduce_window_and[base_dilation=(1,) padding=((0, 0),) window_dilation=(1,) window_dimensions=(3,) window_strides=(1,)] a", "b"},
    {"reduce_window_or", "a:T[2,9]", "b:T[2,5] = reduce_window_or[base_dilation=(1, 1) padding=((0, 0), (1, 1)) window_dilation=(1, 1) window_dimensions=(1, 3) window_strides=(1, 2)] a", "b"},
    {"select_and_gather_add", "a:T[9] b:T[9]", "c:T[4] = select_and_gather_add[base_dilation=(1,) padding=((1, 0),) select_prim=ge window_dilation=(1,) window_dimensions=(3,) window_strides=(2,)] a b", "c"},
    {"select_and_scatter_add", "a:T[4] b:T[9]", "c:T[9] = select_and_scatter_add[base_dilation=(1,) padding=((1, 0),) select_prim=ge window_dilation=(1,) window_dimensions=(3,) window_strides=(2,)] a b", "c"},
    {"select_and_gather_add", "a:T[9] b:T[9]", "c:T[4] = select_and_gather_add[base_dilation=(1,) padding=((1, 0),) select_prim=le window_dilation=(1,) window_dimensions=(3,) window_strides=(2,)] a b", "c"},
    {"select_and_scatter_add", "a:T[4] b:T[9]", "c:T[9] = select_and_scatter_add[base_dilation=(1,) padding=((1, 0),) select_prim=le window_dilation=(1,) window_dimensions=(3,) window_strides=(2,)] a b", "c"},
    {"select_and_scatter_add", "a:T[2,3] b:T[5,6]", "c:T[5,6] = select_and_scatter_add[base_dilation=(1, 1) padding=((0, 0), (0, 0)) select_prim=ge window_dilation=(1, 1) window_dimensions=(2, 2) window_strides=(2, 2)] a b", "c"},
    {"select_and_scatter_add", "a:T[3,10] b:T[5,7]", "c:T[5,7] = select_and_scatter_add[base_dilation=(1, 2) padding=((1, 1), (-1, 2)) select_prim=ge window_dilation=(1, 2) window_dimensions=(2, 3) window_strides=(2, 1)] a b", "c"},
    {"select_and_gather_add", "a:T[5,7] b:T[5,7]", "c:T[3,10] = select_and_gather_add[base_dilation=(1, 2) padding=((1, 1), (-1, 2)) select_prim=le window_dilation=(1, 2) window_dimensions=(2, 3) window_strides=(2, 1)] a b", "c"},
    {"sliding_windows", "a:T[5,7]", "b:T[2,3,2,3] = sliding_windows[axes=(0, 1) window_dilation=(1, 2) window_dimensions=(2, 3) window_strides=(2, 1)] a", "b"},
    {"sort", "a:T[3,17]", "b:T[3,17] = sort[dimension=1 is_stable=True num_keys=1] a", "b"},
    {"sort", "a:T[65,3]", "b:T[65,3] = sort[dimension=0 is_stable=True num_keys=1] a", "b"},
    {"sort", "a:i32[2,9] b:T[2,9] c:i64[2,9]",
     "d:i32[2,9] e:T[2,9] f:i64[2,9] = sort[dimension=1 is_stable=True num_keys=2] a b c", "d, e, f"},
    {"sort", "a:T[70,2] b:T[70,2]", "c:T[70,2] d:T[70,2] = sort[dimension=0 is_stable=False num_keys=1] a b", "c, d"},
    {"top_k", "a:T[3,17]", "b:T[3,5] c:i32[3,5] = top_k[axis=1 k=5] a", "b, c"},
    {"top_k", "a:T[65,3]", "b:T[65,3] c:i32[65,3] = top_k[axis=0 k=65] a", "b, c"},
    {"top_k", "a:T[2,500,3]", "b:T[2,7,3] c:i32[2,7,3] = top_k[axis=1 k=7] a", "b, c"},
    {"top_k", "a:T[3,4]", "b:T[3,0] c:i32[3,0] = top_k[axis=1 k=0] a", "b, c"},
    {"sort", "a:T[0,3]", "b:T[0,3] = sort[dimension=0 is_stable=True num_keys=1] a", "b"},
    {"dot_general", "a:T[3,5] b:T[5,4]",
     "c:T[3,4] = dot_general[dimension_numbers=(([1], [0]), ([], [])) preferred_element_type=T] a b", "c"},
    {"dot_general", "a:T[2,3,5] b:T[5,2,4]",
     "c:T[2,3,4] = dot_general[dimension_numbers=(([2], [0]), ([0], [1])) preferred_element_type=T] a b", "c"},
    {"dot_general", "a:T[17] b:T[17]", "c:T[] = dot_general[dimension_numbers=(([0], [0]), ([], [])) preferred_element_type=T] a b", "c"},
    {"dot_general", "a:T[40,50] b:T[50,33]",
     "c:T[40,33] = dot_general[dimension_numbers=(([1], [0]), ([], [])) preferred_element_type=T] a b", "c"},
    {"dot_general", "a:T[40,50] b:T[40,50]",
     "c:f32[40,40] = dot_general[dimension_numbers=(([1], [1]), ([], [])) preferred_element_type=float32] a b", "c", FILL_DOMAIN,
     ROW_REAL},
    {"dot_general", "a:T[70,80] b:T[70,80]",
     "c:T[70,70] = dot_general[dimension_numbers=(([1], [1]), ([], [])) preferred_element_type=T] a b", "c"},
    {"dot_general", "a:T[2,0] b:T[0,3]",
     "c:T[2,3] = dot_general[dimension_numbers=(([1], [0]), ([], [])) preferred_element_type=T] a b", "c"},
    {"dot_general", "a:T[3,4,5] b:T[5,4,2]",
     "c:T[3,2] = dot_general[dimension_numbers=(([1, 2], [1, 0]), ([], [])) preferred_element_type=T] a b", "c"},
    {"conv_general_dilated", "a:T[2,2,7] b:T[3,2,3]",
     "c:T[2,3,5] = conv_general_dilated[batch_group_count=1 dimension_numbers=((0, 1, 2), (0, 1, 2), (0, 1, 2)) feature_group_count=1 lhs_dilation=(1,) padding=((0, 0),) "
     "preferred_element_type=T rhs_dilation=(1,) window_strides=(1,)] a b", "c"},
    {"conv_general_dilated", "a:T[2,7,2] b:T[3,2,3]",
     "c:T[2,4,3] = conv_general_dilated[batch_group_count=1 dimension_numbers=((0, 2, 1), (2, 1, 0), (0, 2, 1)) feature_group_count=1 lhs_dilation=(1,) padding=((1, 1),) "
     "preferred_element_type=T rhs_dilation=(1,) window_strides=(2,)] a b", "c"},
    {"conv_general_dilated", "a:T[1,2,4] b:T[3,2,2]",
     "c:T[1,3,6] = conv_general_dilated[batch_group_count=1 dimension_numbers=((0, 1, 2), (0, 1, 2), (0, 1, 2)) feature_group_count=1 lhs_dilation=(2,) padding=((1, -1),) "
     "preferred_element_type=T rhs_dilation=(1,) window_strides=(1,)] a b", "c"},
    {"conv_general_dilated", "a:T[2,4,6] b:T[6,2,3]",
     "c:T[2,6,4] = conv_general_dilated[batch_group_count=1 dimension_numbers=((0, 1, 2), (0, 1, 2), (0, 1, 2)) feature_group_count=2 lhs_dilation=(1,) padding=((1, 1),) "
     "preferred_element_type=T rhs_dilation=(2,) window_strides=(1,)] a b", "c"},
    {"conv_general_dilated", "a:T[4,3,6] b:T[4,3,3]",
     "c:T[2,4,6] = conv_general_dilated[batch_group_count=2 dimension_numbers=((0, 1, 2), (0, 1, 2), (0, 1, 2)) feature_group_count=1 lhs_dilation=(1,) padding=((1, 1),) "
     "preferred_element_type=T rhs_dilation=(1,) window_strides=(1,)] a b", "c"},
    {"conv_general_dilated", "a:T[2,6,5,3] b:T[3,2,3,4]",
     "c:T[2,4,4,4] = conv_general_dilated[batch_group_count=1 dimension_numbers=((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2)) feature_group_count=1 lhs_dilation=(1, 1) padding=((0, 0), (0, 0)) "
     "preferred_element_type=T rhs_dilation=(1, 1) window_strides=(1, 1)] a b", "c"},
    {"conv_general_dilated", "a:T[1,3,5,6] b:T[3,1,2,2]",
     "c:T[1,3,6,3] = conv_general_dilated[batch_group_count=1 dimension_numbers=((0, 1, 2, 3), (0, 1, 2, 3), (0, 1, 2, 3)) feature_group_count=3 lhs_dilation=(1, 1) padding=((1, 1), (0, 0)) "
     "preferred_element_type=T rhs_dilation=(1, 1) window_strides=(1, 2)] a b", "c"},
    {"conv_general_dilated", "a:T[3,2] b:T[4,2]",
     "c:T[3,4] = conv_general_dilated[batch_group_count=1 dimension_numbers=((0, 1), (0, 1), (0, 1)) feature_group_count=1 lhs_dilation=() padding=() "
     "preferred_element_type=T rhs_dilation=() window_strides=()] a b", "c"},
    {"conv_general_dilated", "a:T[2,3,9] b:T[5,3,4]",
     "c:f32[2,5,6] = conv_general_dilated[batch_group_count=1 dimension_numbers=((0, 1, 2), (0, 1, 2), (0, 1, 2)) feature_group_count=1 lhs_dilation=(1,) padding=((0, 0),) "
     "preferred_element_type=float32 rhs_dilation=(1,) window_strides=(1,)] a b", "c", FILL_DOMAIN, ROW_REAL},
    {"conv_general_dilated", "a:T[1,2,3] b:T[2,2,5]",
     "c:T[1,2,0] = conv_general_dilated[batch_group_count=1 dimension_numbers=((0, 1, 2), (0, 1, 2), (0, 1, 2)) feature_group_count=1 lhs_dilation=(1,) padding=((0, 0),) "
     "preferred_element_type=T rhs_dilation=(1,) window_strides=(1,)] a b", "c"},
    {"conv_general_dilated", "a:T[2,12,13,8] b:T[3,3,8,9]",
     "c:T[2,6,7,9] = conv_general_dilated[batch_group_count=1 dimension_numbers=((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2)) feature_group_count=1 lhs_dilation=(1, 1) padding=((1, 1), (1, 1)) "
     "preferred_element_type=T rhs_dilation=(1, 1) window_strides=(2, 2)] a b", "c"},
    {"conv_general_dilated", "a:T[2,8,6,7] b:T[16,4,3,3]",
     "c:T[2,16,13,13] = conv_general_dilated[batch_group_count=1 dimension_numbers=((0, 1, 2, 3), (0, 1, 2, 3), (0, 1, 2, 3)) feature_group_count=2 lhs_dilation=(2, 2) padding=((2, 2), (1, 1)) "
     "preferred_element_type=T rhs_dilation=(1, 1) window_strides=(1, 1)] a b", "c"},
    {"cholesky", "a:T[3,3]", "b:T[3,3] = cholesky a", "b", FILL_POSITIVE_DEFINITE, ROW_WIDE},
    {"cholesky", "a:T[2,4,4]", "b:T[2,4,4] = cholesky a", "b", FILL_POSITIVE_DEFINITE, ROW_WIDE},
    {"triangular_solve", "a:T[3,3] b:T[3,2]",
     "c:T[3,2] = triangular_solve[left_side=True lower=True transpose_a=False unit_diagonal=False] a b", "c", FILL_TRIANGULAR, ROW_WIDE},
    {"triangular_solve", "a:T[2,3,3] b:T[2,4,3]",
     "c:T[2,4,3] = triangular_solve[left_side=False lower=False transpose_a=True unit_diagonal=False] a b", "c", FILL_TRIANGULAR, ROW_WIDE},
    {"lu", "a:T[4,4]", "b:T[4,4] c:i32[4] d:i32[4] = lu a", "b, c, d", FILL_TRIANGULAR, ROW_WIDE},
    {"geqrf", "a:T[4,3]", "b:T[4,3] c:T[3] = geqrf a", "b, c", FILL_DOMAIN, ROW_WIDE},
    {"geqrf", "a:T[2,3,5]", "b:T[2,3,5] c:T[2,3] = geqrf a", "b, c", FILL_DOMAIN, ROW_WIDE},
    {"householder_product", "a:T[4,3]", "b:T[4,3] c:T[3] = geqrf a; d:T[4,3] = householder_product b c", "d", FILL_DOMAIN, ROW_WIDE},
    {"householder_product", "a:T[2,4,2]", "b:T[2,4,2] c:T[2,2] = geqrf a; d:T[2,4,2] = householder_product b c", "d", FILL_DOMAIN, ROW_WIDE},
    {"ormqr", "a:T[4,3] b:T[3] c:T[4,2]", "d:T[4,2] = ormqr[left=True transpose=False] a b c", "d", FILL_DOMAIN, ROW_WIDE},
    {"ormqr", "a:T[2,4,3] b:T[2,2] c:T[2,5,4]", "d:T[2,5,4] = ormqr[left=False transpose=True] a b c", "d", FILL_DOMAIN, ROW_WIDE},
    {"qr", "a:T[4,3]", "b:T[4,3] c:T[3,3] = qr[full_matrices=False pivoting=False] a", "b, c", FILL_DOMAIN, ROW_WIDE},
    {"qr", "a:T[4,2]", "b:T[4,4] c:T[4,2] = qr[full_matrices=True pivoting=False] a", "b, c", FILL_DOMAIN, ROW_WIDE},
    {"qr", "a:T[2,2,4]", "b:T[2,2,2] c:T[2,2,4] = qr[full_matrices=False pivoting=False] a", "b, c", FILL_DOMAIN, ROW_WIDE},
    {"qr", "a:T[4,3]", "b:T[4,3] c:T[3,3] d:i32[3] = qr[full_matrices=False pivoting=True] a", "b, c, d", FILL_DOMAIN, ROW_WIDE},
    {"qr", "a:T[0,3]", "b:T[0,0] c:T[0,3] = qr[full_matrices=False pivoting=False] a", "b, c", FILL_DOMAIN, ROW_WIDE},
    {"qr", "a:T[3,0]", "b:T[3,3] c:T[3,0] = qr[full_matrices=True pivoting=False] a", "b, c", FILL_DOMAIN, ROW_WIDE},
    /* vectors have either sign: squares are compared */
    {"eigh", "a:T[3,3]", "b:T[3,3] c:T[3] = eigh[lower=True] a; d:T[3,3] = mul b b", "c, d", FILL_DOMAIN, ROW_WIDE},
    {"eigh", "a:T[2,4,4]", "b:T[2,4,4] c:T[2,4] = eigh[lower=False] a; d:T[2,4,4] = mul b b", "c, d", FILL_POSITIVE_DEFINITE, ROW_WIDE},
    {"svd", "a:T[4,3]", "b:T[3] = svd[compute_uv=False full_matrices=False] a", "b", FILL_DOMAIN, ROW_WIDE},
    {"svd", "a:T[4,3]", "b:T[3] c:T[4,3] d:T[3,3] = svd[compute_uv=True full_matrices=False] a; e:T[4,3] = mul c c; f:T[3,3] = mul d d",
     "b, e, f", FILL_DOMAIN, ROW_WIDE},
    {"svd", "a:T[2,2,3]", "b:T[2,2] c:T[2,2,2] d:T[2,2,3] = svd[compute_uv=True full_matrices=False] a; e:T[2,2,2] = mul c c; f:T[2,2,3] = mul d d",
     "b, e, f", FILL_DOMAIN, ROW_WIDE},
    {"svd", "a:T[3,3]", "b:T[3] c:T[3,3] d:T[3,3] = svd[compute_uv=True full_matrices=True] a; e:T[3,3] = mul c c; f:T[3,3] = mul d d",
     "b, e, f", FILL_DOMAIN, ROW_WIDE},
    {"pinv", "a:T[4,3]", "b:T[3,4] = pinv[rtol=1e-5] a", "b", FILL_DOMAIN, ROW_WIDE},
    {"pinv", "a:T[2,2,3]", "b:T[2,3,2] = pinv[rtol=1e-5] a", "b", FILL_DOMAIN, ROW_WIDE},
    {"pinv", "a:T[0,3]", "b:T[3,0] = pinv[rtol=1e-5] a", "b", FILL_DOMAIN, ROW_WIDE},
    /* values in any order, vectors of any phase: sum of w^3, |v|^2 w summed, a v - v w */
    {"eig", "a:f64[3,3]",
     "w:c128[3] l:c128[3,3] r:c128[3,3] = eig[compute_left_eigenvectors=True compute_right_eigenvectors=True enable_eigvec_derivs=True] a; "
     "b:c128[3,3] = convert_element_type[new_dtype=complex128 weak_type=False] a; "
     "c:c128[3,3] = dot_general[dimension_numbers=(([1], [0]), ([], [])) preferred_element_type=complex128] b r; "
     "d:c128[3,3] = broadcast_in_dim[broadcast_dimensions=(1,) shape=(3, 3)] w; e:c128[3,3] = mul r d; f:c128[3,3] = sub c e; "
     "g:c128[3] = integer_pow[y=3] w; h:c128[] = reduce_sum[axes=(0,)] g; i:f64[3,3] = abs r; j:f64[3,3] = mul i i; "
     "k:c128[3,3] = convert_element_type[new_dtype=complex128 weak_type=False] j; m:c128[3,3] = mul k d; n:c128[3] = reduce_sum[axes=(1,)] m; "
     "o:f64[3,3] = abs l; p:f64[3,3] = mul o o; q:f64[3] = reduce_sum[axes=(1,)] p", "f, h, n, q"},
    {"eig", "a:c128[2,2,2]",
     "w:c128[2,2] r:c128[2,2,2] = eig[compute_left_eigenvectors=False compute_right_eigenvectors=True enable_eigvec_derivs=True] a; "
     "g:c128[2,2] = integer_pow[y=2] w; h:c128[2] = reduce_sum[axes=(1,)] g; i:f64[2,2,2] = abs r; j:f64[2,2] = reduce_sum[axes=(2,)] i", "h, j"},
    {"eig", "a:c64[3,3]",
     "w:c64[3] = eig[compute_left_eigenvectors=False compute_right_eigenvectors=False enable_eigvec_derivs=False] a; "
     "g:c64[3] = integer_pow[y=2] w; h:c64[] = reduce_sum[axes=(0,)] g", "h"},
    {"hessenberg", "a:T[4,4]", "b:T[4,4] c:T[3] = hessenberg a", "b, c", FILL_DOMAIN, ROW_WIDE},
    {"tridiagonal", "a:T[4,4]", "b:T[4,4] c:T[4] d:T[3] e:T[3] = tridiagonal[lower=True] a", "b, c, d, e", FILL_DOMAIN, ROW_WIDE},
    {"tridiagonal", "a:T[2,3,3]", "b:T[2,3,3] c:T[2,3] d:T[2,2] e:T[2,2] = tridiagonal[lower=False] a", "b, c, d, e", FILL_DOMAIN, ROW_WIDE},
    {"schur", "a:T[4,4]", /* not unique: q t q^T */
     "b:T[4,4] c:T[4,4] = schur[compute_schur_vectors=True] a; "
     "d:T[4,4] = dot_general[dimension_numbers=(([1], [0]), ([], [])) preferred_element_type=T] c b; "
     "e:T[4,4] = dot_general[dimension_numbers=(([1], [1]), ([], [])) preferred_element_type=T] d c", "e", FILL_DOMAIN, ROW_WIDE},
    {"tridiagonal_solve", "a:T[4] b:T[4] c:T[4] d:T[4,2]",
     "e:T[4] = add b 6.0:T[]; f:T[4,2] = tridiagonal_solve[perturb_singular=False] a e c d", "f", FILL_DOMAIN, ROW_WIDE},
    {"tridiagonal_solve", "a:T[2,3] b:T[2,3] c:T[2,3] d:T[2,3,1]",
     "f:T[2,3,1] = tridiagonal_solve[perturb_singular=True] a b c d", "f", FILL_DOMAIN, ROW_WIDE},
    {"cholesky_update", "a:T[3,3] b:T[3]", "c:T[3,3] = cholesky_update a b", "c", FILL_TRIANGULAR, ROW_WIDE},
    {"cholesky_update", "a:T[2,4,4] b:T[2,4]", "c:T[2,4,4] = cholesky_update a b", "c", FILL_TRIANGULAR, ROW_WIDE},
    {"threefry2x32", "a:u32[] b:u32[] c:u32[7] d:u32[7]", "e:u32[7] f:u32[7] = threefry2x32 a b c d", "e, f"},
    {"cond", "i:i32[] a:T[3] b:T[3]",
     "j:i32[] = clamp 0:i32[] i 1:i32[]; c:T[3] = cond[branches=({ lambda ; p:T[3] q:T[3]. let r:T[3] = mul p q in (r,) } { lambda ; p:T[3] q:T[3]. let r:T[3] = add p q; "
     "s:T[3] = sub r q in (s,) })] j a b", "c"},
    {"while", "i:i32[] a:T[3] b:T[3]",
     "c:i32[] d:T[3] = while[body_jaxpr={ lambda ; k:T[3] n:i32[] x:T[3]. let m:i32[] = add n 3:i32[]; y:T[3] = mul x k in (m, y) } "
     "body_nconsts=1 cond_jaxpr={ lambda ; n:i32[] x:T[3]. let t:bool[] = lt n 10:i32[] in (t,) } cond_nconsts=0] b i a", "c, d"},
    {"scan", "a:T[] b:T[5]", "c:T[] d:T[5] = scan[jaxpr=" SCALAR_BODY " length=5 num_carry=1 num_consts=0 reverse=False] a b", "c, d",
     FILL_DOMAIN, ROW_REAL}, /* sines of complex numbers grow too fast */
    {"scan", "k:T[2] a:T[2] b:T[3,2]",
     "c:T[2] d:T[3,2] = scan[jaxpr={ lambda ; k:T[2] p:T[2] q:T[2]. let r:T[2] = mul p k; s:T[2] = add r q; t:T[2] = mul s q in (s, t) } "
     "length=3 num_carry=1 num_consts=1 reverse=True] k a b", "c, d"},
    {"custom_linear_solve", "a:T[3] b:T[3]",
     "c:T[3] = custom_linear_solve[matvec={ lambda ; d:T[3] x:T[3]. let y:T[3] = mul d x in (y,) } num_consts=1 "
     "solve={ lambda ; d:T[3] x:T[3]. let y:T[3] = div x d in (y,) } "
     "transpose_solve={ lambda ; d:T[3] x:T[3]. let y:T[3] = div x d in (y,) } "
     "vecmat={ lambda ; d:T[3] x:T[3]. let y:T[3] = mul d x in (y,) }] a b", "c"},
    {"jit", "a:T[] b:T[]", "c:T[] d:T[] = jit[name=f jaxpr=" SCALAR_BODY "] a b", "c, d"},
    {"checkpoint", "a:T[] b:T[]", "c:T[] d:T[] = checkpoint[jaxpr=" SCALAR_BODY "] a b", "c, d"},
    {"psum", "a:T[3]", "b:T[3] = psum[axis_name=i] a", "b", FILL_DOMAIN, ROW_NAMED},
    {"pmax", "a:T[3]", "b:T[3] = pmax[axis_name=i] a", "b", FILL_DOMAIN, ROW_NAMED},
    {"pmin", "a:T[3]", "b:T[3] = pmin[axis_name=i] a", "b", FILL_DOMAIN, ROW_NAMED},
    {"all_gather", "a:T[2]", "b:T[2,3] = all_gather[all_gather_dimension=1 axis_name=i axis_size=3 tiled=False] a", "b", FILL_DOMAIN, ROW_NAMED},
    {"all_to_all", "a:T[6,2]", "b:T[2,6] = all_to_all[axis_name=i axis_size=3 concat_axis=1 split_axis=0] a", "b", FILL_DOMAIN, ROW_NAMED},
    {"all_to_all", "a:T[2,2,3]", "b:T[6,2,1] = all_to_all[axis_name=i axis_size=3 concat_axis=0 split_axis=2] a", "b", FILL_DOMAIN, ROW_NAMED},
    {"all_to_all", "a:T[2,6]", "b:T[2,6] = all_to_all[axis_name=i axis_size=3 concat_axis=1 split_axis=1] a", "b", FILL_DOMAIN, ROW_NAMED},
    {"reduce_scatter", "a:T[2,6]", "b:T[2,2] = reduce_scatter[axis_name=i axis_size=3 scatter_dimension=1 tiled=True] a", "b", FILL_DOMAIN, ROW_NAMED},
    {"reduce_scatter", "a:T[2,3]", "b:T[2] = reduce_scatter[axis_name=i axis_size=3 scatter_dimension=1 tiled=False] a", "b", FILL_DOMAIN, ROW_NAMED},
    {"ppermute", "a:T[2]", "b:T[2] = ppermute[axis_name=i perm=((0, 1), (1, 2), (2, 0))] a", "b", FILL_DOMAIN, ROW_NAMED},
    {"axis_index", "", "b:i32[] = axis_index[axis_name=i axis_size=3]", "b", FILL_DOMAIN, ROW_NAMED},
};
#define N_ROWS (sizeof rows / sizeof *rows)

#endif
