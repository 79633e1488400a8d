import Neural
import PPO
import TorchFormat

/// The optimizer as `torch.optim.AdamW(...).state_dict()` has it, so that `load_state_dict` takes it and goes on with our next step.
///
///     state:        {index: {step: float32 [], exp_avg: float32 [...], exp_avg_sq: float32 [...]}}
///     param_groups: [{lr, betas, eps, weight_decay, ..., param_names: [text], params: [index]}]
///
/// One group without weight decay, in the order of the module's parameters. With it two: matrices, which decay, then everything else; PyTorch
/// numbers parameters through the groups. `lr` is the rate of the next step. Hyperparameters are derived from the configuration and not
/// read back; the groups are, because they say which tensor an index stands for.
struct OptimizerEncoding {
  /// What `param_groups` tells besides the moments. The optimizer computes with single precision, so 0.999 is written as the number it
  /// uses, 0.9990000128746033: PyTorch's step is then ours to the last digits.
  struct Hyperparameters: Equatable {
    var learningRate: Float = 0
    var optimizer = AdamW()
  }

  let layout: ParameterLayout

  // MARK: Writing

  /// `optimizer_state` of a learner.
  func value(of learner: LearnerState, _ hyperparameters: Hyperparameters) -> TorchValue {
    var state: [(Int64, TorchValue)] = []
    var groups: [TorchValue] = []
    for group in Self.groups(layout.tensors, decays: hyperparameters.optimizer.weightDecay > 0) {
      var indices: [TorchValue] = []
      for tensor in group.tensors {
        indices.append(.int(state.count))
        state.append(
          (
            Int64(state.count),
            .dictionary([
              ("step", .tensor(TorchTensor([Float(learner.optimizerStep)], shape: []))),
              ("exp_avg", .tensor(TorchTensor(layout.logical(of: tensor, from: learner.firstMoments), shape: tensor.shape))),
              ("exp_avg_sq", .tensor(TorchTensor(layout.logical(of: tensor, from: learner.secondMoments), shape: tensor.shape))),
            ])
          ))
      }
      let optimizer = hyperparameters.optimizer
      func number(_ value: Float) -> TorchValue { .float(Double(value)) }
      groups.append(
        .dictionary([
          ("lr", number(hyperparameters.learningRate)), ("betas", .list([number(optimizer.beta1), number(optimizer.beta2)])),
          ("eps", number(optimizer.epsilon)), ("weight_decay", number(group.decays ? optimizer.weightDecay : 0)), ("amsgrad", .bool(false)),
          ("maximize", .bool(false)),
          ("foreach", .none), ("capturable", .bool(false)), ("differentiable", .bool(false)), ("fused", .none),
          ("decoupled_weight_decay", .bool(true)), ("param_names", .list(group.tensors.map { .string($0.name) })),
          ("params", .list(indices)),
        ]))
    }
    return .dictionary([("state", .indexedDictionary(state)), ("param_groups", .list(groups))])
  }

  private static func groups(_ tensors: [ParameterTensor], decays: Bool) -> [(tensors: [ParameterTensor], decays: Bool)] {
    guard decays else { return [(tensors, false)] }
    return [(tensors.filter(\.decays), true), (tensors.filter { !$0.decays }, false)].filter { !$0.0.isEmpty }
  }

  // MARK: Reading

  /// Both moments, flat; `steps` is what every tensor's `step` must say.
  func moments(
    _ optimizer: TorchReader, steps: Int
  ) throws(TrainingError) -> (first: [Float], second: [Float]) {
    let state = try optimizer.group("state")
    var first = [Float](repeating: 0, count: layout.storedCount)
    var second = first
    var read = [Bool](repeating: false, count: layout.tensors.count)
    for group in try optimizer.list("param_groups") {
      let names = try group.strings("param_names")
      let indices = try group.ints("params")
      guard names.count == indices.count else {
        throw group.error("params", "has \(indices.count) elements, param_names \(names.count)")
      }
      for (name, index) in zip(names, indices) {
        guard let tensor = layout.tensor(named: name), !read[tensor.index] else {
          throw group.error("param_names", "holds \(name), which is no tensor of this network or is there twice")
        }
        read[tensor.index] = true
        let entry = try state.group(String(index))
        guard try entry.floats("step", shape: []) == [Float(steps)] else {
          throw entry.error("step", "is another one than training_state.optimizer_steps, \(steps)")
        }
        layout.store(try entry.floats("exp_avg", shape: tensor.shape), of: tensor, into: &first)
        layout.store(try entry.floats("exp_avg_sq", shape: tensor.shape), of: tensor, into: &second)
      }
    }
    if let missing = read.firstIndex(of: false) {
      throw optimizer.error("param_groups", "lacks the tensor \(layout.tensors[missing].name)")
    }
    guard state.names.count == read.count else {
      throw optimizer.error("state", "has \(state.names.count) entries, expected \(read.count)")
    }
    return (first, second)
  }
}
