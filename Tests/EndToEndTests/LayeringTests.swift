// Holds the sources to the table of targets in CONTRIBUTING.md: who may import whom.
import CairnTestSupport
import Foundation
import Testing

/// CONTRIBUTING.md's table of targets, as rows of: target, what it may import.
private struct TargetTable {
  var rows: [(target: String, uses: Set<String>)] = []

  init() throws {
    for line in try PackageFiles.text("CONTRIBUTING.md").split(separator: "\n") where line.hasPrefix("| `C") || line.hasPrefix("| `cairn`") {
      let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count >= 5 else { continue }
      let uses = (cells[3] + ", " + cells[4]).split(separator: ",")
        .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `")) }.filter { !$0.isEmpty }
      rows.append((cells[1].trimmingCharacters(in: CharacterSet(charactersIn: "`")), Set(uses)))
    }
  }
}

/// What a source file imports, attributes and access levels left out. What stands in a raw text of many lines is no
/// import: templates have programs of other languages there.
private func imports(of source: String) -> Set<String> {
  let kinds: Set = ["struct", "enum", "class", "func", "protocol", "typealias", "var", "let"]
  let levels: Set = ["import", "package", "public", "internal", "private", "fileprivate"]
  var found: Set<String> = []
  var isText = false
  for line in source.split(separator: "\n") {
    if isText {
      isText = !line.drop { $0 == " " }.hasPrefix("\"\"\"#")
      continue
    }
    isText = line.hasSuffix("#\"\"\"")
    let words = line.split(separator: " ").filter { !$0.hasPrefix("@") }.map(String.init)
    guard let first = words.first, levels.contains(first), let at = words.firstIndex(of: "import"), at <= 1 else { continue }
    guard let module = words.dropFirst(at + 1).first(where: { !kinds.contains($0) }) else { continue }
    found.insert(String(module.split(separator: ".")[0]))
  }
  return found
}

private func swiftFiles(under folder: String) -> [String] {
  (FileManager.default.enumerator(atPath: PackageFiles.path(folder))?.compactMap { $0 as? String } ?? [])
    .filter { $0.hasSuffix(".swift") }.map { folder + "/" + $0 }
}

struct LayeringTests {
  /// Part of the toolchain; the pure targets may not even use these.
  private static let system: Set = ["Glibc", "Foundation", "FoundationEssentials", "Dispatch"]
  private static let standard: Set = ["Synchronization"]
  private static let pure: Set = ["CairnCore", "CairnFormats"]

  @Test("every import in Sources is an arrow of the table in CONTRIBUTING.md")
  func arrows() throws {
    let table = try TargetTable()
    #expect(table.rows.count >= 9)
    var bad: [String] = []
    for (target, uses) in table.rows {
      for file in swiftFiles(under: "Sources/" + target) {
        for module in imports(of: try PackageFiles.text(file)) where !uses.contains(module) && !Self.standard.contains(module) {
          if Self.system.contains(module) && !Self.pure.contains(target) { continue }
          bad.append("\(file) imports \(module)")
        }
      }
    }
    #expect(bad == [])
  }

  @Test("every target in Sources is in the table, and the table names no other")
  func complete() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: PackageFiles.path("Sources")).sorted()
    #expect(try TargetTable().rows.map(\.target).sorted() == folders)
  }

  @Test("the manifest's dependencies are arrows of the table")
  func manifest() throws {
    let table = try TargetTable()
    let manifest = try PackageFiles.text("Package.swift")
    var bad: [String] = []
    for (target, uses) in table.rows {
      guard let dependencies = dependencies(of: target, in: manifest) else { continue }
      bad += dependencies.subtracting(uses).sorted().map { "\(target) depends on \($0)" }
    }
    #expect(bad == [])
  }

  /// The names in the brackets that follow `"TARGET"` in the manifest; variables stand for their product.
  private func dependencies(of target: String, in manifest: String) -> Set<String>? {
    let products = ["collections": "OrderedCollections", "heap": "HeapModule", "crypto": "Crypto", "grdb": "GRDB", "arguments": "ArgumentParser"]
    for opening in ["layer(\"\(target)\", [", "layer(\n      \"\(target)\",\n      [", "name: \"\(target)\",\n      dependencies: ["] {
      guard let start = manifest.range(of: opening),
        let end = manifest.range(of: "]", range: start.upperBound..<manifest.endIndex)
      else { continue }
      let names = manifest[start.upperBound..<end.lowerBound].split { ", \n".contains($0) }
      return Set(names.map { name in
        name.hasPrefix("\"") ? name.trimmingCharacters(in: CharacterSet(charactersIn: "\"")) : products[String(name)] ?? String(name)
      })
    }
    return nil
  }

  @Test("an import is found whatever stands before and after it", arguments: [
    ("import A", "A"), ("package import B", "B"), ("@testable import C", "C"), ("internal import struct D.Inner", "D"),
    ("@preconcurrency public import E", "E"),
  ])
  func importsAreFound(line: String, module: String) { #expect(imports(of: line) == [module]) }

  @Test("an import in a raw text is none, and one behind it is")
  func importsInTexts() {
    let lines = ["import A", "let text = #\"\"\"", "import b", "  \"\"\"#", "import C", "let other = [#\"\"\"", "import d", "\"\"\"#]", "import E"]
    #expect(imports(of: lines.joined(separator: "\n")) == ["A", "C", "E"])
  }
}
