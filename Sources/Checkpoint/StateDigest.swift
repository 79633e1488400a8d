import Hashing
import TorchFormat

/// The digest of everything that determines the rest of a training.
///
/// SHA-256 over `"ppo-chunked state 1\n"` and then, for each leaf in byte order of its path: path and type name (each as 64-bit
/// count and UTF-8 bytes), number of extents and extents (64-bit), number of bytes (64-bit), little-endian bytes. All integers are
/// little-endian. A path joins keys by dots, with a backslash before `.`, `[` and `\` of a key, and `[n]` for elements of
/// lists, so that no two places share one. Floats enter by bit pattern. The order of a dictionary's keys and its kind do not matter;
/// an empty list or dictionary is a leaf without bytes.
enum StateDigest {
  /// One value that is no container, or an empty container.
  private struct Leaf {
    let path: [UInt8]
    let type: String
    let shape: [Int]
    let bytes: [UInt8]
  }

  static func of(_ contents: CheckpointContents) -> Digest {
    var leaves: [Leaf] = []
    collect(.int(contents.step), Array(CheckpointContents.stepName.utf8), &leaves)
    for (name, value) in contents.groups { collect(value, escaped(name), &leaves) }
    leaves.sort { $0.path.lexicographicallyPrecedes($1.path) }

    let hasher = SHA256()
    hasher.update(Array("ppo-chunked state 1\n".utf8))
    for leaf in leaves {
      hasher.update(UInt64(leaf.path.count))
      hasher.update(leaf.path)
      hasher.update(leaf.type)
      hasher.update(UInt64(leaf.shape.count))
      for extent in leaf.shape { hasher.update(UInt64(extent)) }
      hasher.update(UInt64(leaf.bytes.count))
      hasher.update(leaf.bytes)
    }
    return hasher.finalize()
  }

  private static func collect(_ value: TorchValue, _ path: [UInt8], _ leaves: inout [Leaf]) {
    func add(_ type: String, _ bytes: [UInt8] = [], shape: [Int] = []) {
      leaves.append(Leaf(path: path, type: type, shape: shape, bytes: bytes))
    }
    switch value {
    case .none: add("none")
    case .bool(let value): add("bool", [value ? 1 : 0])
    case .int(let value): add("int", Bytes.little([value].span))
    case .float(let value): add("float", Bytes.little([value].span))
    case .string(let value): add("string", Array(value.utf8))
    case .tensor(let tensor): add(tensor.dtype.name, tensor.bytes, shape: tensor.shape)
    case .list(let values):
      if values.isEmpty { add("list") }
      for (index, value) in values.enumerated() { collect(value, path + Array("[\(index)]".utf8), &leaves) }
    case .dictionary, .orderedDictionary, .indexedDictionary:
      let entries = value.entries ?? []
      if entries.isEmpty { add("dictionary") }
      for (key, value) in entries { collect(value, path + [UInt8(ascii: ".")] + escaped(key), &leaves) }
    }
  }

  static func escaped(_ key: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for byte in key.utf8 {
      if byte == UInt8(ascii: ".") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
      bytes.append(byte)
    }
    return bytes
  }
}

extension CheckpointContents {
  /// `state_sha256`: equal if and only if the rest of the training is the same. Provenance does not enter.
  public var stateDigest: Digest { StateDigest.of(self) }
}
