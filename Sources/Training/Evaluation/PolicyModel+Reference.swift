import Neural
import PPO
import TorchFormat

/// Files of the program that this one replaces: `model_state_dict`, `normalizer_state` with `eps`, `clip`, `count` and lists `mean` and `m2`, `step`.
extension PolicyModel {
  /// Whether a tree is such a file. Checkpoints of our own have no `model_config`.
  public static func isReference(_ tree: TorchValue) -> Bool { tree["model_state_dict"] != nil && tree["model_config"] != nil }

  /// Imports such a file. The sizes are those of its tensors; LayerNorm over the input and bounded logits are on if it has their tensors.
  ///
  /// - Throws: `TrainingError` with `.badData` naming the tensor that is missing, not known, or of another shape.
  public init(reference tree: TorchValue, file: String) throws(TrainingError) {
    let root = TorchReader(tree, file: file)
    let model = try root.group("model_state_dict")
    let projection = try model.matrix("feature_proj.1.weight")
    let trunk = try model.matrix("feature_proj.3.weight")
    let head = try model.matrix("actor_head.0.weight")
    let names = model.names
    let layers = names.count { $0.hasPrefix("gru.weight_ih_l") }
    guard (1...8).contains(layers) else { throw model.error("gru.weight_ih_l0", "is there for \(layers) layers, allowed 1 to 8") }
    guard trunk.outputs % ParameterTensor.panelWidth == 0, trunk.outputs <= 4096, projection.outputs <= 4096 else {
      throw model.error(
        "feature_proj.3.weight",
        "makes a width of \(trunk.outputs), allowed multiples of \(ParameterTensor.panelWidth) up to 4096 (projection up to 4096)")
    }
    let network = Network(
      .recurrent(
        hidden: trunk.outputs, layers: layers, projection: projection.outputs,
        inputLayerNorm: names.contains("feature_proj.0.weight"), boundedLogits: names.contains("actor_head.1.weight")),
      observationSize: projection.inputs, actionCount: head.outputs)
    let encoding = StateEncoding(network)
    let normalizer = try root.group("normalizer_state")
    let (epsilon, clip) = (try normalizer.float("eps"), try normalizer.float("clip"))
    guard epsilon > 0, epsilon.isFinite else { throw normalizer.error("eps", "is \(epsilon), allowed above 0") }
    guard clip > 0 else { throw normalizer.error("clip", "is \(clip), allowed above 0") }
    let (mean, m2) = (try normalizer.numbers("mean"), try normalizer.numbers("m2"))
    guard mean.count == network.observationSize, m2.count == mean.count,
      let statistics = RunningStatistics(count: try normalizer.int("count"), mean: mean, m2: m2)
    else {
      throw normalizer.error("mean", "and m2 are not the statistics of \(network.observationSize) observed values")
    }
    self.init(
      network: network, parameters: try encoding.parameters(from: tree, file: file),
      normaliser: FrozenStatistics(statistics, NormalizerConfiguration(epsilon: epsilon, clip: clip, minimumCount: 2)),
      step: try root.int("step"))
  }
}

extension TorchReader {
  /// Extents of a matrix of single precision, both above 0.
  fileprivate func matrix(_ name: String) throws(TrainingError) -> (outputs: Int, inputs: Int) {
    let shape = try shape(name)
    guard shape.count == 2, shape[0] > 0, shape[1] > 0 else { throw error(name, "has the shape \(shape), expected a matrix") }
    return (shape[0], shape[1])
  }
}
