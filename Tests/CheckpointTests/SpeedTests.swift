import Checkpoint
import FileStore
import Foundation
import Testing

@Suite("Speed of checkpoints", .serialized)
struct SpeedTests {
  @Test("6 MB are encoded, saved and loaded in a fraction of a second on the real file system")
  func speed() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "checkpoint-speed-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: url) }
    let store = CheckpointStore(directory: url.path, publisher: AtomicPublish(files: POSIXFileSystem(), host: "h", pid: 1))
    try store.prepare()
    let contents = large(step: 1, megabytes: 6)
    let clock = ContinuousClock()
    var encoded = try CheckpointFile.encode(contents)
    let encode = try clock.measure { encoded = try CheckpointFile.encode(contents) }
    let publish = try clock.measure { try store.publish(encoded) }
    let decode = try clock.measure { _ = try CheckpointFile.decode(bytes: encoded.bytes, name: encoded.name) }
    let load = try clock.measure { _ = try store.load(encoded.name) }
    print("checkpoint of \(encoded.bytes.count) bytes: encode and verify \(encode), publish \(publish), decode \(decode), load \(load)")
    #expect(encode + publish < .seconds(2))
  }
}
