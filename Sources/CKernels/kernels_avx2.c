// The AVX2/FMA form. Only the target of the functions differs from the portable one: lane by lane the operations are the same.
#pragma STDC FP_CONTRACT OFF
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define CK_FORM(name) ck_##name##_avx2
#include "kernels_body.inc"
#pragma clang attribute pop
#endif
