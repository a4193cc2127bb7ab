// Holds the documents to what the program does: the table of commands, the diagnostics, the transcript.
import CairnTestSupport
import Foundation
import Testing

struct DocumentTests {
  private struct Row {
    var names: [String]
    var here: String
  }

  private func commandTable() throws -> [Row] {
    let text = try PackageFiles.text("docs/compatibility.md")
    let table = text.components(separatedBy: "| command | here |").last ?? ""
    return table.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      let names = cells[0].split { " ()`".contains($0) }.map(String.init)
      return Row(names: names, here: cells[1])
    }
  }

  @Test("docs/compatibility.md has every command of DVC's --help, and no other", .enabled(if: DVCOracle.isAvailable))
  func everyCommand() throws {
    let help = try TestRepository().dvc("--help").output
    let listed = try #require(help.components(separatedBy: "Available Commands:").last)
    let names = listed.split(separator: "\n").filter { $0.hasPrefix("    ") && !$0.hasPrefix("     ") }
      .flatMap { line in line.prefix(21).split { " (),".contains($0) }.map(String.init) }
    #expect(Set(names).count > 30)
    #expect(try Set(commandTable().flatMap(\.names)).symmetricDifference(names).sorted() == [])
  }

  @Test("what the table calls here has help, and what it calls missing says so and ends with 254")
  func tableIsTrue() throws {
    let repository = try TestRepository()
    for row in try commandTable() {
      for name in row.names {
        if row.here.hasPrefix("not yet") {
          let result = try repository.cairn(name)
          #expect(result.status == 254, "\(name): \(result)")
          #expect(result.errors.contains("ERROR: '\(name)' is not in Cairn yet"), "\(name): \(result)")
          #expect(result.errors.contains("hint: 'dvc \(name)' works on the same files"), "\(name): \(result)")
        } else {
          #expect(try repository.cairn(name, "--help").status == 0, "\(name)")
        }
      }
    }
  }

  @Test("every code of a diagnostic is a heading in docs/diagnostics.md, and every heading is a code")
  func diagnostics() throws {
    let headings = try PackageFiles.text("docs/diagnostics.md").split(separator: "\n")
      .filter { $0.hasPrefix("## ") }.map { String($0.dropFirst(3)) }
    var codes: Set<String> = []
    let pattern = try Regex(#"[ .]Code\("([a-z0-9-]+)"\)"#, as: (Substring, Substring).self)
    let files = FileManager.default.enumerator(atPath: PackageFiles.path("Sources"))?.compactMap { $0 as? String } ?? []
    for file in files where file.hasSuffix(".swift") {
      codes.formUnion(try PackageFiles.text("Sources/" + file).matches(of: pattern).map { String($0.output.1) })
    }
    #expect(headings == codes.sorted())
  }

  @Test("the transcript in README.md is what the example prints")
  func transcript() throws {
    let result = try Command.run(
      [PackageFiles.path("scripts/transcript"), "--check"], in: PackageFiles.root,
      environment: Command.clean().merging(["CAIRN_BIN": try CairnBinary.path()]) { $1 })
    #expect(result.status == 0, "\(result.output)\(result.errors)")
  }

  @Test("a link in a document leads to a file that is there")
  func links() throws {
    let pattern = try Regex(#"\]\((?!https?:)([^)#]+)\)"#, as: (Substring, Substring).self)
    var dead: [String] = []
    for document in ["README.md", "CONTRIBUTING.md"] + markdown(under: "docs") {
      let folder = document.split(separator: "/").dropLast().joined(separator: "/")
      for match in try PackageFiles.text(document).matches(of: pattern) {
        let target = (folder.isEmpty ? "" : folder + "/") + match.output.1
        if !FileManager.default.fileExists(atPath: PackageFiles.path(target)) { dead.append("\(document): \(match.output.1)") }
      }
    }
    #expect(dead == [])
  }

  private func markdown(under folder: String) -> [String] {
    (FileManager.default.enumerator(atPath: PackageFiles.path(folder))?.compactMap { $0 as? String } ?? [])
      .filter { $0.hasSuffix(".md") }.map { folder + "/" + $0 }
  }
}
