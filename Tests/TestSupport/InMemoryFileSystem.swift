import FileStore
import Synchronization

/// A file system in memory that stops or fails where a test says, and forgets what was not synced when the power goes.
///
/// Model: an inode has content, and the content at its last sync. A name is durable after a sync of its directory. Directories
/// themselves are durable at once. `createFile` is four operations (name, first half, second half, sync), all others are one, so a
/// crash can leave half a file. A crash stops all operations until `recover`.
public final class InMemoryFileSystem: FileSystem, Sendable {
  /// What a crash leaves.
  public enum Survival: String, CaseIterable, Sendable {
    /// The process died, the machine did not.
    case everything
    /// The power went: only what was synced is there.
    case syncedOnly
    /// The power went after the names had reached the disk, but not the contents.
    case namesWithoutContent
  }

  /// What shall go wrong.
  public enum Fault: Equatable, Sendable {
    /// Operation number `at` (from 1) and all later ones do not happen.
    case crash(at: Int)
    /// Operation number `at` fails with `code` and does nothing.
    case failOnce(at: Int, code: Int32)
    /// Operation number `at` and all later ones that write fail with `code`.
    case failFrom(at: Int, code: Int32)
    /// Operations that write to a path with this text in it fail with `code`.
    case failPath(containing: String, code: Int32)
    /// Operations that write fail with `code` if their number is in the range.
    case failWithin(ClosedRange<Int>, code: Int32)
  }

  enum Node: Equatable {
    case file(Int)
    case link(String)
  }

  struct Inode {
    var content: [UInt8] = []
    var durable: [UInt8] = []
  }

  struct State {
    var directories: [String] = ["/", "."]
    var names: [String: Node] = [:]
    var durableNames: [String: Node] = [:]
    var inodes: [Inode] = []
    var operations = 0
    var log: [String] = []
    var fault: Fault?
    var isCrashed = false
    var hasHardLinks = true
    var availableBytes = 1 << 40
  }

  let state: Mutex<State>

  /// An empty file system with the directories "/" and ".".
  public init() { state = Mutex(State()) }

  /// An independent copy of the present state, without a fault and with the operation count at 0.
  public func copy() -> InMemoryFileSystem {
    let present = state.withLock { $0 }
    let other = InMemoryFileSystem()
    other.state.withLock {
      $0 = present
      $0.operations = 0
      $0.log = []
      $0.fault = nil
    }
    return other
  }

  /// Sets the fault; operations count from 1 again.
  public func arm(_ fault: Fault?) {
    state.withLock {
      $0.fault = fault
      $0.operations = 0
      $0.log = []
    }
  }

  /// Operations since the start or the last `arm`.
  public var operationCount: Int { state.withLock { $0.operations } }
  /// The operations, one a line, for messages of failing tests.
  public var log: [String] { state.withLock { $0.log } }

  /// Whether `link` works; without it the fallback is used.
  public func setHardLinks(_ works: Bool) { state.withLock { $0.hasHardLinks = works } }

  /// What `availableBytes` answers; writes do not count.
  public func setAvailable(_ bytes: Int) { state.withLock { $0.availableBytes = bytes } }

  /// Restart after a crash.
  public func recover(_ survival: Survival) {
    state.withLock {
      $0.isCrashed = false
      $0.fault = nil
      if survival == .syncedOnly { $0.names = $0.durableNames }
      if survival != .everything {
        for index in $0.inodes.indices { $0.inodes[index].content = $0.inodes[index].durable }
      }
      $0.durableNames = $0.names
      for index in $0.inodes.indices { $0.inodes[index].durable = $0.inodes[index].content }
    }
  }

  /// Restart after a power cut that left an arbitrary part of what was not synced, drawn from `seed`: each changed name is the old or the new one, on
  /// its own; each changed content is the old one, the new one, a piece of the new one, or the new one with its end zeroed.
  public func recover(subset seed: UInt64) {
    state.withLock { state in
      var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
      func draw(_ count: Int) -> Int {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return Int(random >> 33) % count
      }
      state.isCrashed = false
      state.fault = nil
      for name in Set(state.names.keys).union(state.durableNames.keys).sorted() where state.names[name] != state.durableNames[name] {
        if draw(2) == 0 { state.names[name] = state.durableNames[name] }
      }
      state.durableNames = state.names
      for index in state.inodes.indices where state.inodes[index].content != state.inodes[index].durable {
        let content = state.inodes[index].content
        // What was durable and was not written over stays.
        let common = zip(content, state.inodes[index].durable).prefix { $0 == $1 }.count
        let kept = common + draw(content.count - common + 1)
        switch draw(4) {
        case 0: state.inodes[index].content = state.inodes[index].durable
        case 1: state.inodes[index].content = Array(content.prefix(kept))
        case 2: state.inodes[index].content = Array(content.prefix(kept)) + [UInt8](repeating: 0, count: content.count - kept)
        default: break
        }
      }
      for index in state.inodes.indices { state.inodes[index].durable = state.inodes[index].content }
    }
  }

  /// Changes a file's content behind everyone's back.
  public func corrupt(_ path: String, _ change: (inout [UInt8]) -> Void) {
    state.withLock {
      guard case .file(let inode)? = $0.names[path] else { preconditionFailure("no file \(path)") }
      change(&$0.inodes[inode].content)
    }
  }

  /// All names with a slash prefix, sorted.
  public var allNames: [String] { state.withLock { $0.names.keys.sorted() } }
}
