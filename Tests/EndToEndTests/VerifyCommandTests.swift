// `cairn verify` and `cairn lint` as a user meets them: verdicts, exit codes, bases, acceptances, reports, the index.
import CairnTestSupport
import Foundation
import Testing

struct VerifyCommandTests {
  private func project() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.git("config", "user.name", "a")
    try repository.git("config", "user.email", "a@b")
    try repository.write("params.yaml", "lr: 1\n")
    try repository.write("in.txt", "1\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a:
          cmd: cat in.txt > a.txt
          deps: [in.txt]
          outs: [a.txt]
        b:
          cmd: cat a.txt > b.txt
          deps: [a.txt]
          params: [lr]
          outs: [b.txt]

      """)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try commit(repository)
    return repository
  }

  private func commit(_ repository: TestRepository, _ message: String = "x") throws {
    try repository.git("add", "-A")
    try repository.git("commit", "-qm", message)
  }

  private func document(_ result: CommandResult) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  private func failed(_ result: CommandResult) throws -> [String] {
    let checks = try #require(try document(result)["checks"] as? [[String: Any]])
    return checks.filter { $0["status"] as? String == "failed" }.map { "\($0["id"] ?? "") \($0["stage"] ?? "")" }
  }

  @Test("a sound project is reproducible, an edit is named with the next step, and a commit is looked at by itself")
  func verdicts() throws {
    let repository = try project()
    let sound = try repository.cairn("verify")
    #expect(sound.status == 0 && sound.output.hasPrefix("REPRODUCIBLE  "), "\(sound)")
    try repository.write("params.yaml", "lr: 2\n")
    let edited = try repository.cairn("verify")
    #expect(edited.status == 1)
    #expect(
      edited.output.split(separator: "\n").dropFirst().joined(separator: "\n")
        == "  params.yaml:1  b: params.yaml: lr was edited after its last run\n    was  1\n    now  2\n"
        + "    run `cairn repro b` and commit dvc.lock", "\(edited)")
    #expect(try repository.cairn("verify", "--rev", "HEAD").status == 0)
    #expect(try repository.cairn("verify", "a").status == 0)
    #expect(try repository.cairn("verify", "b.txt").status == 1)
    let quiet = try repository.cairn("verify", "-q")
    #expect(quiet.status == 1 && quiet.output.isEmpty && quiet.errors.isEmpty)
    let json = try document(try repository.cairn("verify", "--json"))
    #expect(json["schema"] as? String == "cairn.verify/v1" && json["verdict"] as? String == "not-reproducible")
    // It looked, and changed nothing.
    #expect(try repository.git("status", "--porcelain") == " M params.yaml\n")
  }

  @Test("what is Cairn's own trouble ends with 255 and is no verdict")
  func troubles() throws {
    let repository = try project()
    for arguments in [
      ["--rev", "nope"], ["--base", "nope"], ["--junit", "no/such/folder/x.xml"], ["nope"], ["--rev", "HEAD", "nope"],
    ] {
      let result = try repository.run([try CairnBinary.path(), "verify"] + arguments)
      #expect(result.status == 255 && result.output.isEmpty && result.errors.hasPrefix("ERROR: "), "\(arguments): \(result)")
    }
    for arguments in [["--new-only"], ["--json", "--github"], ["--junit", "-", "--json"], ["--nope"]] {
      let result = try repository.run([try CairnBinary.path(), "verify"] + arguments)
      #expect(result.status == 254 && result.output.isEmpty, "\(arguments): \(result)")
    }
    let empty = try TestRepository()
    try empty.write("dvc.yaml", "stages: {a: {cmd: echo 1, outs: [a]}}\n")
    let early = try empty.cairn("verify", "--rev", "HEAD")
    #expect(early.status == 255 && early.errors.contains("there is no commit yet"), "\(early)")
  }

  @Test("a fault that the base has too stops nobody under --new-only, a new one does")
  func base() throws {
    let repository = try project()
    try repository.write("in.txt", "2\n")
    try commit(repository, "an old fault")
    try repository.git("branch", "old")
    let same = try repository.cairn("verify", "--rev", "HEAD", "--base", "old", "--new-only", "--json")
    #expect(same.status == 0)
    #expect(try document(same)["verdict"] as? String == "accepted", "\(same)")
    #expect(try repository.cairn("verify", "--rev", "HEAD", "--base", "old").status == 1)
    try repository.write("params.yaml", "lr: 2\n")
    try commit(repository, "a new one")
    let new = try repository.cairn("verify", "--rev", "HEAD", "--base", "old", "--new-only", "--json")
    #expect(new.status == 1)
    #expect(try failed(new) == ["lock-params b"], "\(new)")
    // The old one once more, with other bytes, is a new one.
    try repository.git("checkout", "-q", "old")
    try repository.write("in.txt", "3\n")
    #expect(try repository.cairn("verify", "--base", "old", "--new-only").status == 1)
  }

  @Test("what a team accepts is accepted until its date, and severities hold")
  func accepted() throws {
    let repository = try project()
    try repository.write("in.txt", "2\n")
    func settings(_ text: String) throws { try repository.write(".cairn/config.toml", text) }
    func entry(until: String, stage: String = "a") -> String {
      "[[verify.accepted]]\ncheck = \"dep-content\"\nstage = \"\(stage)\"\nreason = \"known\"\nuntil = \(until)\n"
    }
    try settings(entry(until: "2999-01-01"))
    let accepted = try repository.cairn("verify")
    #expect(accepted.status == 0 && accepted.output.hasPrefix("ACCEPTED") && accepted.output.contains("known"), "\(accepted)")
    try settings(entry(until: "2020-01-01"))
    let expired = try repository.cairn("verify")
    #expect(expired.status == 1 && expired.output.contains("it was accepted until 2020-01-01: known"), "\(expired)")
    try settings(entry(until: "2999-01-01", stage: "b"))
    #expect(try repository.cairn("verify").status == 1)
    try settings("[verify.severity]\ndep-content = \"warning\"\n")
    let warned = try repository.cairn("verify")
    #expect(warned.status == 0 && warned.output.contains("1 warning"), "\(warned)")
    try settings("[verify.severity]\ndep-content = \"off\"\n")
    #expect(try repository.cairn("verify").output.contains("warning") == false)
    // What is not committed hides nothing in a commit.
    try repository.git("commit", "-qam", "fault")
    #expect(try repository.cairn("verify", "--rev", "HEAD").status == 1)
  }

  @Test("a run without a record is unknown only where records are required")
  func records() throws {
    let repository = try project()
    #expect(try repository.cairn("verify", "--require-records").status == 0)
    try FileManager.default.removeItem(atPath: repository.path(".cairn"))
    #expect(try repository.cairn("verify").status == 0)
    let required = try repository.cairn("verify", "--require-records")
    #expect(required.status == 2 && required.output.hasPrefix("UNKNOWN"), "\(required)")
    try repository.write(".cairn/config.toml", "[verify]\nrequire_records = true\n")
    #expect(try repository.cairn("verify").status == 2)
  }

  @Test("an altered record is a fault, with the index over the records and without it", arguments: [true, false])
  func altered(keepsIndex: Bool) throws {
    let repository = try project()
    for bucket in repository.list(".cairn/runs") where bucket.count == 2 {
      for name in repository.list(".cairn/runs/" + bucket) {
        let path = ".cairn/runs/\(bucket)/\(name)"
        guard let text = repository.read(path), text.contains("\"address\":\"b\"") else { continue }
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: repository.path(path))
        try repository.write(path, text.replacingOccurrences(of: "\"exit\":0", with: "\"exit\":1"))
      }
    }
    if !keepsIndex { try repository.remove(".cairn/producers") }
    let result = try repository.cairn("verify", "--json")
    #expect(result.status == 1)
    #expect(try failed(result) == ["record b"], "\(result)")
  }

  @Test("each thing that an answer hangs on is noticed when it changes, with an index as without")
  func index() throws {
    let repository = try project()
    try repository.write(".dvcignore", "*.tmp\n")
    try repository.write("lib/x.py", "1\n")
    try repository.write("more/p.json", "{\"k\": 1}\n")
    try repository.write(
      "dvc.yaml",
      (repository.read("dvc.yaml") ?? "")
        + "  c: {cmd: cat lib/x.py > c.txt, deps: [lib], params: [more/p.json: [k]], outs: [c.txt]}\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try commit(repository)
    func settle() throws {
      // Stamps of this moment are not trusted.
      Thread.sleep(forTimeInterval: 0.03)
      #expect(try repository.cairn("verify").status == 0)
      #expect(try repository.cairn("verify").status == 0)
      #expect(repository.list(".cairn/fresh").count > 0)
    }
    let changes: [(String, () throws -> Void)] = [
      ("a dependency", { try repository.write("in.txt", "9\n") }),
      ("a parameter", { try repository.write("params.yaml", "lr: 9\n") }),
      ("another parameter file", { try repository.write("more/p.json", "{\"k\": 2}\n") }),
      ("the pipeline", { try repository.write("dvc.yaml", (repository.read("dvc.yaml") ?? "") + "  d: {cmd: x}\n") }),
      ("the lock", { try repository.write("dvc.lock", (repository.read("dvc.lock") ?? "") + "  old: {cmd: x}\n") }),
      ("a new file in a folder", { try repository.write("lib/y.py", "1\n") }),
      ("a file that went", { try repository.remove("lib/x.py") }),
      ("git's index", { try repository.git("add", "--force", "b.txt") }),
      ("a new pipeline", { try repository.write("sub/dvc.yaml", "stages: {a: {cmd: x}}\n") }),
    ]
    for (what, change) in changes {
      try settle()
      try change()
      let result = try repository.cairn("verify")
      let isNoticed = result.status == 1 || result.output.contains("warning")
      #expect(isNoticed, "\(what): \(result)")
      try repository.git("reset", "-q", "--hard")
      try repository.git("clean", "-qfd")
    }
    try settle()
    try repository.write(".cairn/config.toml", "[verify]\nrequire_records = true\n[verify.severity]\nlock-command = \"off\"\n")
    let other = try repository.cairn("verify").output
    try repository.remove(".cairn/config.toml")
    #expect(try repository.cairn("verify").output != other)
  }

  @Test("an edit in a folder with data whose list is not here is noticed, by an answer that was kept too")
  func openFolder() throws {
    let repository = try project()
    try repository.write("lib/own.py", "1\n")
    try repository.write("lib/data/a", "a\n")
    #expect(try repository.cairn("add", "-q", "lib/data").status == 0)
    try repository.write(
      "dvc.yaml", (repository.read("dvc.yaml") ?? "") + "  c: {cmd: echo 1 > c.txt, deps: [lib], outs: [c.txt]}\n")
    // Once more: the first run saw the folder before its .gitignore.
    #expect(try repository.cairn("repro", "-q").status == 0)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try commit(repository)
    try repository.shell("rm -r .dvc/cache")
    Thread.sleep(forTimeInterval: 0.03)
    for _ in 0..<2 { #expect(try repository.cairn("verify").status == 0) }
    try repository.write("lib/own.py", "longer\n")
    let result = try repository.cairn("verify", "--json")
    #expect(try failed(result) == ["dep-content c"], "\(result)")
    #expect(try repository.cairn("verify").status == 1)
  }

  @Test("where there is nothing to look at each answer says so")
  func nothing() throws {
    let repository = try TestRepository()
    try repository.commit()
    for _ in 0..<3 {
      let result = try repository.cairn("verify")
      #expect(result.status == 0 && result.errors.hasPrefix("WARNING: nothing was looked at: there is no stage"), "\(result)")
    }
    try repository.write("dvc.yaml", "stages: {a: {cmd: x}}\n")
    let gone = try repository.cairn("verify", "--rev", "HEAD", "a")
    #expect(gone.status == 255 && gone.errors.contains("'dvc.yaml' does not exist"), "\(gone)")
  }

  @Test("a lock that could not be read and was mended is looked at again", arguments: ["<<<<<<< HEAD\n", "stages: [\n"])
  func mended(damage: String) throws {
    let repository = try project()
    let good = try #require(repository.read("dvc.lock"))
    func settle() { Thread.sleep(forTimeInterval: 0.03) }
    settle()
    try repository.write("dvc.lock", damage + good)
    settle()
    for _ in 0..<2 { #expect(try repository.cairn("verify").status == 1) }
    try repository.write("dvc.lock", good)
    #expect(try repository.cairn("verify").status == 0)
  }

  @Test("a pipeline that a sparse checkout leaves out is not looked at, and never green")
  func sparse() throws {
    let repository = try project()
    try repository.write("sub/dvc.yaml", "stages:\n  c:\n    cmd: echo 1 > c.txt\n    outs: [c.txt]\n")
    #expect(try repository.cairn("repro", "-q", "-P").status == 0)
    try commit(repository)
    try repository.git("sparse-checkout", "set", "--no-cone", "/*", "!/sub/")
    #expect(try repository.cairn("verify").status == 2)
    let result = try repository.cairn("verify", "--json")
    let checks = try #require(try document(result)["checks"] as? [[String: Any]])
    let unknown = checks.filter { $0["status"] as? String == "unknown" }.compactMap { $0["path"] as? String }
    #expect(result.status == 2 && unknown == ["sub/dvc.lock", "sub/dvc.yaml"], "\(result)")
    #expect(try repository.cairn("verify", "--rev", "HEAD").status == 0)
  }

  @Test("a parameter file outside of the repository that was gone is noticed when it is there again")
  func outsideParameters() throws {
    let outside = try TemporaryFolder("cairn-outside-")
    let file = outside.path + "/p.yaml"
    try "k: 1\n".write(toFile: file, atomically: false, encoding: .utf8)
    let repository = try project()
    try repository.write(
      "dvc.yaml", (repository.read("dvc.yaml") ?? "") + "  c: {cmd: echo 1 > c.txt, params: [\(file): [k]], outs: [c.txt]}\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try commit(repository)
    try FileManager.default.removeItem(atPath: file)
    Thread.sleep(forTimeInterval: 0.03)
    #expect(try repository.cairn("verify").status == 1)
    #expect(try repository.cairn("verify").status == 1)
    try "k: 1\n".write(toFile: file, atomically: false, encoding: .utf8)
    let again = try repository.cairn("verify")
    #expect(again.status == 0, "\(again)")
  }

  @Test("a repository that has never heard of Cairn keeps no trace of a question, nor one that has settings alone")
  func noTrace() throws {
    let repository = try project()
    try FileManager.default.removeItem(atPath: repository.path(".cairn"))
    try repository.write(".cairn/config.toml", "jobs = 1\n")
    try repository.git("add", "--force", ".cairn/config.toml")
    for command in ["verify", "lint", "why", "status", "diff"] { _ = try repository.cairn(command) }
    #expect(try repository.git("status", "--porcelain") == "A  .cairn/config.toml\n")
    try FileManager.default.removeItem(atPath: repository.path(".cairn"))
    #expect(try repository.cairn("verify").status == 0)
    #expect(try repository.cairn("lint").status == 0)
    #expect(!repository.exists(".cairn"))
  }

  @Test("what hostile files ask for is refused at once")
  func hostile() throws {
    let repository = try project()
    let bomb = (0..<12).map { "k\($0): &k\($0) [" + Array(repeating: $0 == 0 ? "x" : "*k\($0 - 1)", count: 9).joined(separator: ",") + "]\n" }
    try repository.write("params.yaml", bomb.joined())
    #expect(try repository.cairn("verify").status == 1)
    try repository.remove("params.yaml")
    #expect(try repository.run(["mkfifo", "params.yaml"]).status == 0)
    let pipe = try repository.cairn("verify")
    #expect(pipe.status == 1 && pipe.output.contains("is not a plain file"), "\(pipe)")
    try repository.remove("params.yaml")
    #expect(try repository.run(["ln", "-s", "/dev/zero", "params.yaml"]).status == 0)
    #expect(try repository.cairn("verify").status == 1)
    try repository.remove("params.yaml")
    let axes = (0..<10).map { "      a\($0): [1,2,3,4,5,6,7,8,9,10]\n" }.joined()
    try repository.write("dvc.yaml", "stages:\n  a:\n    matrix:\n\(axes)    cmd: echo\n")
    let many = try repository.cairn("verify")
    #expect(many.status == 1 && many.output.contains("makes more than 100000 stages"), "\(many)")
    try repository.write("params.yaml", "a: \(String(repeating: "x", count: 100_000))\n")
    try repository.write("dvc.yaml", "stages: {a: {cmd: '\(String(repeating: "${a}", count: 100_000))'}}\n")
    #expect(try repository.cairn("verify").output.contains("more text than can be used"))
  }

  @Test("files that nest without end, and templates that nothing closes, end in a verdict")
  func deep() throws {
    let repository = try project()
    let parts = String(repeating: "z.", count: 20_000) + "z"
    for (name, text) in [
      ("p.toml", parts + " = 1\n"), ("p.toml", "[\(parts)]\n"),
      ("p.json", String(repeating: "{\"a\": ", count: 20_000)), ("p.yaml", String(repeating: "{a: ", count: 20_000)),
      ("p.py", "a = " + String(repeating: "(", count: 20_000)),
    ] {
      try repository.write(name, text)
      try repository.write("dvc.yaml", "stages: {a: {cmd: x, params: [{\(name): [k]}]}}\n")
      let result = try repository.cairn("verify")
      #expect(result.status == 1 && result.output.contains("structure is corrupted"), "\(name): \(result)")
    }
    for file in ["dvc.yaml", "dvc.lock"] {
      try repository.write("dvc.yaml", "stages: {a: {cmd: x, params: [\(file == "dvc.yaml" ? parts : "a")]}}\n")
      try repository.write(
        "dvc.lock",
        "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    params:\n      params.yaml:\n        ? \(parts)\n        : 1\n")
      #expect(try repository.cairn("verify").status == 1)
    }
    try repository.write("dvc.yaml", "stages: {a: {cmd: 'echo \(String(repeating: "${", count: 500_000))'}}\n")
    #expect(try repository.cairn("verify").status == 1)
    try repository.write(".cairn/config.toml", parts + " = 1\n")
    #expect(try repository.cairn("verify").status == 255)
  }

  @Test(
    "a pipe in the place of a file of git's is waited for by nobody",
    arguments: ["index", "config", "HEAD", "info/exclude", "info/attributes", "packed-refs", "refs/heads/main"])
  func pipes(name: String) throws {
    let repository = try project()
    try repository.git("branch", "-M", "main")
    let path = ".git/" + name
    try? FileManager.default.removeItem(atPath: repository.path(path))
    #expect(try repository.run(["mkfifo", repository.path(path)]).status == 0)
    for arguments in [[], ["--rev", "HEAD"]] {
      let result = try repository.run(["timeout", "20", try CairnBinary.path(), "verify"] + arguments)
      #expect(result.status == 255 && result.errors.contains("is not a plain file"), "\(arguments): \(result)")
    }
  }

  @Test("a parameter file that cannot be read is the place, and not the pipeline that needs it")
  func unreadableParameters() throws {
    let repository = try project()
    func place() throws -> String {
      let checks = try #require(try document(try repository.cairn("verify", "--json"))["checks"] as? [[String: Any]])
      let failed = try #require(checks.first { $0["status"] as? String == "failed" })
      return "\(failed["id"] ?? "") \((failed["at"] as? [String: Any])?["file"] ?? "") \(failed["hint"] ?? "")"
    }
    try repository.write("params.yaml", [0xFF])
    #expect(try place() == "pipeline-valid params.yaml mend params.yaml")
    try repository.remove("params.yaml")
    try repository.write("params.yaml/x", "")
    #expect(try place() == "pipeline-valid params.yaml mend params.yaml")
  }

  @Test("a shallow clone is told to fetch what a remote knows by that name", arguments: [
    ("HEAD~1", "`git fetch --unshallow`"), ("origin/main~3", "`git fetch --unshallow`"),
    ("origin/topic", "`git fetch origin topic`"), ("v1", "`git fetch origin v1`"),
  ])
  func shallow(base: String, hint: String) throws {
    let repository = try project()
    try repository.git("commit", "-q", "--allow-empty", "-m", "second")
    try repository.git("clone", "-q", "--depth", "1", "file://\(repository.root)", "clone")
    let result = try repository.cairn("--cd", "clone", "verify", "--base", base)
    #expect(result.status == 255 && result.errors.contains(hint), "\(result)")
  }

  @Test("a value with an escaped surrogate is written and read as DVC does")
  func surrogates() throws {
    let repository = try project()
    try repository.write("params.yaml", "lr: \"\\ud83d\\ude00\"\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    let lock = try #require(repository.read("dvc.lock"))
    #expect(lock.contains("        lr: \"\\uD83D\\uDE00\"\n"), "\(lock)")
    try commit(repository)
    #expect(try repository.cairn("verify").status == 0)
    #expect(try repository.cairn("status").output == "Data and pipelines are up to date.\n")
    try repository.write("params.yaml", "lr: \"😀\"\n")
    #expect(try repository.cairn("verify").status == 1)
  }

  @Test("a file of which nothing was locked is nothing that was taken out")
  func emptyParameters() throws {
    let repository = try project()
    let lock = try #require(repository.read("dvc.lock"))
    try repository.write(
      "dvc.lock",
      lock.replacingOccurrences(
        of: "    outs:\n    - path: a.txt", with: "    params: {params.yaml: {}}\n    outs:\n    - path: a.txt"))
    let empty = try repository.cairn("verify")
    #expect(empty.status == 0, "\(empty)")
  }

  @Test("what git does not have of a folder is not read where it is large: that it is there is told")
  func largeStranger() throws {
    let repository = try project()
    try repository.write("lib/x.py", "1\n")
    try repository.write(
      "dvc.yaml", (repository.read("dvc.yaml") ?? "") + "  c: {cmd: echo 1 > c.txt, deps: [lib], outs: [c.txt]}\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try commit(repository)
    #expect(try repository.run(["truncate", "-s", "3G", repository.path("lib/big")]).status == 0)
    #expect(try failed(try repository.cairn("verify", "--json")) == ["dep-origin c"])
    try repository.write("lib/x.py", "2\n")
    #expect(try failed(try repository.cairn("verify", "--json")) == ["dep-origin c"])
  }

  @Test("what many stages share is looked at once")
  func shared() throws {
    let repository = try project()
    for number in 0..<300 { try repository.write("lib/\(number)", "1\n") }
    let stages = (0..<300).map { "  s\($0): {cmd: echo, deps: [lib], outs: [o\($0)]}\n" }.joined()
    try repository.write("dvc.yaml", "stages:\n" + stages)
    try commit(repository)
    for number in 0..<90 { try repository.write("lib/more\(number)", "1\n") }
    let result = try failed(try repository.cairn("verify", "--json"))
    #expect(result.count { $0.hasPrefix("dep-origin") } == 300 * 90)
  }

  @Test("no program that the repository's own settings name is started")
  func startsNothing() throws {
    let repository = try project()
    for (key, value) in [
      ("core.fsmonitor", "touch started;"), ("filter.x.smudge", "touch started"), ("filter.x.clean", "touch started"),
      ("diff.external", "touch started"), ("core.pager", "touch started"), ("core.sshCommand", "touch started"),
    ] { try repository.git("config", key, value) }
    try repository.write(".git/info/attributes", "*.txt filter=x\n")
    try repository.write("params.py", "import os\nos.system('touch started')\nLR = 1\n")
    try repository.write(
      "dvc.yaml", (repository.read("dvc.yaml") ?? "") + "  d: {cmd: x, params: [{params.py: [LR]}]}\n")
    for arguments in [[], ["--rev", "HEAD"], ["--base", "HEAD"], ["--markdown", "m.md"]] {
      _ = try repository.run([try CairnBinary.path(), "verify"] + arguments)
    }
    #expect(!repository.exists("started"))
  }
}

struct LintCommandTests {
  @Test("oversights are named with their places, and warnings alone end with 0")
  func findings() throws {
    let repository = try TestRepository()
    try repository.write("params.yaml", "used: 1\nunused: {deep: 1}\npart: {a: 1, b: 2}\n")
    try repository.write("src/run.py", "")
    try repository.write("src/tool.sh", "")
    try repository.write("more.yaml", "x: 1\ny: 2\n")
    try repository.write(
      "dvc.yaml",
      """
      vars:
        - more.yaml
        - {mine: 1, other: 2, half: {read: 1, left: 2}}
      stages:
        a:
          cmd: python src/run.py ${used} ${x} ${mine} ${half.read} > a
          params: [part.a]
          outs: [a]
        b:
          cmd: bash -e src/tool.sh a
          deps: [a, src/tool.sh]
        none:
          foreach: []
          do: {cmd: echo}
        c:
          cmd: cp a c
          deps: [a]
          outs: [c, eval/plots, lost]
      plots:
        - ROC: {x: {eval/plots/x.csv: fpr}, y: {c: tpr}}

      """)
    try repository.git("add", "-A")
    let result = try repository.cairn("lint", "--json")
    let document = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(document["schema"] as? String == "cairn.lint/v1" && result.status == 0, "\(result)")
    let checks = try #require(document["checks"] as? [[String: Any]])
    let found = checks.filter { $0["status"] as? String == "failed" }.map { check -> String in
      let at = check["at"] as? [String: Any] ?? [:]
      return "\(check["id"] ?? "") \(at["file"] ?? ""):\(at["line"] ?? "") \(check["message"] ?? "")"
    }
    #expect(
      found == [
        "undeclared-script dvc.yaml:6 it runs src/run.py, which is not among its dependencies",
        "dead-stage dvc.yaml:9 it makes nothing: no stage can need it, and nobody sees what it did",
        "unread-output dvc.yaml:18 no stage reads lost",
        "dead-stage dvc.yaml:12 it makes no stage: what it goes over is empty",
        "unused-var dvc.yaml:3 no template uses the variable other",
        "unused-var dvc.yaml:3 no template uses the variable half.left",
        "unused-var more.yaml:2 no template uses y",
        "unused-param params.yaml:2 no stage declares or uses the parameter unused",
        "unused-param params.yaml:3 no stage declares or uses the parameter part.b",
      ], "\(found)")
    try repository.write("dvc.yaml", "stages: {a: {cmd: x, deps: [nowhere], outs: [a]}}\n")
    #expect(try repository.cairn("lint").status == 1)
    try repository.write("dvc.yaml", "stages: [\n")
    #expect(try repository.cairn("lint").status == 1)
  }
}
