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
    var writer = MessageWriter()
    var failure: TrainingError?
    if communicator.rank == 0 {
      do throws(TrainingError) {
        let inputs = try readFiles(try options.load())
        writer.write([UInt8](inputs.configuration.resolvedText().utf8))
        writer.write(inputs.files.first?.bytes ?? [])
      } catch {
        failure = error
      }
    }
    var message = writer.bytes
    let agreement: Agreement
    do throws(RanksError) {
      agreement = try communicator.agree(failure?.code.rawValue ?? 0, message: failure?.message ?? "")
      if agreement.code == 0 { try communicator.broadcast(&message, root: 0) }
    } catch {
      throw TrainingError(.ranksFailed, error.description)
    }
    guard agreement.code == 0 else {
      throw TrainingError(ExitCode(rawValue: agreement.code) ?? .internalError, agreement.message)
    }
    return try RunInputs(message: message)
  }

  /// Reads the files that `configuration` names.
  static func readFiles(_ configuration: Configuration) throws(TrainingError) -> RunInputs {
    guard configuration.run.environment == .routing, configuration.workload.kind == .trace else {
      return RunInputs(configuration: configuration, files: [])
    }
    let path = configuration.workload.trace
    guard let data = FileManager.default.contents(atPath: path) else {
      throw TrainingError(.missingInput, "\(path): no such trace (workload.trace)")
    }
    return RunInputs(configuration: configuration, files: [("workload.trace", [UInt8](data))])
  }

  /// The routing task, with its trace parsed.
  func routingEnvironment() throws(TrainingError) -> RoutingEnvironment {
    var trace: Trace?
    if let file = files.first {
      do throws(TraceError) {
        trace = try Trace.parse(bytes: file.bytes, name: configuration.workload.trace)
      } catch {
        throw TrainingError(.badData, error.description)
      }
    }
    let routing = try RoutingConfiguration(configuration, trace: trace)
    do throws(ServingError) {
      return try RoutingEnvironment(routing)
    } catch {
      throw TrainingError(.usage, "\(error)")
    }
  }

  private init(configuration: Configuration, files: [(key: String, bytes: [UInt8])]) {
    self.configuration = configuration
    self.files = files
  }

  private init(message: [UInt8]) throws(TrainingError) {
    var reader = MessageReader(message)
    let text = reader.readArray(of: UInt8.self)
    let bytes = reader.readArray(of: UInt8.self)
    do throws(ConfigurationError) {
      configuration = try Configuration(parsing: text, name: "resolved configuration")
    } catch {
      throw TrainingError(.usage, error.description)
    }
    files = configuration.workload.kind == .trace && !bytes.isEmpty ? [("workload.trace", bytes)] : []
  }
}
