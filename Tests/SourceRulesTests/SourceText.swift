/// Source text without comments and without the contents of string literals, so that a rule sees code alone.
enum SourceText {
  /// `text` with every comment and every literal's content left out; line ends stay, so line numbers do too. Code inside interpolations stays.
  static func code(of text: String) -> String {
    var stripper = Stripper(Array(text.utf8))
    return String(decoding: stripper.run(), as: UTF8.self)
  }

  private struct Stripper {
    /// What the text at the cursor belongs to.
    enum Context {
      /// Code, with the open parentheses since an interpolation began.
      case code(depth: Int)
      case literal(quotes: Int)
    }

    let source: [UInt8]
    var output: [UInt8] = []
    var position = 0
    var stack: [Context] = [.code(depth: 0)]

    init(_ source: [UInt8]) { self.source = source }

    mutating func run() -> [UInt8] {
      while position < source.count {
        switch stack[stack.count - 1] {
        case .code(let depth): code(depth)
        case .literal(let quotes): literal(quotes)
        }
      }
      return output
    }

    private func starts(_ text: String) -> Bool {
      let bytes = Array(text.utf8)
      return position + bytes.count <= source.count && Array(source[position..<(position + bytes.count)]) == bytes
    }

    private mutating func code(_ depth: Int) {
      if starts("//") {
        while position < source.count && source[position] != UInt8(ascii: "\n") { position += 1 }
      } else if starts("/*") {
        while position < source.count && !starts("*/") {
          if source[position] == UInt8(ascii: "\n") { output.append(source[position]) }
          position += 1
        }
        position += 2
      } else if starts("'\"'") || starts("'\\\"'") {
        // A quote as a character of C.
        position += starts("'\"'") ? 3 : 4
      } else if starts("\"") {
        let quotes = starts("\"\"\"") ? 3 : 1
        take(quotes)
        stack.append(.literal(quotes: quotes))
      } else {
        if source[position] == UInt8(ascii: "(") { stack[stack.count - 1] = .code(depth: depth + 1) }
        if source[position] == UInt8(ascii: ")") {
          if depth == 1 && stack.count > 1 {
            stack.removeLast()
          } else {
            stack[stack.count - 1] = .code(depth: depth - 1)
          }
        }
        take(1)
      }
    }

    private mutating func literal(_ quotes: Int) {
      if starts("\\(") {
        position += 1
        stack.append(.code(depth: 0))
      } else if starts("\\") {
        position += 2
      } else if starts(quotes == 3 ? "\"\"\"" : "\"") {
        take(quotes)
        stack.removeLast()
      } else {
        if source[position] == UInt8(ascii: "\n") { output.append(source[position]) }
        position += 1
      }
    }

    private mutating func take(_ count: Int) {
      output.append(contentsOf: source[position..<(position + count)])
      position += count
    }
  }
}
