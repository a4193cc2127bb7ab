import CairnCore
import Testing

@testable import CairnFormats

private func source(_ text: String, _ path: String = "p.json") -> SourceText {
  SourceText(path: path, bytes: Array(text.utf8))
}

struct JSONTests {
  @Test(
    "Floats are laid out as Python's repr lays them out",
    arguments: [
      (0.1, "0.1"), (1, "1.0"), (-0.0, "-0.0"), (1e16, "1e+16"), (1e15, "1000000000000000.0"), (1e-4, "0.0001"),
      (1e-5, "1e-05"), (1.5e-7, "1.5e-07"), (.leastNonzeroMagnitude, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"),
      (9007199254740992, "9007199254740992.0"), (12345678901234568, "1.2345678901234568e+16"), (-123.456, "-123.456"),
      (.infinity, "inf"), (.nan, "nan"),
    ])
  func floats(_ x: Double, _ expected: String) { #expect(PythonFloat.repr(x) == expected) }

  @Test("What json.dumps writes is written alike")
  func dumps() throws {
    let value = try JSONReader.parse(source(#"{"b": [1, 1e5, NaN, null, true], "a": {"é\n😀": "\u007f/\udcff"}, "c": []}"#)).value
    #expect(
      JSONWriter.text(value)
        == #"{"b": [1, 100000.0, NaN, null, true], "a": {"\u00e9\n\ud83d\ude00": "\u007f/\udcff"}, "c": []}"#)
    #expect(
      JSONWriter.text(value, indent: 2, sortKeys: true) == """
        {
          "a": {
            "\\u00e9\\n\\ud83d\\ude00": "\\u007f/\\udcff"
          },
          "b": [
            1,
            100000.0,
            NaN,
            null,
            true
          ],
          "c": []
        }
        """)
  }

  @Test("The last of two equal keys counts, at the place of the first")
  func duplicateKeys() throws {
    let value = try JSONReader.parse(source(#"{"a": 1, "b": 2, "a": 3}"#)).value
    #expect(JSONWriter.text(value) == #"{"a": 3, "b": 2}"#)
  }

  @Test("Places count lines and characters")
  func marks() throws {
    let value = try JSONReader.parse(source("{\"é\": [1,\n  \"ü\", 22]}"))
    let items = try #require(value["é"]?.items)
    #expect(items.map { [$0.mark?.line, $0.mark?.column, $0.mark?.length] } == [[1, 8, 1], [2, 3, 3], [2, 8, 2]])
  }

  @Test(
    "Faults are told in the words of Python",
    arguments: [
      (#"{"a": [1,}"#, "Expecting value: line 1 column 10 (char 9)"), (#"{a:1}"#, "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
      ("[1 2]", "Expecting ',' delimiter: line 1 column 4 (char 3)"), ("1 2", "Extra data: line 1 column 3 (char 2)"),
      ("[\n\"é\" x]", "Expecting ',' delimiter: line 2 column 5 (char 6)"),
      ("\"ab", "Unterminated string starting at: line 1 column 1 (char 0)"),
    ])
  func faults(_ text: String, _ cause: String) throws {
    let error = #expect(throws: Diagnostic.self) { try JSONReader.parse(source(text)) }
    #expect(error?.fullMessage == "unable to read: 'p.json', JSON file structure is corrupted: \(cause)")
  }

  @Test("Nesting without end is a fault, not a crash")
  func depth() {
    #expect(throws: Diagnostic.self) { try JSONReader.parse(source(String(repeating: "[", count: 100_000))) }
  }

  @Test(
    "Canonical vectors",
    arguments: [
      (#"{"b": 1, "a": [true, null, 1.0], "é": "/"}"#, #"{"a":[true,null,1.0],"b":1,"é":"/"}"#),
      (#"[NaN, Infinity, -Infinity, 1e22, 123456789012345678901]"#,
        #"[{"$float":"nan"},{"$float":"inf"},{"$float":"-inf"},1e+22,123456789012345678901]"#),
      (#"["\u0001\u001f\n\"\\\u007f"]"#, "[\"\\u0001\\u001f\\n\\\"\\\\\u{7F}\"]"),
      (#"{"\udcff": "a\udc80"}"#, #"{"$bytes:/w==":{"$bytes":"YYA="}}"#),
      (#"{"\uff5e": 1, "\ud83d\ude00": 2, "Z": 3, "a": 4}"#, #"{"Z":3,"a":4,"～":1,"😀":2}"#),
    ])
  func canonical(_ text: String, _ expected: String) throws {
    let value = try JSONReader.parse(source(text)).value
    let bytes = CanonicalJSON.encode(value)
    #expect(String(decoding: bytes, as: UTF8.self) == expected + "\n")
    #expect(CanonicalJSON.encode(try CanonicalJSON.decode(bytes, name: "v")) == bytes)
  }

  @Test("Base64 goes both ways and refuses sloppy forms")
  func base64() {
    for count in 0..<9 {
      let bytes = (0..<count).map { UInt8($0 * 37 & 255) }
      #expect(Base64.decode(String(decoding: Base64.encode(bytes), as: UTF8.self)) == bytes)
    }
    for text in ["YQ", "YR==", "Y===", "YQ=A", "Y Q="] { #expect(Base64.decode(text) == nil) }
  }
}
