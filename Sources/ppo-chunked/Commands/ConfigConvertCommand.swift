import ArgumentParser
import Foundation
import RunConfig
import Training

/// For people who come from the program that this one replaces.
struct ConfigConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Reads a JSON configuration of the predecessor, writes ours, and names every key that has no effect.",
    discussion: "The configuration goes to standard output or --output, the report to standard error.")

  @Argument(help: "The predecessor's configuration.")
  var file: String
  @Option(help: "File to write instead of standard output.")
  var output: String?

  func run() throws {
    let bytes = try InputFile.read(file, what: "configuration file")
    let conversion: ReferenceConversion
    let text: String
    do throws(ConfigurationError) {
      conversion = try ReferenceConversion(parsing: bytes, name: file)
      text = conversion.configuration.text() + "\n"
      // Together they must be a configuration of ours.
      _ = try Configuration(parsing: [UInt8](text.utf8), name: "the converted \(file)")
    } catch {
      throw TrainingError(.usage, error.description)
    }
    for key in conversion.applied { Console.writeError("applied    \(key.from) -> \(key.to) = \(key.value.compactText())") }
    for key in conversion.ignored { Console.writeError("no effect  \(key.from): \(key.reason)") }
    Console.writeError("\(conversion.applied.count) keys applied, \(conversion.ignored.count) have no effect")
    if let output {
      try OutputFile.write([UInt8](text.utf8), to: output)
    } else {
      Console.write(String(text.dropLast()))
    }
  }
}
