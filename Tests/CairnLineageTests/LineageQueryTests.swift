// Walks over small histories: what made it, what did it touch.
import CairnCore
import CairnFormats
import CairnLineage
import Foundation
import Testing

@Suite struct LineageQueryTests {
  /// raw.csv → prepare → clean.csv → train → model.pkl → evaluate → metrics.json
  private func history(_ place: TemporaryStore) throws -> [String: RunID] {
    var runs: [String: RunID] = [:]
    runs["prepare"] = try place.store.write(.example("prepare", inputs: [("raw.csv", "1")], outputs: [("clean.csv", "2")], at: 1))
    var train = RunRecord.example("train", inputs: [("clean.csv", "2"), ("train.py", "3")], outputs: [("model.pkl", "4")], at: 5)
    train.inputs[0].producer = runs["prepare"]
    train.inputs[1].origin = .init(.git)
    runs["train"] = try place.store.write(train)
    runs["evaluate"] = try place.store.write(
      .example("evaluate", inputs: [("model.pkl", "4")], outputs: [("metrics.json", "5")], at: 9))
    return runs
  }

  private func artifact(_ path: String, _ md5: String) -> LineageArtifact {
    LineageArtifact(repository: "https://example.org/r.git", path: path, md5: md5, sha256: nil, size: 1000)
  }

  private func paths(_ graph: LineageGraph) -> Set<String> {
    Set(graph.nodes.values.compactMap { if case .artifact(let artifact) = $0 { artifact.path } else { nil } })
  }

  private func stages(_ graph: LineageGraph) -> Set<String> {
    Set(graph.nodes.values.compactMap { if case .run(let record) = $0 { record.stage.address } else { nil } })
  }

  @Test("up leads to every run, input and commit behind a model")
  func up() throws {
    let place = TemporaryStore()
    let runs = try history(place)
    let graph = try LineageQuery.graph(of: [artifact("model.pkl", "4")], in: place.index, .init())
    #expect(stages(graph) == ["train", "prepare"])
    #expect(paths(graph) == ["model.pkl", "clean.csv", "train.py", "raw.csv"])
    #expect(graph.unknown.map(\.node) == [artifact("raw.csv", "1").id])
    let train = LineageNodeID.run(try #require(runs["train"]))
    #expect(graph.edges.contains(LineageEdge(train, artifact("model.pkl", "4").id, .generated)))
    #expect(graph.edges.contains(LineageEdge(artifact("train.py", "3").id, train, .used)))
    #expect(graph.nodes.keys.contains(.commit(String(repeating: "4e", count: 20))))
  }

  @Test("down leads to all that a dataset touched")
  func down() throws {
    let place = TemporaryStore()
    _ = try history(place)
    var options = LineageQuery.Options()
    options.direction = .down
    let graph = try LineageQuery.graph(of: [artifact("raw.csv", "1")], in: place.index, options)
    #expect(paths(graph) == ["raw.csv", "clean.csv", "model.pkl", "metrics.json"])
    #expect(stages(graph) == ["prepare", "train", "evaluate"])
  }

  @Test("down does not lead back in time: who read the same bytes before a run made them again is none of its readers")
  func downForward() throws {
    let place = TemporaryStore()
    let first = try place.store.write(.example("s", inputs: [("f", "1")], outputs: [("o", "9")], at: 1))
    func reader(_ stage: String, _ producer: RunID?, at second: Int64) throws {
      var record = RunRecord.example(stage, inputs: [("o", "9")], outputs: [(stage + ".out", stage)], at: second)
      record.inputs[0].producer = producer
      _ = try place.store.write(record)
    }
    try reader("before", first, at: 3)
    try reader("nameless", nil, at: 4)
    let second = try place.store.write(.example("s", inputs: [("f", "2")], outputs: [("o", "9")], at: 5))
    try reader("after", second, at: 7)
    // These bytes had been made again, and still it is the other's that it names.
    try reader("late", first, at: 8)
    var restored = RunRecord.example("s", inputs: [("f", "1")], outputs: [("o", "9")], at: 11, result: .restored)
    restored.restoredFrom = first
    let third = try place.store.write(restored)
    var options = LineageQuery.Options()
    options.direction = .down
    let newest = try LineageQuery.graph(of: [artifact("f", "2")], in: place.index, options)
    #expect(stages(newest) == ["s", "after"])
    #expect(try stages(LineageQuery.graph(of: third, in: place.index, options)) == ["s"])
    // What is taken from the cache is named by who made it: it counts as that, too, from then on.
    try reader("later", first, at: 12)
    #expect(try stages(LineageQuery.graph(of: third, in: place.index, options)) == ["s", "later"])
    let older = try LineageQuery.graph(of: [artifact("f", "1")], in: place.index, options)
    #expect(stages(older) == ["s", "before", "nameless", "late", "later"])
    // From the bytes themselves all of them are reached.
    let bytes = try LineageQuery.graph(of: [artifact("o", "9")], in: place.index, options)
    #expect(stages(bytes) == ["before", "nameless", "after", "late", "later"])
  }

  @Test("a parameter file that a run made is walked through")
  func madeParameters() throws {
    let place = TemporaryStore()
    _ = try place.store.write(.example("g", inputs: [("f", "1")], outputs: [("p.yaml", "2")], at: 1))
    var train = RunRecord.example("s", inputs: [("p.yaml", "2")], outputs: [("o", "3")], at: 5)
    train.inputs[0].role = "params"
    _ = try place.store.write(train)
    #expect(try stages(LineageQuery.graph(of: [artifact("o", "3")], in: place.index, .init())) == ["s", "g"])
    var options = LineageQuery.Options()
    options.direction = .down
    #expect(try stages(LineageQuery.graph(of: [artifact("f", "1")], in: place.index, options)) == ["s", "g"])
  }

  @Test("--depth counts runs", arguments: [(0, 0), (1, 1), (2, 2), (9, 2)])
  func depth(_ depth: Int, _ count: Int) throws {
    let place = TemporaryStore()
    _ = try history(place)
    var options = LineageQuery.Options()
    options.depth = depth
    let graph = try LineageQuery.graph(of: [artifact("model.pkl", "4")], in: place.index, options)
    #expect(stages(graph).count == count)
  }

  @Test("equal bytes at another place are shown, and walked only when asked for")
  func sameBytes() throws {
    let place = TemporaryStore()
    _ = try place.store.write(.example("copy", inputs: [("far.csv", "0")], outputs: [("raw2.csv", "1")], at: 0))
    _ = try history(place)
    var options = LineageQuery.Options()
    let shown = try LineageQuery.graph(of: [artifact("raw.csv", "1")], in: place.index, options)
    #expect(shown.edges.contains(LineageEdge(artifact("raw2.csv", "1").id, artifact("raw.csv", "1").id, .sameBytes)))
    #expect(!stages(shown).contains("copy"))
    options.followsEqualBytes = true
    let walked = try LineageQuery.graph(of: [artifact("raw.csv", "1")], in: place.index, options)
    #expect(stages(walked) == ["copy"])
  }

  @Test("nobody is a relative for bytes that say nothing", arguments: [(63, false), (64, true)])
  func small(_ size: UInt64, _ isShown: Bool) throws {
    let place = TemporaryStore()
    _ = try place.store.write(.example("copy", outputs: [("other", "1")], size: size))
    var root = artifact("raw.csv", "1")
    root.size = size
    let graph = try LineageQuery.graph(of: [root], in: place.index, .init())
    #expect(paths(graph).contains("other") == isShown)
  }

  @Test("a restored output leads to the run that first made it")
  func restored() throws {
    let place = TemporaryStore()
    let made = try place.store.write(.example("features", inputs: [("raw.csv", "1")], outputs: [("f.csv", "2")], at: 1))
    var restored = RunRecord.example("features", inputs: [("raw.csv", "1")], outputs: [("f.csv", "2")], at: 5, result: .restored)
    restored.restoredFrom = made
    let second = try place.store.write(restored)
    let graph = try LineageQuery.graph(of: [artifact("f.csv", "2")], producer: second, in: place.index, .init())
    #expect(graph.nodes.keys.contains(.run(made)))
    #expect(graph.nodes.keys.contains(.run(second)))
    #expect(paths(graph).contains("raw.csv"))
  }

  @Test("a recorded producer whose record is gone is unknown, not forgotten")
  func missing() throws {
    let place = TemporaryStore()
    let gone = RunID(try #require(Digest32(hex: String(repeating: "ab", count: 32))))
    var train = RunRecord.example("train", inputs: [("clean.csv", "2")], outputs: [("model.pkl", "4")])
    train.inputs[0].producer = gone
    _ = try place.store.write(train)
    let graph = try LineageQuery.graph(of: [artifact("model.pkl", "4")], in: place.index, .init())
    #expect(graph.unknown.contains(.init(.run(gone), .missing)))
  }

  @Test("an artifact's id is the first half of a SHA-256 that anybody can compute")
  func id() {
    let artifact = LineageArtifact(repository: "r", path: "p", md5: "d41d8cd98f00b204e9800998ecf8427e", sha256: nil, size: 0)
    // printf 'r\0p\0d41d8cd98f00b204e9800998ecf8427e' | sha256sum | cut -c1-32
    #expect(artifact.id.description == "a:ae269e495b788f6bbf484ad55bbc606d")
  }

  @Test("the JSON has the promised keys")
  func json() throws {
    let place = TemporaryStore()
    _ = try history(place)
    let value = try LineageQuery.graph(of: [artifact("model.pkl", "4")], in: place.index, .init()).value
    #expect(value["schema"]?.string == "cairn.lineage/v1")
    #expect(value["root"]?.string == artifact("model.pkl", "4").id.description)
    let node = try #require(value["nodes"]?.list?.first)
    for key in ["id", "type", "path", "md5", "sha256", "size"] { #expect(node[key] != nil, "\(key)") }
    #expect(value["unknown"]?.list?.first?["what"]?.string == "origin")
  }
}
