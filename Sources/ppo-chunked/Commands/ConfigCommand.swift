import ArgumentParser
import RunConfig
import Training

/// Explains the configuration.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Prints the built-in configuration documented key by key, one key, or the resolved configuration.",
    subcommands: [ConfigConvertCommand.self])

  @OptionGroup var options: ConfigurationOptions
  @Option(help: "Explain one key, as in ppo.learning_rate.")
  var explain: String?
  @Flag(help: "Print the configuration that the given options make, every key written out.")
  var resolved = false

  func run() throws {
    if let explain {
      guard let field = Schema.field(explain) else { throw TrainingError(.usage, "there is no key \(explain)") }
      Console.write(field.explanation)
    } else if resolved {
      Console.write(try options.load().resolvedText())
    } else {
      Console.write(Configuration().documentedText())
    }
  }
}
