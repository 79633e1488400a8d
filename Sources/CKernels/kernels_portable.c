// The portable form: the compiler lowers vectors to what the base instruction set has, and a fused multiply-add to fmaf.
#pragma STDC FP_CONTRACT OFF
// Functions over vectors are always inlined, so no call passes one and the calling convention cannot differ.
#pragma clang diagnostic ignored "-Wpsabi"
#define CK_FORM(name) ck_##name##_portable
#include "kernels_body.inc"
