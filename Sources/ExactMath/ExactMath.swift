import CKernels

/// Elementary functions whose bits depend on the program version only: not on the C library, the processor or the batch they are computed
/// in.
///
/// Errors are in units in the last place (ulp). For `Float` they are the largest over all 2^32 arguments; for `Double` the largest of 30
/// million random arguments for each of several ranges, against 64 significant bits. `Tests/ExactMathTests` and `CKernelsTests` hold both
/// on smaller samples. NaN gives NaN; zeros, infinities and arguments outside a domain are treated as the C standard says.
public enum ExactMath {
  // MARK: Double

  /// e^x; error <= 0.54 ulp, 0.76 where the result is denormal.
  public static func exp(_ x: Double) -> Double { ck_exp(x) }
  /// ln x; error <= 0.51 ulp. -infinity at 0, NaN below.
  public static func log(_ x: Double) -> Double { ck_log(x) }
  /// ln(1 + x), also for x so small that 1 + x is 1; error <= 0.51 ulp.
  public static func log1p(_ x: Double) -> Double { ck_log1p(x) }
  /// e^x - 1, also for x so small that e^x is 1; error <= 0.63 ulp.
  public static func expm1(_ x: Double) -> Double { ck_expm1(x) }
  /// x^y; error <= 1.1 ulp. A negative x needs a whole y; x^0 and 1^y are 1, even for NaN.
  public static func pow(_ x: Double, _ y: Double) -> Double { ck_pow(x, y) }
  /// sin x, x in radians, every finite x; error <= 0.78 ulp.
  public static func sin(_ x: Double) -> Double { ck_sin(x) }
  /// cos x, x in radians, every finite x; error <= 0.78 ulp.
  public static func cos(_ x: Double) -> Double { ck_cos(x) }
  /// tanh x; error <= 0.58 ulp.
  public static func tanh(_ x: Double) -> Double { ck_tanh(x) }
  /// The error function; error <= 0.86 ulp.
  public static func erf(_ x: Double) -> Double { ck_erf(x) }

  // MARK: Float, with the bits of the array kernels

  /// e^x; error <= 0.80 ulp.
  public static func exp(_ x: Float) -> Float { ck_expf(x) }
  /// ln x; error <= 0.88 ulp. -infinity at 0, NaN below.
  public static func log(_ x: Float) -> Float { ck_logf(x) }
  /// tanh x; error <= 1.35 ulp.
  public static func tanh(_ x: Float) -> Float { ck_tanhf(x) }
  /// 1 / (1 + e^-x), without overflow; error <= 2.41 ulp.
  public static func sigmoid(_ x: Float) -> Float { ck_sigmoidf(x) }
  /// The error function; error <= 1.07 ulp.
  public static func erf(_ x: Float) -> Float { ck_erff(x) }
}
