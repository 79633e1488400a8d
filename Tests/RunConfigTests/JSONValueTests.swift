import Foundation
import RunConfig
import Testing

@Suite("JSON")
struct JSONValueTests {
  @Test("kinds of values are told apart and printed back")
  func kinds() throws {
    let text = #"{"a":null,"b":[true,false],"c":-12,"d":1.0,"e":2.5e-07,"f":"x","g":{},"h":[]}"#
    let value = try JSONValue(parsing: text)
    #expect(value["c"] == .integer(-12))
    #expect(value["d"] == .number(1))
    #expect(value["e"] == .number(2.5e-7))
    #expect(value["b"] == [true, false])
    #expect(value.compactText() == text)
    #expect(try JSONValue(parsing: value.text()) == value)
  }

  @Test("members keep their order, indent is 2, short lists stay on one line")
  func layout() {
    let value: JSONValue = ["z": 1, "a": ["sizes": [64, 64], "rows": [["x": 1]], "empty": [:]], "m": "t\n\"\u{1}\u{e9}"]
    let expected = """
      {
        "z": 1,
        "a": {
          "sizes": [64, 64],
          "rows": [
            {
              "x": 1
            }
          ],
          "empty": {}
        },
        "m": "t\\n\\"\\u0001\u{e9}"
      }
      """
    #expect(value.text() == expected)
  }

  @Test("numbers keep their bits")
  func numbers() throws {
    for value in [0.1, -0.0, 1e300, .leastNonzeroMagnitude, 0.1 + 0.2, 1e16, 123456789.125, .pi] {
      let back = try #require(try JSONValue(parsing: JSONValue.number(value).text()).doubleValue)
      #expect(back.bitPattern == value.bitPattern)
    }
    #expect(try JSONValue(parsing: "9223372036854775807") == .integer(.max))
    #expect(try JSONValue(parsing: "-9223372036854775808") == .integer(.min))
    #expect(try JSONValue(parsing: JSONValue.number(.nan).text()).doubleValue?.isNaN == true)
    #expect(try JSONValue(parsing: JSONValue.number(-.infinity).text()).doubleValue == -.infinity)
  }

  @Test("escapes and surrogate pairs are decoded")
  func escapes() throws {
    #expect(try JSONValue(parsing: #""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#) == .string("\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1F600}"))
  }

  @Test(
    "mistakes are named with their place",
    arguments: [
      ("", "text:1:1: unexpected end, expected a value"),
      ("{\"a\": 1,\n  \"a\": 2}", "text:2:3: duplicate key \"a\""),
      ("{\"a\" 1}", "text:1:6: unexpected '1', expected ':' after the key \"a\""),
      ("{a: 1}", "text:1:2: unexpected 'a', expected a key in quotation marks"),
      ("[1, 2,]", "text:1:6: comma in front of ']'"),
      ("[1 2]", "text:1:4: unexpected '2', expected ',' or ']'"),
      ("[1", "text:1:3: unexpected end, expected ',' or ']'"),
      ("01", "text:1:1: number with a leading zero"),
      ("-", "text:1:2: unexpected end, expected a digit"),
      ("1.", "text:1:3: unexpected end, expected a digit"),
      ("1e", "text:1:3: unexpected end, expected a digit"),
      ("+1", "text:1:1: unexpected '+', expected a value"),
      ("NaN", "text:1:1: unexpected 'N', expected a value"),
      ("1e999", "text:1:1: number 1e999 is out of range"),
      ("9223372036854775808", "text:1:1: integer 9223372036854775808 needs more than 64 bits"),
      ("truth", "text:1:1: unknown word truth"),
      ("\"\u{e9}\u{e9}", "text:1:1: string without end"),
      ("[\"\u{e9}\u{e9}\", x]", "text:1:8: unexpected 'x', expected a value"),
      ("\"a\nb\"", "text:1:3: control character byte 0xA in a string"),
      (#""\x""#, #"text:1:2: unknown escape \'x'"#),
      (#""\u12g4""#, #"text:1:2: \u needs four hexadecimal digits"#),
      (#""\ud800""#, "text:1:2: half of a surrogate pair"),
      (#""\ud800\u0041""#, "text:1:2: half of a surrogate pair"),
      (#""\udc00""#, "text:1:2: half of a surrogate pair"),
      ("1 2", "text:1:3: unexpected '2' after the value"),
      ("1 // no", "text:1:3: comments are not allowed here"),
      ("\u{FEFF}1", "text:1:1: byte order mark at the start"),
    ])
  func mistakes(text: String, message: String) {
    do throws(JSONError) {
      let value = try JSONValue(parsing: text)
      Issue.record("parsed as \(value)")
    } catch {
      #expect(error.description == message)
    }
  }

  @Test("invalid UTF-8 is found")
  func encoding() throws {
    do throws(JSONError) {
      _ = try JSONValue(parsing: Array("{\n\"k\": \"".utf8) + [0xC3, 0x28, 0x22, 0x7D], name: "f.json")
      Issue.record("parsed")
    } catch {
      #expect(error == JSONError(name: "f.json", line: 2, column: 7, message: "invalid UTF-8"))
    }
  }

  @Test("nesting is limited, at the limit and beyond")
  func nesting() throws {
    let nested = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    _ = try JSONValue(parsing: nested(64))
    #expect(throws: JSONError.self) { try JSONValue(parsing: nested(65)) }
  }

  @Test("every cut of a valid text is an error or a value, never a crash")
  func cuts() {
    let bytes = Array(#"{"a": [1, -2.5e3, "x\u00e9\ud83d\ude00", true, null], "b": {"c": "d"}}"#.utf8)
    for end in 0..<bytes.count {
      #expect(throws: JSONError.self) { try JSONValue(parsing: Array(bytes[..<end]), name: "cut") }
    }
  }

  @Test("configuration files may have comments and trailing commas")
  func comments() throws {
    let text = "// head\n{ // a\n \"a\": [1, 2,], // b\n \"b\": \"// no comment\",\n}\n// end"
    #expect(try JSONValue(parsing: text, syntax: .configuration) == ["a": [1, 2], "b": "// no comment"])
    #expect(throws: JSONError.self) { try JSONValue(parsing: "{,}", syntax: .configuration) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: "[1,,]", syntax: .configuration) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: "/* 1 */ 1", syntax: .configuration) }
  }

  @Test("members are read by kind, and what is wrong is named")
  func reading() throws {
    let value: JSONValue = ["step": 3, "rate": 0.5, "whole": 2, "name": "x", "on": true, "list": [1]]
    #expect(try value.integer("step", in: "p.json") == 3)
    #expect(try value.double("whole", in: "p.json") == 2)
    #expect(try value.string("name", in: "p.json") == "x")
    #expect(try value.boolean("on", in: "p.json"))
    #expect(try value.array("list", in: "p.json") == [1])
    do {
      _ = try value.integer("rate", in: "p.json")
      Issue.record("read")
    } catch { #expect(error.description == "p.json: \"rate\" is a number, expected an integer") }
    do {
      _ = try value.integer("none", in: "p.json")
      Issue.record("read")
    } catch { #expect(error.description == "p.json: \"none\" is missing") }
  }

  @Test("members are replaced, appended and removed in place")
  func changing() {
    var value: JSONValue = ["a": 1, "b": 2]
    value["a"] = 3
    value["c"] = 4
    value["b"] = nil
    #expect(value == ["a": 3, "c": 4])
  }
}
