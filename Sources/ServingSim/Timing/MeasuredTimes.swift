/// Measured times that replace formulas of the closed form, for one model, number of workers and node. What was not measured is nil.
public struct MeasuredTimes: Equatable, Sendable {
  /// Linear and element-wise operations of one layer, ms, over tokens.
  public var layer: MeasuredSum?
  /// Attention and cache writes of one layer.
  public var attention: MeasuredAttention?
  /// One all-reduce, ms, over tokens.
  public var allReduce: ProfileCurve?
  /// Sending a batch to the next stage, ms, over tokens.
  public var sendReceive: ProfileCurve?
  /// CPU time of the engine for one batch, ms, over requests in the batch.
  public var cpu: MeasuredSum?

  /// Nothing measured.
  public init() {}
}

/// Operations that are measured one by one and charged together.
public struct MeasuredSum: Equatable, Sendable {
  private let total: ProfileCurve
  /// Each of them, in the order of `Operation` or `EngineOperation`; nil for one that the file does not have.
  let parts: [ProfileCurve?]

  /// - Parameter parts: the points of each operation.
  init?(_ sums: [(size: Double, time: Double)], parts: [[(size: Double, time: Double)]]) {
    guard let total = ProfileCurve(sums) else { return nil }
    self.total = total
    self.parts = parts.map { ProfileCurve($0) }
  }

  /// The time of all for `size`.
  public func time(_ size: Double) -> Double { total.time(size) }

  /// The time of each for `size`.
  func partTimes(_ size: Double) -> [Double] { parts.map { $0?.time(size) ?? 0 } }
}

/// Measured attention, ms per layer.
public struct MeasuredAttention: Equatable, Sendable {
  /// Over requests and their mean context.
  public var decode: ProfileSurface
  /// Over new tokens and context.
  public var prefill: ProfileSurface
  /// Over tokens.
  public var cacheSave: ProfileCurve

  /// All three kernels.
  public init(decode: ProfileSurface, prefill: ProfileSurface, cacheSave: ProfileCurve) {
    self.decode = decode
    self.prefill = prefill
    self.cacheSave = cacheSave
  }
}

/// What rows of a profile must be about.
public struct ProfileSubject: Equatable, Sendable {
  /// The model.
  public var model: ModelFacts
  /// Workers that share a layer.
  public var tensorParallel: Int
  /// Pipeline stages.
  public var pipelineStages: Int
  /// The node type.
  public var node: NodeFacts
  /// Tokens per KV block.
  public var blockSize: Int

  /// A replica's form.
  public init(model: ModelFacts, tensorParallel: Int, pipelineStages: Int, node: NodeFacts, blockSize: Int) {
    self.model = model
    self.tensorParallel = tensorParallel
    self.pipelineStages = pipelineStages
    self.node = node
    self.blockSize = blockSize
  }

  /// Whether the stages of a replica are on several nodes.
  var isMultiNode: Bool { tensorParallel * pipelineStages > node.devicesPerNode }

  func missing(_ file: String, _ what: String) -> CSVError {
    CSVError(file: file, line: 1, column: "", value: what, reason: .noMatchingRow)
  }
}
