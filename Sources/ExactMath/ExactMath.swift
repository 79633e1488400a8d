import CKernels

/// Elementary functions whose bits depend on the program version only: not on the C library, the processor or the batch they are computed in.
///
/// Errors are the largest seen in dense random sweeps against 120-bit references (double) or against double precision (float), in units in the
/// last place; `Tests/ExactMathTests` holds them.
public enum ExactMath {
  // MARK: Double

  /// e^x; error <= 0.9 ulp.
  public static func exp(_ x: Double) -> Double { ck_exp(x) }
  /// ln x; error <= 0.9 ulp.
  public static func log(_ x: Double) -> Double { ck_log(x) }
  /// ln(1 + x); error <= 0.9 ulp.
  public static func log1p(_ x: Double) -> Double { ck_log1p(x) }
  /// e^x - 1; error <= 3.5 ulp.
  public static func expm1(_ x: Double) -> Double { ck_expm1(x) }
  /// x^y with the special cases of C; error <= 1 ulp.
  public static func pow(_ x: Double, _ y: Double) -> Double { ck_pow(x, y) }
  /// sin x for |x| <= 2^20, NaN beyond; error <= 0.8 ulp.
  public static func sin(_ x: Double) -> Double { ck_sin(x) }
  /// cos x for |x| <= 2^20, NaN beyond; error <= 0.8 ulp.
  public static func cos(_ x: Double) -> Double { ck_cos(x) }
  /// tanh x; error <= 2.8 ulp.
  public static func tanh(_ x: Double) -> Double { ck_tanh(x) }
  /// The error function; error <= 14 ulp.
  public static func erf(_ x: Double) -> Double { ck_erf(x) }

  // MARK: Float, same bits as the array kernels

  /// e^x; error <= 1.1 ulp.
  public static func exp(_ x: Float) -> Float { ck_expf(x) }
  /// ln x; error <= 0.9 ulp.
  public static func log(_ x: Float) -> Float { ck_logf(x) }
  /// tanh x; error <= 2.8 ulp.
  public static func tanh(_ x: Float) -> Float { ck_tanhf(x) }
  /// 1 / (1 + e^-x); error <= 2.5 ulp.
  public static func sigmoid(_ x: Float) -> Float { ck_sigmoidf(x) }
  /// The error function; error <= 2.5 ulp.
  public static func erf(_ x: Float) -> Float { ck_erff(x) }
}

/// Which form of the kernels runs. Both return the same bits; the choice is a performance setting.
public enum KernelSelection {
  /// Forces the portable form, or takes the best one the processor has. Returns whether AVX2/FMA is in force.
  ///
  /// Call once at start, before the first kernel.
  @discardableResult
  public static func select(portable: Bool) -> Bool { ck_select(portable ? 1 : 0) == 1 }

  /// Whether the AVX2/FMA form is in force.
  public static var usesAVX2: Bool { ck_uses_avx2() == 1 }
}

/// The processor's floating-point control word, which a library may change behind our back (some MPI stacks and BLAS do).
public enum FloatingPointEnvironment {
  /// Round to nearest, denormals neither flushed nor read as zero: what every result assumes.
  public static var isDefault: Bool { ck_float_environment_is_default() == 1 }
}
