// The events of runs: names, order, what is in them, and what never is. Others' schemas are held against the golden file
// by Tests/Conformance/exports.
import CairnCore
import CairnFormats
import CairnLineage
import CairnTestSupport
import Testing

@Suite struct OpenLineageTests {
  private let format = OpenLineage(ExportStory.project(), version: "1.0.0")

  private func sequence(_ records: [(RunID, RunRecord)], _ invocations: [String: InvocationRecord] = [:]) -> [String] {
    OpenLineageSequence(records.map { .init(id: $0.0, record: $0.1, declared: []) }, invocations: invocations, format)
      .events.map(\.words)
  }

  private func id(_ digit: Int) throws -> RunID { try #require(RunID(hex: String(repeating: "\(digit)", count: 64))) }

  @Test("a whole invocation is the golden file's")
  func golden() throws {
    let story = try ExportStory.write(TemporaryStore())
    let sequence = OpenLineageSequence(story.runs, invocations: story.invocations, format)
    #expect(sequence.runs == 4)
    #expect(sequence.events.map(\.words) == [
      "START of repro", "START of prepare", "FAIL of prepare", "START of prepare", "COMPLETE of prepare",
      "START of train", "COMPLETE of train", "START of evaluate", "COMPLETE of evaluate", "COMPLETE of repro",
    ])
    #expect(Golden.difference(String(decoding: sequence.bytes, as: UTF8.self), from: "Exports/openlineage.jsonl") == nil)
  }

  @Test("runs are named as at their start, the invocation is their parent, and a second try has a name of its own")
  func names() throws {
    var record = ExportStory.run("train", from: 0, to: 1, [], [])
    func name(_ record: RunRecord) -> String? { format.start(record, declared: [])["run"]?["runId"]?.string }
    #expect(name(record) == "cbab7eab-d213-5382-a9d9-4ff321fa03c2")
    let parent = format.start(record, declared: [])["run"]?["facets"]?["parent"]
    #expect(parent?["run"]?["runId"]?.string == "72c794ff-1c05-574e-93ac-e52c90d0c99f")
    #expect(format.start(invocation: ExportStory.invocation, at: 0, cairn: "1")["run"]?["runId"] == parent?["run"]?["runId"])
    #expect(parent?["root"]?["job"]?["name"] == "repro")
    record.execution.attempt = 2
    #expect(name(record) != "cbab7eab-d213-5382-a9d9-4ff321fa03c2")
  }

  @Test(
    "what a result is to OpenLineage",
    arguments: [
      (RunResult.succeeded, "COMPLETE"), (.failed, "FAIL"), (.inputChanged, "FAIL"), (.aborted, "ABORT"), (.lost, "ABORT"),
      (.restored, nil), (.accepted, nil),
    ] as [(RunResult, String?)])
  func results(result: RunResult, type: String?) throws {
    let record = ExportStory.run("a", from: 0, to: 1, [], [], result: result)
    let end = format.end(record, run: try id(1), declared: [])
    #expect(end?["eventType"]?.string == type)
    #expect(sequence([(try id(1), record)]).count == (type == nil ? 0 : 3))
    let hasMessage = end?["run"]?["facets"]?["errorMessage"]?["message"]?.string?.isEmpty == false
    #expect(hasMessage == (type != nil && type != "COMPLETE"))
  }

  @Test("inputs and outputs are in every event; those of a failure and a start are names without a version")
  func everyEvent() throws {
    let input = ExportStory.input("x", "75686325fc1eeb7a446be9d181ccca5d", size: 1)
    let output = ExportStory.output("y", "178ba85707470c41cf680fb37ff99f7f", size: 1)
    func outputs(_ event: Value?) -> [(String?, Bool)] {
      (event?["outputs"]?.list ?? []).map { ($0["name"]?.string, $0["facets"]?["version"] != nil) }
    }
    let failed = ExportStory.run("a", from: 0, to: 1, [input], [], result: .failed)
    let changed = ExportStory.run("a", from: 0, to: 1, [input], [output], result: .inputChanged)
    let good = ExportStory.run("a", from: 0, to: 1, [input], [output])
    for (record, isKnown) in [(failed, false), (changed, false), (good, true)] {
      let start = format.start(record, declared: ["y"])
      let end = format.end(record, run: try id(1), declared: ["y"])
      #expect(outputs(start).map(\.0) == ["y"] && outputs(start).map(\.1) == [false])
      #expect(outputs(end).map(\.0) == ["y"] && outputs(end).map(\.1) == [isKnown])
      for event in [start, try #require(end)] { #expect(event["inputs"]?.list?.first?["name"] == "x") }
    }
  }

  @Test("a producer's end comes before its consumer's start, also where clocks disagree or nothing takes time")
  func order() throws {
    let (a, b) = (try id(1), try id(2))
    let made = ExportStory.run("make", from: 1000, to: 2000, [], [])
    for start in [2000, 500] as [Int64] {
      let used = ExportStory.run("use", from: start, to: start, [ExportStory.input("x", "1", size: 1, from: a)], [])
      let words = sequence([(b, used), (a, made)].sorted { $0.1.execution.started < $1.1.execution.started })
      #expect(words == ["START of repro", "START of make", "COMPLETE of make", "START of use", "COMPLETE of use"], "\(start)")
    }
    let end = InvocationRecord(
      invocation: ExportStory.invocation, actor: made.actor, started: ExportStory.time(1000), finished: ExportStory.time(1500),
      arguments: [], commit: nil, stages: [], store: "", previous: [], exit: 130)
    #expect(sequence([(a, made)], [end.invocation: end]) == ["START of repro", "START of make", "COMPLETE of make", "ABORT of repro"])
  }

  @Test("a chain of many runs is told in its order")
  func longChain() throws {
    var runs: [(RunID, RunRecord)] = []
    var last: RunID?
    for number in 0..<800 {
      let id = RunID(Digest32(high: Digest16(high: 1, low: 0), low: Digest16(high: 0, low: UInt64(number))))
      // Each machine's clock is behind the one before.
      let inputs = last.map { [ExportStory.input("x", "1", size: 1, from: $0)] } ?? []
      runs.append((id, ExportStory.run("s\(number)", from: -Int64(number), to: -Int64(number), inputs, [])))
      last = id
    }
    let words = sequence(Array(runs.reversed()))
    let starts = words.filter { $0.hasPrefix("START of s") }
    let isInOrder = starts == (0..<800).map { "START of s\($0)" }
    #expect(isInOrder, "\(starts.prefix(10))")
  }

  @Test(
    "a repository is named alike by whatever protocol, and nobody's password is told",
    arguments: [
      ("https://git.example.org/team/demo.git", "https://git.example.org/team/demo", "https://git.example.org/team/demo.git"),
      ("https://ann:s3cret@git.example.org/team/demo.git", "https://git.example.org/team/demo", "https://git.example.org/team/demo.git"),
      ("https://git.example.org/team/demo/?private_token=s3cret", "https://git.example.org/team/demo", "https://git.example.org/team/demo/"),
      ("git@git.example.org:team/demo.git", "https://git.example.org/team/demo", "git@git.example.org:team/demo.git"),
      ("ssh://git:s3cret@git.example.org:2222/team/demo.git", "https://git.example.org/team/demo", "ssh://git@git.example.org:2222/team/demo.git"),
      ("http://127.0.0.1:3000/a b.git", "http://127.0.0.1:3000/a=20b", "http://127.0.0.1:3000/a b.git"),
      ("https://git.example.org/d%C3%B6ner", "https://git.example.org/d=C3=B6ner", "https://git.example.org/d%C3%B6ner"),
      (ExportStory.commit, "git:" + ExportStory.commit, nil),
    ] as [(String, String, String?)])
  func repositories(recorded: String, namespace: String, url: String?) throws {
    let record = ExportStory.run(
      "a", from: 0, to: 1, [ExportStory.input("x", "1", size: 1)], [], repository: recorded)
    let event = format.start(record, declared: [])
    #expect(event["inputs"]?.list?.first?["namespace"]?.string == namespace)
    let location = event["job"]?["facets"]?["sourceCodeLocation"]
    #expect(location?["repoUrl"]?.string == url)
    #expect(location?["url"]?.string?.hasPrefix(url == nil ? "git:" : "http") == true)
    #expect(!ExportJSON.line(event).contains("s3cret"))
  }

  @Test(
    "where files outside of the project are",
    arguments: [
      ("data/x.csv", "https://git.example.org/team/demo", "sub/data/x.csv"),
      ("../shared.txt", "https://git.example.org/team/demo", "shared.txt"),
      ("s3://bucket/a/b.csv", "s3://bucket", "a/b.csv"),
      ("https://u:s3cret@host/a.csv?sig=s3cret", "https://host", "a.csv"),
      ("/mnt/data/x", "file://gpu1", "/mnt/data/x"),
      ("../../above", "file://gpu1", "../../above"),
      ("ds://train", "https://git.example.org/team/demo", "ds://train"),
      ("data/\u{10FFFF}x", "https://git.example.org/team/demo", "sub/data/\\xffx"),
    ])
  func places(path: String, namespace: String, name: String) throws {
    let project = ExportProject(repository: ExportStory.repository, root: "/w", folder: "sub", remote: nil)
    let record = ExportStory.run("a", from: 0, to: 1, [ExportStory.input(path, "1", size: 1)], [])
    let event = OpenLineage(project).start(record, declared: [])
    #expect(event["inputs"]?.list?.first?["namespace"]?.string == namespace)
    #expect(event["inputs"]?.list?.first?["name"]?.string == name)
    #expect(event["job"]?["namespace"] == "cairn/demo/sub")
    #expect(event["job"]?["facets"]?["sourceCodeLocation"]?["path"] == "sub/dvc.yaml")
  }
}
