// `cairn why --between`: what differs between two commits, from git alone; the one cause, its commit, what is unknown.
import CairnTestSupport
import Foundation
import Testing

private let pipeline = """
  stages:
    prepare:
      cmd: head -n 50 raw.csv > clean.csv
      deps: [raw.csv, src]
      params: [split]
      outs: [clean.csv]
    train:
      cmd: cat clean.csv params.yaml > model; echo ${optimiser}
      deps: [clean.csv, train.py]
      params: [train.lr, train.seed]
      outs: [model]
    evaluate:
      cmd: mkdir -p eval && cp model eval/a
      deps: [model]
      outs: [eval]
    tune:
      foreach: [a, b, c, d]
      do:
        cmd: echo ${item} > tune-${item}
        deps: [tune.py]
        outs: ["tune-${item}"]

  """

/// Four commits of a small project, each run before it was committed; the work tree is at the last.
private final class History {
  let repository: TestRepository

  init() throws {
    repository = try TestRepository()
    try repository.git("config", "user.name", "Ann")
    try repository.git("config", "user.email", "ann@example.org")
    try repository.write("raw.csv", (1...100).map { "\($0)\n" }.joined())
    try repository.write("train.py", "one\ntwo\n")
    try repository.write("tune.py", "one\n")
    try repository.write("src/a.py", "one\n")
    try repository.write("params.yaml", "split: 0.2\ntrain:\n  lr: 0.1\n  seed: 7\noptimiser: adam\n")
    try repository.write("dvc.yaml", pipeline)
    guard try repository.cairn("add", "-q", "raw.csv").status == 0 else { throw TestSupportError("cannot add") }
    try step("first work")
  }

  /// Runs what is stale, commits all, and names the commit.
  func step(_ message: String, tag: String? = nil, runs: Bool = true) throws {
    if runs {
      let result = try repository.cairn("repro", "-q")
      guard result.status == 0 else { throw TestSupportError("the project does not run: \(result)") }
    }
    try repository.commit(message)
    if let tag { try repository.git("tag", tag) }
  }

  func edit(_ file: String, _ old: String, _ new: String) throws {
    let text = repository.read(file) ?? ""
    guard text.contains(old) else { throw TestSupportError("\(file) has no '\(old)'") }
    try repository.write(file, text.replacing(old, with: new))
  }

  /// The answer with what changes from run to run replaced, for `targets` between two revisions.
  func between(_ from: String, _ to: String, _ more: String...) throws -> (text: String, status: Int32) {
    let result = try repository.run([try CairnBinary.path(), "why", "--between", from, to] + more)
    var text = result.output.replacing(/commit [0-9a-f]{7}/, with: "commit C")
    for (name, shown) in [(from, "FROM"), (to, "TO")] {
      guard let commit = try? repository.git("rev-parse", "--verify", "--quiet", name + "^{commit}") else { continue }
      text = text.replacing(commit.prefix(7), with: shown)
    }
    return (text + result.errors, result.status)
  }

  func document(_ from: String, _ to: String, _ more: String...) throws -> [String: Any] {
    let result = try repository.run([try CairnBinary.path(), "why", "--json", "--between", from, to] + more)
    return try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }
}

struct BetweenTests {
  @Test("a parameter is the one cause of all stages behind it, with its line, its commit and both values")
  func parameter() throws {
    let history = try History()
    try history.edit("params.yaml", "lr: 0.1", "lr: 0.01")
    try history.repository.commit("learn slowly")
    try history.step("its results")
    let all = try history.between("HEAD~2", "HEAD")
    #expect(
      all.text == """
        2 of 7 stages differ between FROM and TO · 1 cause
          params.yaml: train.lr 0.1 → 0.01   → train, evaluate   commit C "learn slowly" by Ann, just now

        """)
    #expect(all.status == 1)
    #expect(
      try history.between("HEAD~2", "HEAD", "train", "eval").text == """
        train  DIFFERS  because params.yaml: train.lr changed  0.1 → 0.01
          params.yaml:3   commit C "learn slowly" by Ann, just now
          results         model differs
          unchanged       2 dependencies, 1 parameter, command
        evaluate  DIFFERS  because params.yaml: train.lr changed  0.1 → 0.01
          params.yaml:3   commit C "learn slowly" by Ann, just now
          chain           params.yaml → train → evaluate
          results         eval differs

        """)
    let back = try history.between("HEAD", "HEAD~2")
    #expect(back.text.contains("train.lr 0.01 → 0.1   → train, evaluate   without commit C \"learn slowly\" by Ann"))
  }

  @Test("the document has both commits, the cause once, and tells what follows from what has a cause of its own")
  func json() throws {
    let history = try History()
    try history.edit("params.yaml", "lr: 0.1", "lr: 0.01")
    try history.step("learn slowly")
    let document = try history.document("HEAD~1", "HEAD")
    #expect(document["schema"] as? String == "cairn.why/v1")
    let between = try #require(document["between"] as? [String: Any])
    let head = try history.repository.git("rev-parse", "HEAD").trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(between["to"] as? String == head)
    #expect((between["from"] as? String)?.count == 40)
    let cause = try #require((document["causes"] as? [[String: Any]])?.first)
    #expect(cause["kind"] as? String == "parameter-changed" && cause["key"] as? String == "train.lr")
    let at = try #require(cause["at"] as? [String: Any])
    #expect(at["commit"] as? String == head && at["author"] as? String == "Ann" && at["line"] as? Int == 3)
    #expect(at["dirty"] as? Bool == false && at["date"] is String)
    let affects = try #require(cause["affects"] as? [String: [String]])
    #expect(affects == ["must": ["train"], "may": ["evaluate"]])
    let stages = try #require(document["stages"] as? [[String: Any]])
    func stage(_ name: String) -> [String: Any]? { stages.first { $0["stage"] as? String == name } }
    let would = ["train", "evaluate", "prepare"].map { stage($0)?["would"] as? String }
    #expect(would == ["run", "depends", "skip"])
    #expect(stage("evaluate")?["chain"] as? [String] == ["params.yaml", "train", "evaluate"])
    let short = try history.document("HEAD~1", "HEAD", "--stale")
    #expect((short["stages"] as? [[String: Any]])?.count == 2)
  }

  @Test("an edited file has its lines, a folder its files, data the commit of its .dvc file")
  func files() throws {
    let history = try History()
    try history.repository.write("train.py", "one\n2\nthree\n")
    try history.step("train otherwise", tag: "script")
    try history.repository.write("src/b.py", "new\n")
    try history.repository.write("src/a.py", "1\n")
    try history.step("prepare otherwise", tag: "folder")
    try history.repository.write("raw.csv", (3...120).map { "\($0)\n" }.joined())
    try history.repository.cairn("add", "-q", "raw.csv")
    try history.step("june batch", tag: "data")
    #expect(try history.between("script~1", "script").text.contains(#"train.py +2 −1 lines, 8 → 12 B   → train"#))
    let folder = try history.between("script", "folder", "prepare")
    #expect(
      folder.text.contains(
        #"src         +1 −1 lines, files: 1 added, 1 changed, 4 → 6 B; commit C "prepare otherwise""#))
    #expect(
      try history.between("folder", "data").text == """
        3 of 7 stages differ between FROM and TO · 1 cause
          raw.csv 292 → 368 B   → prepare, train, evaluate   commit C "june batch" by Ann, just now

        """)
  }

  @Test("of a command the value that a template took is the cause, or that its text was edited")
  func command() throws {
    let history = try History()
    try history.edit("params.yaml", "adam", "sgd")
    try history.step("sgd")
    try history.edit("dvc.yaml", "head -n 50", "head -n 60")
    try history.step("more lines")
    let value = try history.between("HEAD~2", "HEAD~1", "train")
    #expect(value.text.hasPrefix("train  DIFFERS  because params.yaml: optimiser changed  adam → sgd\n"))
    #expect(value.text.contains("  was             cat clean.csv params.yaml > model; echo adam\n"))
    let text = try history.between("HEAD~1", "HEAD", "prepare")
    #expect(text.text.hasPrefix("prepare  DIFFERS  because its command was edited\n"))
    #expect(text.text.contains(#"dvc.yaml:3   commit C "more lines" by Ann, just now"#))
    // The text was edited once and the value changed once: two causes, whichever commit they came with.
    try history.edit("dvc.yaml", "> model;", ">model;")
    try history.edit("params.yaml", "sgd", "lion")
    try history.step("both")
    let both = try history.between("HEAD~1", "HEAD", "train").text
    #expect(both.contains("because its command was edited and 1 other cause"))
    #expect(both.contains("optimiser changed  sgd → lion"))
  }

  @Test("equal values in DVC's sense, and a file that only has a new comment, make no difference")
  func same() throws {
    let history = try History()
    try history.edit("params.yaml", "seed: 7", "seed: 7.0  # lucky")
    try history.step("a comment")
    let result = try history.between("HEAD~1", "HEAD")
    #expect(result.text == "none of 7 stages differs between FROM and TO\n" && result.status == 0)
    #expect(try history.between("HEAD~1", "HEAD", "train").text == "train  SAME  at FROM and TO\n")
    #expect(try history.between("HEAD~1", "HEAD", "train", "--stale").text == "")
  }

  @Test("a group is folded, a renamed file is one cause, a renamed stage is held against what it was")
  func renamed() throws {
    let history = try History()
    try history.repository.git("mv", "tune.py", "src2.py")
    try history.edit("dvc.yaml", "tune.py", "src2.py")
    try history.edit("dvc.yaml", "  train:\n    cmd: cat", "  fit:\n    cmd:  cat")
    try history.step("other names")
    #expect(
      try history.between("HEAD~1", "HEAD", "tune").text == """
        tune@* (4: 4 differ) between FROM and TO
          tune.py is src2.py now   → tune@* (4)   commit C "other names" by Ann, just now

        """)
    #expect(
      try history.between("HEAD~1", "HEAD", "fit").text == """
        fit  SAME  at FROM and TO
          renamed   from train

        """)
    // By the name that it had.
    #expect(try history.between("HEAD~1", "HEAD", "train").text.hasPrefix("fit  SAME"))
  }

  @Test("stages that are new or gone are said; what has no lock entry is unknown, and says where")
  func presence() throws {
    let history = try History()
    let more = "  count:\n    cmd: wc -l clean.csv > count\n    deps: [clean.csv]\n    outs: [count]\n"
    let before = history.repository.read("dvc.yaml") ?? ""
    try history.repository.write("dvc.yaml", before + more)
    try history.step("declared", tag: "declared", runs: false)
    try history.step("run", tag: "run")
    try history.repository.write("dvc.yaml", before)
    try history.repository.remove("dvc.lock")
    try history.step("gone", tag: "gone")
    let new = try history.between("declared~1", "run")
    #expect(new.status == 1 && new.text.contains(#"  new   → count   commit C "declared" by Ann, just now"#))
    #expect(try history.between("declared~1", "run", "count").text.hasPrefix("count  NEW  not there at FROM\n"))
    let gone = try history.between("run", "gone")
    #expect(gone.text == "none of 7 stages differs between FROM and TO · 1 gone\n  gone: count\n" && gone.status == 1)
    let named = try history.between("run", "gone", "count")
    #expect(named.text == "count  GONE  not there at TO\n" && named.status == 1)
    let unknown = try history.between("declared", "run")
    #expect(unknown.status == 2)
    #expect(unknown.text.contains("  count  cannot tell: dvc.lock has no entry for it at FROM\n"))
    #expect(try history.between("declared~1", "declared", "count").text.hasPrefix("count  NEW"))
    let document = try history.document("run", "gone")
    #expect((document["between"] as? [String: Any])?["gone"] as? [String] == ["count"])
  }

  @Test("an edit that was committed before it was run is told: the second commit is stale, or the first was")
  func outdated() throws {
    let history = try History()
    try history.edit("params.yaml", "lr: 0.1", "lr: 0.01")
    try history.step("not run", tag: "edited", runs: false)
    try history.step("run at last", tag: "run")
    let stale = try history.between("edited~1", "edited")
    let note = "  train  stale at TO: its lock does not follow from what is there: params.yaml:train.lr\n"
    #expect(stale.status == 0 && stale.text.hasSuffix(note))
    #expect(
      try history.between("edited", "run", "train").text
        .contains("params.yaml:3   so at FROM already: the lock did not follow until later\n"))
    let notes = try history.document("edited~1", "edited", "train")["stages"] as? [[String: Any]]
    let told = (notes?.first?["notes"] as? [[String: Any]])?.first
    #expect(told?["kind"] as? String == "lock-outdated" && told?["differs"] as? [String] == ["params.yaml:train.lr"])
  }

  @Test("other results from the same inputs are a cause of their own, and what follows from them is not")
  func undetermined() throws {
    let history = try History()
    // As if the command had given another model.
    let lock = history.repository.read("dvc.lock") ?? ""
    let model = try #require(lock.firstMatch(of: /path: model\n +hash: md5\n +md5: ([0-9a-f]+)/)).output.1
    try history.repository.write("dvc.lock", lock.replacing(model, with: String(model.reversed())))
    try history.repository.commit("another machine")
    #expect(
      try history.between("HEAD~1", "HEAD").text == """
        2 of 7 stages differ between FROM and TO · 1 cause
          another model from the same inputs   → train, evaluate   commit C "another machine" by Ann, just now

        """)
    #expect(
      try history.between("HEAD~1", "HEAD", "evaluate").text
        .hasPrefix("evaluate  DIFFERS  because train gave another model from the same inputs\n"))
  }

  @Test("an import tells its other commit in short, a frozen stage is the same, a project may lie in a sub-directory")
  func imports() throws {
    let repository = try TestRepository(dvc: false)
    try repository.git("config", "user.name", "Ann")
    try repository.git("config", "user.email", "ann@example.org")
    try repository.write("project/.dvc/config", "")
    try repository.write(
      "project/dvc.yaml",
      """
      stages:
        use: {cmd: cat d.csv > use, deps: [d.csv], outs: [use]}
        old: {cmd: cat d.csv > old, deps: [d.csv], outs: [old], frozen: true}

      """)
    func commit(_ digit: String, _ message: String) throws {
      let hash = String(repeating: digit, count: 32)
      let source = "path: d.csv, repo: {url: ../lib, rev_lock: \(String(repeating: digit, count: 40))}"
      try repository.write(
        "project/d.csv.dvc",
        "frozen: true\ndeps:\n- {\(source)}\nouts:\n- {md5: \(hash), size: 4, hash: md5, path: d.csv}\n")
      func entry(_ name: String, _ hash: String) -> String {
        let files = "deps: [{path: d.csv, hash: md5, md5: \(hash)}], outs: [{path: \(name), hash: md5, md5: \(hash)}]"
        return "  \(name): {cmd: cat d.csv > \(name), \(files)}\n"
      }
      let first = String(repeating: "a", count: 32)
      try repository.write(
        "project/dvc.lock", "schema: '2.0'\nstages:\n" + entry("use", hash) + entry("old", first))
      try repository.commit(message)
    }
    try commit("a", "one")
    try commit("b", "lib moved on")
    let result = try repository.cairn("why", "--between", "HEAD~1", "HEAD", "d.csv.dvc", "use", "old", in: "project")
    let text = result.output.replacing(/[0-9a-f]{7} and [0-9a-f]{7}/, with: "A and B")
    #expect(
      text.replacing(/commit [0-9a-f]{7}/, with: "commit C") == """
        d.csv.dvc  DIFFERS  because ../lib#d.csv changed
          ../lib#d.csv   rev_lock aaaaaaa → bbbbbbb; commit C "lib moved on" by Ann, just now
        use  DIFFERS  because d.csv changed
          d.csv       commit C "lib moved on" by Ann, just now
          results     use differs
          unchanged   command
        old  SAME  at A and B; frozen

        """,
      "\(result)")
  }

  @Test("the work tree counts for nothing and stays as it is, also from a folder and with a broken dvc.yaml")
  func workTree() throws {
    let history = try History()
    try history.edit("params.yaml", "lr: 0.1", "lr: 0.01")
    try history.step("learn slowly")
    try history.repository.write("dvc.yaml", "stages: [\n")
    try history.repository.remove("params.yaml")
    let status = try history.repository.git("status", "--porcelain", "--ignored")
    let result = try history.repository.cairn("why", "--between", "HEAD~1", "HEAD", in: "src")
    #expect(result.status == 1 && result.output.contains("  ../params.yaml: train.lr 0.1 → 0.01   → ../dvc.yaml:train"))
    #expect(try history.repository.git("status", "--porcelain", "--ignored") == status)
  }

  @Test("in a shallow clone what the history does not reach has no commit, and the rest is told")
  func shallow() throws {
    let history = try History()
    try history.edit("params.yaml", "lr: 0.1", "lr: 0.01")
    try history.step("learn slowly")
    try history.edit("params.yaml", "seed: 7", "seed: 8")
    try history.step("another seed")
    try history.repository.git("clone", "-q", "--depth", "2", "file://\(history.repository.root)", "clone")
    let there = try history.repository.cairn("why", "--between", "HEAD~1", "HEAD", "train", in: "clone")
    #expect(there.status == 1 && there.output.contains("because params.yaml: train.seed changed  7 → 8"))
    #expect(there.output.contains("\"another seed\" by Ann"))
    let beyond = try history.repository.cairn("why", "--between", "HEAD~2", "HEAD", in: "clone")
    #expect(beyond.status == 255)
    #expect(beyond.errors.hasPrefix("ERROR: unknown Git revision 'HEAD~2'\nhint: this clone has a part of the history"))
  }

  @Test("what cannot be looked at is an error, in DVC's words where it has some")
  func errors() throws {
    let history = try History()
    let repository = history.repository
    func errors(_ arguments: String...) throws -> String {
      let result = try repository.run([try CairnBinary.path(), "why"] + arguments)
      return "\(result.status) " + (result.errors.split(separator: "\n").first.map(String.init) ?? "")
    }
    #expect(try errors("--between", "HEAD", "nope") == "255 ERROR: unknown Git revision 'nope'")
    #expect(try errors("--between", "HEAD") == "254 ERROR: argument --between: expected 2 arguments")
    #expect(
      try errors("--between", "HEAD", "HEAD", "--last")
        == "254 ERROR: argument --between: not allowed with argument --last")
    #expect(
      try errors("--between", "HEAD", "HEAD", "nope")
        == "255 ERROR: 'nope' does not exist as an output or a stage name in 'dvc.yaml': "
        + "Stage 'nope' not found inside 'dvc.yaml' file")
    try repository.write("dvc.yaml", "stages:\n  a: {cmd: [\n")
    try repository.commit("broken")
    #expect(try errors("--between", "HEAD~1", "HEAD").hasPrefix("2 ERROR: cannot explain "))
    // A broken first commit leaves nothing to hold the stages against.
    #expect(try history.between("HEAD", "HEAD~1").status == 2)
    let without = try TestRepository(git: false)
    let result = try without.cairn("why", "--between", "a", "b")
    #expect(result.status == 255 && result.errors == "ERROR: cannot look at 'a': the project is in no git repository\n")
    let empty = try TestRepository()
    let none = try empty.cairn("why", "--between", "HEAD", "HEAD")
    #expect(none.status == 255 && none.errors.hasPrefix("ERROR: cannot look at 'HEAD': there is no commit yet\n"))
  }
}
