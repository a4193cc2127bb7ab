// Files that become others: nothing is seen of them before, and what was there is replaced in one step.
import CairnSystem
import CairnTestSupport
import Glibc
import Testing

@testable import CairnStore

struct DraftTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try Files.makeDirectories(folder("tmp"))
    try Files.makeDirectories(folder("d"))
  }

  private func names() throws -> [String] { try ["d", "tmp"].flatMap { try Files.list(folder($0)) ?? [] }.map(\.name) }

  /// - Parameter isNamed: as where files without a name cannot be made.
  private func draft(_ text: String, isNamed: Bool) throws -> Draft {
    let draft = try Draft(for: folder("d/f"), Staging(folder("tmp"), canBeUnnamed: !isNamed))
    let code = Array(text.utf8).withUnsafeBytes { RawFile.writeAll($0, to: draft.descriptor) }
    #expect(code == 0)
    return draft
  }

  @Test("before it is whole, nothing is among the user's files", arguments: ["", "there"], [false, true])
  func place(before: String, isNamed: Bool) throws {
    if !before.isEmpty { try Files.write(Array(before.utf8), to: folder("d/f")) }
    let draft = try draft("new", isNamed: isNamed)
    #expect(try Files.list(folder("d"))?.map(\.name) == (before.isEmpty ? [] : ["f"]))
    #expect(draft.place(at: folder("d/f")) == 0)
    #expect(try Files.read(folder("d/f")) == Array("new".utf8))
    #expect(try names() == ["f"])
  }

  @Test("one that is given up leaves nothing, and what was there stays", arguments: [false, true])
  func giveUp(isNamed: Bool) throws {
    try Files.write(Array("old".utf8), to: folder("d/f"))
    try draft("new", isNamed: isNamed).giveUp()
    #expect(try Files.read(folder("d/f")) == Array("old".utf8) && names() == ["f"])
  }

  @Test("a link at its place is replaced, not followed; a folder is not", arguments: [false, true])
  func others(isNamed: Bool) throws {
    try Files.write(Array("old".utf8), to: folder("target"))
    #expect(symlink(folder("target"), folder("d/f")) == 0)
    #expect(try draft("new", isNamed: isNamed).place(at: folder("d/f")) == 0)
    #expect(try Files.read(folder("target")) == Array("old".utf8) && Files.read(folder("d/f")) == Array("new".utf8))
    try Files.remove(folder("d/f"))
    try Files.makeDirectories(folder("d/f"))
    #expect(try draft("new", isNamed: isNamed).place(at: folder("d/f")) == -EISDIR)
    #expect(try names() == ["f"])
  }

  @Test("without a staging folder it is made beside its place", arguments: [false, true])
  func noFolder(isNamed: Bool) throws {
    try Files.removeTree(folder("tmp"))
    try Files.write(Array("old".utf8), to: folder("d/f"))
    #expect(try draft("new", isNamed: isNamed).place(at: folder("d/f")) == 0)
    #expect(try Files.read(folder("d/f")) == Array("new".utf8))
    #expect(try Files.list(folder("d"))?.map(\.name) == ["f"])
  }
}
