import Checkpoint
import Foundation
import Neural
import TestSupport
import Testing
import TorchFormat

@testable import Training

/// `torch.optim.AdamW` loads the optimizer of our checkpoints and its next step is ours.
@Suite("Optimizer state in PyTorch", .serialized, .enabled(if: PyTorch.isNewestPresent, "\(PyTorch.skipReason)"))
struct PyTorchOptimizerTests {
  private static let script = """
    import sys, torch
    only = int(torch.__version__.split('.')[0]) >= 2  # in 1.13 weights_only knew no floats
    tree = torch.load(sys.argv[1], weights_only=only)
    gradients = torch.load(sys.argv[2], weights_only=True)
    parameters = {name: torch.nn.Parameter(value) for name, value in tree['model_state_dict'].items()}
    groups = [{'params': [parameters[n] for n in g['param_names']]} for g in tree['optimizer_state']['param_groups']]
    if len(groups) == 1:  # what everybody writes: AdamW(module.parameters())
        groups = list(parameters.values())
    optimizer = torch.optim.AdamW(groups, lr=123.0)
    optimizer.load_state_dict(tree['optimizer_state'])
    assert optimizer.param_groups[0]['lr'] == tree['optimizer_state']['param_groups'][0]['lr'] != 123.0
    for name, p in parameters.items():
        p.grad = gradients[name]
    optimizer.step()
    state = optimizer.state_dict()
    assert list(state['state']) == list(range(len(parameters))) and len(state['param_groups']) == len(tree['optimizer_state']['param_groups'])
    assert all(float(s['step']) == tree['training_state']['optimizer_steps'] + 1 for s in state['state'].values())
    torch.save({'model': {n: p.detach() for n, p in parameters.items()},
                'first': {n: optimizer.state[p]['exp_avg'] for n, p in parameters.items()},
                'second': {n: optimizer.state[p]['exp_avg_sq'] for n, p in parameters.items()}}, sys.argv[3])
    """

  @Test("one step agrees, with and without weight decay", arguments: PyTorch.all, [0.0, 0.05])
  func step(torch: PyTorch, weightDecay: Double) throws {
    let harness = try TrainingHarness(["run.environment=cartpole", "ppo.weight_decay=\(weightDecay)", "ppo.learning_rate=0.01"])
    #expect(try harness.run(ranks: 1, options: JobOptions(outputDirectory: "run", maxChunks: 1)) == .success(.stopped))
    let loaded = try harness.checkpoint()
    let network = Network(
      NetworkConfiguration(harness.configuration.network, replicaBlockSize: 0), observationSize: 4, actionCount: 2)
    let encoding = StateEncoding(network)
    let learner = try encoding.state(from: loaded.contents.tree, step: loaded.contents.step, environmentCount: 5, file: "f").global.learner
    #expect(learner.optimizerStep > 5 && learner.secondMoments.contains { $0 > 0 })
    let rate = try #require(
      loaded.contents["optimizer_state", "param_groups"]?.elements?.first?["lr"]?.number)

    // Gradients of all sizes, among them 0.
    var gradients = [Float](repeating: 0, count: network.layout.storedCount)
    for tensor in network.layout.tensors {
      let values = (0..<tensor.count).map { Float(($0 * 37 + tensor.index * 11) % 23 - 11) * ($0 % 3 == 0 ? 1e-4 : 0.5) }
      network.layout.store(values, of: tensor, into: &gradients)
    }
    var (parameters, first, second) = (learner.parameters, learner.firstMoments, learner.secondMoments)
    var p = parameters.mutableSpan
    var m = first.mutableSpan
    var v = second.mutableSpan
    let section = harness.configuration.ppo
    AdamW(epsilon: Float(section.adamEpsilon), weightDecay: Float(weightDecay)).update(
      parameters: &p, firstMoments: &m, secondMoments: &v, gradients: gradients.span, layout: network.layout, gradientScale: 1,
      learningRate: Float(rate), step: learner.optimizerStep + 1)

    let folder = FileManager.default.temporaryDirectory.appending(path: "optimizer-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let paths = ["ours.pt", "gradients.pt", "theirs.pt"].map { folder.appending(path: $0) }
    try Data(loaded.bytes).write(to: paths[0])
    let named = network.layout.tensors.map { tensor -> (String, TorchValue) in
      (tensor.name, .tensor(TorchTensor(network.layout.logical(of: tensor, from: gradients), shape: tensor.shape)))
    }
    try Data(TorchFile.encode(.dictionary(named), archiveName: "gradients")).write(to: paths[1])
    _ = try torch.run(Self.script, paths.map(\.path))
    let theirs = try TorchFile.decode([UInt8](Data(contentsOf: paths[2])))

    // First moments and parameters are sums of terms of either sign: below `floor` digits cancel, and what counts is the terms' size.
    for (key, ours, floor) in [("model", parameters, Float(1e-2)), ("first", first, 1e-2), ("second", second, 1e-3)] {
      for tensor in network.layout.tensors {
        let expected = try #require(theirs[key]?[tensor.name]?.tensor?.floats)
        for (a, b) in zip(network.layout.logical(of: tensor, from: ours), expected) where abs(a - b) > 1e-6 * max(abs(b), floor) {
          Issue.record("\(key) \(tensor.name): \(a), PyTorch has \(b)")
          break
        }
      }
    }
  }
}
