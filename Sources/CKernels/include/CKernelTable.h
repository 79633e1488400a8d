/// The kernels that have two forms, and the table through which a form is called.
#ifndef CKERNELTABLE_H
#define CKERNELTABLE_H

#include <stdint.h>

#pragma clang assume_nonnull begin

// `X(return type, name, parameters, arguments)` once for each kernel; `CKernels.h` documents them.
#define CK_KERNELS(X)                                                                                                                      \
  X(void, linear_forward,                                                                                                                  \
    (float *y, int64_t y_stride, const float *x, int64_t x_stride, const float *weights, const float *_Nullable bias, int64_t rows,        \
     int64_t inputs, int64_t outputs),                                                                                                     \
    (y, y_stride, x, x_stride, weights, bias, rows, inputs, outputs))                                                                      \
  X(void, linear_input_gradient,                                                                                                           \
    (float *dx, int64_t dx_stride, const float *dy, int64_t dy_stride, const float *weights, int64_t rows, int64_t inputs,                 \
     int64_t outputs, int32_t accumulate),                                                                                                 \
    (dx, dx_stride, dy, dy_stride, weights, rows, inputs, outputs, accumulate))                                                            \
  X(void, linear_weight_gradient,                                                                                                          \
    (float *dweights, float *_Nullable dbias, const float *x, int64_t x_stride, const float *dy, int64_t dy_stride, int64_t rows,          \
     int64_t inputs, int64_t outputs, int32_t accumulate),                                                                                 \
    (dweights, dbias, x, x_stride, dy, dy_stride, rows, inputs, outputs, accumulate))                                                      \
  X(void, layernorm_forward,                                                                                                               \
    (float *y, int64_t y_stride, float *mean, float *rstd, const float *x, int64_t x_stride, const float *gain, const float *shift,        \
     int64_t rows, int64_t n, float eps, int32_t relu),                                                                                    \
    (y, y_stride, mean, rstd, x, x_stride, gain, shift, rows, n, eps, relu))                                                               \
  X(void, layernorm_backward,                                                                                                              \
    (float *dx, int64_t dx_stride, float *dgain, float *dshift, const float *dy, int64_t dy_stride, const float *y, int64_t y_stride,      \
     const float *x, int64_t x_stride, const float *mean, const float *rstd, const float *gain, int64_t rows, int64_t n, int32_t relu),    \
    (dx, dx_stride, dgain, dshift, dy, dy_stride, y, y_stride, x, x_stride, mean, rstd, gain, rows, n, relu))                              \
  X(void, gelu_forward, (float *y, const float *x, int64_t count), (y, x, count))                                                          \
  X(void, gelu_backward, (float *dx, const float *dy, const float *x, int64_t count), (dx, dy, x, count))                                  \
  X(void, tanh_backward, (float *dx, const float *dy, const float *y, int64_t count), (dx, dy, y, count))                                  \
  X(void, gru_forward,                                                                                                                     \
    (float *h_next, int64_t h_next_stride, float *gates, int64_t gates_stride, const float *gi, int64_t gi_stride, const float *gh,        \
     int64_t gh_stride, const float *h, int64_t h_stride, int64_t rows, int64_t hidden),                                                   \
    (h_next, h_next_stride, gates, gates_stride, gi, gi_stride, gh, gh_stride, h, h_stride, rows, hidden))                                 \
  X(void, gru_backward,                                                                                                                    \
    (float *dgi, int64_t dgi_stride, float *dgh, int64_t dgh_stride, float *_Nullable dh, int64_t dh_stride, const float *dh_next,         \
     int64_t dh_next_stride, const float *gates, int64_t gates_stride, const float *h, int64_t h_stride, int64_t rows, int64_t hidden),    \
    (dgi, dgi_stride, dgh, dgh_stride, dh, dh_stride, dh_next, dh_next_stride, gates, gates_stride, h, h_stride, rows, hidden))            \
  X(void, group_add, (float *y, int64_t y_stride, const float *x, int64_t x_stride, int64_t groups, int64_t size, int64_t n),              \
    (y, y_stride, x, x_stride, groups, size, n))                                                                                           \
  X(void, group_sum, (float *dx, int64_t dx_stride, const float *dy, int64_t dy_stride, int64_t groups, int64_t size, int64_t n),          \
    (dx, dx_stride, dy, dy_stride, groups, size, n))                                                                                       \
  X(void, pool_forward,                                                                                                                    \
    (float *pooled, int64_t pooled_stride, int32_t *winners, const float *x, int64_t x_stride, const uint8_t *_Nullable mask,              \
     int64_t groups, int64_t size, int64_t n),                                                                                             \
    (pooled, pooled_stride, winners, x, x_stride, mask, groups, size, n))                                                                  \
  X(void, pool_backward,                                                                                                                   \
    (float *dx, int64_t dx_stride, const float *dpooled, int64_t dpooled_stride, const int32_t *winners,                                   \
     const uint8_t *_Nullable mask, int64_t groups, int64_t size, int64_t n),                                                              \
    (dx, dx_stride, dpooled, dpooled_stride, winners, mask, groups, size, n))                                                              \
  X(void, attention_forward,                                                                                                               \
    (float *y, int64_t y_stride, float *weights, const float *q, const float *k, const float *v, int64_t stride,                           \
     const uint8_t *_Nullable mask, int64_t groups, int64_t size, int64_t heads),                                                          \
    (y, y_stride, weights, q, k, v, stride, mask, groups, size, heads))                                                                    \
  X(void, attention_backward,                                                                                                              \
    (float *dq, float *dk, float *dv, const float *dy, int64_t dy_stride, const float *weights, const float *q, const float *k,            \
     const float *v, int64_t stride, int64_t groups, int64_t size, int64_t heads),                                                         \
    (dq, dk, dv, dy, dy_stride, weights, q, k, v, stride, groups, size, heads))                                                            \
  X(void, adamw,                                                                                                                           \
    (float *p, float *m, float *v, const float *g, int64_t count, float gradient_scale, float lr, float beta1, float beta2, float eps,     \
     float weight_decay, float correction1, float correction2),                                                                            \
    (p, m, v, g, count, gradient_scale, lr, beta1, beta2, eps, weight_decay, correction1, correction2))                                    \
  X(double, sum_squares, (const float *x, int64_t count), (x, count))                                                                      \
  X(void, exp_f32, (float *y, const float *x, int64_t count), (y, x, count))                                                               \
  X(void, log_f32, (float *y, const float *x, int64_t count), (y, x, count))                                                               \
  X(void, tanh_f32, (float *y, const float *x, int64_t count), (y, x, count))                                                              \
  X(void, sigmoid_f32, (float *y, const float *x, int64_t count), (y, x, count))                                                           \
  X(void, erf_f32, (float *y, const float *x, int64_t count), (y, x, count))                                                               \
  X(float, expf, (float x), (x))                                                                                                           \
  X(float, logf, (float x), (x))                                                                                                           \
  X(float, tanhf, (float x), (x))                                                                                                          \
  X(float, sigmoidf, (float x), (x))                                                                                                       \
  X(float, erff, (float x), (x))                                                                                                           \
  X(double, exp, (double x), (x))                                                                                                          \
  X(double, log, (double x), (x))                                                                                                          \
  X(double, log1p, (double x), (x))                                                                                                        \
  X(double, expm1, (double x), (x))                                                                                                        \
  X(double, sin, (double x), (x))                                                                                                          \
  X(double, cos, (double x), (x))                                                                                                          \
  X(double, tanh, (double x), (x))                                                                                                         \
  X(double, erf, (double x), (x))                                                                                                          \
  X(double, pow, (double x, double y), (x, y))

/// One form of all kernels: member `name` is `ck_name` in that form.
typedef struct ck_kernel_table {
#define CK_MEMBER(type, name, parameters, arguments) type(*name) parameters;
  CK_KERNELS(CK_MEMBER)
#undef CK_MEMBER
} ck_kernel_table;

/// The portable form (1) or the best that the processor has (0), whatever `ck_select` chose: for tests that compare the two.
const ck_kernel_table *ck_table(int32_t portable);

#pragma clang assume_nonnull end

#endif
