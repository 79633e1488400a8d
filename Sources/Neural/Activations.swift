/// Which heads a forward pass computes.
public enum NetworkOutputs: Sendable, Equatable {
  /// Logits and values.
  case policyAndValue
  /// Logits only; the critic and its state stand still.
  case policy
  /// Values only, for bootstrapping; no next state is formed.
  case value

  var hasPolicy: Bool { self != .value }
  var hasValue: Bool { self != .policy }
}

/// The workspace of one network for up to `rowsMax` rows, allocated once. It carries nothing from one pass to the next: forward fills it,
/// backward reads it. One workspace serves one thread.
public final class Activations {
  enum Body {
    case recurrent(RecurrentActivations, RecurrentGradients?)
    case feedForward(FeedForwardActivations, FeedForwardGradients?)
    case setEncoder(SetEncoderActivations, SetEncoderGradients?)
  }

  /// Rows it holds.
  public let rowsMax: Int
  /// Whether a backward pass can use it.
  public let hasGradients: Bool
  /// Rows in time and outputs of the last forward pass, for backward.
  var steps = TimeSteps(rows: 1)
  var outputs = NetworkOutputs.value
  /// Which actions are available `[rowsMax, A]`; a set encoder's alone.
  var masks: [UInt8] = []
  let body: Body
  let observations: ActivationBuffer
  /// States before the step, in the order of an environment's state; empty without recurrence.
  let states: [ActivationBuffer]
  /// States after the step.
  let nextStates: [ActivationBuffer]
  let logits: ActivationBuffer
  let values: ActivationBuffer

  init(_ network: Network, rows: Int, gradients: Bool) {
    precondition(rows > 0, "a workspace needs rows")
    rowsMax = rows
    hasGradients = gradients
    switch network.body {
    case .recurrent(let net):
      let kept = RecurrentActivations(
        net.configuration, observationSize: network.observationSize, actionCount: network.actionCount, rows: rows)
      let passed =
        gradients
        ? RecurrentGradients(
          net.configuration, observationSize: network.observationSize, actionCount: network.actionCount, rows: rows) : nil
      body = .recurrent(kept, passed)
      observations = kept.observations
      let cells = kept.cells + (kept.criticCell.map { [$0] } ?? [])
      states = cells.map { $0.state }
      nextStates = cells.map { $0.next }
      logits = kept.logits
      values = kept.values
    case .feedForward(let net):
      let kept = FeedForwardActivations(
        hidden: net.hidden, observationSize: network.observationSize, actionCount: network.actionCount, rows: rows)
      body = .feedForward(
        kept, gradients ? FeedForwardGradients(hidden: net.hidden, actionCount: network.actionCount, rows: rows) : nil)
      observations = kept.observations
      states = []
      nextStates = []
      logits = kept.actor.head
      values = kept.critic.head
    case .setEncoder(let net):
      let kept = SetEncoderActivations(net, observationSize: network.observationSize, rows: rows)
      body = .setEncoder(kept, gradients ? SetEncoderGradients(net, rows: rows) : nil)
      observations = kept.observations
      states = kept.memory.map { [$0.state] } ?? []
      nextStates = kept.memory.map { [$0.next] } ?? []
      logits = kept.logits
      values = kept.values
      masks = [UInt8](repeating: 1, count: rows * net.replicas)
    }
  }

  /// Copies the logits of the last forward pass into `target` `[rows, A]`.
  public func copyLogits(into target: inout MutableSpan<Float>) {
    logits.copyOut(&target, targetStride: logits.columns, column: 0, rows: steps.rows)
  }

  /// Copies the values of the last forward pass into `target` `[rows]`.
  public func copyValues(into target: inout MutableSpan<Float>) {
    values.copyOut(&target, targetStride: 1, column: 0, rows: steps.rows)
  }
}
