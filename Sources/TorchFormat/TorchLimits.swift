/// The limits of what is written and read. Anything beyond them is an error, in both directions.
public enum TorchLimits {
  /// Bytes of an archive (2 GiB - 1: below what needs the 64-bit form of zip).
  public static let archiveBytes = 1 << 31 - 1
  /// Entries of an archive.
  public static let entries = 60_000
  /// Bytes of an entry's name, root folder included.
  public static let nameBytes = 1024
  /// Bytes of one string.
  public static let stringBytes = 1 << 26
  /// Bytes of a dictionary's key.
  public static let keyBytes = 1024
  /// Tensors in a tree.
  public static let tensors = entries
  /// Nesting of lists and dictionaries.
  public static let depth = 64
  /// Values in a tree, each element of a list and entry of a dictionary counting as one.
  public static let values = 4_000_000
  /// Extents of a tensor.
  public static let rank = 16
}
