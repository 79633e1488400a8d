/// How the time of a batch is found.
public enum TimingModel: String, CaseIterable, Sendable {
  /// From model dimensions and device rates.
  case closedForm = "closed_form"
  /// A linear function of the batch.
  case linear
  /// Always the same.
  case constant
  /// From measured operator times.
  case table
}

/// How the timing model sees a batch.
public enum FeatureRoundingRule: String, CaseIterable, Sendable {
  /// As it is.
  case exact
  /// As the reference looks its tables up.
  case reference
}

/// Constants of the closed form that a configuration may replace.
public enum TimingConstant: String, CaseIterable, Sendable {
  case peakTflops = "peak_tflops"
  case bandwidthTbs = "bandwidth_tbs"
  case matmulTile = "matmul_tile"
  case matmulOverhead = "matmul_overhead_ms"
  case matmulComputeEfficiency = "matmul_compute_efficiency"
  case matmulBandwidthEfficiency = "matmul_bandwidth_efficiency"
  case inputNormOverhead = "input_norm_overhead_ms"
  case inputNormEfficiency = "input_norm_efficiency"
  case postNormOverhead = "post_norm_overhead_ms"
  case postNormEfficiency = "post_norm_efficiency"
  case addOverhead = "add_overhead_ms"
  case addEfficiency = "add_efficiency"
  case ropeOverhead = "rope_overhead_ms"
  case ropeEfficiency = "rope_efficiency"
  case activationOverhead = "activation_overhead_ms"
  case activationEfficiency = "activation_efficiency"
  case cacheSaveOverhead = "cache_save_overhead_ms"
  case cacheSaveEfficiency = "cache_save_efficiency"
  case attentionOverhead = "attention_overhead_ms"
  case attentionComputeEfficiency = "attention_compute_efficiency"
  case attentionBandwidthEfficiency = "attention_bandwidth_efficiency"
  case collectiveLaunch = "collective_launch_ms"
  case collectiveSkew = "collective_skew_ms"
  case decodeBatchingOverhead = "decode_batching_overhead"
  case prefillBatchingOverhead = "prefill_batching_overhead"
  case allReduceLatency = "all_reduce_latency_ms"
  case allReduceBandwidth = "all_reduce_gbs"
  case sendReceiveLatency = "send_recv_latency_ms"
  case sendReceiveBandwidth = "send_recv_gbs"

  /// Whether the value divides something and so must be above 0.
  public var isDivisor: Bool {
    switch self {
    case .peakTflops, .bandwidthTbs, .matmulTile, .allReduceBandwidth, .sendReceiveBandwidth: true
    default: rawValue.hasSuffix("_efficiency")
    }
  }
}

/// A replaced constant.
public struct TimingConstantRecord: ConfigurationRecord {
  /// Which one.
  public var constant: TimingConstant?
  /// Its value.
  public var value: Double?
  /// Device it is replaced for; nil: all.
  public var device: String?

  /// A replacement that says nothing.
  public init() {}

  static let members: [RecordMember<TimingConstantRecord>] = [
    .choice("constant", \.constant, "The constant that is replaced; its unit is the end of its name, efficiencies are shares of the peak."),
    .real("value", \.value, .closed(0, 1e6), "Its value; rates, tiles and efficiencies must be above 0."),
    .name("device", \.device, of: ClusterSection.devices, absent: "every device", "Device type it is replaced for."),
  ]
}

/// How long a batch takes.
public struct TimingSection: Equatable, Sendable {
  /// The model.
  public var model = TimingModel.closedForm
  /// Seconds of a stage (constant).
  public var constantSeconds = 0.01
  /// Fixed part (linear).
  public var linearA = 0.0078125
  /// Per prompt token (linear).
  public var linearB = 6.103515625e-05
  /// Per decoding request (linear).
  public var linearC = 0.0001220703125
  /// Per token in the caches of decoding requests (linear).
  public var linearD = 4.76837158203125e-07
  /// How a batch is seen.
  public var featureRounding = FeatureRoundingRule.exact
  /// Path of measured linear operations.
  public var mlpProfile = ""
  /// Path of measured attention.
  public var attentionProfile = ""
  /// Path of measured all-reduces.
  public var allReduceProfile = ""
  /// Path of measured transfers.
  public var sendRecvProfile = ""
  /// Path of measured CPU times.
  public var cpuOverheadProfile = ""
  /// Replaced constants.
  public var constants: [TimingConstantRecord] = []

  static let fields: [Field] = [
    .choice(
      "timing.model", \.timing.model, .frozen,
      "How the time of a pipeline stage is found: closed form over model and device, linear, constant, or measured tables."),
    .real(
      "timing.constant_seconds", \.timing.constantSeconds, .above(0, 1e6), unit: "s", .frozen, "Time of every stage (model constant)."),
    .real(
      "timing.linear_a", \.timing.linearA, .above(0, 1e6), unit: "s", .frozen,
      "Fixed part of t = ((a + b P) + c D) + d K, the time of a stage (model linear)."),
    .real("timing.linear_b", \.timing.linearB, .closed(0, 1e6), unit: "s", .frozen, "Time for each of the P prompt tokens (model linear)."),
    .real(
      "timing.linear_c", \.timing.linearC, .closed(0, 1e6), unit: "s", .frozen, "Time for each of the D decoding requests (model linear)."),
    .real(
      "timing.linear_d", \.timing.linearD, .closed(0, 1e6), unit: "s", .frozen,
      "Time for each of the K tokens in the caches of the decoding requests (model linear)."),
    .choice(
      "timing.feature_rounding", \.timing.featureRounding, .frozen,
      "Whether a batch enters the closed form or a table as it is, or rounded and aggregated as the reference does."),
    profile("mlp_profile", \.timing.mlpProfile, "the linear operations of a layer, mlp.csv (model table)"),
    profile(
      "attention_profile", \.timing.attentionProfile, "attention and cache writes, attention.csv (model table; without it the closed form)"),
    profile("all_reduce_profile", \.timing.allReduceProfile, "all-reduces, in place of the fitted ones"),
    profile("send_recv_profile", \.timing.sendRecvProfile, "transfers between stages, in place of the fitted ones"),
    profile("cpu_overhead_profile", \.timing.cpuOverheadProfile, "the engine's CPU times, which are 0 without it"),
    .records(
      "timing.constants", \.timing.constants, countMax: 256, .frozen,
      "Constants of the closed form that are replaced, device by device or for all."),
  ]

  private static func profile(_ key: String, _ path: Field.Path<String>, _ what: String) -> Field {
    .text(
      "timing.\(key)", path, lengthMax: 4096, .free,
      "Path of a CSV file with measured times of \(what); its SHA-256 is frozen.")
  }
}
