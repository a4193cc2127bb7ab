// `cairn runs import`: what records git's history of the locks gives, and what is said of them.
import CairnTestSupport
import Foundation
import Testing

struct RunsImportTests {
  private func json(_ result: CommandResult) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result)")
  }

  /// Oldest first.
  private func records(_ repository: TestRepository, in folder: String = ".") throws -> [[String: Any]] {
    let runs = try #require(try json(repository.cairn("runs", "--json", in: folder))["runs"] as? [[String: Any]])
    return try runs.reversed().map { run in
      try json(repository.cairn("runs", "show", #require(run["run"] as? String), "--json", in: folder))
    }
  }

  private func names(_ folder: String) throws -> [String] {
    let found = try Command.run(["/bin/sh", "-c", "cd \(folder)/.cairn/runs && find . -name '*.json' | sort"], in: "/")
    return found.output.split(separator: "\n").map(String.init)
  }

  private static let pipeline = """
    stages:
      prepare:
        cmd: cat raw.csv > clean.csv
        deps: [raw.csv]
        outs: [clean.csv]
      train:
        cmd: python train.py
        deps: [clean.csv, train.py]
        params: [lr]
        outs: [model.pkl]
        metrics: [{metrics.json: {cache: false}}]

    """

  @Test("a store that was deleted has no records: history gives them again")
  func deletedStore() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages:\n  s: {cmd: echo 1 > o, outs: [o]}\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit()
    let known = try repository.cairn("runs", "import")
    #expect(known.output.contains("1 with a record of their own"), "\(known)")
    try repository.remove(".cairn/runs")
    let result = try repository.cairn("runs", "import", "--json")
    #expect(result.status == 0, "\(result)")
    #expect(try records(repository).count == 1)
    #expect(try repository.cairn("lineage", "o").output.contains("reconstructed"))
  }

  /// `[path: md5]` of what each stage read and made.
  private static func lock(raw: String, clean: String, lr: String, model: String, metrics: String) -> String {
    """
    schema: '2.0'
    stages:
      prepare:
        cmd: cat raw.csv > clean.csv
        deps:
        - path: raw.csv
          hash: md5
          md5: \(raw)
          size: 6
        outs:
        - path: clean.csv
          hash: md5
          md5: \(clean)
          size: 6
      train:
        cmd: python train.py
        deps:
        - path: clean.csv
          hash: md5
          md5: \(clean)
          size: 6
        - path: train.py
          hash: md5
          md5: 68b329da9893e34099c7d8ad5cb9c940
          size: 1
        params:
          params.yaml:
            lr: \(lr)
        outs:
        - path: metrics.json
          hash: md5
          md5: \(metrics)
          size: 13
        - path: model.pkl
          hash: md5
          md5: \(model)
          size: 100

    """
  }

  private static func hash(_ digit: Character) -> String { String(repeating: digit, count: 32) }

  /// Two commits with a lock: raw data as a `.dvc` file, a script in git, a parameter that changes.
  private func project() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", Self.pipeline)
    try repository.write("train.py", "\n")
    try repository.write("params.yaml", "lr: 0.1\n")
    try repository.write(".gitignore", "/raw.csv\n/clean.csv\n/model.pkl\n")
    try repository.write("raw.csv.dvc", "outs:\n- md5: \(Self.hash("1"))\n  size: 6\n  hash: md5\n  path: raw.csv\n")
    try repository.write("metrics.json", "{\"auc\": 0.9}\n")
    let metrics = try repository.shell("md5sum metrics.json").output.prefix(32)
    try repository.write(
      "dvc.lock",
      Self.lock(
        raw: Self.hash("1"), clean: Self.hash("2"), lr: "0.1", model: Self.hash("3"), metrics: String(metrics)))
    try repository.commit("first")
    try repository.write("params.yaml", "lr: 0.2\n")
    // Not the file that the lock tells of.
    try repository.write("metrics.json", "{\"auc\": 0.5}\n")
    try repository.write(
      "dvc.lock",
      Self.lock(
        raw: Self.hash("1"), clean: Self.hash("2"), lr: "0.2", model: Self.hash("4"), metrics: Self.hash("5")))
    try repository.commit("second")
    return repository
  }

  @Test("each entry of a lock in history becomes one record, with what git says of it and nothing else")
  func entries() throws {
    let repository = try project()
    let result = try repository.cairn("runs", "import")
    #expect(result.status == 0)
    #expect(result.output == "3 runs reconstructed from 2 commits that changed a dvc.lock\n", "\(result)")

    let commits = try repository.git("rev-list", "--reverse", "HEAD").split(separator: "\n").map(String.init)
    let records = try records(repository)
    #expect(records.count == 3)
    let prepare = try #require(records.first { ($0["stage"] as? [String: Any])?["address"] as? String == "prepare" })
    let trains = records.filter { ($0["stage"] as? [String: Any])?["address"] as? String == "train" }
    let first = try #require(trains.first { ($0["source"] as? [String: Any])?["commit"] as? String == commits[0] })
    let second = try #require(trains.first { ($0["source"] as? [String: Any])?["commit"] as? String == commits[1] })
    #expect(first["reconstructed"] as? [String: String] == ["commit": commits[0], "lock": "dvc.lock"])
    #expect(first["result"] as? String == "succeeded")
    for key in ["environment", "log", "error", "restored_from"] { #expect(first[key] is NSNull, "\(key)") }
    let execution = try #require(first["execution"] as? [String: Any])
    #expect(execution["finished"] is NSNull && execution["exit"] is NSNull && execution["os"] as? String == "")
    #expect((first["actor"] as? [String: String])?["host"] == "")
    #expect((first["source"] as? [String: Any])?["repository"] as? String == commits[0])
    #expect((first["source"] as? [String: Any])?["dirty"] is NSNull)
    #expect(first["metrics"] as? [String: [String: Double]] == ["metrics.json": ["auc": 0.9]])
    #expect((second["metrics"] as? [String: Any])?.isEmpty == true)
    #expect(second["params"] as? [String: [String: Double]] == ["params.yaml": ["lr": 0.2]])

    func origin(_ record: [String: Any], _ path: String) -> String? {
      let input = (record["inputs"] as? [[String: Any]])?.first { $0["path"] as? String == path }
      return (input?["origin"] as? [String: Any])?["kind"] as? String
    }
    #expect(origin(prepare, "raw.csv") == "dvc-file")
    #expect(origin(first, "clean.csv") == "stage" && origin(first, "train.py") == "git")
    // Both read what one run made.
    let producers = Set(trains.compactMap { ($0["inputs"] as? [[String: Any]])?[0]["producer"] as? String })
    #expect(producers.count == 1)
    let name = try #require(producers.first)
    #expect(try json(repository.cairn("runs", "show", name, "--json"))["stage"] is [String: Any])
    #expect(try repository.cairn("runs", "check").output.hasPrefix("whole: 3 runs"))
  }

  @Test("a second import adds nothing, and a clone makes the same bytes")
  func again() throws {
    let repository = try project()
    try repository.git("clone", "--quiet", ".", repository.path("../clone"))
    #expect(try repository.cairn("runs", "import").status == 0)
    let again = try json(repository.cairn("runs", "import", "--json"))
    #expect(again["runs"] as? [String] == [] && again["known"] as? Int == 3)
    #expect(try repository.cairn("runs", "import", "--all-commits", in: "../clone").status == 0)
    let names = try names(repository.root)
    #expect(names.count == 3)
    #expect(try self.names(repository.path("../clone")) == names)
    // What was lost is made again as it was, be the index told of it or not.
    try repository.remove(".cairn/runs/" + names[0].dropFirst(2))
    try repository.remove(".cairn/producers")
    #expect(try repository.cairn("runs", "import").status == 0)
    #expect(try self.names(repository.root) == names)
  }

  @Test("an entry behind which an observed run stands needs no record; what follows from it names that run")
  func observed() throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a: {cmd: cat in > a, deps: [in], outs: [a]}
        b: {cmd: cat a > b, deps: [a], outs: [b]}

      """)
    try repository.write("in", "1\n")
    #expect(try repository.cairn("repro").status == 0)
    try repository.commit()
    try repository.write("in", "2\n")
    #expect(try repository.cairn("repro").status == 0)
    try repository.commit()
    let all = try json(repository.cairn("runs", "import", "--json"))
    #expect(all["observed"] as? Int == 4 && (all["runs"] as? [String])?.isEmpty == true)
    // The record of the first `b` is lost.
    let b = try #require(
      try records(repository).first { ($0["stage"] as? [String: Any])?["address"] as? String == "b" })
    let producer = (b["inputs"] as? [[String: Any]])?.first?["producer"] as? String
    let runs = try #require(try json(repository.cairn("runs", "--json", "--stage", "b"))["runs"] as? [[String: Any]])
    let name = try #require(runs.last?["run"] as? String)
    try repository.remove(".cairn/runs/\(name.prefix(2))/\(name.dropFirst(2)).json")
    #expect(try repository.cairn("runs", "rebuild").status == 0)
    let one = try json(repository.cairn("runs", "import", "--json"))
    #expect(one["observed"] as? Int == 3)
    let made = try #require((one["runs"] as? [String])?.first)
    let record = try json(repository.cairn("runs", "show", made, "--json"))
    #expect((record["inputs"] as? [[String: Any]])?.first?["producer"] as? String == producer)
    // What was observed is nearer than what was reconstructed, however old that is.
    #expect(try repository.cairn("why", "--last", "b").output.hasPrefix("b  RAN"))
  }

  @Test("what shows runs says that they were reconstructed")
  func shown() throws {
    let repository = try project()
    #expect(try repository.cairn("runs", "import").status == 0)
    let list = try repository.cairn("runs").output
    #expect(list.split(separator: "\n").allSatisfy { $0.contains("reconstructed") } && !list.contains("@"), "\(list)")
    let show = try repository.cairn("runs", "show", "@last:train").output
    #expect(show.contains("reconstructed from dvc.lock of commit") && !show.contains("took"), "\(show)")
    let lineage = try repository.cairn("lineage", "--rev", "HEAD", "model.pkl").output
    #expect(lineage.contains("train · reconstructed ·") && lineage.contains("prepare · reconstructed"), "\(lineage)")
    #expect(lineage.contains("raw.csv"), "\(lineage)")
    let graph = try json(repository.cairn("lineage", "--rev", "HEAD~1", "model.pkl", "--json"))
    let nodes = try #require(graph["nodes"] as? [[String: Any]])
    #expect(nodes.filter { $0["type"] as? String == "run" }.allSatisfy { $0["reconstructed"] is [String: String] })
    let verify = try json(repository.cairn("verify", "--json"))
    let checks = try #require(verify["checks"] as? [[String: Any]]).filter { $0["id"] as? String == "record" }
    #expect(!checks.isEmpty && checks.allSatisfy { $0["status"] as? String == "unknown" && $0["optional"] as? Bool == true })
    #expect(checks.allSatisfy { ($0["message"] as? String)?.contains("reconstructed") == true }, "\(checks)")
    #expect(try repository.cairn("runs", "log", "@last:train").status == 1)
  }

  @Test("a lock that cannot be read is named with its commit, and the others are imported")
  func broken() throws {
    let repository = try project()
    let good = try #require(repository.read("dvc.lock"))
    try repository.write("dvc.lock", "<<<<<<< HEAD\n" + good + "=======\n" + good + ">>>>>>> other\n")
    try repository.commit("conflict")
    let commit = try repository.git("rev-parse", "HEAD").prefix(7)
    try repository.write("dvc.lock", good)
    try repository.commit("mended")
    let result = try repository.cairn("runs", "import")
    #expect(result.status == 0)
    #expect(result.output == "3 runs reconstructed from 4 commits that changed a dvc.lock\n", "\(result)")
    #expect(result.errors.contains("dvc.lock of commit \(commit) is left out: "), "\(result)")
    let left = try #require(try json(repository.cairn("runs", "import", "--json"))["left_out"] as? [[String: String]])
    #expect(left.count == 1 && left[0]["file"] == "dvc.lock")
  }

  @Test("locks of DVC 1, which have no schema, are read")
  func version1() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages:\n  a: {cmd: x, outs: [a]}\n  schema: {cmd: y, outs: [b]}\n")
    try repository.write(
      "dvc.lock",
      """
      a:
        cmd: x
        outs:
        - path: a
          md5: \(Self.hash("a"))
      schema:
        cmd: y
        outs:
        - path: b
          md5: \(Self.hash("b"))

      """)
    try repository.commit()
    #expect(try repository.cairn("runs", "import").output.hasPrefix("2 runs"))
    #expect(Set(try records(repository).compactMap { ($0["stage"] as? [String: Any])?["address"] as? String }) == ["a", "schema"])
  }

  @Test("paths start at the stage's folder, in every dvc.yaml, also where a template says which that is")
  func folders() throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        each:
          foreach: [x, y]
          do: {wdir: 'w/${item}', cmd: 'echo ${item} > out', outs: [out]}
        read: {wdir: w, cmd: cat x/out > ../all, deps: [x/out], params: [k], outs: [../all]}

      """)
    try repository.write("w/params.yaml", "k: 1\n")
    try repository.write("sub/dvc.yaml", "stages:\n  s: {cmd: cat ../all > s, deps: [../all], outs: [s]}\n")
    for folder in ["w/x", "w/y"] { try repository.write(folder + "/.keep", "") }
    #expect(try repository.cairn("repro", "--all-pipelines").status == 0)
    // A project inside is none of ours.
    try repository.write("inner/.dvc/config", "")
    try repository.write("inner/dvc.yaml", "stages:\n  alien: {cmd: x, outs: [o]}\n")
    try repository.write("inner/dvc.lock", "schema: '2.0'\nstages:\n  alien:\n    cmd: x\n    outs:\n    - path: o\n      hash: md5\n      md5: \(Self.hash("7"))\n")
    try repository.commit()
    func shapes() throws -> [String] {
      try records(repository).map { record in
        let stage = record["stage"] as? [String: Any]
        let paths = ["inputs", "outputs"].map { key in
          (record[key] as? [[String: Any]] ?? []).map { "\($0["path"] ?? "") \($0["md5"] ?? "")" }
        }
        let inputs = (record["inputs"] as? [[String: Any]] ?? []).map { $0["producer"] is String }
        return "\(stage?["address"] ?? "") \(stage?["wdir"] ?? "") \(stage?["file"] ?? "") \(stage?["cmd"] ?? "") \(paths) \(inputs) \(record["params"] ?? "")"
      }.sorted()
    }
    let observed = try shapes()
    #expect(observed.count == 4)
    // As records of the runs themselves have it.
    try repository.remove(".cairn")
    #expect(try repository.cairn("runs", "import").output.hasPrefix("4 runs"))
    #expect(try shapes() == observed)
  }

  @Test("what a side branch had is imported too, once, and dated by the commit that brought it")
  func branches() throws {
    let repository = try project()
    func change(_ model: Character) throws {
      try repository.write(
        "dvc.lock",
        Self.lock(raw: Self.hash("1"), clean: Self.hash("2"), lr: "0.3", model: Self.hash(model), metrics: Self.hash("5")))
    }
    try repository.git("checkout", "--quiet", "-b", "side")
    try change("8")
    try repository.commit("side")
    let side = try repository.git("rev-parse", "HEAD").trimmingCharacters(in: .newlines)
    try repository.git("checkout", "--quiet", "main")
    #expect(try repository.cairn("runs", "import").output.hasPrefix("3 runs"))
    try repository.git("merge", "--quiet", "--no-ff", "-s", "ours", "-m", "kept ours", "side")
    // The merge threw it away; it was there.
    let merged = try repository.cairn("runs", "import")
    #expect(merged.output == "1 run reconstructed from 3 commits that changed a dvc.lock, 3 had been before\n", "\(merged)")
    #expect(try records(repository).contains { ($0["source"] as? [String: Any])?["commit"] as? String == side })
    try repository.git("checkout", "--quiet", "-b", "other", side)
    try change("9")
    try repository.commit("other")
    try repository.git("checkout", "--quiet", "main")
    #expect(try repository.cairn("runs", "import").output.hasPrefix("0 runs"))
    #expect(try repository.cairn("runs", "import", "--all-branches").output.hasPrefix("1 run "))
    #expect(try repository.cairn("runs", "import", "main..other").output.hasPrefix("0 runs"))
    #expect(try repository.cairn("runs", "import", "nowhere").status == 255)
  }

  @Test("a clone without the contents of the past says which it lacks, and makes no records")
  func partial() throws {
    let repository = try project()
    try repository.git("config", "uploadpack.allowFilter", "true")
    try repository.git("clone", "--quiet", "--filter=blob:none", "file://" + repository.root, repository.path("../partial"))
    let result = try repository.cairn("runs", "import", in: "../partial")
    #expect(result.status == 255 && result.errors.contains("git does not have its content in this clone"), "\(result)")
    #expect(result.errors.contains("git fetch --refetch --no-filter"), "\(result)")
  }

  @Test("of a shallow clone nothing is said that a later fetch would make false")
  func shallow() throws {
    let repository = try project()
    let clone = repository.path("../shallow")
    try repository.git("clone", "--quiet", "--depth", "1", "file://" + repository.root, clone)
    let result = try repository.cairn("runs", "import", in: "../shallow")
    #expect(result.status == 2 && result.output.hasPrefix("0 runs"), "\(result)")
    #expect(result.errors.contains("2 entries are left out") && result.errors.contains("git fetch --unshallow"), "\(result)")
    #expect(try repository.run(["git", "fetch", "--quiet", "--unshallow"], in: "../shallow").status == 0)
    #expect(try repository.cairn("runs", "import", in: "../shallow").output.hasPrefix("3 runs"))
    #expect(try repository.cairn("runs", "import").status == 0)
    #expect(try names(clone) == names(repository.root))
  }

  @Test("without git, or before the first commit, there is nothing to import")
  func nothing() throws {
    let plain = try TestRepository(git: false)
    let result = try plain.cairn("runs", "import")
    #expect(result.status == 255 && result.errors.contains("in no git repository"), "\(result)")
    let empty = try TestRepository()
    #expect(try empty.cairn("runs", "import").output == "0 runs reconstructed from 0 commits that changed a dvc.lock\n")
    #expect(!empty.exists(".cairn/runs"))
  }
}
