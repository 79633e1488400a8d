import Hashing
import Testing

@Suite("SHA-256")
struct SHA256Tests {
  /// FIPS 180-4 examples (NIST CSRC) and the empty message.
  static let knownAnswers: [(String, String)] = [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ]

  @Test("published answers come out", arguments: knownAnswers)
  func knownAnswer(message: String, hex: String) {
    #expect(SHA256.hash(Array(message.utf8)).hex == hex)
  }

  @Test("a million times the letter a, in pieces")
  func million() {
    let hasher = SHA256()
    let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
    for _ in 0..<1000 { hasher.update(piece) }
    #expect(hasher.finalize().hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test("pieces of any size give the digest of the whole, and finalize starts anew")
  func pieces() {
    let message = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    let expected = SHA256.hash(message)
    let hasher = SHA256()
    for size in [1, 3, 63, 64, 65, 300] {
      for start in stride(from: 0, to: message.count, by: size) { hasher.update(Array(message[start..<min(start + size, message.count)])) }
      #expect(hasher.finalize() == expected)
    }
  }

  @Test("reset forgets")
  func reset() {
    let hasher = SHA256()
    hasher.update([1, 2, 3])
    hasher.reset()
    #expect(hasher.finalize() == SHA256.hash([UInt8]()))
  }

  @Test("numbers enter as little-endian bytes, floats by bit pattern")
  func numbers() {
    let hasher = SHA256()
    hasher.update(UInt32(0x0102_0304))
    hasher.update(Int64(-2))
    hasher.update(Float(1))
    hasher.update(-0.0)
    hasher.update([Float(1), 2].span)
    hasher.update([2.0].span)
    let bytes: [UInt8] =
      [4, 3, 2, 1] + [254] + [UInt8](repeating: 255, count: 7) + [0, 0, 128, 63] + [0, 0, 0, 0, 0, 0, 0, 128]
      + [0, 0, 128, 63, 0, 0, 0, 64] + [0, 0, 0, 0, 0, 0, 0, 64]
    #expect(hasher.finalize() == SHA256.hash(bytes))
  }

  @Test("two texts do not run together")
  func texts() {
    func digest(_ texts: [String]) -> Digest {
      let hasher = SHA256()
      for text in texts { hasher.update(text) }
      return hasher.finalize()
    }
    #expect(digest(["ab", "c"]) != digest(["a", "bc"]))
  }

  @Test("a digest survives hex and bytes; other texts are refused")
  func digestForms() throws {
    let digest = SHA256.hash([7])
    #expect(Digest(hex: digest.hex) == digest)
    #expect(Digest(bytes: digest.bytes) == digest)
    #expect("\(digest)" == digest.hex)
    for text in ["", "00", digest.hex + "0", digest.hex.uppercased(), "g" + digest.hex.dropFirst()] { #expect(Digest(hex: text) == nil) }
    #expect(Digest(bytes: [1]) == nil)
    let low = try #require(Digest(bytes: [0] + [UInt8](repeating: 255, count: 31)))
    let high = try #require(Digest(bytes: [1] + [UInt8](repeating: 0, count: 31)))
    #expect(low < high)
  }

  @Test("100 000 messages of 850 bytes take less than a second")
  func speed() {
    let message = [UInt8](repeating: 1, count: 850)
    let hasher = SHA256()
    let clock = ContinuousClock()
    let elapsed = clock.measure {
      for _ in 0..<100_000 {
        hasher.update(message)
        _ = hasher.finalize()
      }
    }
    print("SHA-256: 100 000 messages of 850 bytes: \(elapsed)")
    #expect(elapsed < .seconds(1))
  }
}
