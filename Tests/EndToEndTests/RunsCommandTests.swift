// `cairn runs`: log, diff, apply, salvage, check and rebuild, through the program.
import CairnTestSupport
import Foundation
import Testing

struct RunsCommandTests {
  private func json(_ result: CommandResult) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result)")
  }

  /// One stage that reads a part of `params.yaml`, has run with `lr: 0.1` and then with `lr: 0.2`.
  private func project(_ key: String = "train") throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        train:
          cmd: grep lr params.yaml > model; echo learned
          params: [\(key)]
          outs: [model]

      """)
    try repository.write("params.yaml", Self.parameters("0.1"))
    #expect(try repository.cairn("repro").status == 0)
    try repository.write("params.yaml", Self.parameters("0.2"))
    #expect(try repository.cairn("repro").status == 0)
    return repository
  }

  private static func parameters(_ rate: String) -> String {
    """
    # what we know by now
    train:
      lr: \(rate)   # per step
      layers: [3, 4]  # sizes

    """
  }

  private func run(_ repository: TestRepository, _ number: Int) throws -> String {
    let runs = try #require(try json(repository.cairn("runs", "--json"))["runs"] as? [[String: Any]])
    return String(try #require(runs[number]["run"] as? String).prefix(12))
  }

  @Test("runs apply puts the leaves back that differ, and leaves comments and layout alone")
  func apply() throws {
    let repository = try project()
    let result = try repository.cairn("runs", "apply", run(repository, 1))
    #expect(result.status == 0, "\(result)")
    #expect(result.output == "params.yaml: train.lr  0.2 → 0.1\nmodel  restored\n")
    #expect(repository.read("params.yaml") == Self.parameters("0.1"))
    #expect(repository.read("model") == "  lr: 0.1   # per step\n")
    #expect(try repository.cairn("repro").output.contains("is cached - skipping run"))
    #expect(try repository.cairn("runs", "apply", "@last").output == "Everything is as that run left it.\n")
  }

  @Test("what a run did not have goes, in JSON and TOML too", arguments: ["yaml", "json", "toml"])
  func applyRemoves(kind: String) throws {
    let repository = try TestRepository()
    let (few, many) =
      switch kind {
      case "yaml": ("m:\n  a: 1\n", "m:\n  a: 2\n  b: 3\n")
      case "json": ("{\n    \"m\": {\n        \"a\": 1\n    }\n}\n", "{\n    \"m\": {\n        \"a\": 2,\n        \"b\": 3\n    }\n}\n")
      default: ("[m]\na = 1\n", "[m]\na = 2\nb = 3\n")
      }
    try repository.write("p.\(kind)", few)
    try repository.write("dvc.yaml", "stages: {s: {cmd: cat p.\(kind) > o, params: [{p.\(kind): [m]}], outs: [o]}}\n")
    #expect(try repository.cairn("repro").status == 0)
    try repository.write("p.\(kind)", many)
    #expect(try repository.cairn("repro").status == 0)
    let result = try repository.cairn("runs", "apply", run(repository, 1))
    #expect(result.status == 0, "\(result)")
    #expect(result.output.contains("p.\(kind): m.a  2 → 1\n") && result.output.contains("p.\(kind): m.b  3 → -\n"), "\(result)")
    #expect(repository.read("p.\(kind)") == few)
  }

  @Test("a leaf that two declared keys hold is told once")
  func overlappingKeys() throws {
    let repository = try project("train, train.lr")
    let record = try json(repository.cairn("runs", "show", "@last", "--json"))
    #expect((record["reasons"] as? [[String: Any]])?.map { $0["key"] as? String } == ["train.lr"], "\(record)")
    let list = try repository.cairn("runs").output
    #expect(list.components(separatedBy: "train.lr 0.1 → 0.2").count == 2, "\(list)")
    let shown = try repository.cairn("runs", "show", "@last").output
    #expect(shown.components(separatedBy: "train.lr  0.2").count == 2, "\(shown)")
    let tree = try repository.cairn("lineage", "model").output
    #expect(tree.components(separatedBy: "train.lr 0.2").count == 2, "\(tree)")
  }

  @Test("runs log --json has the text, and what is not UTF-8 as base64")
  func log() throws {
    let repository = try project()
    let document = try json(repository.cairn("runs", "log", "@last", "--json"))
    #expect(document["schema"] as? String == "cairn.runs-log/v1")
    #expect(document["text"] as? String == "learned\n")
    #expect((document["log"] as? [String: Any])?["size"] as? Int == 8)
    try repository.write("dvc.yaml", "stages: {odd: {cmd: \"printf '\\\\377'\"}, silent: {cmd: 'true'}}\n")
    #expect(try repository.cairn("repro").status == 0)
    let odd = try json(repository.cairn("runs", "log", "@last:odd", "--json"))
    #expect((odd["text"] as? [String: Any])?["$bytes"] as? String == "/w==")
    let silent = try repository.cairn("runs", "log", "@last:silent", "--json")
    #expect(silent.status == 0)
    #expect(try json(silent)["log"] is NSNull)
    #expect(try json(silent)["text"] as? String == "")
  }

  @Test("a run that printed nothing has an empty log, one whose log is gone or that died has none")
  func noLog() throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        silent: {cmd: 'true'}
        failing: {cmd: exit 3}
        loud: {cmd: echo loud}
        dying: {cmd: 'kill -9 $PPID'}

      """)
    #expect(try repository.cairn("repro", "-k", "silent", "failing", "loud", "-j", "1").status == 255)
    for stage in ["silent", "failing"] {
      let result = try repository.cairn("runs", "log", "@last:\(stage)")
      #expect(result.status == 0 && result.output.isEmpty && result.errors.isEmpty, "\(stage): \(result)")
    }
    let log = try #require(try json(repository.cairn("runs", "log", "@last:loud", "--json"))["log"] as? [String: Any])
    let hash = try #require(log["sha256"] as? String)
    try repository.remove(".cairn/runs/\(hash.prefix(2))/\(hash.dropFirst(2))")
    let gone = try repository.cairn("runs", "log", "@last:loud")
    #expect(gone.status == 2 && gone.errors.contains("is missing"), "\(gone)")
    #expect(try repository.cairn("repro", "dying").status == 137)
    #expect(try repository.cairn("repro", "silent").status == 0)
    let died = try repository.cairn("runs", "log", "@last:dying")
    #expect(died.status == 1 && died.errors.contains("has no log"), "\(died)")
  }

  @Test(
    "a number below zero is refused by name, however it is written",
    arguments: [
      ["runs", "-n", "-1"], ["runs", "-n-1"], ["runs", "list", "-n=-1"], ["lineage", "model", "--depth", "-1"],
      ["lineage", "model", "--depth=-1"], ["repro", "-j", "-1"], ["repro", "--jobs", "-1"], ["repro", "-j-1"],
    ])
  func negative(_ arguments: [String]) throws {
    let repository = try TestRepository()
    let result = try repository.run([CairnBinary.path()] + arguments)
    #expect(result.status == 254 && result.output.isEmpty, "\(result)")
    #expect(result.errors.hasPrefix("ERROR: argument -"), "\(result)")
    let words = arguments[0] == "repro" ? "at least one stage must run, got -1" : "must not be negative"
    #expect(result.errors.contains(words), "\(result)")
  }

  @Test("a number below zero that DVC takes is taken", .enabled(if: DVCOracle.isAvailable))
  func negativePrecision() throws {
    let repository = try TestRepository()
    try repository.write("m.json", #"{"loss": 1234.5}"#)
    try repository.write("dvc.yaml", "metrics: [m.json]\n")
    let result = try repository.cairn("metrics", "show", "--precision", "-2")
    #expect(result.status == 0 && result.output.contains("1200.0"), "\(result)")
    #expect(try result.output == repository.dvc("metrics", "show", "--precision", "-2").output)
  }

  @Test("what a command claims stands in its record, from the first run on, and the file goes")
  func claims() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages: {a: {cmd: \"echo '{\\\"job\\\": \\\"arn:1\\\"}' > $CAIRN_CLAIMS\"}}\n")
    let result = try repository.cairn("repro")
    #expect(result.status == 0, "\(result)")
    let record = try json(repository.cairn("runs", "show", "@last", "--json"))
    #expect(record["claims"] as? [String: String] == ["job": "arn:1"])
    #expect(repository.list(".cairn").allSatisfy { !$0.hasPrefix("claims") })
  }

  @Test("runs show says that a long patch was left out")
  func patch() throws {
    let repository = try project()
    try repository.shell("head -c 11000000 /dev/urandom > big")
    try repository.commit()
    try repository.shell("head -c 11000000 /dev/urandom > big")
    #expect(try repository.cairn("repro", "--force", "-q").status == 0)
    #expect(try repository.cairn("runs", "show", "@last").output.contains("  patch        left out: above 10 MB\n"))
    try repository.commit()
    try repository.write("params.yaml", Self.parameters("0.3"))
    #expect(try repository.cairn("repro", "-q").status == 0)
    #expect(try !repository.cairn("runs", "show", "@last").output.contains("left out"))
  }

  @Test("runs diff names what differs, and with one run looks at the one before it")
  func diff() throws {
    let repository = try project()
    let document = try json(repository.cairn("runs", "diff", "@last", "--json"))
    let params = try #require(document["params"] as? [[String: Any]])
    #expect(params.count == 1)
    #expect(params.first?["name"] as? String == "train.lr")
    #expect(params.first?["was"] as? Double == 0.1 && params.first?["now"] as? Double == 0.2)
    let text = try repository.cairn("runs", "diff", "@last")
    #expect(text.status == 0 && text.output.contains("train.lr") && text.output.contains("(+0.1)"), "\(text)")
    #expect(try repository.cairn("runs", "diff", run(repository, 1)).status == 255)
  }

  @Test("runs check finds an altered record and a missing log; runs rebuild reads the rest anew")
  func check() throws {
    let repository = try project()
    #expect(try repository.cairn("runs", "check").status == 0)
    #expect(try repository.cairn("runs").status == 0)
    let record = try repository.shell("grep -l cairn.run/v1 .cairn/runs/*/*.json | head -1").output.dropLast()
    try repository.shell("chmod u+w \(record) && sed -i s/train/brain/ \(record)")
    let result = try repository.cairn("runs", "check")
    #expect(result.status == 1 && result.output.contains("NOT WHOLE") && result.output.contains("1 altered"), "\(result)")
    let faults = try #require(try json(repository.cairn("runs", "check", "--json"))["faults"] as? [[String: Any]])
    #expect(faults.contains { $0["kind"] as? String == "altered" })
    // The other one is listed, and nothing is made of this one.
    let list = try repository.cairn("runs")
    #expect(list.status == 0 && list.output.split(separator: "\n").count == 1, "\(list)")
    #expect(list.errors.contains("WARNING: ") && list.errors.contains("was altered"), "\(list)")
    #expect(try (json(repository.cairn("runs", "--json"))["runs"] as? [Any])?.count == 1)
    #expect(try repository.cairn("lineage", "model").status != 255)
    #expect(try repository.cairn("runs", "rebuild").output == "1 run indexed\n")
  }

  @Test("a result whose input changed is brought back by salvage, and taken into the lock by --accept")
  func salvage() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages: {a: {cmd: sleep 1.2; cat in > out, deps: [in], outs: [out]}}\n")
    try repository.write("in", "1\n")
    try repository.age("in", bySeconds: 10)
    let running = try repository.start([CairnBinary.path(), "repro", "--json"])
    usleep(600_000)
    try repository.write("in", "22\n")
    let changed = running.wait()
    #expect(changed.status == 255)
    // The command itself ended well.
    #expect(changed.output.contains("\"result\": \"input-changed\"") && changed.output.contains("\"exit\": 0,"), "\(changed)")
    #expect(repository.read("dvc.lock") == nil)
    try repository.remove("out")
    #expect(try repository.cairn("runs", "salvage", "@last").output == "out  restored\n")
    #expect(repository.read("out") == "22\n")
    #expect(repository.read("dvc.lock") == nil && repository.read(".gitignore") == nil)
    #expect(try repository.cairn("runs", "salvage", "@last").output == "The outputs are as that run made them.\n")
    let name = try run(repository, 0)
    #expect(try repository.cairn("why", "a").output.contains("last try failed"))
    #expect(try repository.cairn("runs", "salvage", name, "--accept").status == 0)
    #expect(repository.read(".gitignore") == "/out\n")
    try repository.write("in", "1\n")
    #expect(try repository.cairn("status", "-q").status == 0)
    let why = try repository.cairn("why", "a")
    #expect(why.status == 0 && !why.output.contains("last try failed"), "\(why)")
    #expect(try repository.cairn("runs").output.split(separator: "\n").first?.contains("accepted") == true)
    #expect(try repository.cairn("runs", "salvage", "@last").status == 255)
  }

  @Test("what brings something back tells what it did as JSON, and nothing else on standard output")
  func documents() throws {
    let repository = try project()
    let applied = try json(repository.cairn("runs", "apply", run(repository, 1), "--json"))
    #expect(applied["schema"] as? String == "cairn.runs-apply/v1" && applied["stage"] as? String == "train")
    #expect((applied["params"] as? [[String: Any]])?.first?["key"] as? String == "train.lr")
    #expect(applied["outputs"] as? [String] == ["model"] && applied["missing"] as? [String] == [])
    #expect(try json(repository.cairn("runs", "rebuild", "--json"))["runs"] as? Int == 2)

    try repository.shell("rm -f model; echo by hand > model; sed -i 's/learned/learned; exit 3/' dvc.yaml")
    #expect(try repository.cairn("repro", "-q").status == 255)
    let restored = try json(repository.cairn("restore", "--previous", "train", "--json"))
    let stage = try #require((restored["stages"] as? [[String: Any]])?.first)
    #expect(restored["schema"] as? String == "cairn.restore/v1")
    #expect(stage["stage"] as? String == "train" && stage["kept"] as? Bool == true)
    #expect(stage["restored"] as? [String] == ["model"])
    #expect(repository.read("model") == "by hand\n")
    let again = try repository.cairn("restore", "--previous", "train", "--json")
    let nothing = try #require(try json(again)["stages"] as? [[String: Any]])
    #expect(again.status == 1 && nothing.first?["kept"] as? Bool == false)

    try repository.write("in", "1\n")
    try repository.age("in", bySeconds: 10)
    try repository.write("dvc.yaml", "stages: {a: {cmd: cat in > out; touch began; sleep 1.5, deps: [in], outs: [out]}}\n")
    let running = try repository.start([CairnBinary.path(), "repro"])
    for _ in 0..<100 where !repository.exists("began") { usleep(50_000) }
    try repository.write("in", "22\n")
    #expect(running.wait().status == 255)
    let salvaged = try json(repository.cairn("runs", "salvage", "@last", "--accept", "--json"))
    #expect(salvaged["outputs"] as? [String] == [] && (salvaged["accepted"] as? String)?.count == 64)
  }

  @Test("a stage is called in runs as in other commands: from the folder one stands in")
  func namesFromFolder() throws {
    let repository = try TestRepository()
    let stage = "stages:\n  a:\n    cmd: echo NAME > out; echo NAME\n    outs: [out]\n"
    try repository.write("dvc.yaml", stage.replacing("NAME", with: "top"))
    try repository.write("sub/dvc.yaml", stage.replacing("NAME", with: "inner"))
    #expect(try repository.cairn("repro", "-q", "-P").status == 0)
    func said(_ word: String, in folder: String) throws -> String {
      try repository.cairn("runs", "log", word, in: folder).output
    }
    #expect(try said("@last:a", in: ".") == "top\n" && said("@last:sub/dvc.yaml:a", in: ".") == "inner\n")
    #expect(try said("@last:a", in: "sub") == "inner\n" && said("@last:../dvc.yaml:a", in: "sub") == "top\n")
    // As the list itself shows it.
    #expect(try said("@last:sub/dvc.yaml:a", in: "sub") == "inner\n")
    #expect(try repository.cairn("runs", "--stage", "a", in: "sub").output.contains("sub/dvc.yaml:a"))
    #expect(try repository.cairn("lineage", "@last:../dvc.yaml:a", in: "sub").output.hasPrefix("a  "))
  }
}
