// What a terminal would obey reaches it in no line of Cairn's own: a value, a path or a command forges no line or colour.
import CairnTestSupport
import Foundation
import Testing

struct PrintableTextTests {
  /// `in⟨ESC⟩[31m⟨LF⟩x`, a parameter with a bell, a return and a right-to-left mark, and a variable with a C1 code.
  private func project() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write("in\u{1b}[31m\nx", "1\n")
    try repository.write("m.txt", #"{"auc": "\u001b[31m"}"#)
    try repository.write(
      "dvc.yaml",
      #"""
      stages:
        train:
          cmd: "cat in* > \"out\e[32m\" # \e]0;title\a\ncp m.txt m.json"
          deps: ["in\e[31m\nx"]
          params: [name, "\e[1mbold"]
          outs: ["out\e[32m"]
          metrics: [{m.json: {cache: false}}]
          meta: {cairn: {env: [MODE]}}

      """#)
    return repository
  }

  private func write(_ name: String, _ number: Int, _ repository: TestRepository) throws {
    try repository.write("params.yaml", "name: \"\(name)\"\n\"\\e[1mbold\": \"\(number)\\x9b\"\n")
  }

  private func run(_ repository: TestRepository) throws {
    let result = try repository.cairn("repro", environment: ["MODE": "a\u{1b}[0m\u{2028}b"])
    #expect(result.status == 0, "\(result)")
  }

  private static func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0A: false
    case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }

  @Test("why, runs and lineage show what a terminal would obey, each thing on one line; JSON has it as it is")
  func lines() throws {
    let repository = try project()
    try write(#"a\r\nERROR: forged\a"#, 1, repository)
    try run(repository)
    try write(#"b\u202Eevil"#, 2, repository)
    let environment = ["MODE": "\u{1b}[7m"]
    let commands = [
      ["why"], ["why", "train"], ["why", "--last", "train"], ["runs"], ["runs", "show", "@last"],
      ["lineage", "out\u{1b}[32m"], ["lineage", "--down", "in\u{1b}[31m\nx"],
    ]
    var shown = ""
    for command in commands {
      let result = try repository.run([CairnBinary.path()] + command, environment: environment)
      let text = result.output + result.errors
      #expect(!text.unicodeScalars.contains(where: Self.isObeyed), "\(command): \(text.debugDescription)")
      #expect(!text.split(separator: "\n").contains { $0.hasPrefix("ERROR") || $0.hasPrefix("x") }, "\(command): \(text)")
      shown += text
    }
    for part in [
      #"in\x1b[31m⏎x"#, #"out\x1b[32m"#, #"\x1b]0;title\x07"#, #"a\r⏎ERROR: forged\x07"#, #"b\u{202e}evil"#,
      #"\x1b[1mbold"#, #"a\x1b[0m\u{2028}b"#, #"1\x9b"#, #"auc \x1b[31m"#,
    ] {
      #expect(shown.contains(part), "\(part): \(shown)")
    }
    let document = try repository.cairn("why", "--json", environment: environment).output
    let json = try #require(JSONSerialization.jsonObject(with: Data(document.utf8)) as? [String: Any])
    let causes = try #require(json["causes"] as? [[String: Any]])
    #expect(causes.contains { $0["now"] as? String == "b\u{202E}evil" }, "\(document)")
  }

  @Test("what differs between two runs stays in its columns")
  func differences() throws {
    let repository = try project()
    try write(#"a\nb"#, 1, repository)
    try run(repository)
    try write(#"\e[31mred"#, 2, repository)
    try run(repository)
    let result = try repository.cairn("runs", "diff", "@last")
    #expect(!result.output.unicodeScalars.contains(where: Self.isObeyed), "\(result.output.debugDescription)")
    let row = try #require(result.output.split(separator: "\n").first { $0.contains("name") })
    #expect(row.contains("a⏎b ") && row.contains(#" \x1b[31mred"#), "\(result)")
    let list = try repository.cairn("runs").output
    #expect(list.contains(#"name a⏎b → \x1b[31mred"#) && list.split(separator: "\n").count == 2, "\(list)")
  }

  @Test("the line that an error shows keeps its columns, and obeys nothing")
  func excerpt() throws {
    let repository = try project()
    try repository.write(".cairn/config.toml", "strict = \"\u{1b}[31m\u{202E}\"; x\n")
    let result = try repository.cairn("why")
    #expect(result.status == 255 && result.errors.contains("  --> .cairn/config.toml:1:"), "\(result)")
    #expect(result.errors.contains("| strict = \"\u{FFFD}[31m\u{FFFD}\"; x\n"), "\(result.errors.debugDescription)")
    #expect(!result.errors.unicodeScalars.contains(where: Self.isObeyed), "\(result.errors.debugDescription)")
  }

  @Test("tables of DVC's own commands stay DVC's, whatever is in them", .enabled(if: DVCOracle.isAvailable))
  func tables() throws {
    let repository = try project()
    try write(#"a"#, 1, repository)
    try repository.commit("a")
    try write(#"b\u202Eevil"#, 1, repository)
    let ours = try repository.cairn("params", "diff")
    #expect(ours.output.contains("b\u{202E}evil"), "\(ours)")
    #expect(try ours.output == repository.dvc("params", "diff").output)
  }
}
