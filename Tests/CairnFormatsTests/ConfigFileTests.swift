// Tests of DVC's INI dialect: what is read, and that edits touch the lines they must and no others.
import CairnCore
import Testing

@testable import CairnFormats

@Suite struct ConfigFileTests {
  static let written = """
    # the team's settings
    [core]  # main
        remote = store   # the default
        autostage = true

    ['remote "store"']
        url = s3://bucket/key
    """ + "\n"

  private func file(_ text: String) throws -> ConfigFile {
    try ConfigFile(SourceText(path: "config", bytes: Array(text.utf8)))
  }

  @Test("values are read without their quotes and comments")
  func reads() throws {
    let file = try file(Self.written)
    #expect(file.value("core", "remote") == "store")
    #expect(file.value("remote \"store\"", "url") == "s3://bucket/key")
    #expect(file.value("core", "missing") == nil)
  }

  @Test("setting a value keeps comments, order and every other line")
  func setKeepsLayout() throws {
    var file = try file(Self.written)
    try file.set("core", "remote", to: "other")
    #expect(file.text == Self.written.replacing("remote = store   #", with: "remote = other   #"))
  }

  @Test("a new section goes before the named ones, a new file reads as DVC writes it")
  func newSections() throws {
    var file = ConfigFile(path: "config")
    try file.set("remote \"store\"", "url", to: "/data")
    try file.set("cache", "type", to: "hardlink,copy") { $0.hasPrefix("remote") }
    #expect(file.text == "[cache]\n    type = \"hardlink,copy\"\n['remote \"store\"']\n    url = /data\n")
  }

  @Test("a section goes with its last option, and an empty file is one line end")
  func removes() throws {
    var file = ConfigFile(path: "config")
    try file.set("core", "remote", to: "a")
    try file.remove("core", "remote")
    #expect(file.text == "\n")
  }

  @Test(
    "faults are told in ConfigObj's words",
    arguments: [
      ("[core]\nurl2\n", "Invalid line ('url2') (matched as neither section nor keyword) at line 2."),
      ("[[core]]\n", "Section too nested at line 1."),
      ("[core]\na = 1\na = 2\n[core]\n", "Parsing failed with several errors.\nFirst error at line 3."),
    ])
  func faults(text: String, message: String) throws {
    #expect(throws: Diagnostic.self) { try file(text) }
    do { _ = try file(text) } catch let error as Diagnostic {
      #expect(error.message == "configuration error - config file error: \(message)")
      #expect(error.exitCode == 251)
    }
  }

  @Test(
    "values are quoted as ConfigObj quotes them",
    arguments: [
      ("plain", "plain"), ("", "\"\""), ("a, b", "\"a, b\""), (" a", "\" a\""), ("a # b", "\"a # b\""),
      ("say \"hi\"", "'say \"hi\"'"), ("it's \"x\"", "\"\"\"it's \"x\"\"\"\""),
    ])
  func quoting(value: String, written: String) throws {
    #expect(try ConfigQuoting.quote(value) == written)
  }

  @Test(
    "lists and comments behind values are told apart",
    arguments: [
      ("a, b", Value.list(["a", "b"]), ""), ("\"a, b\"  # c", "a, b", "  # c"), ("a,", .list(["a"]), ""),
      (",", .list([]), ""), ("", "", ""),
    ])
  func valueShapes(text: String, value: Value, tail: String) throws {
    let read = try #require(ConfigValueReader.read(text))
    #expect(read.value == value)
    #expect(read.tail == tail)
  }
}
