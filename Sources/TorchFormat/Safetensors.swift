/// Files of the safetensors format: a 64-bit length, a JSON header of that length, then the tensors' bytes without gaps.
///
/// Written only; the header is padded with spaces so that data starts at a multiple of 8 bytes.
public enum Safetensors {
  /// A whole file.
  ///
  /// - Parameters:
  ///   - tensors: in file order; names other than `__metadata__`, each once.
  ///   - metadata: texts by name; each once.
  /// - Throws: `TorchFormatError` with `.value` for a name that is taken.
  public static func encode(
    _ tensors: [(name: String, tensor: TorchTensor)], metadata: [(name: String, text: String)]
  ) throws(TorchFormatError) -> [UInt8] {
    let names = (tensors.map(\.name) + [metadataName]).sorted()
    for (first, second) in zip(names, names.dropFirst()) where first == second {
      throw TorchFormatError(.value, "two tensors have the name \(first)")
    }
    var members = ["\(quoted(metadataName)):{" + metadata.map { "\(quoted($0.name)):\(quoted($0.text))" }.joined(separator: ",") + "}"]
    var offset = 0
    for (name, tensor) in tensors {
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      let end = offset + tensor.bytes.count
      members.append("\(quoted(name)):{\"dtype\":\"\(typeName(tensor.dtype))\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var header = Array("{\(members.joined(separator: ","))}".utf8)
    while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 + header.count + offset)
    bytes.appendLittle(UInt64(header.count))
    bytes.append(contentsOf: header)
    for (_, tensor) in tensors { bytes.append(contentsOf: tensor.bytes) }
    return bytes
  }

  private static let metadataName = "__metadata__"

  private static func typeName(_ type: TorchTensor.ElementType) -> String {
    switch type {
    case .float32: "F32"
    case .float64: "F64"
    case .int64: "I64"
    case .int32: "I32"
    case .uint8: "U8"
    }
  }

  /// A JSON string.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{00}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
