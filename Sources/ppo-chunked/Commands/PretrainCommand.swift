import ArgumentParser
import Checkpoint
import PPO
import RunConfig
import Training

/// Behaviour cloning.
struct PretrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pretrain", abstract: "Trains the policy to imitate demonstrations and writes pretrained_actor.pt.",
    discussion: """
      Use the configuration that the policy will be trained with: network and observation must be the same. The file is a function of configuration and
      demonstrations. `train --start warmstart --pretrained-actor FILE` goes on from it.
      """)

  @OptionGroup var options: ConfigurationOptions
  @Argument(help: "Demonstrations, as collect writes them.")
  var demonstrations = "demonstrations.pt"
  @Option(help: "File to write.")
  var output = "pretrained_actor.pt"
  @Option(help: "Model to tune further instead of a fresh network: a pretrained actor, a checkpoint, or a file of the reference.")
  var base: String?
  @Option(help: "Passes over the demonstrations at most.")
  var epochs: Int?

  func run() throws {
    var options = options
    if let epochs { options.overrides.insert("warmstart.epochs=\(epochs)", at: 0) }
    let configuration = try options.load()
    guard configuration.run.environment == .routing else {
      throw TrainingError(.usage, "run.environment: only the environment routing has demonstrations")
    }
    let bytes = try InputFile.read(demonstrations, what: "file of demonstrations (ppo-chunked collect makes one)")
    let (samples, origin) = try DemonstrationFile.decode(bytes: bytes, name: demonstrations)
    let model = try base.map { try StartingModel(bytes: try InputFile.read($0, what: "model"), path: $0) }
    let inputs = try RunInputs.readFiles(configuration)
    let pretraining = Pretraining(configuration, prototype: try inputs.routingEnvironment(), programVersion: ProgramVersion.text)
    let name = String(output.split(separator: "/").last ?? "")
    let encoded = try pretraining.run(
      samples, observationNames: origin.observationNames, demonstrationsDigest: DemonstrationFile.digest(samples, origin.observationNames),
      base: model,
      name: name, say: { Console.write($0) })
    guard let encoded else { preconditionFailure("nobody asked to stop") }
    try OutputFile.write(encoded.bytes, to: output)
    Console.write("[Pretrain] \(output) sha256=\(encoded.stateDigest.hex)")
  }
}
