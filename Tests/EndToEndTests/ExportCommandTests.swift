// `cairn runs export` and `cairn lineage --format` and `--html`: what is written where, what is sent, and how each ends.
import CairnTestSupport
import Foundation
import Testing

struct ExportCommandTests {
  private func project() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.git("remote", "add", "origin", "https://ann:s3cret@git.example.org/team/demo.git")
    try repository.write("raw.csv", "1\n")
    try repository.write("params.yaml", "lr: 0.1\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        prepare: {cmd: cp raw.csv clean.csv, deps: [raw.csv], outs: [clean.csv]}
        train: {cmd: cat clean.csv > model.pkl, deps: [clean.csv], params: [lr], outs: [model.pkl]}
        evaluate:
          cmd: 'test -s model.pkl && echo "{\\"auc\\": 0.9}" > metrics.json'
          deps: [model.pkl]
          metrics: [metrics.json]

      """)
    try repository.commit()
    #expect(try repository.cairn("repro", "-q").status == 0)
    return repository
  }

  private func json(_ text: some StringProtocol) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private func events(_ text: String) throws -> [String] {
    try text.split(separator: "\n").map { line in
      let event = try json(line)
      return "\(event["eventType"] ?? "") \((event["job"] as? [String: Any])?["name"] ?? "")"
    }
  }

  private static let all = [
    "START repro", "START prepare", "COMPLETE prepare", "START train", "COMPLETE train", "START evaluate",
    "COMPLETE evaluate", "COMPLETE repro",
  ]

  @Test("openlineage: all runs, chosen runs, the runs behind a file; what came from the cache is none")
  func openLineage() throws {
    let repository = try project()
    let result = try repository.cairn("runs", "export", "--format", "openlineage")
    #expect(try result.status == 0 && events(result.output) == Self.all, "\(result)")
    #expect(!result.output.contains("s3cret") && result.output.contains("https://git.example.org/team/demo/blob/"))
    let one = try repository.cairn("runs", "export", "--format", "openlineage", "@last:train", "-o", "events.jsonl")
    #expect(one.status == 0 && one.output == "")
    #expect(try events(repository.read("events.jsonl") ?? "") == ["START repro", "START train", "COMPLETE train", "COMPLETE repro"])
    let behind = try repository.cairn("lineage", "clean.csv", "--format", "openlineage")
    #expect(try events(behind.output) == ["START repro", "START prepare", "COMPLETE prepare", "COMPLETE repro"])
    try repository.remove("model.pkl")
    #expect(try repository.cairn("repro", "-q").status == 0)
    #expect(try events(repository.cairn("runs", "export", "--format", "openlineage").output) == Self.all)
  }

  @Test("cyclonedx: of a run's model and of a file, alike; of what nobody made there is none")
  func cycloneDX() throws {
    let repository = try project()
    let ofRun = try repository.cairn("runs", "export", "--format", "cyclonedx", "@last:train", "-o", "model.cdx.json")
    #expect(ofRun.status == 0, "\(ofRun)")
    let ofFile = try repository.cairn("lineage", "model.pkl", "--format", "cyclonedx")
    #expect(ofFile.status == 0 && ofFile.output == repository.read("model.cdx.json"), "\(ofFile)")
    let component = try (json(ofFile.output)["metadata"] as? [String: Any])?["component"] as? [String: Any]
    #expect(component?["name"] as? String == "model.pkl" && component?["type"] as? String == "machine-learning-model")
    #expect(ofFile.output.contains("\"value\": \"0.9\"") && !ofFile.output.contains("s3cret"))
    let raw = try repository.cairn("lineage", "raw.csv", "--format", "cyclonedx")
    #expect(raw.status == 2 && raw.output == "")
    #expect(raw.errors.contains("ERROR: no run is known that made 'raw.csv', so there is no bill of materials for it"))
    let metrics = try repository.cairn("runs", "export", "--format", "cyclonedx", "@last:evaluate")
    #expect(metrics.status == 2)
    #expect(metrics.errors.contains("ERROR: the run of 'evaluate' has no output that could be a model"), "\(metrics)")
  }

  @Test("a wrong command line ends with 254")
  func wrong() throws {
    let repository = try project()
    for words in [
      ["runs", "export"], ["runs", "export", "--format", "xml"], ["runs", "export", "--format", "cyclonedx"],
      ["runs", "export", "--format", "cyclonedx", "--to", "http://localhost", "@last:train"],
      ["runs", "export", "--format", "openlineage", "--skip", "1"],
      ["lineage", "model.pkl", "--format", "cyclonedx", "--down"], ["lineage", "model.pkl", "--format", "openlineage", "--json"],
      ["lineage", "model.pkl", "clean.csv", "--html", "x.html"],
    ] {
      let result = try repository.run([try CairnBinary.path()] + words)
      #expect(result.status == 254, "\(words): \(result)")
    }
  }

  @Test("a report replaces no file of the project's")
  func places() throws {
    let repository = try project()
    for name in ["dvc.lock", "raw.csv", ".git/x", ".cairn/x"] {
      let result = try repository.cairn("lineage", "model.pkl", "--html", name)
      #expect(result.status == 255 && result.errors.contains("ERROR: cannot write the report '\(name)'"), "\(name): \(result)")
    }
    #expect(repository.read("raw.csv") == "1\n")
  }

  @Test("the page is written whole, to a file or to standard output")
  func page() throws {
    let repository = try project()
    let result = try repository.cairn("lineage", "model.pkl", "--html", "model.html")
    #expect(result.status == 0 && result.output == "", "\(result)")
    let text = try #require(repository.read("model.html"))
    #expect(text.hasPrefix("<!DOCTYPE html>") && text.hasSuffix("</html>\n"))
    for part in ["prepare", "train", "params.yaml:lr", "clean.csv"] { #expect(text.contains(part), "\(part)") }
    #expect(!text.contains("s3cret") && !text.contains("evaluate"))
    let down = try repository.cairn("lineage", "--down", "clean.csv", "--html", "-")
    #expect(down.status == 0 && down.output.contains("evaluate") && down.output.contains(" touched</h1>"))
  }

  // MARK: Sending

  /// Answers 201 but for the requests that `answers` names, and writes down what it was sent.
  private static let collector = """
    import http.server, json, sys
    answers = {int(k): int(v) for k, v in (pair.split("=") for pair in sys.argv[1:])}
    seen = 0
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            global seen
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen += 1
            status = answers.get(seen, 201)
            event = json.loads(body)
            with open("seen.txt", "a") as f:
                print(status, self.path, self.headers.get("Authorization"), self.headers["Content-Type"],
                      event["eventType"], event["job"]["name"], file=f)
            self.send_response(status)
            if status == 301: self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            if status >= 400: self.wfile.write(b"no: " + (self.headers.get("Authorization") or "").encode())
        def log_message(self, *_): pass
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    open("port.tmp", "w").write(str(server.server_port))
    import os; os.rename("port.tmp", "port.txt")
    server.serve_forever()
    """

  private func collecting(
    _ repository: TestRepository, _ answers: [String] = [], _ body: (String) throws -> Void
  ) throws {
    for name in ["port.txt", "seen.txt"] where repository.exists(name) { try repository.remove(name) }
    let server = try repository.start(["python3", "-c", Self.collector] + answers)
    defer { server.signal(SIGKILL) }
    for _ in 0..<200 where !repository.exists("port.txt") { usleep(50_000) }
    try body("http://127.0.0.1:" + (repository.read("port.txt") ?? "0"))
  }

  private func seen(_ repository: TestRepository) -> [String] {
    (repository.read("seen.txt") ?? "").split(separator: "\n").map(String.init)
  }

  @Test("events are sent one a request, in their order, with the key; a fault that passes is tried again")
  func sending() throws {
    let repository = try project()
    try collecting(repository, ["2=503"]) { url in
      let result = try repository.cairn(
        "runs", "export", "--format", "openlineage", "--to", url, environment: ["OPENLINEAGE_API_KEY": "k3y"])
      #expect(result.status == 0, "\(result)")
      #expect(result.output == "sent 8 events of 3 runs to \(url)/api/v1/lineage\n")
      let lines = seen(repository)
      #expect(lines.filter { $0.hasPrefix("201 ") }.map { $0.split(separator: " ").suffix(2).joined(separator: " ") } == Self.all)
      #expect(lines.count == 9 && lines.allSatisfy { $0.contains(" /api/v1/lineage Bearer k3y application/json ") }, "\(lines)")
    }
  }

  @Test("what stops in the middle says where, and how to go on", arguments: [400, 401, 301, 429])
  func stopping(status: Int) throws {
    let repository = try project()
    try collecting(repository, ["4=\(status)"]) { url in
      let stopped = try repository.cairn(
        "runs", "export", "--format", "openlineage", "--to", url + "/", environment: ["OPENLINEAGE_API_KEY": "k3y"])
      #expect(stopped.status == 255 && seen(repository).count == 4, "\(stopped)")
      #expect(stopped.errors.contains("ERROR: 3 of 8 events are sent, and the next, START of train, is not: '127.0.0.1:"))
      #expect(stopped.errors.contains("answered \(status) to an OpenLineage event"))
      #expect(stopped.errors.contains("go on with `cairn runs export --format openlineage --to URL --skip 3`"), "\(stopped)")
      #expect(!stopped.errors.contains("k3y"))
      let on = try repository.cairn(
        "runs", "export", "--format", "openlineage", "--to", url, "--skip", "3", "--json",
        environment: ["OPENLINEAGE_ENDPOINT": "/other"])
      #expect(try on.status == 0 && json(on.output)["sent"] as? Int == 5, "\(on)")
      #expect(seen(repository).suffix(5).allSatisfy { $0.contains(" /other None ") })
    }
  }

  @Test("an address that is none, and one with a password in it, are refused without telling it")
  func addresses() throws {
    let repository = try project()
    for url in ["ftp://x", "http://ann:s3cret@x", "lineage.example.org"] {
      let result = try repository.cairn("runs", "export", "--format", "openlineage", "--to", url)
      #expect(result.status == 255 && result.errors.contains("is no http or https address without a user in it"), "\(result)")
      #expect(!result.errors.contains("s3cret"))
    }
    let nobody = try repository.cairn(
      "runs", "export", "--format", "openlineage", "--to", "http://127.0.0.1:1/", "--skip", "7")
    #expect(nobody.status == 255 && nobody.errors.contains("cannot connect to '127.0.0.1:1', 6 times"), "\(nobody)")
  }
}
