import CKernels

/// The processor's floating-point control word (MXCSR), which a library may change behind our back (some MPI stacks and BLAS do).
public enum FloatingPointEnvironment {
  /// Whether the calling thread rounds to nearest and neither flushes denormal results to zero nor reads denormals as zero: what every
  /// result assumes. Always true on processors without that word.
  public static func isDefault() -> Bool { ck_float_environment_is_default() == 1 }
}
