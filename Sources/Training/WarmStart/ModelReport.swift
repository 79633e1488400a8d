import Hashing

/// What a run that begins took out of a model file.
public struct ModelReport: Equatable, Sendable {
  /// A tensor of the network and where its first values come from.
  public struct Tensor: Equatable, Sendable {
    /// Its name.
    public let name: String
    /// Its shape.
    public let shape: [Int]
    /// True: out of the file; false: drawn as at a fresh start.
    public let isLoaded: Bool
  }

  /// Path as given.
  public let path: String
  /// What kind of file it is.
  public let kind: StartingModel.Kind
  /// SHA-256 of the file.
  public let digest: Digest
  /// Every tensor of the network in layout order.
  public let tensors: [Tensor]
  /// Samples that the adopted statistics of observations count as; nil if the file has none.
  public let normalizerCount: Int?
  /// Samples that they counted in the file.
  public let normalizerCountInFile: Int?

  /// For the log: one line, then one a tensor.
  public var lines: [String] {
    let loaded = tensors.count { $0.isLoaded }
    var first =
      "[Model] path=\(path) kind=\(kind.rawValue) sha256=\(digest.hex) tensors_loaded=\(loaded) tensors_fresh=\(tensors.count - loaded)"
    if let normalizerCount, let normalizerCountInFile {
      first += " normalizer_count=\(normalizerCount) (file: \(normalizerCountInFile))"
    } else {
      first += " normalizer=none"
    }
    return [first] + tensors.map { "[Model] \($0.name) \($0.shape) \($0.isLoaded ? "loaded" : "fresh")" }
  }
}
