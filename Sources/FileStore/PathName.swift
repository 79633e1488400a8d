/// Text operations on paths.
public enum PathName {
  /// The directory part of a path: "." if it has none.
  public static func directory(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last part of a path.
  public static func name(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return String(path[path.utf8.index(after: slash)...])
  }

  /// The path of `name` in `directory`.
  public static func join(_ directory: String, _ name: String) -> String {
    directory.isEmpty || directory == "." ? name : directory.utf8.last == UInt8(ascii: "/") ? directory + name : directory + "/" + name
  }

  /// `text` with everything but ASCII letters, digits, dot and hyphen replaced by `_`, at most `limit` characters: safe inside a name.
  public static func sanitized(_ text: String, limit: Int = 64) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8.prefix(limit) {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "."), UInt8(ascii: "-"):
        bytes.append(byte)
      default: bytes.append(UInt8(ascii: "_"))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
