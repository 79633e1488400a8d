// Chooses between the two forms at run time, once per call: a call is a batch, not an element.
#include "CKernels.h"
#include "kernel_table.h"

#include <stdatomic.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

_Static_assert(sizeof(float) == 4, "kernels work on binary32");
_Static_assert(sizeof(double) == 8, "kernels work on binary64");

enum { CK_UNDECIDED = 0, CK_PORTABLE = 1, CK_AVX2 = 2 };
static atomic_int form = CK_UNDECIDED;

static int best_form(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) { return CK_AVX2; }
#endif
  return CK_PORTABLE;
}

int32_t ck_select(int32_t portable) {
  int chosen = portable ? CK_PORTABLE : best_form();
  atomic_store_explicit(&form, chosen, memory_order_relaxed);
  return chosen == CK_AVX2;
}

static inline int current_form(void) {
  int chosen = atomic_load_explicit(&form, memory_order_relaxed);
  if (__builtin_expect(chosen == CK_UNDECIDED, 0)) {
    // Threads that decide at the same time decide alike.
    chosen = best_form();
    atomic_store_explicit(&form, chosen, memory_order_relaxed);
  }
  return chosen;
}

int32_t ck_uses_avx2(void) { return current_form() == CK_AVX2; }

int32_t ck_float_environment_is_default(void) {
#if defined(__x86_64__)
  // Bits 13-14: rounding; 15: flush to zero; 6: denormals are zero.
  return (_mm_getcsr() & 0xe040u) == 0;
#else
  return 1;
#endif
}

#if defined(__x86_64__)
#define CK_DISPATCH(type, name, parameters, arguments) \
  type ck_##name parameters { return current_form() == CK_AVX2 ? ck_##name##_avx2 arguments : ck_##name##_portable arguments; }
#else
#define CK_DISPATCH(type, name, parameters, arguments) \
  type ck_##name parameters { return ck_##name##_portable arguments; }
#endif
CK_KERNELS(CK_DISPATCH)
#undef CK_DISPATCH

void ck_tanh_forward(float *y, const float *x, int64_t count) { ck_tanh_f32(y, x, count); }

#define CK_SCALAR(name)        \
  float ck_##name##f(float x) { \
    float y;                   \
    ck_##name##_f32(&y, &x, 1); \
    return y;                  \
  }
CK_SCALAR(exp)
CK_SCALAR(log)
CK_SCALAR(tanh)
CK_SCALAR(sigmoid)
CK_SCALAR(erf)
#undef CK_SCALAR
