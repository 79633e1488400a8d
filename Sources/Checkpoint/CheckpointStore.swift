import FileStore
import Hashing
import TorchFormat

/// The checkpoints of one run directory: publishing, finding, loading and thinning out.
///
/// Order of a save: temporary file, sync, read back and compare, link to the final name, sync of the directory, `latest.pt` replaced,
/// sync of the directory. Whatever happens in between, the directory holds the old checkpoints and perhaps the new one, each whole.
/// The encode step (`CheckpointFile.encode`) is apart from `publish` so that the two may run at different times or places.
public struct CheckpointStore: Sendable {
  /// The link that people follow; the program never relies on it.
  public static let latestName = "latest.pt"
  /// The link to the checkpoint with the best evaluation.
  public static let bestName = "best.pt"
  /// Bytes of a file that is read.
  public static let sizeLimit = TorchLimits.archiveBytes

  /// Where the checkpoints are.
  public let directory: String
  private let files: any FileSystem
  private let publisher: AtomicPublish

  /// - Parameters:
  ///   - directory: such as `<run>/checkpoints`; `prepare` makes it.
  ///   - publisher: brings the file system with it.
  public init(directory: String, publisher: AtomicPublish) {
    self.directory = directory
    self.publisher = publisher
    files = publisher.files
  }

  /// Makes the directory and removes the temporary names that interrupted saves left, which are returned. For the lock's holder.
  @discardableResult
  public func prepare() throws(CheckpointError) -> [String] {
    try naming(directory) { () throws(FileError) in
      try files.createDirectory(directory)
      return try publisher.removeStale(in: directory)
    }
  }

  /// Encodes and publishes.
  @discardableResult
  public func save(_ contents: CheckpointContents) throws(CheckpointError) -> EncodedCheckpoint {
    let encoded = try CheckpointFile.encode(contents)
    try publish(encoded)
    return encoded
  }

  /// Publishes under its name and points `latest.pt` to it.
  ///
  /// A file that is there already is kept if its state and run are the same, replaced if it does not verify, and a `conflict` else.
  public func publish(_ encoded: EncodedCheckpoint) throws(CheckpointError) {
    let path = PathName.join(directory, encoded.name)
    let outcome = try naming(encoded.name) { () throws(FileError) in try publisher.publishNew(path, encoded.bytes) }
    if outcome == .occupied {
      let present: LoadedCheckpoint?
      do {
        present = try load(encoded.name)
      } catch {
        guard error.code != .file else { throw error }
        present = nil
      }
      if let present {
        let mine = try CheckpointFile.decode(bytes: encoded.bytes, name: encoded.name)
        guard present.stateDigest == encoded.stateDigest, present.contents.runID == mine.contents.runID else {
          throw CheckpointError(
            .conflict, file: encoded.name,
            "is there with another state (\(present.stateDigest.short), run \(present.contents.runID)); "
              + "this is \(encoded.stateDigest.short), run \(mine.contents.runID)")
        }
      } else {
        try naming(encoded.name) { () throws(FileError) in try publisher.replace(path, encoded.bytes) }
      }
    }
    try point(CheckpointStore.latestName, to: encoded.name)
  }

  /// Points `latest.pt` to a checkpoint that a kill left published but unnamed; nothing is written if it says so already.
  public func markLatest(_ name: String) throws(CheckpointError) {
    if try target(of: CheckpointStore.latestName) != name { try point(CheckpointStore.latestName, to: name) }
  }

  /// Points `best.pt` to a checkpoint of this directory; rotation then keeps that one.
  public func markBest(_ name: String) throws(CheckpointError) { try point(CheckpointStore.bestName, to: name) }

  /// Names of the form `checkpoint_step_%08d.pt`, in order of the step in the name.
  public func list() throws(CheckpointError) -> [String] {
    let names = try naming(directory) { () throws(FileError) in try files.list(directory) }
    return names.compactMap { name in CheckpointFile.step(inName: name).map { (step: $0, name: name) } }
      .sorted { $0.step < $1.step }.map(\.name)
  }

  /// Reads and verifies one file.
  public func load(_ name: String) throws(CheckpointError) -> LoadedCheckpoint {
    let bytes = try naming(name) { () throws(FileError) in
      try files.read(PathName.join(directory, name), limit: CheckpointStore.sizeLimit)
    }
    return try CheckpointFile.decode(bytes: bytes, name: name)
  }

  private func point(_ link: String, to name: String) throws(CheckpointError) {
    try naming(link) { () throws(FileError) in try publisher.relink(PathName.join(directory, link), to: name) }
  }

  /// File errors become checkpoint errors that name `file`.
  func naming<Result>(_ file: String, _ body: () throws(FileError) -> Result) throws(CheckpointError) -> Result {
    do {
      return try body()
    } catch {
      throw CheckpointError(file, error)
    }
  }

  /// Removes a file; one that is gone already is fine.
  func remove(_ name: String) throws(CheckpointError) {
    do {
      try files.unlink(PathName.join(directory, name))
    } catch {
      guard error.isNotFound else { throw CheckpointError(name, error) }
    }
  }

  /// Target of a link in the directory; nil if it is absent or no link.
  public func target(of link: String) throws(CheckpointError) -> String? {
    do {
      return PathName.name(of: try files.readLink(PathName.join(directory, link)))
    } catch {
      guard error.isNotFound || error.code == ErrorCode.invalid else { throw CheckpointError(link, error) }
      return nil
    }
  }

  /// Makes removals durable.
  func syncDirectory() throws(CheckpointError) {
    try naming(directory) { () throws(FileError) in try files.syncDirectory(directory) }
  }
}
