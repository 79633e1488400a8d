import COpenSSL

/// Streaming SHA-256 (FIPS 180-4) over libcrypto, which uses the CPU's SHA instructions where they exist.
///
/// One object hashes any number of messages one after another: `finalize()` returns the digest and starts anew, without an
/// allocation. Numbers enter as little-endian bytes, so a digest means the same on every machine. Not for use by two threads.
public final class SHA256 {
  /// Owned; freed in `deinit`.
  private let context: OpaquePointer

  /// Starts an empty message.
  public init() {
    guard let context = EVP_MD_CTX_new() else { preconditionFailure("libcrypto: no memory for a digest context") }
    self.context = context
    precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "libcrypto: SHA-256 is not available")
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Forgets what was added and starts an empty message.
  public func reset() {
    // A nil type keeps the algorithm that was looked up by `init`, which is what makes small messages cheap.
    precondition(EVP_DigestInit_ex(context, nil, nil) == 1, "libcrypto: digest reset failed")
  }

  /// Appends raw bytes.
  public func update(_ bytes: RawSpan) {
    bytes.withUnsafeBytes { buffer in  // libcrypto takes a pointer; it does not outlive the call
      precondition(EVP_DigestUpdate(context, buffer.baseAddress, buffer.count) == 1, "libcrypto: digest update failed")
    }
  }

  /// Ends the message, returns its digest and starts an empty message.
  public func finalize() -> Digest {
    var words = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
    withUnsafeMutableBytes(of: &words) { buffer in  // the 32 bytes of the digest, filled by the call
      let start = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
      precondition(EVP_DigestFinal_ex(context, start, nil) == 1, "libcrypto: digest end failed")
    }
    reset()
    return Digest(bigEndianWords: words)
  }

  /// The digest of one message.
  public static func hash(_ bytes: [UInt8]) -> Digest {
    hash(bytes.span.bytes)
  }

  /// The digest of one message.
  public static func hash(_ bytes: RawSpan) -> Digest {
    let hasher = SHA256()
    hasher.update(bytes)
    return hasher.finalize()
  }
}
