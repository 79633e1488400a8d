import ServingSim
import Testing

@Suite struct TraceTests {
  func parse(_ text: String) throws(CSVError) -> Trace {
    try Trace.parse(bytes: Array(text.utf8), name: "t.csv")
  }

  let header = "arrived_at,num_prefill_tokens,num_decode_tokens\n"

  @Test("columns in any order, extra ones, CRLF, a byte order mark, blanks and a missing last line end")
  func forms() throws {
    let rows = [(0.5, 10, 2), (0.75, 11, 3)].map { TraceRow(arrivedAt: $0.0, prefillTokens: $0.1, decodeTokens: $0.2) }
    let texts = [
      header + "0.5,10,2\n0.75,11,3\n",
      header + "0.5,10,2\n0.75,11,3",
      header + "0.5,10,2\n0.75,11,3\n\n\n",
      "num_decode_tokens,x,arrived_at,num_prefill_tokens\r\n2,a,0.5,10\r\n3,b,0.75,11\r\n",
      "\u{FEFF}arrived_at,num_prefill_tokens,num_decode_tokens\n5e-1, 10 ,2.0\n.75,11,3,extra\n",
    ]
    for text in texts { #expect(try parse(text).rows == rows) }
  }

  @Test("numbers are rounded as the standard library rounds them")
  func numbers() throws {
    let texts = [
      "0", "0.1", "1e-3", "123456.789012", "3501.7213419999999", "1234567890.12345", "12345678901234567890", "0.30000000000000004",
    ]
    for text in texts {
      #expect(try parse(header + "\(text),1,1").rows[0].arrivedAt == Double(text))
    }
  }

  @Test("every flaw is named by line, column, value and reason")
  func flaws() {
    let cases: [(String, Int, String, String, CSVError.Reason)] = [
      ("", 1, "", "", .emptyFile),
      (header, 1, "", "", .emptyFile),
      ("arrived_at,num_prefill_tokens\n0,1", 1, "num_decode_tokens", "", .missingColumn),
      ("arrived_at,num_prefill_tokens,arrived_at,num_decode_tokens\n", 1, "arrived_at", "", .duplicateColumn),
      (header + "0,1,1\n1,2\n", 3, "num_decode_tokens", "", .missingField),
      (header + "0,,1\n", 2, "num_prefill_tokens", "", .missingField),
      (header + "0,1,1\n\n1,1,1\n", 3, "arrived_at", "", .missingField),
      (header + "x1,1,1\n", 2, "arrived_at", "x1", .notANumber),
      (header + "0x10,1,1\n", 2, "arrived_at", "0x10", .notANumber),
      (header + ".,1,1\n", 2, "arrived_at", ".", .notANumber),
      (header + "1-2,1,1\n", 2, "arrived_at", "1-2", .notANumber),
      (header + "nan,1,1\n", 2, "arrived_at", "nan", .notFinite),
      (header + "inf,1,1\n", 2, "arrived_at", "inf", .notFinite),
      (header + "1e999,1,1\n", 2, "arrived_at", "1e999", .notFinite),
      (header + "-0.5,1,1\n", 2, "arrived_at", "-0.5", .negative),
      (header + "0,-3,1\n", 2, "num_prefill_tokens", "-3", .negative),
      (header + "0,2.5,1\n", 2, "num_prefill_tokens", "2.5", .notWhole),
      (header + "0,0,1\n", 2, "num_prefill_tokens", "0", .zeroTokens),
      (header + "0,1,0\n", 2, "num_decode_tokens", "0", .zeroTokens),
      (header + "0,1,3000000000\n", 2, "num_decode_tokens", "3000000000", .tooLarge),
      (header + "2,1,1\n1.5,1,1\n", 3, "arrived_at", "1.5", .decreasingTime),
    ]
    for (text, line, column, value, reason) in cases {
      let error = #expect(throws: CSVError.self) { try parse(text) }
      #expect(error == CSVError(file: "t.csv", line: line, column: column, value: value, reason: reason))
    }
    let error = CSVError(file: "t.csv", line: 3, column: "arrived_at", value: "1.5", reason: .decreasingTime)
    #expect(error.description == "t.csv:3: arrived_at \"1.5\": arrivals must not go back in time")
  }

  @Test(
    "the bundled conversation trace parses",
    .enabled(if: RecordedData.isPresent, "recorded traces (shared/data) are not beside this checkout"))
  func bundled() throws {
    let bytes = try RecordedData.bytes("traces/azure_llm_2023_conversation.csv")
    let clock = ContinuousClock()
    var trace: Trace?
    let elapsed = try clock.measure { trace = try Trace.parse(bytes: bytes, name: "conversation") }
    #expect(trace?.rows.count == 15460)
    #expect(elapsed < .seconds(2))
    let sum = (trace?.rows ?? []).reduce(0) { $0 + $1.prefillTokens }
    #expect(abs(Double(sum) / 15460 - 1180.3766) < 1e-3)
  }
}
