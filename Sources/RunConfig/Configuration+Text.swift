extension Configuration {
  /// All keys with their values, in document order: the content of `config.resolved.json`, which reads back as an equal configuration.
  public func resolved() -> JSONValue {
    .object(
      Schema.sections.map { section in
        JSONMember(section.name, .object(Schema.fields(of: section.name).map { JSONMember($0.key, $0.value(in: self)) }))
      })
  }

  /// `resolved()` as a text with a newline at the end.
  public func resolvedText() -> String { resolved().text() + "\n" }

  /// A canonical text of the keys of `classes`, one `path=value` per line in ascending order of paths, for a digest.
  ///
  /// It does not depend on the order of the table, on comments or on how numbers were written. `.frozen` alone is the identity of a run;
  /// with `.changeable` it also covers what may change at a start.
  public func canonicalText(of classes: [DifferenceClass] = [.frozen]) -> String {
    let lines = Schema.fields.filter { classes.contains($0.difference) }.map { "\($0.path)=\($0.value(in: self).compactText())\n" }
    return "configuration 1\n" + lines.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined()
  }

  /// The configuration as a file for people: every key with its sentence, unit and allowed values as comments.
  public func documentedText() -> String {
    var text = "// All keys with the values of this configuration. A file may leave out whatever shall keep its default.\n{\n"
    for section in Schema.sections {
      text += "  // \(section.documentation)\n  \"\(section.name)\": {\n"
      for field in Schema.fields(of: section.name) {
        text += Self.comment(field.documentation) + Self.comment(field.facts)
        text += "    \"\(field.key)\": \(field.value(in: self).text()),\n"
      }
      text += "  },\n"
    }
    return text + "}\n"
  }

  /// `text` as comment lines of at most 120 characters, if its words allow it.
  private static func comment(_ text: String) -> String {
    var lines = [""]
    for word in text.split(separator: " ") {
      if lines[lines.count - 1].count + word.count > 110 { lines.append("") }
      lines[lines.count - 1] += " " + word
    }
    return lines.map { "    //\($0)\n" }.joined()
  }
}

extension Schema {
  /// The page `docs/configuration.md`: one table per section, made from the table of keys.
  public static func markdown() -> String {
    var text = """
      # Configuration

      This page is generated from the table of keys in `Sources/RunConfig`; `UPDATE_GOLDEN=1 swift test --filter RunConfigTests`
      rewrites it together with `configs/default.json`.

      A configuration file is JSON with `//` comments and trailing commas. Keys that it leaves out keep their defaults, unknown keys are
      errors. `--set key.path=value` on the command line overrides the file. The run directory holds the complete result as
      `config.resolved.json`.

      The column *resume* says what a changed value means for a run that exists:

      | Resume | Meaning |
      | --- | --- |
      | frozen | shapes the result; another value is refused |
      | growing | a greater value appends chunks, a smaller one is refused |
      | changeable | may change at a start; the change is recorded with its step |
      | free | never part of a digest |


      """
    for section in sections {
      text += "## \(section.name)\n\n\(section.documentation)\n\n"
      text += "| Key | Default | Unit | Allowed | Resume | Meaning |\n| --- | --- | --- | --- | --- | --- |\n"
      for field in fields(of: section.name) {
        text += "| `\(field.path)` | `\(field.defaultValue.text())` | \(field.unit) | \(field.kind.allowed) | "
        text += "\(field.difference.rawValue) | \(field.documentation) |\n"
      }
      text += "\n"
      for field in fields(of: section.name) { text += recordTable(field) }
    }
    return String(text.dropLast())
  }

  /// The keys of the objects in a list; empty for other kinds.
  private static func recordTable(_ field: Field) -> String {
    guard case .records(let keys, _) = field.kind else { return "" }
    var text = "Objects of `\(field.path)`:\n\n| Key | Unit | Allowed | If left out | Meaning |\n| --- | --- | --- | --- | --- |\n"
    for key in keys {
      text += "| `\(key.key)` | \(key.unit) | \(key.kind.allowed) | \(key.absence) | \(key.documentation) |\n"
    }
    return text + "\n"
  }
}

extension Field {
  /// Unit, allowed values and class on one line.
  var facts: String {
    (unit.isEmpty ? "" : "Unit: \(unit). ") + "Allowed: \(kind.allowed). On resume: \(difference.rawValue)."
  }

  /// The key explained over a few lines, for `config explain`.
  public var explanation: String {
    """
    \(path)
      \(documentation)
      \(facts)
      Default: \(defaultValue.text())
    """ + recordExplanation
  }

  private var recordExplanation: String {
    guard case .records(let keys, _) = kind else { return "" }
    return keys.map { key in
      "\n  \(key.key): \(key.documentation)\n    " + (key.unit.isEmpty ? "" : "Unit: \(key.unit). ")
        + "Allowed: \(key.kind.allowed). If left out: \(key.absence)."
    }.joined()
  }
}
