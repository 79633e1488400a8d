/// The recurrent actor-critic.
///
///     x [D] (LayerNorm) Linear F, GELU, Linear H                   feature_proj
///       Linear H, LayerNorm, ReLU                                  shared_mlp
///       GRU H, L layers, LayerNorm                                 gru, gru_ln  -> z
///     actor:  2 x (Linear H, LayerNorm, ReLU), Linear A            actor_branch, actor_head  -> logits
///     critic: 2 x (Linear H, LayerNorm, ReLU), GRU H, Linear 1     critic_branch, critic_gru, critic_head  -> value
///
/// State of an environment: L actor states of H floats, then the critic's. The coupled form has more layers (Linear H, LayerNorm, ReLU) in
/// `shared_mlp` and no branches: `actor_head` and `critic_head` are linear layers of z, and the state has L H floats.
struct RecurrentNetwork: Sendable, Equatable {
  let configuration: RecurrentConfiguration
  let inputNorm: LayerNormLayer?
  let projectionIn: LinearLayer
  let projectionOut: LinearLayer
  let shared: [NormalisedLayer]
  let cells: [GRULayer]
  let coreNorm: LayerNormLayer
  let actor: [NormalisedLayer]
  let actorHead: LinearLayer
  let logitNorm: LayerNormLayer?
  let critic: [NormalisedLayer]
  let criticCell: GRULayer?
  let criticHead: LinearLayer

  /// Appends all tensors to `layout`, in the order of the PyTorch module's state dictionary.
  init(_ configuration: RecurrentConfiguration, observationSize: Int, actionCount: Int, layout: inout ParameterLayout) {
    let hidden = configuration.hidden
    let root = 2.0.squareRoot()
    self.configuration = configuration
    inputNorm =
      configuration.inputLayerNorm ? LayerNormLayer("feature_proj.0", count: observationSize, relu: false, layout: &layout) : nil
    projectionIn = LinearLayer(
      "feature_proj.1", inputs: observationSize, outputs: configuration.projection, gain: root, layout: &layout)
    projectionOut = LinearLayer("feature_proj.3", inputs: configuration.projection, outputs: hidden, gain: root, layout: &layout)
    shared = (0...configuration.sharedLayers).map {
      NormalisedLayer("shared_mlp", position: 3 * $0, inputs: hidden, outputs: hidden, layout: &layout)
    }
    var cells: [GRULayer] = []
    for layer in 0..<configuration.layers {
      cells.append(GRULayer("gru", layer: layer, inputs: hidden, hidden: hidden, cell: configuration.cell, layout: &layout))
    }
    self.cells = cells
    coreNorm = LayerNormLayer("gru_ln", count: hidden, relu: false, layout: &layout)
    let isDecoupled = configuration.isDecoupled
    let positions = isDecoupled ? [0, 3] : []
    actor = positions.map { NormalisedLayer("actor_branch", position: $0, inputs: hidden, outputs: hidden, layout: &layout) }
    actorHead = LinearLayer(
      isDecoupled ? "actor_head.0" : "actor_head", inputs: hidden, outputs: actionCount, gain: 0.01, layout: &layout)
    logitNorm =
      configuration.boundedLogits ? LayerNormLayer("actor_head.1", count: actionCount, relu: false, layout: &layout) : nil
    critic = positions.map { NormalisedLayer("critic_branch", position: $0, inputs: hidden, outputs: hidden, layout: &layout) }
    criticCell =
      isDecoupled
      ? GRULayer("critic_gru", layer: 0, inputs: hidden, hidden: hidden, cell: configuration.cell, layout: &layout) : nil
    criticHead = LinearLayer("critic_head", inputs: hidden, outputs: 1, gain: 1, layout: &layout)
  }

  /// Floats of state per environment.
  var stateSize: Int { (configuration.layers + (configuration.isDecoupled ? 1 : 0)) * configuration.hidden }

  /// Fills the activations up to what `outputs` asks for.
  func forward(_ parameters: UnsafePointer<Float>, _ a: RecurrentActivations, outputs: NetworkOutputs, steps: TimeSteps) {
    let rows = steps.rows
    var features = a.observations
    if let inputNorm, let normalised = a.normalised {
      inputNorm.forward(parameters, features, normalised, moments: a.inputMoments, rows: rows)
      features = normalised
    }
    projectionIn.forward(parameters, features, a.projected, rows: rows)
    Nonlinearity.gelu(a.projected, a.activated, rows: rows)
    projectionOut.forward(parameters, a.activated, a.features, rows: rows)
    var x = a.features
    for (layer, kept) in zip(shared, a.shared) {
      layer.forward(parameters, x, kept, rows: rows)
      x = kept.output
    }
    for (cell, kept) in zip(cells, a.cells) {
      cell.forward(parameters, x, kept, steps: steps)
      x = kept.next
    }
    coreNorm.forward(parameters, x, a.core, moments: a.coreMoments, rows: rows)
    if outputs.hasPolicy {
      let branch = forward(actor, parameters, a.core, a.actor, rows: rows)
      actorHead.forward(parameters, branch, a.headOutput, rows: rows)
      if let logitNorm, let normalised = a.normalisedLogits {
        logitNorm.forward(parameters, a.headOutput, normalised, moments: a.logitMoments, rows: rows)
        Nonlinearity.tanh(normalised, a.logits, rows: rows)
      }
    }
    if outputs.hasValue {
      var branch = forward(critic, parameters, a.core, a.critic, rows: rows)
      if let criticCell, let kept = a.criticCell {
        criticCell.forward(parameters, branch, kept, steps: steps)
        branch = kept.next
      }
      criticHead.forward(parameters, branch, a.values, rows: rows)
    }
  }

  /// The output of a branch; x itself if it has no layers.
  private func forward(
    _ branch: [NormalisedLayer], _ parameters: UnsafePointer<Float>, _ x: ActivationBuffer, _ kept: [NormalisedActivations], rows: Int
  ) -> ActivationBuffer {
    var output = x
    for (layer, kept) in zip(branch, kept) {
      layer.forward(parameters, output, kept, rows: rows)
      output = kept.output
    }
    return output
  }

  /// Overwrites all gradients from `s.logits` and `s.values`. Needs the activations of a forward pass with both outputs.
  func backward(
    _ parameters: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, _ a: RecurrentActivations, _ s: RecurrentGradients,
    steps: TimeSteps
  ) {
    let rows = steps.rows
    var dHead = s.logits
    if let logitNorm, let normalised = a.normalisedLogits {
      Nonlinearity.tanhBackward(y: a.logits, dy: s.logits, dx: s.boundedLogits, rows: rows)
      logitNorm.backward(
        parameters, gradients, x: a.headOutput, y: normalised, moments: a.logitMoments, dy: s.boundedLogits, dx: s.headOutput, rows: rows)
      dHead = s.headOutput
    }
    if let criticCell, let kept = a.criticCell {
      actorHead.backward(parameters, gradients, x: a.actor[1].output, dy: dHead, dx: s.first, rows: rows)
      actor[1].backward(
        parameters, gradients, x: a.actor[0].output, a.actor[1], dy: s.first, scratch: s.second, dx: s.first, rows: rows)
      actor[0].backward(parameters, gradients, x: a.core, a.actor[0], dy: s.first, scratch: s.second, dx: s.core, rows: rows)

      criticHead.backward(parameters, gradients, x: kept.next, dy: s.values, dx: s.first, rows: rows)
      criticCell.backward(
        parameters, gradients, x: a.critic[1].output, kept, dNext: s.first, carried: s.second, dx: s.first, steps: steps)
      critic[1].backward(
        parameters, gradients, x: a.critic[0].output, a.critic[1], dy: s.first, scratch: s.second, dx: s.first, rows: rows)
      critic[0].backward(
        parameters, gradients, x: a.core, a.critic[0], dy: s.first, scratch: s.second, dx: s.core, accumulate: true, rows: rows)
    } else {
      actorHead.backward(parameters, gradients, x: a.core, dy: dHead, dx: s.core, rows: rows)
      criticHead.backward(parameters, gradients, x: a.core, dy: s.values, dx: s.core, accumulate: true, rows: rows)
    }

    let last = cells.count - 1
    coreNorm.backward(
      parameters, gradients, x: a.cells[last].next, y: a.core, moments: a.coreMoments, dy: s.core, dx: s.first, rows: rows)
    for layer in cells.indices.reversed() {
      let x = layer == 0 ? a.shared[shared.count - 1].output : a.cells[layer - 1].next
      cells[layer].backward(
        parameters, gradients, x: x, a.cells[layer], dNext: s.first, carried: s.second, dx: s.first, steps: steps)
    }
    for layer in shared.indices.reversed() {
      let x = layer == 0 ? a.features : a.shared[layer - 1].output
      shared[layer].backward(parameters, gradients, x: x, a.shared[layer], dy: s.first, scratch: s.second, dx: s.first, rows: rows)
    }
    projectionOut.backward(parameters, gradients, x: a.activated, dy: s.first, dx: s.activated, rows: rows)
    Nonlinearity.geluBackward(x: a.projected, dy: s.activated, dx: s.projected, rows: rows)
    if let inputNorm, let normalised = a.normalised, let dNormalised = s.normalised, let dObservations = s.observations {
      projectionIn.backward(parameters, gradients, x: normalised, dy: s.projected, dx: dNormalised, rows: rows)
      inputNorm.backward(
        parameters, gradients, x: a.observations, y: normalised, moments: a.inputMoments, dy: dNormalised, dx: dObservations, rows: rows)
    } else {
      projectionIn.backward(parameters, gradients, x: a.observations, dy: s.projected, dx: nil, rows: rows)
    }
  }
}
