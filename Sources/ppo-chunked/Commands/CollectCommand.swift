import ArgumentParser
import Checkpoint
import PPO
import RunConfig
import Training

/// Demonstrations for behaviour cloning.
struct CollectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "collect", abstract: "Lets rules route requests and records what a teacher would have done, for pretrain.",
    discussion: """
      Every behaviour policy acts in every scenario: half, once and twice the arrival rate, eight requests on one replica at the start, one
      replica at half its speed. The teacher labels each decision with a distribution over its best replicas. The file is a function of
      configuration, trace and seed.
      docs/warm-start.md tells more.
      """)

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var teaching: TeachingOptions
  @Option(help: "File to write.")
  var output = "demonstrations.pt"

  func run() throws {
    var options = options
    options.overrides = teaching.overrides + options.overrides
    let configuration = try options.load()
    guard configuration.run.environment == .routing else {
      throw TrainingError(.usage, "run.environment: only the environment routing has teachers")
    }
    let inputs = try RunInputs.readFiles(configuration)
    let collector = DemonstrationCollector(configuration, routing: try inputs.routingConfiguration())
    guard let demonstrations = try collector.collect() else { preconditionFailure("nobody asked to stop") }
    let origin = collector.origin(
      configuration, names: try inputs.routingEnvironment().observationNames, programVersion: ProgramVersion.text)
    let encoded = try DemonstrationFile.encode(demonstrations, origin: origin, name: String(output.split(separator: "/").last ?? ""))
    try OutputFile.write(encoded.bytes, to: output)
    Console.write(
      "[Collect] \(output) samples=\(demonstrations.count) episodes=\(demonstrations.episodes.count) "
        + "observation_size=\(demonstrations.observationSize) actions=\(demonstrations.actionCount) teacher=\(origin.teacher) "
        + "sha256=\(encoded.stateDigest.hex)")
    let names = zip(demonstrations.policies, demonstrations.policyCounts).map { "\($0)=\($1)" }
    let actions = demonstrations.actionCounts.enumerated().map { "\($0)=\($1)" }
    Console.write("[Collect] samples by policy: \(names.joined(separator: " ")); by action: \(actions.joined(separator: " "))")
  }
}
