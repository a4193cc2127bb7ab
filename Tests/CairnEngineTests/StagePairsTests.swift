// Which stage of an earlier project each of a later one is held against.
import CairnCore
import CairnEngine
import CairnTestSupport
import Testing

struct StagePairsTests {
  private func load(_ files: [String: String]) throws -> LoadedProject {
    let repository = try TestRepository(git: false)
    for (path, text) in files { try repository.write(path, text) }
    return PipelineLoader(root: repository.root, folder: .root, gitRoot: nil).loadKeepingFailures()
  }

  private func match(_ name: String, _ pairs: StagePairs, _ project: LoadedProject) throws -> StagePairs.Match {
    pairs.match(try #require(project.pipeline.byAddress[StageAddress(name)]))
  }

  private static let before = "stages:\n  a: {cmd: make a, outs: [a]}\n  b: {cmd: make b, outs: [b]}\n"

  @Test("a stage goes with the one of its name; one that alone makes what a gone one made is that one renamed")
  func names() throws {
    let before = try load(["dvc.yaml": Self.before])
    let after = try load([
      "dvc.yaml": "stages:\n  a: {cmd: other, outs: [c]}\n  fit: {cmd: make b, outs: [b]}\n"
        + "  new: {cmd: make, outs: [n]}\n"
    ])
    let pairs = StagePairs(from: before, to: after)
    guard case .former(let same) = try match("a", pairs, after) else { throw TestSupportError("a is new") }
    #expect(same.address.name == "a" && same.lock == nil)
    guard case .former(let renamed) = try match("fit", pairs, after) else { throw TestSupportError("fit is new") }
    #expect(renamed.address.name == "b")
    guard case .new = try match("new", pairs, after) else { throw TestSupportError("new is known") }
    #expect(pairs.gone.isEmpty)
    // What two new stages share, neither is.
    let shared = try load([
      "dvc.yaml": "stages:\n  x: {cmd: make b, outs: [b]}\n  y: {cmd: make b, outs: [a]}\n  a: {cmd: make a}\n"
    ])
    #expect(StagePairs(from: before, to: shared).gone.isEmpty)
    let less = try load(["dvc.yaml": "stages:\n  a: {cmd: make a, outs: [a]}\n"])
    #expect(StagePairs(from: before, to: less).gone.map { before.pipeline[$0].address.text() } == ["b"])
  }

  @Test("a stage that nobody can understand any more is no new one, and its lock entry counts all the same")
  func failures() throws {
    let hash = String(repeating: "a", count: 32)
    let lock = "schema: '2.0'\nstages:\n  b: {cmd: make b, outs: [{path: b, md5: \(hash)}]}\n"
    let before = try load(["dvc.yaml": Self.before.replacing("make b", with: "'make ${none}'"), "dvc.lock": lock])
    let after = try load(["dvc.yaml": Self.before])
    let pairs = StagePairs(from: before, to: after)
    guard case .former(let former) = try match("b", pairs, after) else { throw TestSupportError("b is new") }
    #expect(former.stage == nil && former.fault != nil)
    #expect(former.lock?.command == "make b")
    #expect(pairs.gone.isEmpty)
  }
}
