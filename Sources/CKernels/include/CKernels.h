/// Fixed-order numeric kernels. Every function has two forms compiled from one source, AVX2/FMA and portable, that return the same bits.
///
/// Storage. The weights of a linear layer with K inputs and N outputs lie in ceil(N / 16) panels of [K][16] floats: element (o, i) stands
/// at `((o / 16) * K + i) * 16 + o % 16`. Vectors of N outputs are padded to a multiple of 16. Padding is 0 and stays 0.
///
/// Activations are row-major with an explicit row stride in floats, a multiple of 16 and at least the padded width; kernels write the
/// padding and may read it. Buffers of one call must not overlap, except that elementwise functions (GELU, tanh, the functions on
/// arrays) may write over an operand of the same extents.
///
/// Order. An output element of a product is one chain of fused multiply-adds in ascending index order, whatever the number of rows: a row
/// has the same bits in every batch.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdint.h>

#include "CKernelTable.h"

#pragma clang assume_nonnull begin

/// Forces the portable form (1) or takes the best that the processor has (0). Returns 1 if AVX2/FMA is in force. Call before other
/// threads start.
int32_t ck_select(int32_t portable);
/// Whether the AVX2/FMA form is in force.
int32_t ck_uses_avx2(void);
/// 1 if the floating-point control word is the default one: round to nearest, denormals kept.
int32_t ck_float_environment_is_default(void);

/// y[rows, outputs] = x[rows, inputs] W^T + bias; `bias` may be null. Chain over inputs, starting from the bias.
void ck_linear_forward(float *y, int64_t y_stride, const float *x, int64_t x_stride, const float *weights, const float *_Nullable bias,
                       int64_t rows, int64_t inputs, int64_t outputs);
/// dx[rows, inputs] = (accumulate ? dx : 0) + dy W. Chain over outputs.
void ck_linear_input_gradient(float *dx, int64_t dx_stride, const float *dy, int64_t dy_stride, const float *weights, int64_t rows,
                              int64_t inputs, int64_t outputs, int32_t accumulate);
/// dW (panels) and db (may be null) = (accumulate ? old : 0) + sum over the rows in row order. Columns of dy past `outputs` count as 0.
void ck_linear_weight_gradient(float *dweights, float *_Nullable dbias, const float *x, int64_t x_stride, const float *dy,
                               int64_t dy_stride, int64_t rows, int64_t inputs, int64_t outputs, int32_t accumulate);

/// y = (x - mean) * rstd * gain + shift over the `n` columns of each row, rstd = 1 / sqrt(population variance + eps); clamped at 0 if
/// `relu`. Saves mean[rows] and rstd[rows]. gain and shift are padded; y's padded columns are written 0.
void ck_layernorm_forward(float *y, int64_t y_stride, float *mean, float *rstd, const float *x, int64_t x_stride, const float *gain,
                          const float *shift, int64_t rows, int64_t n, float eps, int32_t relu);
/// dx is overwritten, dgain and dshift (padded) are added to in row order. With `relu` the gradient passes where y > 0. x, y, mean and
/// rstd are those of the forward pass.
void ck_layernorm_backward(float *dx, int64_t dx_stride, float *dgain, float *dshift, const float *dy, int64_t dy_stride, const float *y,
                           int64_t y_stride, const float *x, int64_t x_stride, const float *mean, const float *rstd, const float *gain,
                           int64_t rows, int64_t n, int32_t relu);
/// y = x * Phi(x) with the normal distribution function by erf (arXiv 1606.08415), absolute error below 1.6e-7 |x|. Contiguous.
void ck_gelu_forward(float *y, const float *x, int64_t count);
/// dx = dy * (Phi(x) + x phi(x)).
void ck_gelu_backward(float *dx, const float *dy, const float *x, int64_t count);
/// y = tanh(x), the same as `ck_tanh_f32`.
void ck_tanh_forward(float *y, const float *x, int64_t count);
/// dx = dy * (1 - y^2).
void ck_tanh_backward(float *dx, const float *dy, const float *y, int64_t count);
/// One step of a gated recurrent unit, gates in PyTorch's order r, u, n: with gi = Wi x + bi and gh = Wh h + bh, [rows, 3 hidden] each,
/// r = sig(gi_r + gh_r), u = sig(gi_u + gh_u), n = tanh(gi_n + r gh_n), h' = (1 - u) n + u h. `gates` [rows, 4 hidden] keeps r, u, n, gh_n.
/// `hidden` is a multiple of 16.
void ck_gru_forward(float *h_next, int64_t h_next_stride, float *gates, int64_t gates_stride, const float *gi, int64_t gi_stride,
                    const float *gh, int64_t gh_stride, const float *h, int64_t h_stride, int64_t rows, int64_t hidden);
/// Gradients of the pre-activations (overwritten), and of h along u h' only (overwritten) unless `dh` is null.
void ck_gru_backward(float *dgi, int64_t dgi_stride, float *dgh, int64_t dgh_stride, float *_Nullable dh, int64_t dh_stride,
                     const float *dh_next, int64_t dh_next_stride, const float *gates, int64_t gates_stride, const float *h,
                     int64_t h_stride, int64_t rows, int64_t hidden);

// Layers over sets (`sets.inc`): `groups` groups of `size` tokens, token i of group g in row g * size + i; `n` is a multiple of 16. `mask`
// [groups, size] names the tokens that take part (1), null: all. A forward result is the same bits for every order of a group's tokens.

/// y[g * size + i] += x[g].
void ck_group_add(float *y, int64_t y_stride, const float *x, int64_t x_stride, int64_t groups, int64_t size, int64_t n);
/// dx[g] = sum over i of dy[g * size + i], in token order.
void ck_group_sum(float *dx, int64_t dx_stride, const float *dy, int64_t dy_stride, int64_t groups, int64_t size, int64_t n);
/// pooled[g] = mean over the tokens in columns 0 ..< n, their maximum in n ..< 2n; `winners` [groups, n] keeps which token was largest (the
/// first of equals). 0 if no token takes part.
void ck_pool_forward(float *pooled, int64_t pooled_stride, int32_t *winners, const float *x, int64_t x_stride,
                     const uint8_t *_Nullable mask, int64_t groups, int64_t size, int64_t n);
/// Adds to dx the gradient of the tokens.
void ck_pool_backward(float *dx, int64_t dx_stride, const float *dpooled, int64_t dpooled_stride, const int32_t *winners,
                      const uint8_t *_Nullable mask, int64_t groups, int64_t size, int64_t n);
/// Attention inside each group with heads of 16 columns: y_i = sum over j of softmax_j(q_i k_j / 4) v_j, j over the tokens that take part.
/// q, k, v have one stride; `weights` [groups, heads, size, size] keeps the softmax.
void ck_attention_forward(float *y, int64_t y_stride, float *weights, const float *q, const float *k, const float *v, int64_t stride,
                          const uint8_t *_Nullable mask, int64_t groups, int64_t size, int64_t heads);
/// Overwrites dq, dk and dv, which have the stride of q, k and v.
void ck_attention_backward(float *dq, float *dk, float *dv, const float *dy, int64_t dy_stride, const float *weights, const float *q,
                           const float *k, const float *v, int64_t stride, int64_t groups, int64_t size, int64_t heads);

/// One step of AdamW (arXiv 1711.05101) on [0, count): with g' = gradient_scale g, m = beta1 m + (1 - beta1) g', v = beta2 v + (1 -
/// beta2) g'^2, p = (1 - lr weight_decay) p - (lr / correction1) m / (sqrt(v) / sqrt(correction2) + eps); correctionN = 1 - betaN^step.
/// eps > 0 keeps padding (p, m, v, g all 0) at 0.
void ck_adamw(float *p, float *m, float *v, const float *g, int64_t count, float gradient_scale, float lr, float beta1, float beta2,
              float eps, float weight_decay, float correction1, float correction2);
/// Sum of squares in double precision, 0 for `count` 0: eight lanes (element i in lane i mod 8), folded in a fixed order, the rest added
/// last.
double ck_sum_squares(const float *x, int64_t count);

// Elementary functions. Errors in units in the last place: binary32 over all 2^32 arguments (denormal results included), binary64 the
// largest of 30 million random arguments for each of several ranges, against 64 significant bits. NaN gives NaN; other special cases are
// those of the C standard.

/// y = e^x, element by element. Error <= 0.80 ulp.
void ck_exp_f32(float *y, const float *x, int64_t count);
/// y = ln x. Error <= 0.88 ulp.
void ck_log_f32(float *y, const float *x, int64_t count);
/// y = tanh x. Error <= 1.35 ulp.
void ck_tanh_f32(float *y, const float *x, int64_t count);
/// y = 1 / (1 + e^-x). Error <= 2.41 ulp.
void ck_sigmoid_f32(float *y, const float *x, int64_t count);
/// y = erf x. Error <= 1.07 ulp.
void ck_erf_f32(float *y, const float *x, int64_t count);

/// Scalar forms with the bits of the arrays.
float ck_expf(float x);
/// As `ck_log_f32`.
float ck_logf(float x);
/// As `ck_tanh_f32`.
float ck_tanhf(float x);
/// As `ck_sigmoid_f32`.
float ck_sigmoidf(float x);
/// As `ck_erf_f32`.
float ck_erff(float x);

/// e^x. Error <= 0.54 ulp, 0.76 where the result is denormal.
double ck_exp(double x);
/// ln x. Error <= 0.51 ulp.
double ck_log(double x);
/// ln(1 + x). Error <= 0.51 ulp.
double ck_log1p(double x);
/// e^x - 1. Error <= 0.63 ulp.
double ck_expm1(double x);
/// x^y. Error <= 1.1 ulp.
double ck_pow(double x, double y);
/// sin x for every finite x. Error <= 0.78 ulp.
double ck_sin(double x);
/// cos x for every finite x. Error <= 0.78 ulp.
double ck_cos(double x);
/// tanh x. Error <= 0.58 ulp.
double ck_tanh(double x);
/// erf x. Error <= 0.86 ulp.
double ck_erf(double x);

#pragma clang assume_nonnull end

#endif
