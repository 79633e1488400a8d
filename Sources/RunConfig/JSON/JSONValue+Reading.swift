/// Members by key and kind, for readers of recorded files: a missing or wrong member is an error that names file and key.
extension JSONValue {
  /// The member `key`.
  ///
  /// - Parameter name: file the value came from, for the message.
  /// - Throws: `JSONError` if this is no object or has no such member.
  public func member(_ key: String, in name: String) throws(JSONError) -> JSONValue {
    guard case .object = self else { throw JSONError(name: name, message: "expected an object with \"\(key)\", found \(kindName)") }
    guard let value = self[key] else { throw JSONError(name: name, message: "\"\(key)\" is missing") }
    return value
  }

  /// The integer member `key`.
  public func integer(_ key: String, in name: String) throws(JSONError) -> Int {
    try read(key, name, "an integer", \.intValue)
  }

  /// The number member `key`.
  public func double(_ key: String, in name: String) throws(JSONError) -> Double {
    try read(key, name, "a number", \.doubleValue)
  }

  /// The Boolean member `key`.
  public func boolean(_ key: String, in name: String) throws(JSONError) -> Bool {
    try read(key, name, "a Boolean", \.boolValue)
  }

  /// The string member `key`.
  public func string(_ key: String, in name: String) throws(JSONError) -> String {
    try read(key, name, "a string", \.stringValue)
  }

  /// The list member `key`.
  public func array(_ key: String, in name: String) throws(JSONError) -> [JSONValue] {
    try read(key, name, "a list", \.arrayValue)
  }

  private func read<Value>(
    _ key: String, _ name: String, _ kind: String, _ convert: (JSONValue) -> Value?
  ) throws(JSONError) -> Value {
    let value = try member(key, in: name)
    guard let converted = convert(value) else {
      throw JSONError(name: name, message: "\"\(key)\" is \(value.kindName), expected \(kind)")
    }
    return converted
  }
}
