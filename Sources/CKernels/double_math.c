// Elementary functions in double precision. Plain arithmetic in a fixed order, no contraction: one form gives the same bits everywhere.
#pragma STDC FP_CONTRACT OFF
#include "CKernels.h"

#include <stdint.h>
#include <string.h>

static inline uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline double from_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

#define INFINITE __builtin_inf()
#define LN2_HIGH 0x1.62e42fee00000p-1  // 33 bits: a product with an exponent is exact
#define LN2_LOW 0x1.a39ef35793c76p-33
#define LOG2_E 0x1.71547652b82fep+0

static inline double absolute(double x) { return from_bits(bits_of(x) & 0x7fffffffffffffffu); }
static inline double with_sign(double magnitude, double sign) {
  return from_bits((bits_of(magnitude) & 0x7fffffffffffffffu) | (bits_of(sign) & 0x8000000000000000u));
}

// x 2^n for n in [-2044, 2046], rounded once.
static double scale(double x, int64_t n) {
  int64_t half = n / 2;
  double first = from_bits((uint64_t)(half + 1023) << 52);
  double second = from_bits((uint64_t)(n - half + 1023) << 52);
  return x * first * second;
}

// (e^r - 1 - r) / r^2 by its series; |r| <= 0.35 leaves less than 2^-56.
static double exp_tail(double r) {
  double p = 1.0 / 87178291200.0;
  p = p * r + 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  return p * r + 0.5;
}

// e^(x + low) with |low| far below |x|.
static double exp_sum(double x, double low) {
  if (x != x) { return x; }
  if (x > 710.0) { return INFINITE; }
  if (x < -746.0) { return 0.0; }
  const double magic = 0x1.8p52;
  double n = (x * LOG2_E + magic) - magic;
  double high = x - n * LN2_HIGH;
  double rest = low - n * LN2_LOW;
  double r = high + rest;
  double lost = (high - r) + rest;
  double tail = r * r * exp_tail(r) + lost;
  return scale(1.0 + (r + tail), (int64_t)n);
}

double ck_exp(double x) { return exp_sum(x, 0.0); }

double ck_expm1(double x) {
  if (x != x) { return x; }
  double a = absolute(x);
  if (a < 0x1p-54) { return x; }
  if (a < 0.35) { return x + x * x * exp_tail(x); }
  if (x > 710.0) { return INFINITE; }
  if (x < -40.0) { return -1.0; }
  return ck_exp(x) - 1.0;
}

// x = m 2^e with m in [sqrt 1/2, sqrt 2); x is finite and positive.
static double split(double x, int64_t *e) {
  int64_t shift = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    shift = 54;
  }
  uint64_t bits = bits_of(x);
  int64_t exponent = (int64_t)((bits - 0x3fe6a09e667f3bcdu) & 0xfff0000000000000u) >> 52;
  *e = exponent - shift;
  return from_bits(bits - ((uint64_t)exponent << 52));
}

// 2/5 + 2/7 z + ...: artanh's series after its second term; z <= 0.0295.
static double artanh_rest(double z) {
  double p = 2.0 / 23.0;
  p = p * z + 2.0 / 21.0;
  p = p * z + 2.0 / 19.0;
  p = p * z + 2.0 / 17.0;
  p = p * z + 2.0 / 15.0;
  p = p * z + 2.0 / 13.0;
  p = p * z + 2.0 / 11.0;
  p = p * z + 2.0 / 9.0;
  p = p * z + 2.0 / 7.0;
  return p * z + 2.0 / 5.0;
}

#define TWO_THIRDS (2.0 / 3.0)
#define TWO_THIRDS_LOW 0x1.5555555555555p-55  // 2/3 minus the double next to it

// 2/3 + 2/5 z + 2/7 z^2 + ...: the series after its first term.
static double artanh_tail(double z) { return artanh_rest(z) * z + TWO_THIRDS; }

// ln((1 + f) 2^e) plus `low`, a correction to f relative to 1 + f.
static double log_parts(double f, int64_t e, double low) {
  double s = f / (2.0 + f);
  double z = s * s;
  double half_square = 0.5 * f * f;
  double tail = s * (half_square + z * artanh_tail(z)) + ((double)e * LN2_LOW + low);
  return (double)e * LN2_HIGH - ((half_square - tail) - f);
}

double ck_log(double x) {
  if (x != x || x == INFINITE) { return x; }
  if (x == 0.0) { return -INFINITE; }
  if (x < 0.0) { return __builtin_nan(""); }
  int64_t e;
  double m = split(x, &e);
  return log_parts(m - 1.0, e, 0.0);
}

double ck_log1p(double x) {
  if (x != x || x == INFINITE) { return x; }
  if (x < -1.0) { return __builtin_nan(""); }
  if (x == -1.0) { return -INFINITE; }
  if (absolute(x) < 0x1p-54) { return x; }
  if (x > -0.29 && x < 0.41) { return log_parts(x, 0, 0.0); }
  double sum = 1.0 + x;
  // What the addition dropped, relative to the sum.
  double dropped = absolute(x) < 1.0 ? x - (sum - 1.0) : 1.0 - (sum - x);
  int64_t e;
  double m = split(sum, &e);
  return log_parts(m - 1.0, e, dropped / sum);
}

// a b = high + low exactly (Dekker, by splitting).
static double product_low(double a, double b, double high) {
  double a_high = from_bits(bits_of(a) & 0xfffffffff8000000u), a_low = a - a_high;
  double b_high = from_bits(bits_of(b) & 0xfffffffff8000000u), b_low = b - b_high;
  return ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low;
}

// ln x = high + low to about 68 bits: y ln x is as large as 745 in `ck_pow`, which costs ten of them.
static double log_extended(double x, double *low) {
  int64_t e;
  double m = split(x, &e);
  double f = m - 1.0, d = 2.0 + f;
  double d_low = (2.0 - d) + f;
  double s = f / d;
  double sd = s * d;
  double s_low = (((f - sd) - product_low(s, d, sd)) - s * d_low) / d;
  // s^3 (2/3 + 2/5 s^2 + ...), every factor as high + low.
  double z = s * s, z_low = product_low(s, s, z) + 2.0 * s * s_low;
  double t = artanh_rest(z) * z;
  double series = TWO_THIRDS + t, series_low = ((TWO_THIRDS - series) + t) + TWO_THIRDS_LOW;
  double third = s * z, third_low = product_low(s, z, third) + (s * z_low + z * s_low);
  double cube = third * series, cube_low = product_low(third, series, cube) + (third * series_low + third_low * series);
  double n = (double)e;
  double first = n * LN2_HIGH, second = 2.0 * s;
  double sum = first + second;
  double lost = absolute(first) > absolute(second) ? (first - sum) + second : (second - sum) + first;
  double whole = sum + cube;
  double rest = (((sum - whole) + cube) + lost) + (n * LN2_LOW + (2.0 * s_low + cube_low));
  double high = whole + rest;
  *low = (whole - high) + rest;
  return high;
}

double ck_pow(double x, double y) {
  if (y == 0.0 || x == 1.0) { return 1.0; }
  if (x != x || y != y) { return x + y; }
  double a = absolute(x);
  int integral = absolute(y) >= 0x1p53 || (double)(int64_t)y == y;
  int odd = integral && absolute(y) < 0x1p53 && ((int64_t)y & 1);
  if (x < 0.0 && !integral && a != INFINITE) { return __builtin_nan(""); }
  double sign = (bits_of(x) >> 63) && odd ? -1.0 : 1.0;
  if (a == 0.0) { return y > 0.0 ? sign * 0.0 : sign * INFINITE; }
  if (a == INFINITE) { return y > 0.0 ? sign * INFINITE : sign * 0.0; }
  if (absolute(y) == INFINITE) {
    if (a == 1.0) { return 1.0; }
    return (a > 1.0) == (y > 0.0) ? INFINITE : 0.0;
  }
  if (a == 1.0) { return sign; }
  double low, high = log_extended(a, &low);
  double product = y * high;
  if (absolute(product) > 800.0 || absolute(y) > 0x1p400) { return sign * (product > 0.0 ? INFINITE : 0.0); }
  double rest = absolute(y) < 0x1p-900 ? 0.0 : product_low(y, high, product) + y * low;
  return sign * exp_sum(product, rest);
}

// sin and cos on [-pi/4, pi/4] for r + low.
static double sine(double r, double low) {
  double z = r * r;
  double p = 1.0 / 355687428096000.0;
  p = p * z - 1.0 / 1307674368000.0;
  p = p * z + 1.0 / 6227020800.0;
  p = p * z - 1.0 / 39916800.0;
  p = p * z + 1.0 / 362880.0;
  p = p * z - 1.0 / 5040.0;
  p = p * z + 1.0 / 120.0;
  p = p * z - 1.0 / 6.0;
  return r + (r * z * p + low * (1.0 - 0.5 * z));
}

static double cosine(double r, double low) {
  double z = r * r;
  double p = -1.0 / 6402373705728000.0;
  p = p * z + 1.0 / 20922789888000.0;
  p = p * z - 1.0 / 87178291200.0;
  p = p * z + 1.0 / 479001600.0;
  p = p * z - 1.0 / 3628800.0;
  p = p * z + 1.0 / 40320.0;
  p = p * z - 1.0 / 720.0;
  p = p * z + 1.0 / 24.0;
  double half = 0.5 * z;
  double w = 1.0 - half;
  return w + (((1.0 - w) - half) + (z * z * p - r * low));
}

// x = quadrant pi/2 + r + low; three parts of pi/2 with 33 bits each are exact products up to 2^20 quadrants.
static int64_t reduce(double x, double *r, double *low) {
  const double magic = 0x1.8p52;
  double n = (x * 0x1.45f306dc9c883p-1 + magic) - magic;
  double a = x - n * 0x1.921fb54400000p+0;
  double b = n * 0x1.0b4611a600000p-34;
  double c = n * 0x1.3198a2e037073p-69;
  double difference = a - b;
  double lost = (a - difference) - b;
  double rest = lost - c;
  *r = difference + rest;
  *low = (difference - *r) + rest;
  return (int64_t)n;
}

#define ANGLE_MAX 1048576.0

double ck_sin(double x) {
  if (!(absolute(x) <= ANGLE_MAX)) { return __builtin_nan(""); }
  if (absolute(x) < 0x1p-27) { return x; }
  double r, low;
  switch (reduce(x, &r, &low) & 3) {
    case 0: return sine(r, low);
    case 1: return cosine(r, low);
    case 2: return -sine(r, low);
    default: return -cosine(r, low);
  }
}

double ck_cos(double x) {
  if (!(absolute(x) <= ANGLE_MAX)) { return __builtin_nan(""); }
  double r, low;
  switch (reduce(x, &r, &low) & 3) {
    case 0: return cosine(r, low);
    case 1: return -sine(r, low);
    case 2: return -cosine(r, low);
    default: return sine(r, low);
  }
}

double ck_tanh(double x) {
  if (x != x) { return x; }
  double a = absolute(x);
  if (a > 22.0) { return with_sign(1.0, x); }
  double t = ck_expm1(2.0 * a);
  return with_sign(a < 0.5 ? t / (t + 2.0) : 1.0 - 2.0 / (t + 2.0), x);
}

// |x| < 3: e^-x^2 times a series of positive terms. Beyond: 1 - erfc by the continued fraction of the tail.
double ck_erf(double x) {
  if (x != x) { return x; }
  double a = absolute(x);
  if (a > 6.0) { return with_sign(1.0, x); }
  double z = a * a;
  if (a < 3.0) {
    double term = a, sum = a;
    for (int k = 1; k < 100; k++) {
      term *= 2.0 * z / (2.0 * k + 1.0);
      sum += term;
      if (term < sum * 0x1p-56) { break; }
    }
    return with_sign(0x1.20dd750429b6dp+0 * ck_exp(-z) * sum, x);
  }
  double fraction = 0.0;
  for (int k = 60; k >= 1; k--) { fraction = 0.5 * k / (a + fraction); }
  return with_sign(1.0 - ck_exp(-z) / ((a + fraction) * 0x1.c5bf891b4ef6bp+0), x);
}
