// Lists as long as a machine writes them: each test would take minutes where one list is searched for each of another.
import CairnCore
import OrderedCollections
import Testing

struct LongListTests {
  private static let count = 100_000

  @Test("each path of a long lock entry is found, the last of those that are there twice, also after a change")
  func lockEntry() {
    var entry = LockEntry(command: "x")
    entry.deps = (0..<Self.count).map { LockedFile(path: "d/\($0)", hashText: "\($0)") }
    entry.outs = entry.deps
    #expect((0..<Self.count).allSatisfy { entry.dep("d/\($0)")?.hashText == "\($0)" })
    #expect((0..<Self.count).allSatisfy { entry.out("d/\($0)")?.hashText == "\($0)" })
    entry.deps.append(LockedFile(path: "d/7", hashText: "again"))
    entry.outs[7].hashText = "other"
    #expect(entry.dep("d/7")?.hashText == "again" && entry.out("d/7")?.hashText == "other")
    #expect(entry.dep("d/-1") == nil && entry.out("d/7") != entry.dep("d/7"))
    let copy = entry
    entry.outs = []
    #expect(entry.out("d/7") == nil && copy.out("d/7") != nil && copy != entry)
  }

  @Test("many keys of one map are found, as each alone is")
  func parameters() throws {
    let inner = (0..<Self.count).map {
      MarkedValue.MarkedEntry(key: MarkedValue(.string("k\($0)")), value: MarkedValue(.int($0)))
    }
    let list = MarkedValue(.list([1, 2]))
    let document = MarkedValue(
      .map([
        .init(key: MarkedValue("a"), value: MarkedValue(.map(inner), at: nil)), .init(key: MarkedValue("l"), value: list),
        .init(key: MarkedValue("a"), value: list),
      ]), at: nil)
    let lookup = ParameterLookup(document, forMany: true)
    for number in 0..<Self.count {
      let found = try lookup.value("a.k\(number)")?.value
      if found != .int(number) { Issue.record("a.k\(number): \(String(describing: found))") }
    }
    for key in ["a", "a.no", "a.k1.x", "l.1", "l.7", "l", "no", "a.", ""] {
      #expect(try lookup.value(key)?.value == ParameterLookup.value(key, in: document)?.value, "\(key)")
    }
  }

  @Test("many declared keys are held against many recorded ones")
  func declaredKeys() {
    let values = OrderedDictionary(
      uniqueKeysWithValues: (0..<Self.count).map { ("k\($0)", Value.int($0)) })
    var stage = Stage(address: StageAddress(file: RepoPath(unchecked: "dvc.yaml"), name: "a"), kind: .pipeline)
    stage.commands = ["x"]
    stage.parameters = [
      ParameterSet(
        declared: "params.yaml", location: .local(RepoPath(unchecked: "params.yaml")), keys: Array(values.keys))
    ]
    let entry = LockEntry(command: "x", params: ["params.yaml": values])
    let now = StageSnapshot(dependencies: [], parameters: [.values(values)], outputs: nil)
    #expect(Staleness.judge(stage, lock: entry, now: now).reasons.filter { $0.kind != .alwaysChanged }.isEmpty)
  }
}
