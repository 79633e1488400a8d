/// An actor-critic over a flat parameter buffer: layout, first values, forward and backward pass.
///
/// The value holds no parameters and no activations. A row's results do not depend on the other rows or on their number.
public struct Network: Sendable, Equatable {
  enum Body: Sendable, Equatable {
    case recurrent(RecurrentNetwork)
    case feedForward(FeedForwardNetwork)
    case setEncoder(SetEncoderNetwork)
  }

  /// What it was made from.
  public let configuration: NetworkConfiguration
  /// D.
  public let observationSize: Int
  /// A.
  public let actionCount: Int
  /// S, floats of recurrent state per environment: shared layers, then the critic's; 0 without recurrence. All 0 at an episode's start.
  public let stateSize: Int
  /// Names, shapes and places of all tensors.
  public let layout: ParameterLayout
  let body: Body

  /// - Precondition: sizes positive.
  public init(_ configuration: NetworkConfiguration, observationSize: Int, actionCount: Int) {
    precondition(observationSize > 0, "observationSize must be positive")
    precondition(actionCount > 0, "actionCount must be positive")
    self.configuration = configuration
    self.observationSize = observationSize
    self.actionCount = actionCount
    var layout = ParameterLayout()
    switch configuration {
    case .recurrent(let sizes):
      let net = RecurrentNetwork(sizes, observationSize: observationSize, actionCount: actionCount, layout: &layout)
      body = .recurrent(net)
      stateSize = net.stateSize
    case .mlp(let hidden):
      body = .feedForward(
        FeedForwardNetwork(hidden: hidden, observationSize: observationSize, actionCount: actionCount, layout: &layout))
      stateSize = 0
    case .setEncoder(let sizes):
      let net = SetEncoderNetwork(sizes, observationSize: observationSize, actionCount: actionCount, layout: &layout)
      body = .setEncoder(net)
      stateSize = net.stateSize
    }
    self.layout = layout
  }

  /// Learnable numbers.
  public var parameterCount: Int { layout.parameterCount }

  /// Whether forward passes read masks.
  public var usesMasks: Bool {
    if case .setEncoder = body { return true }
    return false
  }

  /// Whether the last part of the state belongs to the critic alone.
  var hasCriticState: Bool {
    if case .recurrent(let net) = body { return net.criticCell != nil }
    return false
  }

  /// First parameters: orthogonal matrices, biases 0, a function of the seed alone.
  public func initialParameters(seed: UInt64) -> [Float] { layout.initialParameters(seed: seed) }

  /// A workspace for up to `rows` rows; `gradients`: also for backward.
  public func makeActivations(rows: Int, gradients: Bool = false) -> Activations {
    Activations(self, rows: rows, gradients: gradients)
  }

  /// One step of `rows` environments.
  ///
  /// - Parameters:
  ///   - parameters: flat, in this layout.
  ///   - observations: `[rows, D]`, contiguous, normalised.
  ///   - states: `[rows, S]` before the step; may be empty if S = 0.
  ///   - masks: `[rows, A]`, 1 = available; empty: all. Read if `usesMasks`.
  ///   - logits: `[rows, A]`, raw (no mask, no temperature); not touched by `.value`.
  ///   - values: `[rows]`; not touched by `.policy`.
  ///   - nextStates: `[rows, S]`; not touched by `.value`. With `.policy` the part of a critic's GRU is copied unchanged.
  public func forward(
    parameters: Span<Float>, observations: Span<Float>, states: Span<Float>, masks: Span<UInt8> = Span(), rows: Int,
    outputs: NetworkOutputs = .policyAndValue, activations: Activations, logits: inout MutableSpan<Float>, values: inout MutableSpan<Float>,
    nextStates: inout MutableSpan<Float>
  ) {
    load(observations: observations, states: states, masks: masks, rows: rows, into: activations)
    precondition(parameters.count == layout.storedCount, "parameters do not have this layout")
    parameters.withUnsafeBufferPointer { pointer in
      guard let base = pointer.baseAddress else { return }
      run(base, activations, outputs: outputs)
    }
    if outputs.hasPolicy { activations.copyLogits(into: &logits) }
    if outputs.hasValue { activations.copyValues(into: &values) }
    guard stateSize > 0, outputs != .value else { return }
    let width = stateSize / activations.nextStates.count
    for part in activations.nextStates.indices {
      let stands = outputs == .policy && hasCriticState && part == activations.nextStates.count - 1
      let source = stands ? activations.states[part] : activations.nextStates[part]
      source.copyOut(&nextStates, targetStride: stateSize, column: part * width, rows: rows)
    }
  }

  /// The same over arrays, which may be longer than `rows` need.
  public func forward(
    parameters: [Float], observations: [Float], states: [Float], masks: [UInt8] = [], rows: Int,
    outputs: NetworkOutputs = .policyAndValue, activations: Activations, logits: inout [Float], values: inout [Float],
    nextStates: inout [Float]
  ) {
    var logitSpan = logits.mutableSpan
    var valueSpan = values.mutableSpan
    var stateSpan = nextStates.mutableSpan
    forward(
      parameters: parameters.span, observations: observations.span, states: states.span, masks: masks.span, rows: rows,
      outputs: outputs, activations: activations, logits: &logitSpan, values: &valueSpan, nextStates: &stateSpan)
  }

  /// Gradients of a loss at `parameters` from its gradients at the heads; overwrites `gradients` (flat, this layout).
  ///
  /// `activations` must hold a forward pass with both outputs and the same parameters; the recurrence is followed back to the states that
  /// the pass was given. The pass overwrites parts of the workspace: one backward per forward.
  ///
  /// - Parameters:
  ///   - logitGradients: `[rows, A]` of the last forward pass.
  ///   - valueGradients: `[rows]`.
  public func backward(
    parameters: Span<Float>, activations: Activations, logitGradients: Span<Float>, valueGradients: Span<Float>,
    gradients: inout MutableSpan<Float>
  ) {
    precondition(parameters.count == layout.storedCount, "parameters do not have this layout")
    precondition(gradients.count == layout.storedCount, "gradients do not have this layout")
    parameters.withUnsafeBufferPointer { from in
      gradients.withUnsafeMutableBufferPointer { to in
        guard let base = from.baseAddress, let target = to.baseAddress else { return }
        runBackward(base, target, activations, logitGradients: logitGradients, valueGradients: valueGradients)
      }
    }
  }
}

extension Network: CustomStringConvertible {
  /// One line, without the layout.
  public var description: String {
    "\(configuration), D = \(observationSize), A = \(actionCount), \(parameterCount) parameters"
  }
}
