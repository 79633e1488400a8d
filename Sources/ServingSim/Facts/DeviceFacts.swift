/// An accelerator: memory for the planner, rates and fitted coefficients for the closed-form time model.
public struct DeviceFacts: Equatable, Sendable {
  /// "a100", "h100", "a40".
  public var name: String
  /// Memory in units of 2^30 bytes.
  public var memoryGigabytes: Int
  /// Peak dense FP16 rate, FLOP/s.
  public var peakFlops: Double
  /// Memory bandwidth, bytes/s.
  public var bandwidth: Double
  /// Coefficients of the closed-form time model; any of them may be overridden.
  public var fit: ClosedFormCoefficients

  /// A device by its rates.
  public init(name: String, memoryGigabytes: Int, peakFlops: Double, bandwidth: Double, fit: ClosedFormCoefficients) {
    self.name = name
    self.memoryGigabytes = memoryGigabytes
    self.peakFlops = peakFlops
    self.bandwidth = bandwidth
    self.fit = fit
  }

  /// The device called `name` in the built-in table.
  public static func named(_ name: String) -> DeviceFacts? {
    all.first { $0.name == name }
  }

  /// Devices with fitted coefficients.
  public static let all: [DeviceFacts] = [a100, h100, a40]

  /// NVIDIA A100 80 GB.
  public static let a100 = DeviceFacts(name: "a100", memoryGigabytes: 80, peakFlops: 312e12, bandwidth: 2.039e12, fit: .a100)
  /// NVIDIA H100 80 GB.
  public static let h100 = DeviceFacts(name: "h100", memoryGigabytes: 80, peakFlops: 989e12, bandwidth: 3.35e12, fit: .h100)
  /// NVIDIA A40 45 GB.
  public static let a40 = DeviceFacts(name: "a40", memoryGigabytes: 45, peakFlops: 149.7e12, bandwidth: 0.696e12, fit: .a40)
}
