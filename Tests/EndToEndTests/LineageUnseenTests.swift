// `cairn lineage` where records are not here, or are of before the repository had its present address: what cannot be
// seen is said.
import CairnTestSupport
import Foundation
import Testing

struct LineageUnseenTests {
  private func json(_ result: CommandResult) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result)")
  }

  private func unknown(_ result: CommandResult) throws -> [[String: Any]] {
    try #require(try json(result)["unknown"] as? [[String: Any]], "\(result)")
  }

  /// raw.csv → prepare → clean.csv → train → model.pkl, committed.
  private func project() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write("raw.csv", "1\n")
    try repository.write("code", "1\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        prepare: {cmd: cat raw.csv raw.csv > clean.csv, deps: [raw.csv], outs: [clean.csv]}
        train: {cmd: cat clean.csv code > model.pkl, deps: [clean.csv, code], outs: [model.pkl]}

      """)
    #expect(try repository.cairn("add", "-q", "raw.csv").status == 0)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit("run")
    return repository
  }

  private func forget(_ stage: String, in repository: TestRepository) throws {
    let list = try json(repository.cairn("runs", "--stage", stage, "--json"))
    for run in try #require(list["runs"] as? [[String: Any]]).compactMap({ $0["run"] as? String }) {
      try repository.shell("rm -f .cairn/runs/\(run.prefix(2))/\(run.dropFirst(2)).json")
    }
  }

  // MARK: Addresses

  @Test("a file of a folder has its story and its users also when the repository has got another address since")
  func address() throws {
    let repository = try TestRepository()
    for name in ["ok.csv", "other.csv"] { try repository.write("data/" + name, name + "\n") }
    try repository.write(
      "dvc.yaml", "stages: {s: {cmd: mkdir dout && cat data/* > dout/all.csv && cp data/ok.csv dout, deps: [data], outs: [dout]}}\n")
    #expect(try repository.cairn("add", "-q", "data").status == 0)
    try repository.commit("data")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit("run")
    func check(_ when: String) throws {
      let down = try repository.cairn("lineage", "data/ok.csv", "--down")
      #expect(down.status == 0 && down.output.contains(" dout "), "\(when): \(down)")
      let up = try repository.cairn("lineage", "dout/all.csv")
      #expect(up.status == 0 && up.output.contains(" data ") && !up.output.contains("there is no record"), "\(when): \(up)")
    }
    try check("without an address")
    try repository.git("remote", "add", "origin", "https://git.example.org/t/x.git")
    try check("with one")
    try repository.git("remote", "set-url", "origin", "https://git.example.org/t/y.git")
    try check("with another")
  }

  @Test("the MD5 of a file that only a folder's contents name is found")
  func hashInFolder() throws {
    let repository = try TestRepository()
    try repository.write("data/ok.csv", "ok\n")
    try repository.write("data/other.csv", "other\n")
    try repository.write("lone/f", "lone\n")
    try repository.write("dvc.yaml", "stages: {s: {cmd: cat data/* > o, deps: [data], outs: [o]}}\n")
    #expect(try repository.cairn("add", "-q", "data", "lone").status == 0)
    #expect(try repository.cairn("repro", "-q").status == 0)
    func md5(_ name: String) throws -> String { String(try repository.shell("md5sum \(name)").output.prefix(32)) }
    for word in [try md5("data/ok.csv"), "md5:" + (try md5("data/ok.csv")).uppercased()] {
      let result = try repository.cairn("lineage", word, "--down")
      #expect(result.output.hasPrefix("data/ok.csv") && result.output.contains(" o "), "\(result)")
    }
    let lone = try repository.cairn("lineage", try md5("lone/f"))
    #expect(lone.output.hasPrefix("lone/f"), "\(lone)")
    #expect(try repository.cairn("lineage", String(repeating: "0", count: 32)).status == 255)
  }

  // MARK: Two things

  @Test("two things of which the records are not here are not told to be made alike")
  func compared() throws {
    let repository = try project()
    #expect(try repository.cairn("lineage", "model.pkl", "clean.csv").status == 0)
    try repository.write("raw.csv", "2\n")
    #expect(try repository.cairn("add", "-q", "raw.csv").status == 0)
    #expect(try repository.cairn("repro", "-q").status == 0)
    let whole = try repository.cairn("lineage", "--rev", "HEAD", "model.pkl", "model.pkl", "--json")
    #expect(try whole.status == 0 && unknown(whole).isEmpty, "\(whole)")
    // One side's.
    let runs = try json(repository.cairn("runs", "--stage", "train", "--json"))["runs"] as? [[String: Any]]
    let newest = try #require(runs?.first?["run"] as? String)
    try repository.shell("rm -f .cairn/runs/\(newest.prefix(2))/\(newest.dropFirst(2)).json")
    let half = try repository.cairn("lineage", "--rev", "HEAD", "model.pkl", "model.pkl")
    #expect(half.status == 2 && half.output.contains("unknown of model.pkl: which run made model.pkl"), "\(half)")
    #expect(!half.output.contains("unknown of model.pkl in HEAD"), "\(half)")
    let sides = try unknown(repository.cairn("lineage", "--rev", "HEAD", "model.pkl", "model.pkl", "--json"))
    #expect(sides.map { $0["side"] as? String } == ["b"] && sides.first?["what"] as? String == "record", "\(sides)")
    // Both.
    try repository.shell("rm -rf .cairn/runs .cairn/lineage.sqlite*")
    let none = try repository.cairn("lineage", "--rev", "HEAD", "model.pkl", "model.pkl")
    #expect(none.status == 2 && !none.output.contains("nothing differs"), "\(none)")
    #expect(none.output.contains("unknown of model.pkl in HEAD: which run made model.pkl"), "\(none)")
    #expect(none.output.contains("unknown of model.pkl: which run made model.pkl"), "\(none)")
  }

  @Test("what is not a number is the same as itself")
  func notANumber() throws {
    let repository = try TestRepository()
    try repository.write("code", "1\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        s:
          cmd: 'echo "{\\"loss\\": NaN}" > m.json; cp code o'
          deps: [code]
          outs: [o]
          metrics: [{m.json: {cache: false}}]

      """)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit("first")
    try repository.write("code", "2\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    let record = try repository.cairn("runs", "show", "@last:s", "--json").output
    #expect(record.lowercased().contains("nan"), "\(record)")
    for result in [try repository.cairn("runs", "diff", "@last:s"), try repository.cairn("lineage", "--rev", "HEAD", "o", "o")] {
      #expect(result.status == 0 && result.output.contains("code") && !result.output.contains("loss"), "\(result)")
    }
  }

  // MARK: Down

  @Test("who has used it by dvc.lock alone is told, and what became of that, as without a record")
  func lockedReaders() throws {
    let repository = try project()
    #expect(try unknown(repository.cairn("lineage", "raw.csv", "--down", "--json")).isEmpty)
    try repository.shell("rm -rf .cairn/runs .cairn/lineage.sqlite*")
    for arguments in [["raw.csv", "--down"], ["raw.csv", "--down", "--any-version"]] {
      let result = try repository.run([try CairnBinary.path(), "lineage"] + arguments)
      #expect(result.status == 2, "\(result)")
      for made in ["clean.csv", "model.pkl"] {
        #expect(result.output.contains(try Regex("─ \(made) +without a record: dvc.lock has stage")), "\(result)")
        #expect(result.output.contains("unknown: which run made \(made)"), "\(result)")
      }
      let document = try repository.run([try CairnBinary.path(), "lineage"] + arguments + ["--json"])
      #expect(try unknown(document).map { $0["what"] as? String } == ["record", "record"], "\(document)")
    }
    // Another version is not what the lock says was read.
    try repository.write("raw.csv", "another\n")
    #expect(try !repository.cairn("lineage", "raw.csv", "--down").output.contains("clean.csv"))
    try repository.write("raw.csv", "1\n")
    // The lock of the last commit counts, too.
    try repository.remove("dvc.lock")
    #expect(try repository.cairn("lineage", "raw.csv", "--down").output.contains("model.pkl"))
    #expect(try repository.cairn("lineage", "code", "--down", "--any-version").output.contains("model.pkl"))
  }

  @Test("a record that is missing in the middle does not hide what is behind it")
  func missingInTheMiddle() throws {
    let repository = try project()
    try forget("train", in: repository)
    let result = try repository.cairn("lineage", "raw.csv", "--down")
    #expect(result.status == 0 && result.output.contains("unknown: which run made model.pkl"), "\(result)")
    let first = try #require(result.output.firstMatch(of: /\n *└─ clean.csv .*\n *└─ model.pkl +without a record/), "\(result)")
    #expect(!first.0.contains("prepare' read"))
    #expect(try unknown(repository.cairn("lineage", "clean.csv", "--down", "--json")).count == 1)
  }

  @Test("a stage that leaves nothing behind has read it, too")
  func noOutputs() throws {
    let repository = try TestRepository()
    try repository.write("raw.csv", "1\n")
    try repository.write("dvc.yaml", "stages: {check: {cmd: grep 1 raw.csv, deps: [raw.csv]}}\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.shell("rm -rf .cairn/runs .cairn/lineage.sqlite*")
    let result = try repository.cairn("lineage", "raw.csv", "--down")
    #expect(result.status == 2 && result.output.contains("unknown: which run read raw.csv"), "\(result)")
  }

  @Test("what has been taken from the cache, renamed or run again has its records")
  func recorded() throws {
    let repository = try project()
    try repository.write("raw.csv", "2\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.write("raw.csv", "1\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    #expect(try unknown(repository.cairn("lineage", "raw.csv", "--down", "--json")).isEmpty)
    try repository.shell("sed -i 's/train:/fit:/' dvc.yaml dvc.lock")
    let renamed = try repository.cairn("lineage", "raw.csv", "--down", "--json")
    #expect(try unknown(renamed).isEmpty, "\(renamed)")
  }

  // MARK: Models

  /// A registry with one version, told in `version.json`; an answer to a search is that version where its tags fit.
  private static let registry = """
    import http.server, json, os, re, urllib.parse
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            url = urllib.parse.urlparse(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            version = json.load(open("version.json"))
            if url.path.endswith("model-versions/get"): body = {"model_version": version}
            elif url.path.endswith("model-versions/search"):
                key, value = re.fullmatch("tags.`(.*)`='(.*)'", query["filter"]).groups()
                fits = {"key": key, "value": value} in version["tags"]
                body = {"model_versions": [version] if fits else []}
            else: body = {"registered_model": {"name": version["name"], "aliases": []}}
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())
        def log_message(self, *_): pass
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    open("port.tmp", "w").write(str(server.server_port))
    os.rename("port.tmp", "port.txt")
    server.serve_forever()
    """

  @Test("a version of a model is told whose tags name the data, or itself, where the record of its run is missing")
  func models() throws {
    let repository = try project()
    func md5(_ name: String) throws -> String { String(try repository.shell("md5sum \(name)").output.prefix(32)) }
    let runs = try json(repository.cairn("runs", "--stage", "train", "--json"))["runs"] as? [[String: Any]]
    let run = try #require(runs?.first?["run"] as? String)
    var tags = [
      "cairn.commit": try repository.shell("git rev-parse HEAD").output.trimmingCharacters(in: .whitespacesAndNewlines),
      "cairn.run": run, "cairn.path": "model.pkl", "cairn.md5": try md5("model.pkl"), "cairn.data.raw.csv": try md5("raw.csv"),
    ]
    func register() throws {
      let version: [String: Any] = [
        "name": "churn", "version": "1", "source": "s3://b/x", "run_id": "1",
        "tags": tags.map { ["key": $0.key, "value": $0.value] },
      ]
      try repository.write("version.json", Array(try JSONSerialization.data(withJSONObject: version)))
    }
    try register()
    let server = try repository.start(["python3", "-c", Self.registry])
    defer { server.signal(SIGKILL) }
    for _ in 0..<200 where !repository.exists("port.txt") { usleep(50_000) }
    let environment = ["MLFLOW_TRACKING_URI": "http://127.0.0.1:" + (repository.read("port.txt") ?? "0")]
    let whole = try repository.cairn("lineage", "models:/churn/1", environment: environment)
    #expect(whole.status == 0 && whole.output.contains("clean.csv"), "\(whole)")
    let known = try repository.cairn("lineage", "raw.csv", "--down", "--json", environment: environment)
    #expect(try unknown(known).isEmpty, "\(known)")
    try forget("train", in: repository)
    // In the middle, it is its bytes that tell.
    let middle = try repository.cairn("lineage", "clean.csv", "--down", environment: environment)
    #expect(middle.output.contains("models:/churn/1  "), "\(middle)")
    #expect(middle.output.contains("unknown: run \(run.prefix(12)): its record is missing: models:/churn/1 names it"), "\(middle)")
    let up = try repository.cairn("lineage", "models:/churn/1", environment: environment)
    #expect(up.status == 2 && up.output.contains("its record is missing"), "\(up)")
    // Without any record and lock, its tags.
    try repository.shell("rm -rf .cairn/runs .cairn/lineage.sqlite* dvc.lock && git rm -q --cached dvc.lock && git commit -qm lost")
    let down = try repository.cairn("lineage", "raw.csv", "--down", environment: environment)
    #expect(down.status == 2 && down.output.contains("models:/churn/1  ") && !down.output.contains("model.pkl"), "\(down)")
    #expect(down.output.contains("its record is missing: models:/churn/1 names it"), "\(down)")
    // Of another repository, whose data has the same bytes.
    tags["cairn.commit"] = String(repeating: "1", count: 40)
    try register()
    let other = try repository.cairn("lineage", "raw.csv", "--down", environment: environment)
    #expect(!other.output.contains("models:/churn/1"), "\(other)")
  }
}
