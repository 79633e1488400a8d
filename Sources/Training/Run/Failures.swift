import Checkpoint
import FileStore
import Ranks

/// Turns file errors into training errors with the exit code they end the program with.
public enum FileFailure {
  /// Runs `body`.
  public static func wrap<Value>(_ body: () throws(FileError) -> Value) throws(TrainingError) -> Value {
    do {
      return try body()
    } catch {
      throw Self.error(error)
    }
  }

  static func error(_ error: FileError) -> TrainingError { TrainingError(code(of: error), error.description) }

  /// Exit code of a failed file operation.
  public static func code(of error: FileError) -> ExitCode {
    if error.isNotFound { return .missingInput }
    let isUnusable = error.isNotPermitted || error.code == ErrorCode.notDirectory || error.code == ErrorCode.isDirectory
    return isUnusable ? .outputUnusable : .inputOutput
  }
}

/// The same for checkpoints.
enum CheckpointFailure {
  static func wrap<Value>(_ body: () throws(CheckpointError) -> Value) throws(TrainingError) -> Value {
    do {
      return try body()
    } catch {
      throw Self.error(error)
    }
  }

  static func error(_ error: CheckpointError) -> TrainingError {
    if let file = error.fileError { return TrainingError(FileFailure.code(of: file), error.description) }
    return TrainingError(error.code == .unwritable ? .internalError : .badData, error.description)
  }
}

/// The same for the lock.
enum LockFailure {
  static func wrap<Value>(_ body: () throws(RunLockError) -> Value) throws(TrainingError) -> Value {
    do {
      return try body()
    } catch {
      throw Self.error(error)
    }
  }

  /// Fails if the lock belongs to somebody else now; a lock file that cannot be read says nothing.
  static func lost(_ lock: RunLock) throws(TrainingError) {
    do {
      try lock.verifyOwnership()
    } catch {
      guard case .lost = error else { return }
      throw Self.error(error)
    }
  }

  static func error(_ error: RunLockError) -> TrainingError {
    if case .file(let file) = error { return TrainingError(FileFailure.code(of: file), error.description) }
    if case .interrupted = error { return TrainingError(.stopped, error.description) }
    return TrainingError(.outputUnusable, error.description)
  }
}

/// The same for exchanges between ranks: they end the program with a code of their own.
enum RanksFailure {
  static func wrap<Value>(_ body: () throws(RanksError) -> Value) throws(TrainingError) -> Value {
    do {
      return try body()
    } catch {
      throw TrainingError(.ranksFailed, error.description)
    }
  }
}
