/// What a forward pass of the recurrent network keeps; shapes `[rows, .]`.
struct RecurrentActivations {
  let observations: ActivationBuffer
  let normalised: ActivationBuffer?
  let inputMoments: NormMoments
  let projected: ActivationBuffer
  let activated: ActivationBuffer
  let features: ActivationBuffer
  let shared: [NormalisedActivations]
  let cells: [GRUActivations]
  let core: ActivationBuffer
  let coreMoments: NormMoments
  let actor: [NormalisedActivations]
  /// The actor head's output; the same buffer as `logits` unless logits are bounded.
  let headOutput: ActivationBuffer
  let normalisedLogits: ActivationBuffer?
  let logitMoments: NormMoments
  let logits: ActivationBuffer
  let critic: [NormalisedActivations]
  /// In the decoupled form.
  let criticCell: GRUActivations?
  let values: ActivationBuffer

  init(_ configuration: RecurrentConfiguration, observationSize: Int, actionCount: Int, rows: Int) {
    let hidden = configuration.hidden
    func buffer(_ columns: Int) -> ActivationBuffer { ActivationBuffer(rows: rows, columns: columns) }
    observations = buffer(observationSize)
    normalised = configuration.inputLayerNorm ? buffer(observationSize) : nil
    inputMoments = NormMoments(rows: rows)
    projected = buffer(configuration.projection)
    activated = buffer(configuration.projection)
    features = buffer(hidden)
    shared = (0...configuration.sharedLayers).map { _ in NormalisedActivations(rows: rows, outputs: hidden) }
    cells = (0..<configuration.layers).map { _ in GRUActivations(rows: rows, hidden: hidden, cell: configuration.cell) }
    core = buffer(hidden)
    coreMoments = NormMoments(rows: rows)
    let depth = configuration.isDecoupled ? 2 : 0
    actor = (0..<depth).map { _ in NormalisedActivations(rows: rows, outputs: hidden) }
    headOutput = buffer(actionCount)
    normalisedLogits = configuration.boundedLogits ? buffer(actionCount) : nil
    logitMoments = NormMoments(rows: rows)
    logits = configuration.boundedLogits ? buffer(actionCount) : headOutput
    critic = (0..<depth).map { _ in NormalisedActivations(rows: rows, outputs: hidden) }
    criticCell = configuration.isDecoupled ? GRUActivations(rows: rows, hidden: hidden, cell: configuration.cell) : nil
    values = buffer(1)
  }
}

/// Gradients of activations that a backward pass of the recurrent network passes on.
struct RecurrentGradients {
  let logits: ActivationBuffer
  let boundedLogits: ActivationBuffer
  let headOutput: ActivationBuffer
  let values: ActivationBuffer
  /// Two buffers of width H that take turns.
  let first: ActivationBuffer
  let second: ActivationBuffer
  /// Of the core's output z, to which actor and critic add up.
  let core: ActivationBuffer
  let activated: ActivationBuffer
  let projected: ActivationBuffer
  let normalised: ActivationBuffer?
  let observations: ActivationBuffer?

  init(_ configuration: RecurrentConfiguration, observationSize: Int, actionCount: Int, rows: Int) {
    let hidden = configuration.hidden
    func buffer(_ columns: Int) -> ActivationBuffer { ActivationBuffer(rows: rows, columns: columns) }
    logits = buffer(actionCount)
    boundedLogits = buffer(actionCount)
    headOutput = buffer(actionCount)
    values = buffer(1)
    first = buffer(hidden)
    second = buffer(hidden)
    core = buffer(hidden)
    activated = buffer(configuration.projection)
    projected = buffer(configuration.projection)
    normalised = configuration.inputLayerNorm ? buffer(observationSize) : nil
    observations = configuration.inputLayerNorm ? buffer(observationSize) : nil
  }
}
