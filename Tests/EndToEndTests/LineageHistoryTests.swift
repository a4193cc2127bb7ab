// `cairn lineage` over history: every version of a path, results that were used again, other repositories, and what
// cannot be seen.
import CairnTestSupport
import Foundation
import Testing

struct LineageHistoryTests {
  private func json(_ result: CommandResult) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result)")
  }

  private func list(_ document: [String: Any], _ key: String) throws -> [[String: Any]] {
    try #require(document[key] as? [[String: Any]])
  }

  /// raw → clean → model, run three times with other data, each committed.
  private func project() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        clean: {cmd: sed s/row/line/ raw.csv > clean.csv, deps: [raw.csv], outs: [clean.csv]}
        train:
          cmd: cat clean.csv lr.txt > model && echo "{\\"auc\\":$(cat lr.txt)}" > m.json
          deps: [clean.csv, lr.txt]
          outs: [model]
          metrics: [{m.json: {cache: false}}]

      """)
    try repository.write("lr.txt", "0.1\n")
    for version in 1...3 {
      try repository.write("raw.csv", String(repeating: "row \(version)\n", count: 20))
      try repository.cairn("add", "-q", "raw.csv")
      #expect(try repository.cairn("repro").status == 0)
      try repository.commit("version \(version)")
    }
    return repository
  }

  @Test("--any-version --down tells every run that read any version of a path, each with its version")
  func anyVersion() throws {
    let repository = try project()
    let exact = try json(repository.cairn("lineage", "--down", "raw.csv", "--json"))
    #expect(try list(exact, "nodes").count { $0["type"] as? String == "run" } == 2)
    let all = try json(repository.cairn("lineage", "--down", "--any-version", "raw.csv", "--json"))
    #expect((all["roots"] as? [String])?.count == 3)
    #expect(try list(all, "nodes").count { $0["type"] as? String == "run" } == 6)
    let edges = try list(all, "edges")
    for root in try #require(all["roots"] as? [String]) {
      let used = try #require(edges.first { $0["from"] as? String == root && $0["type"] as? String == "used" })
      #expect((used["commit"] as? String)?.count == 40 || used["commit"] is NSNull)
      #expect(used["author"] is String && (used["date"] as? String)?.hasSuffix("Z") == true)
    }
    let text = try repository.cairn("lineage", "--down", "--any-version", "raw.csv").output
    #expect(text.split(separator: "\n").count { $0.hasPrefix("raw.csv") } == 3, "\(text)")
    for version in 1...3 { #expect(text.contains("\"version \(version)\""), "\(text)") }
    // Of what was made, the run that made it says which version it is.
    let made = try repository.cairn("lineage", "--down", "--any-version", "clean.csv").output
    #expect(made.split(separator: "\n").count { $0.hasPrefix("clean.csv") && $0.contains(" · clean · ") } == 3, "\(made)")
    // The other way: whatever made any version.
    let up = try json(repository.cairn("lineage", "--any-version", "model", "--json"))
    #expect((up["roots"] as? [String])?.count == 3)
    #expect(try repository.cairn("lineage", "--any-version", "--down", "nothing").status == 255)
    #expect(try repository.cairn("lineage", "--any-version", "--rev", "HEAD", "model").status == 254)
  }

  @Test("commits tell who made them, when and what for")
  func commits() throws {
    let repository = try project()
    let graph = try json(repository.cairn("lineage", "model", "--json"))
    let commits = try list(graph, "nodes").filter { $0["type"] as? String == "commit" }
    #expect(!commits.isEmpty && commits.allSatisfy { $0["subject"] as? String == "version 2" }, "\(commits)")
    #expect(commits.allSatisfy { $0["author"] is String && $0["date"] is String })
  }

  @Test("a result that a later run left as it was is told as used again")
  func reused() throws {
    let repository = try project()
    // Runs `train` alone: what `clean` made is fresh.
    try repository.write("lr.txt", "0.2\n")
    #expect(try repository.cairn("repro").status == 0)
    let graph = try json(repository.cairn("lineage", "model", "--json"))
    let runs = try list(graph, "nodes").filter { $0["type"] as? String == "run" }
    let clean = try #require(runs.first { $0["stage"] as? String == "clean" })
    let reuse = try #require((clean["reused"] as? [[String: Any]])?.first)
    #expect(reuse["state"] as? String == "fresh" && reuse["times"] as? Int == 1 && reuse["author"] is String)
    #expect((runs.first { $0["stage"] as? String == "train" }?["reused"] as? [Any])?.isEmpty == true)
    #expect(try repository.cairn("lineage", "clean.csv").output.contains("fresh 1 time since"))
    // It is read from the records alone.
    try repository.remove(".cairn/lineage.sqlite")
    #expect(try repository.cairn("lineage", "clean.csv").output.contains("fresh 1 time since"))
  }

  @Test("what was imported from a repository at hand goes on with the story there; nothing is written there")
  func imported() throws {
    let source = try project()
    let revision = try source.git("rev-parse", "HEAD").trimmingCharacters(in: .newlines)
    let md5 = try source.shell("md5sum model").output.prefix(32)
    let repository = try TestRepository()
    try repository.writeImport(of: "model", from: source, at: revision, to: "theirs", fields: ["md5: \(md5)", "hash: md5"])
    try repository.shell("cp \(source.path("model")) theirs")
    try repository.write("dvc.yaml", "stages:\n  use: {cmd: cat theirs > used, deps: [theirs], outs: [used]}\n")
    #expect(try repository.cairn("repro").status == 0)
    let before = try source.shell("find . -path ./.git -prune -o -print | sort").output
    let graph = try json(repository.cairn("lineage", "used", "--json"))
    #expect(try source.shell("find . -path ./.git -prune -o -print | sort").output == before)
    let stages = try list(graph, "nodes").compactMap { $0["stage"] as? String }
    #expect(Set(stages) == ["use", "train", "clean"], "\(graph)")
    #expect(try list(graph, "edges").contains { $0["type"] as? String == "imported" && ($0["from"] as? String)?.hasPrefix("a:") == true })
    #expect(try list(graph, "unknown").allSatisfy { $0["what"] as? String != "repository" })
    #expect(try repository.cairn("lineage", "used").output.contains("clean.csv"))

    // Without its records, and gone.
    try source.remove(".cairn")
    func why() throws -> String {
      let unknown = try list(json(repository.cairn("lineage", "@last", "--json")), "unknown")
      return try #require(unknown.first { $0["what"] as? String == "repository" }?["why"] as? String, "\(unknown)")
    }
    #expect(try why() == "'\(source.root)' has no records")
    let dvcFile = try #require(repository.read("theirs.dvc"))
    try repository.write("theirs.dvc", dvcFile.replacingOccurrences(of: source.root, with: "https://git.example.org/gone.git"))
    #expect(try repository.cairn("repro", "--force").status == 0)
    #expect(try why() == "'https://git.example.org/gone.git' is not on this machine")
    #expect(try repository.cairn("lineage", "@last").output.contains("unknown: what made theirs where it was imported from: "))
  }

  @Test("a record that a later version wrote, and one that is gone, are unknown and named")
  func unreadable() throws {
    let repository = try project()
    let runs = try list(json(repository.cairn("runs", "--json", "--stage", "clean", "-n", "1")), "runs")
    let name = try #require(runs.first?["run"] as? String)
    let path = ".cairn/runs/\(name.prefix(2))/\(name.dropFirst(2)).json"
    let bytes = try #require(repository.read(path))
    let train = try #require(try list(json(repository.cairn("runs", "--json", "--stage", "train", "-n", "1")), "runs").first?["run"] as? String)
    let trainPath = ".cairn/runs/\(train.prefix(2))/\(train.dropFirst(2)).json"
    let trained = try #require(repository.read(trainPath))
    /// Writes a document under its own hash, and gives that.
    func put(_ text: String) throws -> String {
      try repository.write("document", text)
      let name = try String(repository.shell("sha256sum document").output.prefix(64))
      try repository.write(".cairn/runs/\(name.prefix(2))/\(name.dropFirst(2)).json", text)
      return name
    }
    let later = try put(bytes.replacingOccurrences(of: "\"result\":\"succeeded\"", with: "\"result\":\"imagined\""))
    let consumer = try put(trained.replacingOccurrences(of: name, with: later))
    func unknown() throws -> [String] {
      try list(json(repository.cairn("lineage", "run:\(consumer)", "--json")), "unknown").compactMap { $0["what"] as? String }
    }
    #expect(try unknown() == ["unreadable"])
    #expect(try repository.cairn("lineage", "run:\(consumer)").output.contains("is of a version that this Cairn cannot read"))
    try repository.remove(".cairn/runs/\(later.prefix(2))/\(later.dropFirst(2)).json")
    #expect(try unknown() == ["missing"])
  }

  @Test("two ancestries differ in data, code, environment and metrics, files or runs alike")
  func compare() throws {
    let repository = try project()
    try repository.write("lr.txt", "0.5\n")
    #expect(try repository.cairn("repro").status == 0)
    let models = try list(json(repository.cairn("runs", "--json", "--stage", "train")), "runs").compactMap { $0["run"] as? String }
    #expect(models.count == 4)
    for pair in [[models[1], models[0]], ["run:" + models[1], "run:" + models[0]]] {
      let diff = try json(repository.cairn("lineage", pair[0], pair[1], "--json"))
      let sources = try list(diff, "sources").compactMap { $0["name"] as? String }
      #expect(sources == ["lr.txt"], "\(diff)")
      let metrics = try #require(try list(diff, "metrics").first)
      #expect(metrics["name"] as? String == "m.json:auc" && metrics["was"] as? Double == 0.1 && metrics["now"] as? Double == 0.5)
      #expect(try list(diff, "code").contains { ($0["name"] as? String)?.hasPrefix("train: ") == true }, "\(diff)")
      #expect(try list(diff, "environment").isEmpty)
    }
    #expect(try list(json(repository.cairn("lineage", models[3], models[1], "--json")), "sources").compactMap { $0["name"] as? String } == ["raw.csv"])
    // An environment that nobody saw is not said to be another one.
    try repository.remove(".cairn")
    #expect(try repository.cairn("runs", "import").status == 0)
    try repository.write("lr.txt", "0.7\n")
    #expect(try repository.cairn("repro").status == 0)
    let diff = try repository.cairn("lineage", "model", "path:model", "--rev", "HEAD", "--json")
    let environment = try list(json(diff), "environment")
    #expect(environment.count == 1 && environment.first?["name"] as? String == "train: environment", "\(diff)")
    #expect(environment.first?["was"] as? String == "unknown" && environment.first?["now"] as? String == "known")
  }

  @Test("a version that one run has by both hashes, and a reconstructed one by its MD5, is one thing")
  func oneThing() throws {
    let repository = try project()
    // The first versions are known from git alone, the newest from its run.
    try repository.remove(".cairn")
    try repository.git("remote", "add", "origin", "https://git.example.org/team/x.git")
    try repository.git("checkout", "--quiet", "HEAD~1")
    try repository.cairn("checkout")
    try repository.write("lr.txt", "0.9\n")
    #expect(try repository.cairn("repro").status == 0)
    #expect(try repository.cairn("runs", "import").status == 0)
    let graph = try json(repository.cairn("lineage", "--down", "--any-version", "clean.csv", "--json"))
    let artifacts = try list(graph, "nodes").filter { $0["type"] as? String == "artifact" && $0["path"] as? String == "clean.csv" }
    #expect(artifacts.count == 2, "\(artifacts)")
    #expect(artifacts.allSatisfy { $0["repository"] as? String == "https://git.example.org/team/x.git" }, "\(artifacts)")
    #expect(try list(graph, "edges").count { $0["type"] as? String == "same-bytes" } == 0)
  }
}
