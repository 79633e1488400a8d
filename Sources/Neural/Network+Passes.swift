/// The passes over raw buffers, shared by `Network` and `TrainingBuffers`.
extension Network {
  /// Copies inputs of `rows` sequences of one step into the workspace.
  func load(observations: Span<Float>, states: Span<Float>, masks: Span<UInt8>, rows: Int, into activations: Activations) {
    precondition(rows > 0 && rows <= activations.rowsMax, "rows outside the workspace")
    activations.steps.reset(rows: rows)
    activations.observations.copyIn(observations, sourceStride: observationSize, column: 0, rows: rows)
    if usesMasks {
      precondition(masks.isEmpty || masks.count >= rows * actionCount, "masks do not fit")
      for i in 0..<(rows * actionCount) { activations.masks[i] = masks.isEmpty ? 1 : masks[i] }
    }
    guard stateSize > 0 else { return }
    let width = stateSize / activations.states.count
    for part in activations.states.indices {
      activations.states[part].copyIn(states, sourceStride: stateSize, column: part * width, rows: rows)
    }
  }

  /// Copies the rows named by `indices` of larger buffers into the workspace; they lie in time as `steps` says.
  func gather(
    observations: Span<Float>, states: Span<Float>, masks: Span<UInt8>, indices: Span<Int32>, steps: TimeSteps,
    into activations: Activations
  ) {
    precondition(indices.count > 0 && indices.count <= activations.rowsMax, "rows outside the workspace")
    precondition(steps.rows == indices.count, "steps do not cover the rows")
    activations.steps = steps
    activations.observations.gather(observations, sourceStride: observationSize, column: 0, indices: indices)
    if usesMasks {
      for row in 0..<indices.count {
        for a in 0..<actionCount { activations.masks[row * actionCount + a] = masks[Int(indices[row]) * actionCount + a] }
      }
    }
    guard stateSize > 0 else { return }
    let width = stateSize / activations.states.count
    let first = indices.extracting(0..<steps.counts[0])
    for part in activations.states.indices {
      activations.states[part].gather(states, sourceStride: stateSize, column: part * width, indices: first)
    }
  }

  func run(_ parameters: UnsafePointer<Float>, _ activations: Activations, outputs: NetworkOutputs) {
    let steps = activations.steps
    activations.outputs = outputs
    switch (body, activations.body) {
    case (.recurrent(let net), .recurrent(let kept, _)): net.forward(parameters, kept, outputs: outputs, steps: steps)
    case (.feedForward(let net), .feedForward(let kept, _)): net.forward(parameters, kept, outputs: outputs, rows: steps.rows)
    case (.setEncoder(let net), .setEncoder(let kept, _)):
      activations.masks.withUnsafeBufferPointer { masks in
        guard let masks = masks.baseAddress else { return }
        net.forward(parameters, kept, masks: masks, outputs: outputs, steps: steps)
      }
    default: preconditionFailure("workspace of another network")
    }
  }

  func runBackward(
    _ parameters: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, _ activations: Activations,
    logitGradients: Span<Float>, valueGradients: Span<Float>
  ) {
    let steps = activations.steps
    let rows = steps.rows
    precondition(activations.outputs == .policyAndValue, "backward needs a forward pass with both outputs")
    func load(_ logits: ActivationBuffer, _ values: ActivationBuffer) {
      logits.copyIn(logitGradients, sourceStride: actionCount, column: 0, rows: rows)
      values.copyIn(valueGradients, sourceStride: 1, column: 0, rows: rows)
    }
    switch (body, activations.body) {
    case (.recurrent(let net), .recurrent(let kept, let passed?)):
      load(passed.logits, passed.values)
      net.backward(parameters, gradients, kept, passed, steps: steps)
    case (.feedForward(let net), .feedForward(let kept, let passed?)):
      load(passed.logits, passed.values)
      net.backward(parameters, gradients, kept, passed, rows: rows)
    case (.setEncoder(let net), .setEncoder(let kept, let passed?)):
      load(passed.logits, passed.values)
      activations.masks.withUnsafeBufferPointer { masks in
        guard let masks = masks.baseAddress else { return }
        net.backward(parameters, gradients, kept, passed, masks: masks, steps: steps)
      }
    default: preconditionFailure("workspace of another network or without gradients")
    }
  }
}
