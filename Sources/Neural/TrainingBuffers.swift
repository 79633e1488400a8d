import CKernels

/// The working copy of an update: parameters, both moments and gradients in aligned memory.
///
/// An update loads the state, takes its optimizer steps here and stores the result; an update that is given up stores nothing.
public final class TrainingBuffers {
  private let network: Network
  private let activations: Activations
  private let parameters: ActivationBuffer
  private let firstMoments: ActivationBuffer
  private let secondMoments: ActivationBuffer
  /// Of the last backward pass or sum.
  private var gradients: ActivationBuffer
  /// Sum that waits for the next one.
  private var accumulated: ActivationBuffer?
  /// Gradients of blocks on their way to a sum.
  private var tree = TreeSum<ActivationBuffer>()
  /// Gradient buffers that hold nothing.
  private var spare: [ActivationBuffer] = []

  /// For minibatches of up to `rows` rows.
  public init(_ network: Network, rows: Int) {
    self.network = network
    activations = network.makeActivations(rows: rows, gradients: true)
    parameters = ActivationBuffer(count: network.layout.storedCount)
    firstMoments = ActivationBuffer(count: network.layout.storedCount)
    secondMoments = ActivationBuffer(count: network.layout.storedCount)
    gradients = ActivationBuffer(count: network.layout.storedCount)
  }

  /// Rows of a minibatch it holds.
  public var rowsMax: Int { activations.rowsMax }

  /// Starts from these values (flat, the network's layout).
  public func load(parameters: Span<Float>, firstMoments: Span<Float>, secondMoments: Span<Float>) {
    if let abandoned = accumulated { spare.append(abandoned) }
    accumulated = nil
    self.parameters.copyIn(parameters, sourceStride: network.layout.storedCount, column: 0, rows: 1)
    self.firstMoments.copyIn(firstMoments, sourceStride: network.layout.storedCount, column: 0, rows: 1)
    self.secondMoments.copyIn(secondMoments, sourceStride: network.layout.storedCount, column: 0, rows: 1)
  }

  /// Copies the values as they are now.
  public func store(parameters: inout [Float], firstMoments: inout [Float], secondMoments: inout [Float]) {
    copy(self.parameters, &parameters)
    copy(self.firstMoments, &firstMoments)
    copy(self.secondMoments, &secondMoments)
  }

  private func copy(_ buffer: ActivationBuffer, _ target: inout [Float]) {
    var span = target.mutableSpan
    buffer.copyOut(&span, targetStride: network.layout.storedCount, column: 0, rows: 1)
  }

  /// Copies the gradients of the last backward pass or sum.
  public func copyGradients(into target: inout [Float]) { copy(gradients, &target) }

  /// Forward pass over the rows `order[range]` of `observations` `[T, D]`, `states` `[T, S]` and `masks` `[T, A]`; fills the first rows of
  /// logits `[., A]` and values. The rows lie in time as `steps` says; nil: each is a sequence of its own.
  public func forward(
    observations: [Float], states: [Float], masks: [UInt8], order: [Int32], range: Range<Int>, steps: TimeSteps? = nil,
    logits: inout [Float], values: inout [Float]
  ) {
    network.gather(
      observations: observations.span, states: states.span, masks: masks.span, indices: order.span.extracting(range),
      steps: steps ?? TimeSteps(rows: range.count), into: activations)
    network.run(parameters.pointer, activations, outputs: .policyAndValue)
    var logitSpan = logits.mutableSpan
    activations.copyLogits(into: &logitSpan)
    var valueSpan = values.mutableSpan
    activations.copyValues(into: &valueSpan)
  }

  /// Backward pass of the last forward pass; overwrites the gradients and returns their global L2 norm.
  public func backward(logitGradients: Span<Float>, valueGradients: Span<Float>) -> Double {
    addBackward(logitGradients: logitGradients, valueGradients: valueGradients)
    return finishSum()
  }

  /// Backward pass of the last forward pass, whose gradients become the next leaf of a `TreeSum`.
  public func addBackward(logitGradients: Span<Float>, valueGradients: Span<Float>) {
    // The gradients of the last sum have served.
    if tree.count == 0 { spare.append(gradients) }
    let leaf = spare.popLast() ?? ActivationBuffer(count: network.layout.storedCount)
    network.runBackward(
      parameters.pointer, leaf.pointer, activations, logitGradients: logitGradients, valueGradients: valueGradients)
    tree.add(leaf, join: join)
  }

  /// Makes the sum of the leaves since the last one the gradients, adds `accumulated` to it as the left operand, and returns their global
  /// L2 norm.
  public func finishSum() -> Double {
    guard let sum = tree.finish(join: join) else { preconditionFailure("a sum of gradients needs a backward pass") }
    if let left = accumulated {
      accumulated = nil
      gradients = join(left, sum)
    } else {
      gradients = sum
    }
    return ck_sum_squares(gradients.pointer, Int64(gradients.columns)).squareRoot()
  }

  /// Keeps the gradients of the last sum for the next one, which is added to them.
  public func accumulate() {
    accumulated = gradients
    gradients = spare.popLast() ?? ActivationBuffer(count: network.layout.storedCount)
  }

  /// Gradient buffers it owns.
  var gradientBufferCount: Int { spare.count + 1 + (accumulated == nil ? 0 : 1) }

  private func join(_ left: ActivationBuffer, _ right: ActivationBuffer) -> ActivationBuffer {
    left.add(right)
    spare.append(right)
    return left
  }

  /// One optimizer step with the gradients of the last backward pass or sum.
  public func step(_ optimizer: AdamW, gradientScale: Float, learningRate: Float, step: Int) {
    optimizer.run(
      parameters.pointer, firstMoments.pointer, secondMoments.pointer, gradients.pointer, layout: network.layout,
      gradientScale: gradientScale, learningRate: learningRate, step: step)
  }
}
