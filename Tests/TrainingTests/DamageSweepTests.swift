import Checkpoint
import Foundation
import Synchronization
import Testing

@testable import Training

/// Damage of files that a run wrote: all of it must be detected.
///
/// A slice runs with the unit tests. `scripts/test-damage.sh` runs all of it: `PPO_CHUNKED_DAMAGE_CASES` random damages of the newest checkpoint and
/// the progress file of the run `PPO_CHUNKED_DAMAGE_RUN`, and every bit and length of the small checkpoint.
@Suite("Damage sweep", .serialized)
struct DamageSweepTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let cases = environment["PPO_CHUNKED_DAMAGE_CASES"].flatMap(Int.init)
  private static let seed: UInt64 = 20_261_128

  /// One way to spoil a file.
  private enum Damage: String, CaseIterable {
    case bit = "one bit flipped"
    case byte = "one byte changed"
    case run = "2 to 64 bytes overwritten"
    case block = "a block of 512 or 4096 bytes zeroed"
    case swap = "two bytes exchanged"
    case cut = "cut at any length"
    case tail = "1 to 64 bytes appended"
  }

  private struct Count {
    var cases = 0
    var undetected = 0
    /// Detections by the kind of error.
    var found: [String: Int] = [:]

    mutating func add(_ other: Count) {
      cases += other.cases
      undetected += other.undetected
      found.merge(other.found, uniquingKeysWith: +)
    }
  }

  private static func isDetected(_ bytes: [UInt8], _ count: inout Count, by reader: ([UInt8]) -> String?) {
    count.cases += 1
    if let kind = reader(bytes) { count.found[kind, default: 0] += 1 } else { count.undetected += 1 }
  }

  private static func readCheckpoint(_ bytes: [UInt8]) -> String? {
    do throws(CheckpointError) {
      _ = try CheckpointFile.decode(bytes: bytes, name: "c")
      return nil
    } catch {
      return error.code == .damaged && error.reason.contains("SHA-256") ? "checksum" : "structure"
    }
  }

  private static func readProgress(_ bytes: [UInt8]) -> String? {
    do {
      _ = try Training.Progress(parsing: bytes, file: "p")
      return nil
    } catch {
      return "\(error)".contains("sha256") ? "checksum" : "structure"
    }
  }

  /// Applies a damage; zeroes on zeroes and the like change nothing.
  private static func apply(_ damage: Damage, to bytes: inout [UInt8], _ random: inout DamageGenerator) {
    let position = random.below(bytes.count)
    switch damage {
    case .bit: bytes[position] ^= 1 << UInt8(random.below(8))
    case .byte: bytes[position] &+= UInt8(1 + random.below(255))
    case .run:
      let end = min(bytes.count, position + 2 + random.below(63))
      for i in position..<end { bytes[i] = UInt8(random.below(256)) }
    case .block:
      let size = random.below(2) == 0 ? 512 : 4096
      let start = position / size * size
      for i in start..<min(bytes.count, start + size) { bytes[i] = 0 }
    case .swap: bytes.swapAt(position, random.below(bytes.count))
    case .cut: bytes.removeLast(bytes.count - position)
    case .tail: for _ in 0...random.below(64) { bytes.append(UInt8(random.below(256))) }
    }
  }

  /// Every kind of damage in turn on two threads; a damage that changes nothing (zeroes on zeroes) is drawn again.
  private static func sweep(_ original: [UInt8], cases: Int, reader: @Sendable ([UInt8]) -> String?) -> [(name: String, count: Count)] {
    let kinds = Damage.allCases
    let totals = Mutex([Count](repeating: Count(), count: kinds.count))
    let workers = 2
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
      var random = DamageGenerator(seed &+ UInt64(worker))
      var counts = [Count](repeating: Count(), count: kinds.count)
      var number = worker
      while number < cases {
        // Half are flipped bits, the hardest to see.
        let kind = number % 2 == 0 ? 0 : number / 2 % kinds.count
        var bytes = original
        apply(kinds[kind], to: &bytes, &random)
        if bytes == original { continue }
        isDetected(bytes, &counts[kind], by: reader)
        number += workers
      }
      totals.withLock { totals in
        for (index, count) in counts.enumerated() { totals[index].add(count) }
      }
    }
    return zip(kinds, totals.withLock { $0 }).map { ($0.rawValue, $1) }
  }

  /// Every bit (or every `step`-th) and every length of a file.
  private static func everywhere(
    _ original: [UInt8], step: Int, reader: @Sendable ([UInt8]) -> String?
  ) -> [(name: String, count: Count)] {
    let totals = Mutex((flips: Count(), cuts: Count()))
    DispatchQueue.concurrentPerform(iterations: 2) { worker in
      var (flips, cuts) = (Count(), Count())
      var bytes = original
      for bit in stride(from: worker * step, to: 8 * original.count, by: 2 * step) {
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        isDetected(bytes, &flips, by: reader)
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      }
      for length in stride(from: worker * step, to: original.count, by: 2 * step) {
        isDetected(Array(original[..<length]), &cuts, by: reader)
      }
      totals.withLock { totals in
        totals.flips.add(flips)
        totals.cuts.add(cuts)
      }
    }
    let (flips, cuts) = totals.withLock { $0 }
    return [(step == 1 ? "every bit flipped" : "every \(step)th bit flipped", flips), ("every length", cuts)]
  }

  private static func report(_ file: String, _ size: Int, _ rows: [(name: String, count: Count)]) {
    for (name, count) in rows {
      print(
        "| \(file), \(size) bytes | \(name) | \(count.cases) | \(count.found["structure"] ?? 0) | \(count.found["checksum"] ?? 0) | \(count.undetected) |"
      )
      #expect(count.undetected == 0, "\(file): \(name)")
      #expect(count.cases > 0)
    }
  }

  /// A small checkpoint of a feed-forward cart-pole run that stands inside a chunk, and its progress file.
  private func small() throws -> (checkpoint: [UInt8], progress: [UInt8]) {
    let harness = try TrainingHarness(["run.environment=cartpole", "network.architecture=mlp", "network.mlp_hidden=[4]"])
    #expect(try harness.run(ranks: 1, stop: StopAfter(polls: 150)) == .success(.stopped))
    return (try harness.checkpoint().bytes, try harness.files.read("run/training_progress.json", limit: 1 << 20))
  }

  @Test("every bit and every length of a small checkpoint")
  func smallCheckpoint() throws {
    let bytes = try small().checkpoint
    let step = Self.cases == nil ? 13 : 1
    Self.report("small checkpoint", bytes.count, Self.everywhere(bytes, step: step, reader: Self.readCheckpoint))
  }

  @Test("every bit and every length of a progress file")
  func progressFile() throws {
    let bytes = try small().progress
    Self.report("progress file", bytes.count, Self.everywhere(bytes, step: 1, reader: Self.readProgress))
  }

  @Test("random damage of a real checkpoint and a real progress file")
  func real() throws {
    var (checkpoint, progress) = try small()
    if let run = Self.environment["PPO_CHUNKED_DAMAGE_RUN"] {
      let directory = RunDirectory(root: run)
      checkpoint = [UInt8](try Data(contentsOf: URL(filePath: directory.checkpoints + "/latest.pt")))
      progress = [UInt8](try Data(contentsOf: URL(filePath: directory.progress)))
    }
    let cases = Self.cases ?? 2000
    #expect(Self.readCheckpoint(checkpoint) == nil && Self.readProgress(progress) == nil)
    print("damage: seed \(Self.seed), \(cases) cases")
    Self.report("checkpoint", checkpoint.count, Self.sweep(checkpoint, cases: cases, reader: Self.readCheckpoint))
    Self.report("progress file", progress.count, Self.sweep(progress, cases: cases, reader: Self.readProgress))
  }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the same damages on every machine.
private struct DamageGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func below(_ bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((z ^ (z >> 31)) % UInt64(bound))
  }
}
