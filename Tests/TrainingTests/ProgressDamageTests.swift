import Testing

@testable import Training

/// The progress file carries its own checksum: no damage passes.
@Suite("Damage of the progress file")
struct ProgressDamageTests {
  /// A file as a run leaves it.
  private func file() throws -> [UInt8] {
    let harness = try TrainingHarness()
    #expect(try harness.run(ranks: 1, options: JobOptions(outputDirectory: "run", maxChunks: 1)) == .success(.stopped))
    return try harness.files.read("run/training_progress.json", limit: 1 << 20)
  }

  private func isAccepted(_ bytes: [UInt8]) -> Bool { (try? Progress(parsing: bytes, file: "f")) != nil }

  @Test("every flipped bit, every length and every byte appended is detected")
  func everywhere() throws {
    var bytes = try file()
    #expect(isAccepted(bytes))
    var undetected: [Int] = []
    for position in bytes.indices {
      for bit in 0..<8 {
        bytes[position] ^= 1 << UInt8(bit)
        if isAccepted(bytes) { undetected.append(8 * position + bit) }
        bytes[position] ^= 1 << UInt8(bit)
      }
    }
    for length in bytes.indices where isAccepted(Array(bytes[..<length])) { undetected.append(-length) }
    #expect(undetected == [])
    for extra in [[10], [0], [32], bytes] { #expect(!isAccepted(bytes + extra)) }
  }

  @Test("an edit says what to do, and does not pass as the version without a checksum")
  func edited() throws {
    let text = String(decoding: try file(), as: UTF8.self)
    let edited = text.replacing("\"attempts\": 1", with: "\"attempts\": 2")
    #expect(edited != text)
    #expect {
      try Progress(parsing: [UInt8](edited.utf8), file: "f")
    } throws: {
      "\($0)".contains("\"sha256\" is not that of the bytes before it") && "\($0)".contains("repair")
    }
    #expect(!isAccepted([UInt8](text.replacing("\"format_version\": 2", with: "\"format_version\": 1").utf8)))
  }
}
