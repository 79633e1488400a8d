/// One ownership of a run directory, to be compared with the lock file by any thread of the owner.
public struct LockClaim: Sendable {
  /// Path of the lock file.
  public let path: String
  /// Tells this ownership from every other one.
  let token: String
  let files: any FileSystem

  init(path: String, token: String, files: any FileSystem) {
    self.path = path
    self.token = token
    self.files = files
  }

  /// Fails with `lost` unless the file under the lock's name is still that of this ownership.
  public func verifyOwnership() throws(RunLockError) {
    let bytes: [UInt8]
    do {
      bytes = try files.read(path, limit: RunLock.sizeLimit)
    } catch {
      guard error.isNotFound else { throw .file(error) }
      throw .lost(path: path, by: nil)
    }
    let found = LockRecord(bytes: bytes)
    guard let found, found.token == token, found.isHeld else { throw .lost(path: path, by: found) }
  }
}
