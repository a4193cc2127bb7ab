// YAML 1.2 as DVC reads it, its faults, and the bounds that keep a small text from costing much.
import CairnCore
import CairnFormats
import Testing

struct YAMLReaderTests {
  private func read(_ text: String) throws(Diagnostic) -> Value {
    try YAMLReader.parse(SourceText(path: "dvc.yaml", bytes: Array(text.utf8))).value
  }

  @Test("plain scalars mean what YAML 1.2 says", arguments: [
    ("yes", .string("yes")), ("0o14", .int(12)), ("014", .int(14)), ("0x1F", .int(31)), ("1e3", .float(1000)),
    ("1_000", .int(1000)), (".inf", .float(.infinity)), ("~", .null), ("Null", .null), ("", .null),
    ("2001-12-14", .timestamp("2001-12-14")), ("2001-12-14T21:59:43.1Z", .timestamp("2001-12-14 21:59:43.100000+00:00")),
    ("12:30:45", .string("12:30:45")), (".1e3", .string(".1e3")), ("99999999999999999999", .bigInt("99999999999999999999")),
    ("TRUE", .bool(true)), ("!!str 1", .string("1")), ("! 1", .int(1)), ("!", .null), ("! ''", .null), ("'1'", .string("1")),
  ] as [(String, Value)])
  func scalars(text: String, value: Value) throws {
    #expect(try read("k: \(text)\n")["k"] == value)
  }

  @Test("merged keys come first, and a map's own override them")
  func merge() throws {
    let value = try read("a: &a {x: 1, y: 2}\nb:\n  z: 0\n  <<: *a\n  y: 3\n")
    #expect(value["b"] == .map([.string("x"): 1, .string("y"): 3, .string("z"): 0]))
  }

  @Test("what DVC refuses is refused, with the place", arguments: [
    ("stages:\n  a: 1\n  a: 2\n", "Found duplicate key \"a\" with value \"2\" (original value: \"1\")", 3, 3),
    ("1: x\ntrue: y\n", "Found duplicate key \"True\" with value \"y\" (original value: \"x\")", 2, 1),
    ("a: !foo x\n", "Could not determine a constructor for the tag '!foo'", 1, 4),
    ("a: *x\n", "Found undefined alias 'x'", 1, 4),
    ("a: 1\n---\nb: 2\n", "But found another document", 2, 1),
    ("a: &a [*a]\n", "The value of anchor 'a' contains itself", 1, 8),
  ])
  func faults(text: String, words: String, line: Int, column: Int) {
    do throws(Diagnostic) {
      _ = try read(text)
      Issue.record("not refused")
    } catch {
      #expect(error.message == "'./dvc.yaml' is invalid.")
      #expect(!error.hasErrorPrefix)
      #expect(error.notes.first?.message == words)
      #expect(error.mark?.line == line && error.mark?.column == column)
    }
  }

  @Test("a tab is read where DVC reads it", arguments: [
    "k: 'a\tb'\n", "k: \"a\tb\" # c\td\n", "k: |\n  a\tb\n", "k: [1,\t2]\n", "k: {\n\ta: 'x\ty',\n\tb: 1}\n",
    "#\tc\nk: 1\n", "{\n\t\"k\": 1\n}\n",
  ])
  func tabs(text: String) throws {
    #expect(try read(text)["k"] != nil)
  }

  @Test("a tab is refused where DVC refuses it, though libyaml takes it", arguments: [
    ("k: x\t\n", 1, 5), ("k: x\ty\n", 1, 5), ("k:\t1\n", 1, 3), ("a: é\t# c\n", 1, 5), ("a:\n  b: 1\n  c: 2\t\n", 3, 7),
    ("k: |\t\n  x\n", 1, 5), ("k: [x\ty]\n", 1, 6), ("k: [1]\t\n", 1, 7), ("- 1\n- 2\t\n", 2, 4),
    ("k: |\n  x\ty\nl: 1\t\n", 3, 5),
  ])
  func refusedTabs(text: String, line: Int, column: Int) {
    do throws(Diagnostic) {
      _ = try read(text)
      Issue.record("not refused")
    } catch {
      #expect(error.notes.map(\.message) == ["Found character '\\t' that cannot start any token", "While scanning for the next token"])
      #expect(error.mark?.line == line && error.mark?.column == column)
    }
  }

  // Each as `YAML(typ="safe")` of ruamel reads it and DVC's `dumps_yaml` writes it again.
  @Test("escaped surrogates are read and written as DVC does: each alone, a pair of them is no character", arguments: [
    (#""\ud83d\ude00""#, "\u{FD83D}\u{FDE00}", #""\uD83D\uDE00""#), (#""\uD83D""#, "\u{FD83D}", #""\uD83D""#),
    (#""x \U0000dE00\u00e9""#, "x \u{FDE00}é", #""x \uDE00é""#), (#""\udcff""#, FileName.escape([0xFF]), #""\uDCFF""#),
    (#""\U0001F600""#, "😀", "😀"), ("😀", "😀", "😀"), (#""\\ud83d""#, #"\ud83d"#, #"\ud83d"#),
    (#""\\\ud83d""#, "\\\u{FD83D}", #""\\\uD83D""#), (#"'\ud83d "\ud83d"'"#, #"\ud83d "\ud83d""#, #"\ud83d "\ud83d""#),
    (#"x\ud83d \U0000dE00"#, #"x\ud83d \U0000dE00"#, #"x\ud83d \U0000dE00"#),
  ])
  func surrogates(text: String, value: String, written: String) throws {
    let read = try read("k: \(text)\n")
    #expect(read["k"]?.string.map { Array($0.utf8) } == Array(value.utf8))
    #expect(YAMLWriter.dump(read) == "k: \(written)\n")
  }

  @Test("what stands behind an escaped surrogate has its place in the text as written, and keeps its bytes in an edit")
  func placesBehindSurrogates() throws {
    let text = #"{a: "é\ud83d\ude00", b: 1, b: 2}"#
    do throws(Diagnostic) {
      _ = try read(text + "\n")
      Issue.record("not refused")
    } catch {
      #expect(error.mark?.column == text.count - 4)
    }
    let control = Array("a: \"\\ud83d\"\nb: \u{1}\n".utf8)
    let fault = #expect(throws: Diagnostic.self) { try YAMLReader.parse(SourceText(path: "x", bytes: control)) }
    #expect(fault?.mark?.line == 2 && fault?.mark?.column == 4)
  }

  @Test("where an escape stands for itself that would stand for a surrogate, nothing is guessed")
  func ownEscapes() throws {
    #expect(try read(#"k: "\U000FD83D""#)["k"] == "\u{FD83D}")
    #expect(throws: Diagnostic.self) { try read(#"{k: '\U000fd83d', l: "\ud83d"}"#) }
  }

  @Test("a text that is not UTF-8 is refused in DVC's words")
  func encoding() {
    #expect(throws: Diagnostic.self) { try YAMLReader.parse(SourceText(path: "x", bytes: [0x61, 0x3A, 0x20, 0xFF])) }
  }

  @Test("aliases of aliases cannot fill the memory, nor depth the stack")
  func bounds() {
    var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1..<12 {
      bomb += "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ") + "]\n"
    }
    #expect(throws: Diagnostic.self) { try read(bomb) }
    #expect(throws: Diagnostic.self) { try read(String(repeating: "[", count: 100_000)) }
  }
}
