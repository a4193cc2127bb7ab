// The lineage page as text: whole, harmless, self-contained. How it looks and behaves in a browser is
// Tests/Conformance/page's.
import CairnCore
import CairnFormats
import CairnLineage
import Testing

@testable import CairnUI

@Suite struct LineagePageTests {
  private static let wicked = "a\"'<script>alert(1)</script>&\u{202E}\u{10FFFF}\u{1}.csv"

  private func record(_ stage: String) -> RunRecord {
    var execution = RunRecord.Execution(started: 1_780_308_000_000_000_000, cairn: "1.0", os: "Linux")
    execution.finished = execution.started + 90_000_000_000
    execution.exit = 0
    execution.env = ["TOKENIZERS_PARALLELISM": "false", "UNSET": nil]
    var record = RunRecord(
      stage: .init(address: stage, file: "dvc.yaml", wdir: ".", cmd: ["python train.py --name '</pre><b>'"]),
      invocation: "01JQ0000000000000000000000", actor: .init(name: "ann", host: "gpu1"),
      source: .init(commit: String(repeating: "4e", count: 20), branch: "main", repository: "https://ann:s3cret@git.example.org/r.git", dirty: true, changed: ["src/util.py": nil]),
      execution: execution, result: .succeeded)
    record.params = ["params.yaml": ["lr": 0.1]]
    record.metrics = ["metrics.json": .map(["auc": 0.93])]
    record.reasons = [.map(["kind": "parameter-changed", "path": "params.yaml", "key": "lr", "was": 1, "now": 0.1])]
    record.log = .init(sha256: Digest32(high: Digest16(high: 7, low: 7), low: Digest16(high: 7, low: 7)), size: 5, dropped: 0)
    return record
  }

  private func artifact(_ path: String, _ md5: String = "75686325fc1eeb7a446be9d181ccca5d") -> LineageArtifact {
    LineageArtifact(repository: "https://git.example.org/r.git", path: path, md5: md5, sha256: nil, size: 1234)
  }

  private func graph(_ record: RunRecord? = nil) throws -> LineageGraph {
    let run = LineageNodeID.run(try #require(RunID(hex: String(repeating: "7f", count: 32))))
    let (model, data) = (artifact("model.pkl"), artifact(Self.wicked))
    let url = LineageNodeID.external("https://ann:s3cret@data.example.org/x.csv?sig=s3cret")
    var graph = LineageGraph()
    graph.addRoot(model.id)
    graph.add(model.id, .artifact(model))
    graph.add(run, .run(record ?? self.record("train")))
    graph.add(data.id, .artifact(data))
    graph.add(.commit("4e1c"), .commit(repository: "https://ann:s3cret@git.example.org/r.git"))
    graph.add(url, .external)
    graph.connect(run, model.id, .generated)
    graph.connect(data.id, run, .used)
    graph.connect(url, data.id, .imported)
    graph.addUnknown(data.id, .origin)
    graph.addUnknown(.run(try #require(RunID(hex: String(repeating: "9", count: 64)))), .missing)
    return graph
  }

  private func page(_ graph: LineageGraph, of subject: String = "model.pkl") -> String {
    String(decoding: LineagePage(graph, of: subject, isDown: false, written: 0, version: "1.0").bytes, as: UTF8.self)
  }

  @Test("all that is recorded of a run is on the page")
  func whole() throws {
    let text = try page(graph())
    let parts = [
      "model.pkl", "75686325fc1eeb7a446be9d181ccca5d", String(repeating: "7f", count: 32), String(repeating: "4e", count: 20),
      "params.yaml:lr", "0.1", "auc", "0.93", "ann", "gpu1", "2026-06-01 10:00:00 UTC", "2026-06-01 10:01:30 UTC",
      "parameter-changed params.yaml lr 1 → 0.1", "src/util.py", "(deleted)", "with uncommitted changes",
      "TOKENIZERS_PARALLELISM", "not set", "00000000000000070000000000000007", "origin unknown", "record missing",
      String(repeating: "9", count: 64),
    ]
    for part in parts { #expect(text.contains(part), "\(part)") }
  }

  @Test("whatever a name is, it is text; no password is told")
  func harmless() throws {
    var record = record("train@<img src=x onerror=alert(1)>")
    record.error = .init(code: "x", message: "</dd></dl><script>alert(2)</script>")
    record.claims = ["</script>": "\u{2066}\"onload=\""]
    record.execution.env["</title>"] = "'--><svg/onload=alert(3)>"
    let text = try page(graph(record), of: Self.wicked)
    #expect(text.components(separatedBy: "<script").count == 2, "one script, ours")
    for part in ["<img", "<b>'", "<svg/", "s3cret", "\u{202E}", "\u{2066}", "\u{10FFFF}", "\u{1}"] {
      #expect(!text.contains(part), "\(part)")
    }
    #expect(text.contains("a&quot;&#39;&lt;script&gt;alert(1)&lt;/script&gt;&amp;\\u{202e}\\xff\\x01.csv"))
  }

  @Test("nothing is fetched: the policy allows two texts by their hashes, and no attribute leads outside")
  func closed() throws {
    let text = try page(graph())
    #expect(text.contains("content=\"default-src 'none'; style-src 'sha256-\(PageHash.base64(Array(LineagePage.style.utf8)))'"))
    #expect(text.contains("script-src 'sha256-\(PageHash.base64(Array(LineagePage.script.utf8)))'"))
    #expect(PageHash.base64([]) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    for part in ["src=", "<link", "@import", "url(http", "href=\"http", "style=\"", "fetch(", "XMLHttpRequest"] {
      #expect(!text.contains(part), "\(part)")
    }
  }

  @Test("every link on the page leads somewhere on it, and no id is there twice")
  func links() throws {
    let text = try page(graph())
    let ids = text.matches(of: /\ id="([^"]*)"/).map { String($0.output.1) }
    #expect(Set(ids).count == ids.count)
    let targets = Set(text.matches(of: /href="#([^"]*)"/).map { String($0.output.1) })
    #expect(targets.count > 4)
    #expect(targets.subtracting(ids) == [])
  }

  @Test("the same graph and moment give the same bytes")
  func repeatable() throws { #expect(try page(graph()) == page(graph())) }

  @Test("a long name loses its middle, by the width of its signs", arguments: [
    ("data/raw.csv", "data/raw.csv"), ("features/very/long/folder/name/part-0001.parquet", "features/v…art-0001.parquet"),
    ("数据数据数据数据数据数据数据数据数据.csv", "数据数据…据数据数据.csv"), ("WWWWWWWWWWWWWWWWWWWWWWWWWW", "WWWWW…WWWWWWWWW"),
  ])
  func shortened(name: String, short: String) { #expect(LineageDrawing.shortened(name, to: 24) == short) }
}
