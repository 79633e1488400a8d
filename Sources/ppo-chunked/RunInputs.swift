import Foundation
import Ranks
import RunConfig
import ServingEnv
import ServingSim
import Training

/// Configuration and input files of a job. Rank 0 alone reads them; the others get the bytes.
struct RunInputs {
  let configuration: Configuration
  /// Bytes by the key that names the file.
  let files: [(key: String, bytes: [UInt8])]

  /// Reads on rank 0 and tells all ranks; a failure is everyone's.
  static func read<C: Communicator>(_ options: ConfigurationOptions, _ communicator: C) throws(TrainingError) -> RunInputs {
    var message =
      try communicator.agreeOnRankZero { () throws(TrainingError) -> [UInt8] in
        let inputs = try readFiles(try options.load())
        var writer = MessageWriter()
        writer.write([UInt8](inputs.configuration.resolvedText().utf8))
        for file in inputs.files { writer.write(file.bytes) }
        return writer.bytes
      } ?? []
    do throws(RanksError) {
      try communicator.broadcast(&message, root: 0)
    } catch {
      throw TrainingError(.ranksFailed, error.description)
    }
    return try RunInputs(message: message)
  }

  /// Reads the files that `configuration` names.
  static func readFiles(_ configuration: Configuration) throws(TrainingError) -> RunInputs {
    var files: [(key: String, bytes: [UInt8])] = []
    for (key, path) in configuration.inputFiles {
      files.append((key, try InputFile.read(path, what: "file (\(key))")))
    }
    return RunInputs(configuration: configuration, files: files)
  }

  /// Cluster, workload, observation and reward, with the files parsed.
  func routingConfiguration() throws(TrainingError) -> RoutingConfiguration {
    try RoutingConfiguration(configuration, files: files)
  }

  /// The routing task.
  func routingEnvironment() throws(TrainingError) -> RoutingEnvironment {
    let routing = try routingConfiguration()
    do throws(ServingError) {
      return try RoutingEnvironment(routing)
    } catch {
      throw TrainingError(error)
    }
  }

  private init(configuration: Configuration, files: [(key: String, bytes: [UInt8])]) {
    self.configuration = configuration
    self.files = files
  }

  private init(message: [UInt8]) throws(TrainingError) {
    var reader = MessageReader(message)
    let text = reader.readArray(of: UInt8.self)
    do throws(ConfigurationError) {
      configuration = try Configuration(parsing: text, name: "resolved configuration")
    } catch {
      throw TrainingError(.usage, error.description)
    }
    files = configuration.inputFiles.map { ($0.key, reader.readArray(of: UInt8.self)) }
  }
}
