/// The passes over raw buffers, shared by `Network` and `TrainingBuffers`.
extension Network {
  /// Copies inputs into the workspace.
  func load(observations: Span<Float>, states: Span<Float>, rows: Int, into activations: Activations) {
    precondition(rows > 0 && rows <= activations.rowsMax, "rows outside the workspace")
    activations.observations.copyIn(observations, sourceStride: observationSize, column: 0, rows: rows)
    guard stateSize > 0 else { return }
    let width = stateSize / activations.states.count
    for part in activations.states.indices {
      activations.states[part].copyIn(states, sourceStride: stateSize, column: part * width, rows: rows)
    }
  }

  /// Copies the rows named by `indices` of larger buffers into the workspace.
  func gather(observations: Span<Float>, states: Span<Float>, indices: Span<Int32>, into activations: Activations) {
    precondition(indices.count > 0 && indices.count <= activations.rowsMax, "rows outside the workspace")
    activations.observations.gather(observations, sourceStride: observationSize, column: 0, indices: indices)
    guard stateSize > 0 else { return }
    let width = stateSize / activations.states.count
    for part in activations.states.indices {
      activations.states[part].gather(states, sourceStride: stateSize, column: part * width, indices: indices)
    }
  }

  func run(_ parameters: UnsafePointer<Float>, _ activations: Activations, outputs: NetworkOutputs, rows: Int) {
    activations.rows = rows
    activations.outputs = outputs
    switch (body, activations.body) {
    case (.recurrent(let net), .recurrent(let kept, _)): net.forward(parameters, kept, outputs: outputs, rows: rows)
    case (.feedForward(let net), .feedForward(let kept, _)): net.forward(parameters, kept, outputs: outputs, rows: rows)
    default: preconditionFailure("workspace of another network")
    }
  }

  func runBackward(
    _ parameters: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, _ activations: Activations,
    logitGradients: Span<Float>, valueGradients: Span<Float>
  ) {
    let rows = activations.rows
    precondition(activations.outputs == .policyAndValue, "backward needs a forward pass with both outputs")
    switch (body, activations.body) {
    case (.recurrent(let net), .recurrent(let kept, let passed?)):
      passed.logits.copyIn(logitGradients, sourceStride: actionCount, column: 0, rows: rows)
      passed.values.copyIn(valueGradients, sourceStride: 1, column: 0, rows: rows)
      net.backward(parameters, gradients, kept, passed, rows: rows)
    case (.feedForward(let net), .feedForward(let kept, let passed?)):
      passed.logits.copyIn(logitGradients, sourceStride: actionCount, column: 0, rows: rows)
      passed.values.copyIn(valueGradients, sourceStride: 1, column: 0, rows: rows)
      net.backward(parameters, gradients, kept, passed, rows: rows)
    default: preconditionFailure("workspace of another network or without gradients")
    }
  }
}
