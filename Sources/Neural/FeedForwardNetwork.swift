/// Separate actor and critic towers of tanh layers with a linear head each: `actor.0`, `actor.2`, ... as in a sequential PyTorch module.
struct FeedForwardNetwork: Sendable, Equatable {
  let hidden: [Int]
  let actor: [LinearLayer]
  let critic: [LinearLayer]

  /// Appends both towers to `layout`, the actor first.
  init(hidden: [Int], observationSize: Int, actionCount: Int, layout: inout ParameterLayout) {
    precondition(!hidden.isEmpty && hidden.allSatisfy { $0 > 0 }, "hidden widths must be positive and not empty")
    self.hidden = hidden
    actor = FeedForwardNetwork.tower(
      "actor", inputs: observationSize, hidden: hidden, outputs: actionCount, headGain: 0.01, layout: &layout)
    critic = FeedForwardNetwork.tower("critic", inputs: observationSize, hidden: hidden, outputs: 1, headGain: 1, layout: &layout)
  }

  private static func tower(
    _ name: String, inputs: Int, hidden: [Int], outputs: Int, headGain: Double, layout: inout ParameterLayout
  ) -> [LinearLayer] {
    let widths = [inputs] + hidden + [outputs]
    return (0...hidden.count).map { i in
      let gain = i == hidden.count ? headGain : 2.0.squareRoot()
      return LinearLayer("\(name).\(2 * i)", inputs: widths[i], outputs: widths[i + 1], gain: gain, layout: &layout)
    }
  }

  /// Fills the activations of the towers that `outputs` asks for.
  func forward(_ parameters: UnsafePointer<Float>, _ a: FeedForwardActivations, outputs: NetworkOutputs, rows: Int) {
    if outputs.hasPolicy { forward(actor, parameters, a.observations, a.actor, rows: rows) }
    if outputs.hasValue { forward(critic, parameters, a.observations, a.critic, rows: rows) }
  }

  private func forward(
    _ tower: [LinearLayer], _ parameters: UnsafePointer<Float>, _ observations: ActivationBuffer, _ kept: TowerActivations, rows: Int
  ) {
    var x = observations
    for i in 0..<hidden.count {
      tower[i].forward(parameters, x, kept.linear[i], rows: rows)
      Nonlinearity.tanh(kept.linear[i], kept.activated[i], rows: rows)
      x = kept.activated[i]
    }
    tower[hidden.count].forward(parameters, x, kept.head, rows: rows)
  }

  /// Overwrites all gradients from the heads' gradients in `s`. Needs the activations of a forward pass with both outputs.
  func backward(
    _ parameters: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, _ a: FeedForwardActivations, _ s: FeedForwardGradients,
    rows: Int
  ) {
    backward(actor, parameters, gradients, a.observations, a.actor, dHead: s.logits, s.widths, rows: rows)
    backward(critic, parameters, gradients, a.observations, a.critic, dHead: s.values, s.widths, rows: rows)
  }

  private func backward(
    _ tower: [LinearLayer], _ parameters: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>,
    _ observations: ActivationBuffer, _ kept: TowerActivations, dHead: ActivationBuffer, _ widths: [ActivationBuffer], rows: Int
  ) {
    var dy = dHead
    for i in (0...hidden.count).reversed() {
      let x = i == 0 ? observations : kept.activated[i - 1]
      let dx = i == 0 ? nil : widths[i - 1]
      tower[i].backward(parameters, gradients, x: x, dy: dy, dx: dx, rows: rows)
      guard let dx else { return }
      // The pre-activation is not needed any more: its gradient takes its place.
      Nonlinearity.tanhBackward(y: x, dy: dx, dx: kept.linear[i - 1], rows: rows)
      dy = kept.linear[i - 1]
    }
  }
}

/// What a tower keeps of its forward pass.
struct TowerActivations {
  /// Before tanh; in the backward pass its gradient.
  let linear: [ActivationBuffer]
  /// After tanh.
  let activated: [ActivationBuffer]
  let head: ActivationBuffer

  init(hidden: [Int], outputs: Int, rows: Int) {
    linear = hidden.map { ActivationBuffer(rows: rows, columns: $0) }
    activated = hidden.map { ActivationBuffer(rows: rows, columns: $0) }
    head = ActivationBuffer(rows: rows, columns: outputs)
  }
}

/// What a forward pass of both towers keeps.
struct FeedForwardActivations {
  let observations: ActivationBuffer
  let actor: TowerActivations
  let critic: TowerActivations

  init(hidden: [Int], observationSize: Int, actionCount: Int, rows: Int) {
    observations = ActivationBuffer(rows: rows, columns: observationSize)
    actor = TowerActivations(hidden: hidden, outputs: actionCount, rows: rows)
    critic = TowerActivations(hidden: hidden, outputs: 1, rows: rows)
  }
}

/// Gradients of activations that a backward pass of both towers passes on.
struct FeedForwardGradients {
  let logits: ActivationBuffer
  let values: ActivationBuffer
  /// One a hidden layer.
  let widths: [ActivationBuffer]

  init(hidden: [Int], actionCount: Int, rows: Int) {
    logits = ActivationBuffer(rows: rows, columns: actionCount)
    values = ActivationBuffer(rows: rows, columns: 1)
    widths = hidden.map { ActivationBuffer(rows: rows, columns: $0) }
  }
}
