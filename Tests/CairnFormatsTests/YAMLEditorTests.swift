// Edits whose result one can read.
import CairnCore
import CairnFormats
import Testing

struct YAMLEditorTests {
  private func edited(_ text: String, _ edit: (inout YAMLEditor) throws -> Void) throws -> String {
    var editor = try YAMLEditor(SourceText(path: "dvc.yaml", bytes: Array(text.utf8)))
    try edit(&editor)
    return editor.text
  }

  @Test("freezing a stage adds one line")
  func freeze() throws {
    let text = "stages:\n    # about a\n    a:\n        cmd: x  # beside\n\n    # about b\n    b:\n        cmd: y\n"
    let result = try edited(text) { try $0.set([.key("stages"), .key("a"), .key("frozen")], to: true) }
    #expect(result == text.replacing("# beside\n", with: "# beside\n        frozen: true\n"))
    #expect(try edited(result) { try $0.remove([.key("stages"), .key("a"), .key("frozen")]) } == text)
  }

  @Test("the last stage removed leaves an empty map, an empty map takes a stage")
  func emptied() throws {
    #expect(try edited("stages:\n  a:\n    cmd: x\nvars: 1\n") { try $0.remove([.key("stages"), .key("a")]) } == "stages: {}\nvars: 1\n")
    let stage = Value.map(["cmd": "x"])
    #expect(try edited("stages: {}\n") { try $0.set([.key("stages"), .key("a")], to: stage) } == "stages:\n  a:\n    cmd: x\n")
    #expect(try edited("") { try $0.set([.key("stages"), .key("a")], to: stage) } == "stages:\n  a:\n    cmd: x\n")
  }

  @Test("an edit that other places would feel is refused")
  func shared() {
    #expect(throws: Diagnostic.self) {
      try edited("a: &a {x: 1}\nb: *a\n") { try $0.set([.key("b"), .key("x")], to: 2) }
    }
  }

  @Test("a refusal says that an anchor is in the way, and leaves the text alone", arguments: [
    ("a: &a {x: 1}\nb: *a\n", [.key("a"), .key("x")], false), ("a: &a {x: 1}\nb: *a\n", [.key("a")], true),
    ("a: &a\n  x: 1\n  f: 0\nb:\n  <<: *a\n  f: 1\n", [.key("b"), .key("f")], true),
  ] as [(String, [PathStep], Bool)])
  func anchors(text: String, path: [PathStep], removes: Bool) throws {
    var editor = try YAMLEditor(SourceText(path: "dvc.yaml", bytes: Array(text.utf8)))
    do throws(Diagnostic) {
      if removes { try editor.remove(path) } else { try editor.set(path, to: 2) }
      Issue.record("not refused")
    } catch {
      #expect(error.message.contains("share it by an anchor"))
    }
    #expect(editor.text == text)
  }
}
