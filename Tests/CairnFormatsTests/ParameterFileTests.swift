import CairnCore
import Testing

@testable import CairnFormats

private func json(_ path: String, _ text: String) throws -> String {
  JSONWriter.text(try ParameterFile.parse(SourceText(path: path, bytes: Array(text.utf8))).value)
}

struct ParameterFileTests {
  @Test(
    "What follows the name's first dot chooses the reader",
    arguments: [
      ("p.JSON", #"{"a": 1}"#), ("p.toml", "a = 1"), ("d/p.py", "a = 1"), ("p.yaml", "a: 1"), ("p.txt", "a: 1"),
      ("x.py/y", "a: 1"), (".toml", "a = 1"), ("p.q.json", "a: 1"), ("p.q.toml", "a: 1"), ("p.q.py", "a: 1"),
      (".p.toml", "a: 1"), ("..toml", "a: 1"), ("p.", "a: 1"),
    ])
  func choice(_ path: String, _ text: String) throws { #expect(try json(path, text) == #"{"a": 1}"#) }

  @Test("What Python calls falsy is an empty map", arguments: [("p.json", "[]"), ("p.yaml", ""), ("p.toml", ""), ("p.json", "0")])
  func falsy(_ path: String, _ text: String) throws { #expect(try json(path, text) == "{}") }

  @Test(
    "TOML is read as tomlkit reads it",
    arguments: [
      ("[a.b]\nx=1\n[a]\ny=2\n[[c]]\nz=1\n[[c]]\n[c.d]\nq=\"é\\u00e9\"", #"{"a": {"b": {"x": 1}, "y": 2}, "c": [{"z": 1}, {"d": {"q": "\u00e9\u00e9"}}]}"#),
      ("a=0xdead_beef\nb=0o17\nc=1_0.5e-1\nd=-nan\ne=99999999999999999999\nf=+1", #"{"a": 3735928559, "b": 15, "c": 1.05, "d": NaN, "e": 99999999999999999999, "f": 1}"#),
      ("a=1979-05-27T07:32:00.1234567Z\nb=1979-05-27\nc=07:32:00.5\nd=1979-05-27 07:32:00-07:00", #"{"a": "1979-05-27 07:32:00.123456+00:00", "b": "1979-05-27", "c": "07:32:00.500000", "d": "1979-05-27 07:32:00-07:00"}"#),
      ("a='''\nx''''\nb=\"\"\"y\\\n   z\"\"\"\nc={x.y=1, z=[1,\n2,#c\n]}", #"{"a": "x'", "b": "yz", "c": {"x": {"y": 1}, "z": [1, 2]}}"#),
    ])
  func toml(_ text: String, _ expected: String) throws { #expect(try json("p.toml", text) == expected) }

  @Test(
    "Faulty TOML is refused",
    arguments: [
      "a=1\na=2", "[a]\n[a]", "a=01", "a=1.", "a", "=1", "a=1 b=2", "a={b=1}\na.c=2", "[a.b]\n[a]\nb.c=1", "[[a]]\n[a]",
      "a=\"\\x\"", "a=\"x\ny\"", "a=TRUE", "[a", "a=[1 2]", "a=2001-13-01",
    ])
  func faultyTOML(_ text: String) {
    let error = #expect(throws: Diagnostic.self) { try json("p.toml", text) }
    #expect(error?.fullMessage.hasPrefix("unable to read: 'p.toml', TOML file structure is corrupted: ") == true)
    #expect(error?.mark != nil)
  }

  @Test(
    "TOML that nests deeper than values may is refused, however it comes about",
    arguments: [
      String(repeating: "z.", count: 20_000) + "z = 1", "[" + String(repeating: "z.", count: 20_000) + "z]",
      "a = " + String(repeating: "[", count: 20_000), "a = " + String(repeating: "{a = ", count: 20_000),
      // Each for itself is allowed.
      "[" + String(repeating: "z.", count: 600) + "z]\n" + String(repeating: "z.", count: 600) + "z = 1",
      "a = " + String(repeating: "{" + String(repeating: "z.", count: 300) + "z = ", count: 4) + "1}}}}",
      (1...600).map { "[[" + Array(repeating: "z", count: $0).joined(separator: ".") + "]]" }.joined(separator: "\n"),
    ])
  func deepTOML(_ text: String) {
    let error = #expect(throws: Diagnostic.self) { try json("p.toml", text) }
    #expect(error?.fullMessage.contains("Nested deeper than 1000 levels") == true, "\(error?.fullMessage ?? "")")
  }

  @Test("What is not deeper is read, compared and written")
  func nestedTOML() throws {
    for text in [
      String(repeating: "z.", count: 990) + "z = 1", "[" + String(repeating: "z.", count: 990) + "z]",
      "a = " + String(repeating: "[", count: 990) + String(repeating: "]", count: 990),
    ] {
      let value = try ParameterFile.parse(SourceText(path: "p.toml", bytes: Array(text.utf8))).value
      #expect(value.isEqualInPython(to: value) && !JSONWriter.text(value).isEmpty)
    }
  }

  @Test("Many headers and long arrays of tables are read in the order of the text, not anew from its start")
  func manyHeaders() throws {
    let table = "[" + (0..<20).map { "a\($0)." }.joined()
    let text = (0..<20_000).map { "\(table)b\($0)]\nx = 1\n[[c]]\ny = 1\n" }.joined()
    var document = try ParameterFile.parse(SourceText(path: "p.toml", bytes: Array(text.utf8)))
    #expect(document["c"]?.items?.count == 20_000)
    #expect(document["c"]?.items?.last?.mark?.line == 79_999)
    for level in 0..<20 { document = try #require(document["a\(level)"]) }
    #expect(document.entries?.last?.value.mark?.line == 79_997)
    #expect(document.entries?.last?.value.mark?.length == text.split(separator: "\n")[79_996].count)
  }

  @Test(
    "An integer of more digits than Python takes is refused, and none takes long",
    arguments: [("p.toml", "a = 0x"), ("p.toml", "a = "), ("p.yaml", "a: 0x"), ("p.yaml", "a: ")])
  func hugeIntegers(_ path: String, _ start: String) throws {
    #expect(throws: Diagnostic.self) { try json(path, start + String(repeating: "9", count: 1_000_000) + "\n") }
    #expect(try json(path, start + String(repeating: "9", count: 4_000) + "\n").count > 4_000)
  }

  @Test("Python's literals are taken from modules, classes and __init__, nothing else")
  func python() throws {
    let text = #"""
      """doc"""
      import os
      a = 1; b = -2.5
      c: int = 0x1F
      d = "x" 'y\n\x41' r'\n'
      e = (1, [2, {"k": None}])
      f = f"{a}"
      g = h = 3
      i = os.getcwd()
      if a:
          j = 1
      class Train(object):
          lr = 1e-3
          class Inner: z = True
          def __init__(self, q):
              self.layers = [1,
                2]
              self.q = q
              local = 5
          def other(self):
              self.no = 1
      a = 9
      big = -99999999999999999999
      """#
    #expect(
      try json("p.py", text)
        == #"{"a": 9, "b": -2.5, "c": 31, "d": "xy\nA\\n", "e": [1, [2, {"k": null}]], "Train": {"lr": 0.001, "Inner": {"z": true}, "layers": [1, 2]}, "big": -99999999999999999999}"#)
  }

  @Test(
    "Faulty Python is refused in the words of Python",
    arguments: [
      ("a = (\n", "'(' was never closed (p.py, line 1)"), ("a = 1)", "unmatched ')' (p.py, line 1)"),
      ("\na = \"x\n", "unterminated string literal (detected at line 2) (p.py, line 2)"),
      ("  a = 1", "unexpected indent (p.py, line 1)"),
      ("if x:\na = 1\n", "expected an indented block after 'if' statement on line 1 (p.py, line 2)"),
      ("a =\n", "invalid syntax (p.py, line 1)"),
    ])
  func faultyPython(_ text: String, _ cause: String) {
    let error = #expect(throws: Diagnostic.self) { try json("p.py", text) }
    #expect(error?.fullMessage == "unable to read: 'p.py', Python file structure is corrupted: \(cause)")
  }

  @Test(
    "Editing TOML touches one key and keeps the rest",
    arguments: [
      ("# c\na = 1 # why\nb = 2\n", ["a"], Value.int(5), "# c\na = 5 # why\nb = 2\n"),
      ("a = 1\n\n[s] # h\nx = 1\n\n[t]\n", ["s", "y"], "q\"", "a = 1\n\n[s] # h\nx = 1\ny = \"q\\\"\"\n\n[t]\n"),
      ("a = 1", ["s", "k 1"], true, "a = 1\n\n[s]\n\"k 1\" = true\n"), ("", ["a"], 1, "a = 1\n"),
      ("[s]\nx=1\n", ["a"], 1, "a = 1\n\n[s]\nx=1\n"), ("s.x = 1\n", ["s", "y"], 2, "s.x = 1\ns.y = 2\n"),
      ("r = {gpu = 1} # c\n", ["r", "mem"], 2, "r = { gpu = 1, mem = 2 } # c\n"),
      ("a = [\n  1, # one\n]\nb = 1\n", ["a"], .list([2]), "a = [2]\nb = 1\n"),
      ("a = 1\n# c\n[s]\nx = 1\ny = 2\n", ["s", "x"], .null, "a = 1\n# c\n[s]\ny = 2\n"),
      ("a = 1\n[s]\nx = 1\n[s.t]\ny = 1\n[u]\n", ["s"], .null, "a = 1\n[u]\n"),
    ] as [(String, [String], Value, String)])
  func edit(_ text: String, _ path: [String], _ value: Value, _ expected: String) throws {
    var editor = try TOMLEditor(SourceText(path: "c.toml", bytes: Array(text.utf8)))
    if value.isNull { try editor.remove(path) } else { try editor.set(path, to: value) }
    #expect(editor.text == expected)
  }

  @Test("An edit that would not be TOML is refused")
  func refusedEdit() throws {
    var editor = try TOMLEditor(SourceText(path: "c.toml", bytes: Array("a = 1\n[s]\n".utf8)))
    #expect(throws: Diagnostic.self) { try editor.set(["a", "b"], to: 1) }
    #expect(throws: Diagnostic.self) { try editor.set(["s"], to: 1) }
    #expect(throws: Diagnostic.self) { try editor.set(["n"], to: .null) }
    #expect(editor.text == "a = 1\n[s]\n")
  }
}
