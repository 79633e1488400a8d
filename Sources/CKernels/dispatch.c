// Chooses between the two forms at run time: a call goes through a table, once per batch and not per element.
#include "CKernels.h"

#include <stdatomic.h>
#include <stddef.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

_Static_assert(sizeof(float) == 4, "kernels work on binary32");
_Static_assert(sizeof(double) == 8, "kernels work on binary64");

#define CK_DECLARE(type, name, parameters, arguments) type ck_##name##_portable parameters;
CK_KERNELS(CK_DECLARE)
#undef CK_DECLARE
#define CK_ENTRY(type, name, parameters, arguments) .name = ck_##name##_portable,
static const ck_kernel_table portable_table = {CK_KERNELS(CK_ENTRY)};
#undef CK_ENTRY

#if defined(__x86_64__)
#define CK_DECLARE(type, name, parameters, arguments) type ck_##name##_avx2 parameters;
CK_KERNELS(CK_DECLARE)
#undef CK_DECLARE
#define CK_ENTRY(type, name, parameters, arguments) .name = ck_##name##_avx2,
static const ck_kernel_table avx2_table = {CK_KERNELS(CK_ENTRY)};
#undef CK_ENTRY
#endif

const ck_kernel_table *ck_table(int32_t portable) {
#if defined(__x86_64__)
  if (!portable && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) { return &avx2_table; }
#endif
  return &portable_table;
}

// Null until the first call. Threads that decide at the same time decide alike.
static const ck_kernel_table *_Atomic table_in_force = NULL;

int32_t ck_select(int32_t portable) {
  const ck_kernel_table *chosen = ck_table(portable);
  atomic_store_explicit(&table_in_force, chosen, memory_order_relaxed);
  return chosen != &portable_table;
}

static inline const ck_kernel_table *current_table(void) {
  const ck_kernel_table *table = atomic_load_explicit(&table_in_force, memory_order_relaxed);
  if (__builtin_expect(table == NULL, 0)) {
    table = ck_table(0);
    atomic_store_explicit(&table_in_force, table, memory_order_relaxed);
  }
  return table;
}

int32_t ck_uses_avx2(void) { return current_table() != &portable_table; }

int32_t ck_float_environment_is_default(void) {
#if defined(__x86_64__)
  // Bits 13 and 14: rounding; 15: flush to zero; 6: denormals are zero.
  return (_mm_getcsr() & 0xe040u) == 0;
#else
  return 1;
#endif
}

#define CK_RETURN_void
#define CK_RETURN_float return
#define CK_RETURN_double return
#define CK_DISPATCH(type, name, parameters, arguments) \
  type ck_##name parameters { CK_RETURN_##type current_table()->name arguments; }
CK_KERNELS(CK_DISPATCH)
#undef CK_DISPATCH

void ck_tanh_forward(float *y, const float *x, int64_t count) { ck_tanh_f32(y, x, count); }
