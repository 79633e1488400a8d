import Foundation
import Neural
import Randomness
import Testing

@testable import PPO

/// The python that `scripts/torch-venv.sh` makes.
private let pythonPath: String = {
  let environment = ProcessInfo.processInfo.environment
  let venv = environment["PPO_CHUNKED_TEST_VENV"] ?? (environment["HOME"] ?? "") + "/.cache/ppo-chunked-tests/venv"
  return venv + "/bin/python"
}()

/// The same network, loss and optimizer written in PyTorch, in double precision (`Tests/Fixtures/ppo_reference.py`), on one recorded rollout:
/// loss, every gradient and the parameters after three optimizer steps.
@Suite(
  "PyTorch reference",
  .enabled(
    if: FileManager.default.isExecutableFile(atPath: pythonPath), "SKIPPED: no PyTorch to compare with; run scripts/torch-venv.sh once"))
struct TorchReferenceTests {
  /// What goes to the script.
  private struct Question: Encodable {
    var kind: String
    var sizes: [String: Int]
    var scalars: [String: Double]
    var names: [String]
    var shapes: [[Int]]
    var parameters: [[Float]]
    var rollout: [String: [Float]]
  }

  /// What comes back.
  private struct Answer: Decodable {
    var loss: Double
    var norm: Double
    var gradients: [[Double]]
    var parameters: [[Double]]
  }

  private func ask(_ question: Question) throws -> Answer {
    let directory = FileManager.default.temporaryDirectory.appending(path: "ppo-reference-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let input = directory.appending(path: "question.json")
    try JSONEncoder().encode(question).write(to: input)
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/ppo_reference.py").standardized
    let process = Process()
    process.executableURL = URL(filePath: pythonPath)
    process.arguments = [script.path, input.path]
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let answer = output.fileHandleForReading.readDataToEndOfFile()
    let failure = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(failure)")
    return try JSONDecoder().decode(Answer.self, from: answer)
  }

  static let networks: [(String, Network)] = [
    ("recurrent", Network(.recurrent(hidden: 32, layers: 2, projection: 48), observationSize: 14, actionCount: 4)),
    (
      "set_encoder",
      Network(.setEncoder(width: 32, layers: 2, attention: true, memory: true, replicaBlockSize: 3), observationSize: 14, actionCount: 4)
    ),
  ]

  /// Random transitions whose actions, values and log-probabilities come from other parameters, so that ratios and clips differ from 1.
  private func rollout(_ network: Network, _ parameters: [Float]) -> Rollout {
    let shape = RolloutShape(network, hasReference: true)
    let random = TestRollouts.random(shape, lengths: [40, 24], index: 8)
    var rollout = Rollout(shape, segmentLengths: [40, 24])
    let activations = network.makeActivations(rows: 1)
    var noisy = parameters
    // Large enough for ratios and values outside their clip ranges; padding stays 0.
    for (i, noise) in TestRollouts.uniform(parameters.count, -0.1...0.1, index: 3).enumerated() where parameters[i] != 0 {
      noisy[i] += noise
    }
    var sampler = ActionSampler(actionCount: 4)
    for t in 0..<rollout.count {
      func part<Element>(_ all: [Element], _ width: Int) -> [Element] { Array(all[(t * width)..<((t + 1) * width)]) }
      let (x, h) = (part(random.observations, 14), part(random.states, network.stateSize))
      let mask = part(random.masks, 4)
      var (logits, values, next) = ([Float](repeating: 0, count: 4), [Float(0)], h)
      network.forward(
        parameters: noisy, observations: x, states: h, masks: mask, rows: 1, activations: activations, logits: &logits, values: &values,
        nextStates: &next)
      let choice = sampler.sample(
        logits: logits, masks: mask, row: 0, temperature: random.temperatures[t], uniform: Double(t * 37 % 64) / 64)
      rollout.recordDecision(
        at: t, row: 0, observations: x, states: h, masks: mask, logits: logits, referenceLogits: part(random.referenceLogits, 4),
        action: choice.action, logProbability: choice.logProbability, value: values[0], temperature: random.temperatures[t])
      rollout.recordOutcome(
        at: t, reward: random.rewards[t], terminal: random.terminal[t] == 1, cut: random.cut[t] == 1, valueNext: random.valuesNext[t])
      if t % 5 == 0 { rollout.setActionAdvantages(at: t, TestRollouts.uniform(4, -1...1, index: 600 + t).span) }
    }
    return rollout
  }

  @Test("loss, gradients and three optimizer steps agree to a relative 1e-5", arguments: networks.indices)
  func agrees(index: Int) throws {
    let (kind, network) = Self.networks[index]
    var parameters = network.initialParameters(seed: 4)
    // Away from the beginning, where biases and the policy head are nearly 0.
    for tensor in network.layout.tensors {
      let noise = TestRollouts.uniform(tensor.count, -0.2...0.2, index: 300 + tensor.index)
      network.layout.store(
        zip(network.layout.logical(of: tensor, from: parameters), noise).map { $0 + $1 }, of: tensor, into: &parameters)
    }
    let rollout = rollout(network, parameters)
    let count = rollout.count
    let configuration = PPOConfiguration(
      loss: LossConfiguration(klCoefficient: 0.15, entropyMinimum: 1.2, entropyPenaltyCoefficient: 0.1), epochs: 3, minibatchSize: count,
      maxGradientNorm: 0.5, targetKL: 0, klThreshold: 0, optimizer: AdamW(weightDecay: 0.01), learningRate: .constant(3e-4),
      entropy: EntropySchedule(base: 0.01), referenceKL: ReferenceKLSchedule(initial: 0.3, final: 0.3, decaySteps: 1))

    func logical(_ buffer: [Float]) -> [[Float]] { network.layout.tensors.map { network.layout.logical(of: $0, from: buffer) } }
    var sizes = ["T": count, "D": 14, "A": 4, "S": network.stateSize, "first": rollout.segmentLengths[0]]
    if case .recurrent(let c) = network.configuration { sizes.merge(["H": c.hidden, "L": c.layers]) { $1 } }
    if case .setEncoder(let c) = network.configuration { sizes.merge(["W": c.width, "b": c.replicaBlockSize, "layers": c.layers]) { $1 } }
    let labels = (0..<count).map { Float(rollout.actionAdvantageRow($0) ?? -1) }
    let answer = try ask(
      Question(
        kind: kind, sizes: sizes,
        scalars: [
          "gamma": Double(configuration.gamma), "lambda": Double(configuration.lambda), "clip": Double(configuration.loss.clipRatio),
          "clip_vf": Double(configuration.loss.clipRangeValue), "value": Double(configuration.loss.valueCoefficient),
          "kl": Double(configuration.loss.klCoefficient), "entropy": 0.01, "floor": Double(Float(1.2)), "hinge": Double(Float(0.1)),
          "reference": 0.3, "lr": 3e-4, "decay": Double(Float(0.01)), "norm": 0.5, "eps": Double(Float(1e-5)),
        ], names: network.layout.tensors.map(\.name), shapes: network.layout.tensors.map(\.shape), parameters: logical(parameters),
        rollout: [
          "x": rollout.observations, "h": rollout.states, "mask": rollout.masks.map { Float($0) }, "logits": rollout.logits,
          "reference": rollout.referenceLogits, "T": rollout.temperatures, "action": rollout.actions.map { Float($0) },
          "logp": rollout.logProbabilities, "value": rollout.values, "reward": rollout.rewards,
          "terminal": rollout.terminal.map { Float($0) }, "cut": rollout.cut.map { Float($0) }, "next": rollout.valuesNext,
          "row": labels, "labels": rollout.actionAdvantages,
        ]))

    // One evaluation of the whole rollout.
    var metrics = UpdateMetrics()
    var scratch = UpdateScratch(actionCount: 4, rows: count)
    scratch.prepare(rollout, configuration: configuration, metrics: &metrics)
    var stream = RandomStream(seed: 4, purpose: .shuffle)
    scratch.shuffle(stream: &stream)
    let buffers = TrainingBuffers(network, rows: count)
    let state = LearnerState(parameters: parameters)
    buffers.load(parameters: state.parameters.span, firstMoments: state.firstMoments.span, secondMoments: state.secondMoments.span)
    let coefficients = LossCoefficients(entropy: 0.01, reference: 0.3)
    let (sums, norm) = scratch.evaluate(rollout, range: 0..<count, shards: 1, buffers: buffers, coefficients: coefficients)
    var gradients = parameters
    buffers.copyGradients(into: &gradients)
    #expect(sums.clipped > 0)
    #expect(sums.entropyHinge > 0)
    #expect(sums.labelled == 13)
    #expect(relative(scratch.loss.total(sums, coefficients), answer.loss) < 1e-5)
    #expect(relative(norm, answer.norm) < 1e-5 && norm > 0.5, "the clip is not tested")
    compare(network, logical(gradients), answer.gradients, "gradient")

    var learner = PPOLearner(network, configuration: configuration, state: state)
    guard case .finished(let finished) = learner.update(rollout, context: UpdateContext(seed: 1, step: 0, planTotal: 1)) else {
      Issue.record("the update did not finish")
      return
    }
    #expect(finished.optimizerSteps == 3)
    compare(network, logical(learner.parameters), answer.parameters, "parameters after three steps")
    // The steps themselves, not only what they are added to: a step has the size of the learning rate.
    for (tensor, (new, old)) in zip(network.layout.tensors, zip(logical(learner.parameters), logical(parameters))) {
      let own = zip(new, old).map { Double($0) - Double($1) }
      let theirs = zip(answer.parameters[tensor.index], old).map { $0 - Double($1) }
      #expect(distance(own, theirs) < 2e-3 * length(theirs) + 1e-9, "\(tensor.name) moved otherwise")
    }
  }

  private func compare(_ network: Network, _ own: [[Float]], _ theirs: [[Double]], _ what: String) {
    for (tensor, (a, b)) in zip(network.layout.tensors, zip(own, theirs)) {
      let difference = distance(a.map { Double($0) }, b) / max(length(b), 1e-12)
      #expect(difference < 1e-5, "\(what) of \(tensor.name): relative \(difference)")
    }
  }

  private func relative(_ a: Double, _ b: Double) -> Double { abs(a - b) / abs(b) }
  private func length(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
  private func distance(_ a: [Double], _ b: [Double]) -> Double { length(zip(a, b).map { $0 - $1 }) }
}
