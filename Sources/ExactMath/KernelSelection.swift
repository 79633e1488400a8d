import CKernels

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
