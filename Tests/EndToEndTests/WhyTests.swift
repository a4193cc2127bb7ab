// `cairn why` and `cairn status` in a small project: verdicts, root causes, evidence, and that asking changes nothing.
import CairnTestSupport
import Foundation
import Testing

/// Data tracked by a `.dvc` file, three stages in a row, parameters, and a group.
private func project() throws -> TestRepository {
  let repository = try TestRepository()
  try repository.git("config", "user.name", "Ann")
  try repository.git("config", "user.email", "ann@example.org")
  try repository.write("raw.csv", (1...100).map { "\($0)\n" }.joined())
  try repository.write("train.py", "one\ntwo\n")
  try repository.write("params.yaml", "split: 0.2\ntrain:\n  lr: 0.1\n  seed: 7\n")
  try repository.write(
    "dvc.yaml",
    """
    stages:
      prepare:
        cmd: head -n 50 raw.csv > clean.csv
        deps: [raw.csv]
        params: [split]
        outs: [clean.csv]
      train:
        cmd: cat clean.csv params.yaml > model
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
          deps: [train.py]
          outs: ["tune-${item}"]

    """)
  guard try repository.cairn("add", "-q", "raw.csv").status == 0 else { throw TestSupportError("cannot add") }
  return repository
}

/// The same after everything has run and was committed.
private func finishedProject() throws -> TestRepository {
  let repository = try project()
  let result = try repository.cairn("repro", "-q")
  guard result.status == 0 else { throw TestSupportError("the project does not run: \(result)") }
  try repository.commit("first work")
  return repository
}

/// What changes from run to run is replaced: durations, commits, names of runs.
private func settled(_ text: String) -> String {
  text.replacing(/≈ [0-9.]+ s|under 0\.1 s/, with: "≈ T")
    .replacing(/commit [0-9a-f]{7}/, with: "commit C").replacing(/\([0-9a-f]{4,}/, with: "(RUN")
}

struct WhyTests {
  @Test("an edit is told with its lines, its chain, and what is sure to run and what may")
  func rootCause() throws {
    let repository = try finishedProject()
    try repository.write("raw.csv", (3...120).map { "\($0)\n" }.joined())
    let result = try repository.cairn("why", "evaluate")
    #expect(result.status == 1)
    #expect(
      settled(result.output) == """
        evaluate  STALE  because raw.csv changed
          raw.csv       +20 −2 lines, 292 → 368 B; not committed, saved just now
          chain         raw.csv → prepare → train → evaluate
          sure to run   prepare   ≈ T
          may run       train, evaluate   if what comes before differs; then ≈ T (median of 1)

        """, "\(result)")
  }

  @Test("a parameter is told with both values, its line, and what is as it was")
  func parameter() throws {
    let repository = try finishedProject()
    try repository.write("params.yaml", "split: 0.2\ntrain:\n  lr: 0.01\n  seed: 7\n")
    let result = try repository.cairn("why", "model")
    #expect(
      settled(result.output) == """
        train  STALE  because params.yaml: train.lr changed  0.1 → 0.01
          params.yaml:3   not committed, saved just now
          unchanged       2 dependencies, 1 other parameter, command

        """, "\(result)")
    try repository.commit("learn slowly")
    let committed = try repository.cairn("why", "train")
    #expect(settled(committed.output).contains("params.yaml:3   commit C \"learn slowly\" by Ann, just now"))
  }

  @Test("what was computed before is told as known, and a run tells why it ran")
  func known() throws {
    let repository = try finishedProject()
    let first = repository.read("params.yaml") ?? ""
    try repository.write("params.yaml", first.replacing("lr: 0.1", with: "lr: 0.01"))
    try repository.cairn("repro", "-q", "train")
    #expect(
      try repository.cairn("why", "train").output
        == "train  FRESH  last ran just now because params.yaml: train.lr changed  0.1 → 0.01\n")
    #expect(
      settled(try repository.cairn("why", "--last", "train").output)
        == "train  RAN  just now because params.yaml: train.lr changed  0.1 → 0.01  (RUN)\n")
    try repository.write("params.yaml", first)
    let result = try repository.cairn("why", "train")
    #expect(
      settled(result.output).contains(
        "already known   computed just now (RUN): taken from the cache, 0 s instead of ≈ T"), "\(result)")
    let json = try repository.cairn("why", "train", "--json").output
    #expect(json.contains("\"would\": \"restore\""))
  }

  @Test("a stage whose declared parameter is in no file is not told as known: it will fail")
  func missingParameter() throws {
    let repository = try TestRepository()
    let text = "stages:\n  a:\n    cmd: cat in > a\n    deps: [in]\n    params: [lr]\n    outs: [a]\n"
    try repository.write("dvc.yaml", text)
    try repository.write("in", "1\n")
    try repository.write("params.yaml", "lr: 0.1\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.write("dvc.yaml", text.replacing("[lr]", with: "[lr, new]"))
    let json = try repository.cairn("why", "a", "--json").output
    #expect(json.contains("\"kind\": \"parameter-missing\""))
    #expect(json.contains("\"would\": \"run\""), "\(json)")
    #expect(try repository.cairn("repro").status == 255)
  }

  @Test("why a stage just ran is told by the edit that began it, not by the file that the stage before made anew")
  func rootOfPastRun() throws {
    let repository = try finishedProject()
    let first = repository.read("params.yaml") ?? ""
    try repository.write("params.yaml", first.replacing("lr: 0.1", with: "lr: 0.01"))
    try repository.cairn("repro", "-q")
    #expect(
      try repository.cairn("why", "evaluate").output
        == "evaluate  FRESH  last ran just now because params.yaml: train.lr changed  0.1 → 0.01 (train → evaluate)\n")
    let text = try repository.cairn("why", "--last", "evaluate", "--json").output
    let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let stage = try #require((document["stages"] as? [[String: Any]])?.first)
    #expect(stage["chain"] as? [String] == ["params.yaml", "train", "evaluate"])
    #expect((document["causes"] as? [[String: Any]])?.map { $0["kind"] as? String } == ["parameter-changed"])
    #expect(stage["causes"] as? [String] == ["c1"])
    for key in ["verdict", "would", "last_run", "notes"] { #expect(stage[key] != nil, "\(key)") }
    #expect((document["summary"] as? [String: Any])?["causes"] as? Int == 1)
    // What the record itself says stays what it is.
    #expect((stage["reasons"] as? [[String: Any]])?.map { $0["kind"] as? String } == ["dependency-changed"])
    // Taken from the cache, with the model of long ago: the edit is the one that was made just now.
    try repository.write("params.yaml", first)
    try repository.cairn("repro", "-q")
    #expect(
      settled(try repository.cairn("why", "--last", "evaluate").output)
        == "evaluate  RESTORED  just now because params.yaml: train.lr changed  0.01 → 0.1 (train → evaluate)  (RUN)\n")
    // A command that was edited is another stage's own.
    try repository.shell("sed -i 's/cat clean.csv params.yaml/cat params.yaml/' dvc.yaml")
    try repository.cairn("repro", "-q")
    #expect(
      settled(try repository.cairn("why", "--last", "evaluate").output)
        == "evaluate  RAN  just now because the command of train changed (train → evaluate)  (RUN)\n")
    // Forced or not, the edit is why.
    try repository.write("params.yaml", first.replacing("lr: 0.1", with: "lr: 0.3"))
    try repository.cairn("repro", "-q", "-f")
    #expect(
      settled(try repository.cairn("why", "--last", "evaluate").output)
        == "evaluate  RAN  just now because params.yaml: train.lr changed  0.1 → 0.3 (train → evaluate) and 1 other cause  (RUN)\n")
    try repository.cairn("repro", "-q", "-f")
    #expect(try repository.cairn("why", "--last", "evaluate").output.contains("because it was forced  ("))
  }

  @Test("all that a run began with is told through every stage before it, what they share once")
  func rootsOfPastRun() throws {
    let repository = try TestRepository()
    try repository.write("params.yaml", "lr: 1\nseed: 1\n")
    for name in ["f", "g"] { try repository.write(name, "1\n") }
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a: {cmd: cat f params.yaml > a, deps: [f], params: [lr], outs: [a]}
        b: {cmd: cat g params.yaml > b, deps: [g], params: [lr, seed], outs: [b]}
        c: {cmd: cat a b > c, deps: [a, b], outs: [c]}
        d: {cmd: cat c f > d, deps: [c, f], outs: [d]}

      """)
    #expect(try repository.cairn("repro", "-q").status == 0)
    for name in ["f", "g"] { try repository.write(name, "2\n") }
    try repository.write("params.yaml", "lr: 2\nseed: 1\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    func roots(_ stage: String) throws -> [String] {
      let text = try repository.cairn("why", "--last", stage, "--json").output
      let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      let causes = document["causes"] as? [[String: Any]] ?? []
      return causes.map { "\($0["path"] ?? ""):\($0["key"] ?? "") of \($0["stage"] ?? "")" }
    }
    #expect(try roots("c") == ["f: of a", "params.yaml:lr of a", "g: of b"])
    #expect(try roots("d") == ["f: of d", "params.yaml:lr of a", "g: of b"])
    #expect(
      settled(try repository.cairn("why", "--last", "c").output)
        == "c  RAN  just now because f changed (a → c) and 2 other causes  (RUN)\n")
    // Two stages that were made anew for the same kind of reason are two causes.
    let text = repository.read("dvc.yaml") ?? ""
    try repository.write(
      "dvc.yaml", text.replacing("cat f params.yaml", with: "cat params.yaml f").replacing("cat g params.yaml", with: "cat params.yaml g"))
    #expect(try repository.cairn("repro", "-q").status == 0)
    #expect(try roots("c") == [": of a", ": of b"])
  }

  @Test("behind a stage that ran alone the edits are told for which it ran, not what it made")
  func alone() throws {
    let repository = try TestRepository()
    try repository.write("raw", "1\n2\n")
    try repository.write("params.yaml", "lr: 1\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a: {cmd: cat raw params.yaml > a, deps: [raw], params: [lr], outs: [a]}
        b: {cmd: cat a > b, deps: [a], outs: [b]}
        c: {cmd: cat b > c, deps: [b], outs: [c]}

      """)
    try repository.commit("first")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.write("raw", "1\n2\n3\n")
    try repository.commit("june batch")
    #expect(try repository.cairn("repro", "-q", "a").status == 0)
    try repository.commit("ran")
    #expect(
      settled(try repository.cairn("why", "b").output)
        == """
        b  STALE  because raw changed
          raw         +1 line, 4 → 6 B; commit C "june batch" by Ann, just now
          chain       raw → a → b
          unchanged   command

        """)
    let text = try repository.cairn("why", "c", "--json").output
    let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let stage = try #require((document["stages"] as? [[String: Any]])?.first)
    #expect(stage["chain"] as? [String] == ["raw", "a", "b", "c"])
    // Of several runs all edits, each from what it was before the first.
    for lr in [2, 3] {
      try repository.write("params.yaml", "lr: \(lr)\n")
      #expect(try repository.cairn("repro", "-q", "a").status == 0)
    }
    let more = try repository.cairn("why", "b").output
    #expect(more.hasPrefix("b  STALE  because params.yaml: lr changed  1 → 3 and 1 other cause\n"), "\(more)")
    #expect(try repository.cairn("repro", "-q", "b").status == 0)
    #expect(
      try repository.cairn("why", "b").output
        == "b  FRESH  last ran just now because params.yaml: lr changed  1 → 3 (a → b) and 1 other cause\n")
    // What nobody recorded is told by what it made.
    try repository.remove(".cairn")
    #expect(try repository.cairn("why", "c").output.hasPrefix("c  STALE  because b changed\n"))
    let unknown = try repository.cairn("why", "c", "--json").output
    #expect(unknown.contains("\"dirty\": null") && !unknown.contains("\"dirty\": true"), "\(unknown)")
  }

  @Test("runs of another branch are no part of the story")
  func branches() throws {
    let repository = try TestRepository()
    for name in ["raw", "sec"] { try repository.write(name, "1\n") }
    try repository.write("params.yaml", "lr: 1\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a: {cmd: cat raw sec > a, deps: [raw, sec], params: [lr], outs: [a]}
        b: {cmd: cat a > b, deps: [a], outs: [b]}

      """)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit("A")
    try repository.write("raw", "2\n")
    try repository.write("params.yaml", "lr: 2\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit("B")
    try repository.git("checkout", "--quiet", "HEAD^")
    try repository.cairn("checkout", "-q")
    try repository.write("sec", "2\n")
    #expect(try repository.cairn("repro", "-q", "a").status == 0)
    #expect(try repository.cairn("why", "b").output.hasPrefix("b  STALE  because sec changed\n"))
    #expect(try repository.cairn("repro", "-q").status == 0)
    #expect(try repository.cairn("why", "--last", "b").output.contains("because sec changed (a → b)  ("))
  }

  @Test("through a part of a folder, and a folder that outputs lie in, the edit is found behind the stages that ran")
  func folders() throws {
    let repository = try TestRepository()
    for name in ["r", "r1", "r2", "d/s"] { try repository.write(name, "1\n") }
    try repository.write(
      "dvc.yaml",
      """
      stages:
        big: {cmd: mkdir -p o/a && cp r o/a/2 && echo k > o/3, deps: [r], outs: [o]}
        p: {cmd: cat o/a/2 > p, deps: [o/a], outs: [p]}
        x: {cmd: cat r1 > d/x, deps: [r1], outs: [d/x]}
        y: {cmd: cat r2 > d/y, deps: [r2], outs: [d/y]}
        c: {cmd: cat d/x d/y d/s > c, deps: [d], outs: [c]}

      """)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit("first")
    for name in ["r", "r1"] { try repository.write(name, "2\n") }
    #expect(try repository.cairn("repro", "-q", "big").status == 0)
    #expect(try repository.cairn("why", "p").output.hasPrefix("p  STALE  because r changed\n"))
    #expect(try repository.cairn("repro", "-q").status == 0)
    #expect(try repository.cairn("why", "--last", "p").output.contains("because r changed (big → p)  ("))
    #expect(try repository.cairn("why", "--last", "c").output.contains("because r1 changed (x → c)  ("))
    // It is not for one of its makers that the folder is another one.
    #expect(try repository.cairn("runs", "show", "@last:c", "--json").output.contains("\"path\":\"d\",\"producer\":null"))
  }

  @Test("what comes by two ways is one cause, whichever way is looked at first; --stale counts what it leaves out")
  func twoWays() throws {
    let repository = try TestRepository()
    try repository.write("raw", "1\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a: {cmd: cat raw > x, deps: [raw], outs: [x]}
        m: {cmd: cat x > y, deps: [x], outs: [y]}
        c: {cmd: cat x y > z, deps: [y, x], outs: [z]}
        n: {cmd: echo n > n, outs: [n]}

      """)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.write("raw", "2\n")
    let stale = try repository.cairn("why", "--stale", "--json").output
    #expect(stale.contains("\"fresh\": 1,\n    \"stale\": 3,") && !stale.contains("\"verdict\": \"fresh\""), "\(stale)")
    #expect(try repository.cairn("repro", "-q").status == 0)
    #expect(try repository.cairn("why", "--last", "c").output.contains("because raw changed (a → m → c)  ("))
  }

  @Test("a run that left the same bytes made nothing another one; a stage that saw older values is told by its own")
  func laterRuns() throws {
    let repository = try TestRepository()
    for name in ["x", "y"] { try repository.write(name, "1\n") }
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a: {cmd: cat x > a, deps: [x, y], outs: [a]}
        b: {cmd: cat a y > b, deps: [a, y], outs: [b]}
        c: {cmd: cat a > c, deps: [a], outs: [c]}

      """)
    try repository.commit("first")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.write("x", "1\n2\n")
    #expect(try repository.cairn("repro", "-q", "a").status == 0)
    try repository.write("y", "1\n2\n")
    #expect(try repository.cairn("repro", "-q", "a").status == 0)
    #expect(try repository.cairn("repro", "-q", "c").status == 0)
    #expect(try repository.cairn("why", "--last", "c").output.contains("because x changed (a → c)  ("))
    // b has not seen the first edit of y, a has.
    try repository.write("y", "1\n2\n3\n4\n")
    let result = try repository.cairn("why", "b").output
    #expect(result.hasPrefix("b  STALE  because y changed and 1 other cause\n  y                 +3 lines"), "\(result)")
    let text = try repository.cairn("why", "b", "--json").output
    let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let stage = try #require((document["stages"] as? [[String: Any]])?.first)
    let reasons = try #require(stage["reasons"] as? [[String: Any]])
    #expect(reasons.allSatisfy { $0["cause"] is String }, "\(text)")
  }

  @Test("a newly declared dependency is its own cause, and an output that was taken from the cache was in it")
  func declared() throws {
    let repository = try TestRepository()
    try repository.write("x", "1\n")
    let text = "stages:\n  a: {cmd: cat x > a, deps: [x], outs: [a]}\n  b: {cmd: cat a x > b, deps: [x], outs: [b]}\n"
    try repository.write("dvc.yaml", text)
    // Side by side b would not wait for what it does not declare.
    #expect(try repository.cairn("repro", "-q", "-j", "1").status == 0)
    try repository.write("dvc.yaml", text.replacing("b, deps: [x]", with: "b, deps: [x, a]"))
    let again = try repository.cairn("repro", "-q")
    #expect(again.status == 0, "\(again)")
    #expect(try repository.cairn("why", "--last", "b").output.contains("because a is a new dependency  ("))
    try repository.remove("b")
    let restored = try repository.cairn("repro", "-q")
    #expect(restored.status == 0, "\(restored)")
    #expect(try repository.cairn("why", "--last", "b").output.contains("because b was missing  ("))
  }

  @Test("a file that one stage declares since and that changed for another is two causes")
  func kinds() throws {
    let repository = try TestRepository()
    for name in ["f", "g"] { try repository.write(name, "1\n") }
    try repository.commit("data")
    let text = "stages:\n  a: {cmd: cat f g > a, deps: [f], outs: [a]}\n  b: {cmd: cat a g > b, deps: [a, g], outs: [b]}\n"
    try repository.write("dvc.yaml", text)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.write("dvc.yaml", text.replacing("deps: [f]", with: "deps: [f, g]"))
    try repository.write("g", "1\n2\n")
    let result = try repository.cairn("why", "b").output
    #expect(result.hasPrefix("b  STALE  because g changed and 1 other cause\n  g                 +1 line"), "\(result)")
    #expect(try repository.cairn("why", "a").output.hasPrefix("a  STALE  because g is a new dependency\n"))
  }

  @Test("the edit is the root cause, not the output that it left behind")
  func causeOrder() throws {
    let repository = try finishedProject()
    try repository.shell("sed -i 's/lr: 0.1/lr: 0.01/' params.yaml && rm -f model && echo other > model")
    let result = try repository.cairn("why", "train")
    #expect(
      result.output.hasPrefix("train  STALE  because params.yaml: train.lr changed  0.1 → 0.01 and 1 other cause\n"),
      "\(result)")
  }

  @Test("every cause is told as long as there is room, and nothing that follows from them is lost")
  func manyCauses() throws {
    let repository = try finishedProject()
    try repository.shell(
      "sed -i 's/lr: 0.1/lr: 0.2/; s/seed: 7/seed: 8/' params.yaml; echo 3 >> train.py; echo 101 >> raw.csv; rm tune-a")
    let lines = try repository.cairn("why", "evaluate").output.split(separator: "\n").map(String.init)
    #expect(lines.first == "evaluate  STALE  because train.py changed and 3 other causes", "\(lines)")
    for (start, count) in [("  train.py ", 1), ("  params.yaml:3 ", 1), ("  params.yaml:4 ", 1), ("  raw.csv ", 1), ("  sure to run ", 1)] {
      #expect(lines.count { $0.hasPrefix(start) } == count, "\(start): \(lines)")
    }
    #expect(lines.count <= 12)
    // A path is not said twice on a line.
    try repository.shell("rm model && sed -i 's/outs: \\[model\\]/outs: [model, log]/; s/train.py\\]/train.py, dvc.yaml.bak]/' dvc.yaml && touch dvc.yaml.bak")
    let train = try repository.cairn("why", "train").output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    for line in ["model missing", "log a new output", "dvc.yaml.bak a new dependency"] { #expect(train.contains(line), "\(train)") }
  }

  @Test("the whole project is told by its causes, groups folded")
  func overview() throws {
    let repository = try finishedProject()
    try repository.write("train.py", "one\ntwo\nthree\n")
    let result = try repository.cairn("why")
    #expect(result.status == 1)
    #expect(
      settled(result.output) == """
        1 of 7 stages fresh · 1 cause, 6 consequences · ≈ T
          train.py +1 line, 8 → 14 B   → train, tune@* (4), evaluate (may stay)

        """, "\(result)")
    #expect(settled(try repository.cairn("why", "tune").output).hasPrefix("tune@* (4: 4 stale) · ≈ T\n"))
  }

  @Test("no cause of a stage that has many is left out")
  func allCauses() throws {
    let repository = try TestRepository()
    var text = "stages:\n"
    for number in 1...30 {
      try repository.write("f\(number)", "1\n")
      text += "  s\(number): {cmd: cp f\(number) o\(number), deps: [f\(number)], outs: [o\(number)]}\n"
    }
    text += "  all: {cmd: cat o* > all, deps: [" + (1...30).map { "o\($0)" }.joined(separator: ", ") + "], outs: [all]}\n"
    try repository.write("dvc.yaml", text)
    #expect(try repository.cairn("repro", "-q").status == 0)
    for number in 1...30 { try repository.write("f\(number)", "2\n") }
    #expect(try repository.cairn("why", "all", "--json").output.contains("\"causes\": 30,"))
    #expect(try repository.cairn("repro", "-q").status == 0)
    #expect(try repository.cairn("why", "--last", "all", "--json").output.contains("\"causes\": 30,"))
  }

  @Test("the JSON has the promised shape")
  func json() throws {
    let repository = try finishedProject()
    try repository.write("params.yaml", "split: 0.2\ntrain:\n  lr: 0.01\n  seed: 7\n")
    let text = try repository.cairn("why", "evaluate", "--json").output
    let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(document["schema"] as? String == "cairn.why/v1")
    let cause = try #require((document["causes"] as? [[String: Any]])?.first)
    #expect(cause["kind"] as? String == "parameter-changed")
    #expect(cause["key"] as? String == "train.lr")
    #expect((cause["at"] as? [String: Any])?["line"] as? Int == 3)
    #expect((cause["at"] as? [String: Any])?["dirty"] as? Bool == true)
    #expect((cause["affects"] as? [String: [String]]) == ["must": ["train"], "may": ["evaluate"]])
    let stage = try #require((document["stages"] as? [[String: Any]])?.first)
    #expect(stage["verdict"] as? String == "stale")
    #expect(stage["would"] as? String == "depends")
    #expect(stage["chain"] as? [String] == ["params.yaml", "train", "evaluate"])
    #expect((stage["last_run"] as? String)?.count == 64)
    let reason = try #require((stage["reasons"] as? [[String: Any]])?.first)
    #expect(reason["kind"] as? String == "upstream-stale")
    #expect(reason["cause"] as? String == cause["id"] as? String)
  }

  @Test("what was taken out of the declaration, and a failed try, are told beside the verdict")
  func notes() throws {
    let repository = try finishedProject()
    try repository.shell("sed -i 's/, train.seed//' dvc.yaml")
    #expect(
      try repository.cairn("why", "train").output.contains(
        "no longer declared   params.yaml:train.seed: the lock still has it, and it makes nothing stale"))
    try repository.shell("sed -i 's/cat clean.csv params.yaml > model/exit 3/' dvc.yaml")
    try repository.cairn("repro", "-q", "train")
    let result = try repository.cairn("why", "train")
    #expect(result.output.contains("last try failed"), "\(result)")
    #expect(result.output.contains("exit 3: cairn runs "), "\(result)")
    #expect(try repository.cairn("why", "train", "--json").output.contains("\"last-attempt-failed\""))
  }

  @Test("a restored stage is told as taken from the cache, not as run by its first reason")
  func restored() throws {
    let repository = try finishedProject()
    let first = repository.read("params.yaml") ?? ""
    try repository.write("params.yaml", first.replacing("lr: 0.1", with: "lr: 0.01"))
    try repository.cairn("repro", "-q", "train")
    try repository.write("params.yaml", first)
    try repository.cairn("repro", "-q", "train")
    #expect(
      try repository.cairn("why", "train").output
        == "train  FRESH  taken from the cache just now because params.yaml: train.lr changed  0.01 → 0.1; first made just now\n")
  }

  @Test("with strict, what is no longer declared is the reason, and no command is said to be edited")
  func strict() throws {
    let repository = try finishedProject()
    try repository.shell("sed -i 's/, train.seed//' dvc.yaml && echo 'strict = true' > .cairn/config.toml")
    let result = try repository.cairn("why", "train")
    #expect(result.output.hasPrefix("train  STALE  because params.yaml:train.seed is no longer declared\n"), "\(result)")
    #expect(!result.output.contains("was  "), "\(result)")
    #expect(result.output.contains("the lock still has it, and `strict` makes the stage stale"), "\(result)")
    #expect(try repository.cairn("why").output.contains("  params.yaml:train.seed is no longer declared   → train"))
    // What the lock has was not made by this declaration.
    let json = try repository.cairn("why", "train", "--json").output
    #expect(json.contains("\"would\": \"run\"") && json.contains(/"was": null,\s+"now": null,\s+"removed": \[/), "\(json)")
    #expect(try repository.cairn("repro", "train").output.contains("Running stage 'train':"))
    #expect(try repository.cairn("why", "train").status == 0)
    #expect(
      try repository.cairn("why", "--last", "train").output.contains("because params.yaml:train.seed is no longer declared  ("))
  }

  @Test("an output that was declared since is a new one, made or not; DVC's words in status stay")
  func newOutput() throws {
    let repository = try finishedProject()
    try repository.shell("sed -i 's/outs: \\[model\\]/outs: [model, log]/' dvc.yaml")
    for _ in 1...2 {
      #expect(try repository.cairn("why", "train").output.contains("because log is a new output"))
      #expect(try repository.cairn("why", "train", "--json").output.contains("\"output-added\""))
      try repository.write("log", "1\n")
    }
    try repository.remove("log")
    #expect(try repository.cairn("status", "train").output.contains("deleted:            log"))
  }

  @Test("files of a folder in git are counted: by the record of the run, and without records by the commit")
  func folderInGit() throws {
    let repository = try TestRepository()
    try repository.write("src/a.py", "1\n")
    try repository.write("src/b.py", "2\n")
    try repository.write("dvc.yaml", "stages:\n  a:\n    cmd: cat src/* > out\n    deps: [src]\n    outs: [out]\n")
    try repository.commit("sources")
    try repository.cairn("repro", "-q")
    try repository.commit("results")
    try repository.write("src/a.py", "one\n")
    try repository.write("src/c.py", "3\n")
    try repository.remove("src/b.py")
    for _ in 1...2 {
      let result = try repository.cairn("why", "a")
      #expect(result.output.contains("files: 1 added, 1 removed, 1 changed"), "\(result)")
      if repository.exists(".cairn") { try repository.remove(".cairn") }
    }
  }

  @Test("a failed try whose command ended well is told by its error")
  func failedAfterwards() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages:\n  a:\n    cmd: 'true'\n    outs: [out]\n")
    try repository.cairn("repro", "-q")
    let result = try repository.cairn("why", "a")
    #expect(result.output.contains("last try failed"), "\(result)")
    #expect(!result.output.contains("exit 0"), "\(result)")
    // A sentence of DVC's that goes on with ours.
    try repository.shell("sed -i \"s/'true'/echo 1 > out/\" dvc.yaml; echo 1 > out && git add -f out && git commit -q -m out")
    try repository.cairn("repro", "-q")
    #expect(try repository.cairn("why", "a").output.contains("tracked by SCM (e.g. Git): cairn runs show "))
  }

  @Test("the producer index is made anew from the records when it was deleted, and from a shared store in another clone")
  func producersAgain() throws {
    let repository = try finishedProject()
    let told = "train  FRESH  last ran just now because it had never run\n"
    try repository.remove(".cairn/producers")
    #expect(try repository.cairn("why", "train").output == told)
    #expect(repository.exists(".cairn/producers"))

    let shared = try TestRepository()
    let cache = shared.root + "/../cache"
    try shared.cairn("config", "cache.dir", cache)
    try shared.write("in", "1\n")
    try shared.write("dvc.yaml", "stages:\n  train:\n    cmd: cat in > out\n    deps: [in]\n    outs: [out]\n")
    try shared.cairn("repro", "-q")
    try shared.commit("work")
    try shared.remove(".cairn")
    #expect(try shared.cairn("why", "train").output == told)
    #expect(!shared.exists(".cairn"), "a question makes no folder")
    // What it makes new is known to come from the other's run.
    try shared.shell("printf '  b:\n    cmd: cat out > two\n    deps: [out]\n    outs: [two]\n' >> dvc.yaml")
    try shared.cairn("repro", "-q")
    #expect(try shared.cairn("runs", "show", "@last:b", "--json").output.contains("\"kind\":\"stage\""))
    #expect(!(try shared.cairn("runs", "show", "@last:b", "--json").output.contains("\"producer\":null")))
  }

  @Test("lineage names the commit that brought this version of the data, not the newest one")
  func dataCommit() throws {
    let repository = try finishedProject()
    try repository.write("raw.csv", "1\n")
    try repository.cairn("add", "-q", "raw.csv")
    try repository.commit("second batch")
    try repository.cairn("repro", "-q")
    #expect(try repository.cairn("lineage", "clean.csv").output.contains("DVC data, 2 B · commit"))
    #expect(try repository.cairn("lineage", "clean.csv").output.contains("\"second batch\""))
    try repository.git("checkout", "-q", "HEAD~1", "--", "raw.csv.dvc", "dvc.lock")
    try repository.cairn("checkout", "-q")
    let result = try repository.cairn("lineage", "clean.csv")
    #expect(result.output.contains("\"first work\""), "\(result)")
    let raw = try repository.cairn("lineage", "raw.csv")
    #expect(raw.output.contains("raw.csv  DVC data, 292 B · commit "), "\(raw)")
    #expect(raw.output.contains("before it was added"), "\(raw)")
    #expect(try repository.cairn("lineage", "train").errors.contains("hint: the newest run of that stage is '@last:train'"))
  }

  @Test("lineage A B tells what differs in what made them")
  func lineageOfTwo() throws {
    let repository = try finishedProject()
    try repository.shell("sed -i 's/lr: 0.1/lr: 0.01/' params.yaml && echo three >> train.py")
    try repository.cairn("repro", "-q")
    let result = try repository.cairn("lineage", "--rev", "HEAD", "model", "model")
    let lines = result.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    #expect(lines.count == 6, "\(result)")
    #expect(lines.contains { $0.hasPrefix("code train: commit - ") }, "\(result)")
    #expect(lines.contains { $0.hasPrefix("params train.lr 0.1 0.01 ") }, "\(result)")
    #expect(lines.contains { $0.hasPrefix("sources train.py 8 B md5 ") }, "\(result)")
    #expect(lines.contains { $0.hasPrefix("runs train ") }, "\(result)")
    #expect(lines.last == "the same in both: 2 files", "\(result)")
    let json = try repository.cairn("lineage", "--rev", "HEAD", "model", "model", "--json").output
    #expect(json.contains("\"schema\": \"cairn.lineage-diff/v1\""))
    #expect(json.contains("\"was\": 0.1,"))
    #expect(try repository.cairn("lineage", "model", "model").output == "nothing differs in what made model and model\n")
    #expect(try repository.cairn("lineage", "model", "model", "--down").status == 254)
  }

  @Test("a project without records is explained from its lock, and left as it was")
  func withoutRecords() throws {
    let repository = try finishedProject()
    try repository.remove(".cairn")
    try repository.write("train.py", "one\n2\n")
    let result = try repository.cairn("why", "train")
    #expect(
      result.output == """
        train  STALE  because train.py changed
          train.py    +1 −1 lines, 8 → 6 B; not committed, saved just now
          unchanged   1 other dependency, 2 parameters, command

        """, "\(result)")
    #expect(try repository.cairn("status", "-q").status == 1)
    #expect(!repository.exists(".cairn"))
  }

  @Test("what cannot be told is not fresh, and nor is what comes behind it")
  func unknown() throws {
    let repository = try finishedProject()
    try repository.shell("rm raw.csv && mkfifo raw.csv")
    for stage in ["prepare", "evaluate"] {
      let result = try repository.cairn("why", stage)
      #expect(result.status == 2, "\(result)")
      #expect(result.output.hasPrefix("\(stage)  UNKNOWN  cannot tell: '"), "\(result)")
    }
    #expect(try repository.cairn("why", "tune").status == 0)
    #expect(try repository.cairn("why", "evaluate", "--json").output.contains("\"would\": \"depends\""))
    // What is surely stale stays so.
    try repository.write("train.py", "three\n")
    #expect(try repository.cairn("why", "train").status == 1)
  }

  @Test("a keyed variable is compared with its record; without one it makes nothing stale")
  func environment() throws {
    let repository = try TestRepository()
    try repository.write("in", "1\n")
    try repository.write(
      "dvc.yaml",
      "stages:\n  a:\n    cmd: echo $COLOR > out\n    deps: [in]\n    outs: [out]\n    meta: {cairn: {env: [COLOR]}}\n")
    try repository.cairn("repro", "-q", environment: ["COLOR": "red"])
    #expect(try repository.cairn("why", "-q", environment: ["COLOR": "red"]).status == 0)
    let changed = try repository.cairn("why", "a", environment: ["COLOR": "blue"])
    #expect(changed.output.contains("COLOR       red → blue"), "\(changed)")
    #expect(try repository.cairn("status", environment: ["COLOR": "blue"]).output.contains("changed environment:"))
    try repository.remove(".cairn")
    let unknown = try repository.cairn("why", "a", environment: ["COLOR": "blue"])
    #expect(unknown.status == 0)
    #expect(unknown.output.contains("what COLOR was is not recorded: makes nothing stale"), "\(unknown)")
  }
}
