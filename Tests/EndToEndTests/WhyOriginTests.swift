// `cairn why` names what somebody edited and who that was: values of many lines, values inside of commands, lock
// entries that something else brought.
import CairnTestSupport
import Foundation
import Testing

/// A project that has run and was committed by Ann.
private func finished(_ files: [String: String]) throws -> TestRepository {
  let repository = try TestRepository()
  try repository.git("config", "user.email", "team@example.org")
  for (name, text) in files { try repository.write(name, text) }
  let result = try repository.cairn("repro", "-q")
  guard result.status == 0 else { throw TestSupportError("the project does not run: \(result)") }
  try repository.commit("first", by: "Ann")
  return repository
}

extension TestRepository {
  fileprivate func replace(_ old: String, with new: String, in name: String) throws {
    let text = read(name) ?? ""
    guard text.contains(old) else { throw TestSupportError("\(name) has no \(old)") }
    try write(name, text.replacing(old, with: new))
  }

  fileprivate func commit(_ message: String, by author: String) throws {
    try git("add", "--all")
    try git("commit", "--quiet", "--message", message, "--author", "\(author) <team@example.org>")
  }

  /// The causes of a stage, as JSON.
  fileprivate func causes(_ stage: String) throws -> [[String: Any]] {
    let output = try cairn("why", stage, "--json").output
    let document = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
    return document?["causes"] as? [[String: Any]] ?? []
  }
}

private func at(_ cause: [String: Any]?) -> String {
  let at = cause?["at"] as? [String: Any] ?? [:]
  let file = at["file"] as? String ?? "-"
  let line = (at["line"] as? Int).map { String($0) } ?? "-"
  let author = at["author"] as? String ?? "-"
  let dirty = (at["dirty"] as? Bool).map { $0 ? "dirty" : "clean" } ?? "-"
  return "\(file):\(line) \(author) \(dirty)"
}

struct WhyOriginTests {
  private static let stage = "stages:\n  s:\n    cmd: touch s\n    outs: [s]\n    params:\n"

  @Test(
    "a value of many lines is told by who changed any of them, at the line that differs",
    arguments: [
      ("params.yaml", "l:\n- 1\n- 2\n- 3\n", "- 3", "- 4", 4),
      ("params.yaml", "l:\n- 1\n- 2\n- 3\nz: 1\n", "- 3\n", "", 3),
      ("params.yaml", "l: |\n  one\n  two\n  three\n", "two", "TWO", 3),
      ("params.yaml", "l: >\n  one\n  two\n", "two", "TWO", 1),
      ("p.json", "{\"l\": [\n  1,\n  2\n]}\n", "2", "3", 3),
      ("p.toml", "l = [\n  1,\n  2,\n]\n", "2", "3", 3),
      ("p.py", "l = [\n  1,\n  2,\n]\n", "2", "3", 1),
    ])
  func manyLines(file: String, text: String, old: String, new: String, line: Int) throws {
    let repository = try finished([file: text, "dvc.yaml": Self.stage + "    - \(file): [l]\n"])
    try repository.replace(old, with: new, in: file)
    #expect(at(try repository.causes("s").first) == "\(file):\(line) - dirty")
    try repository.commit("second", by: "Bob")
    #expect(at(try repository.causes("s").first) == "\(file):\(line) Bob clean")
    // What somebody else does around it makes it nobody else's.
    if file.hasSuffix("yaml") {
      try repository.write(file, "# about l\n" + (repository.read(file) ?? ""))
      try repository.commit("a comment", by: "Carl")
      #expect(at(try repository.causes("s").first) == "\(file):\(line + 1) Bob clean")
    }
  }

  @Test("a value keeps its author when its file gets another name")
  func renamed() throws {
    let repository = try finished(["old.yaml": "a: 1\nb: [1, 2]\n", "dvc.yaml": Self.stage + "    - old.yaml: [b]\n"])
    try repository.replace("[1, 2]", with: "[1, 3]", in: "old.yaml")
    try repository.commit("second", by: "Bob")
    try repository.git("mv", "old.yaml", "new.yaml")
    try repository.replace("old.yaml", with: "new.yaml", in: "dvc.yaml")
    try repository.commit("another name", by: "Carl")
    #expect(at(try repository.causes("s").first) == "new.yaml:2 Bob clean")
  }

  @Test("through a merge the side is followed that has the value; a version that cannot be read ends the search")
  func merges() throws {
    let text = "a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nl: 0.1\n"
    let repository = try finished(["params.yaml": text, "dvc.yaml": Self.stage + "    - l\n"])
    try repository.git("checkout", "-q", "-b", "side")
    try repository.replace("l: 0.1", with: "l: 0.5", in: "params.yaml")
    try repository.commit("tries", by: "Sid")
    try repository.write("params.yaml", text.replacing("a: 1", with: "a: 2"))
    try repository.commit("takes back", by: "Sid")
    try repository.git("checkout", "-q", "main")
    try repository.replace("l: 0.1", with: "l: 0.5", in: "params.yaml")
    try repository.commit("sets", by: "Mia")
    try repository.git("merge", "-q", "-m", "both", "side")
    #expect(at(try repository.causes("s").first) == "params.yaml:6 Mia clean")
    let good = repository.read("params.yaml") ?? ""
    try repository.write("params.yaml", "<<<<<<< \n" + good)
    try repository.commit("breaks", by: "Tim")
    try repository.write("params.yaml", good)
    try repository.commit("mends", by: "Zed")
    #expect(at(try repository.causes("s").first) == "params.yaml:6 - -")
  }

  @Test("a text that was another one when the run began is an edit, whatever commits hold")
  func textOfRun() throws {
    let text = "stages:\n  s:\n    cmd: echo ${lr} > s\n    outs: [s]\n"
    let repository = try finished(["params.yaml": "lr: 0.1\n", "dvc.yaml": text])
    try repository.write("dvc.yaml", text.replacing("${lr}", with: "0.2"))
    try repository.cairn("repro", "-q")
    try repository.write("dvc.yaml", text)
    try repository.write("params.yaml", "lr: 0.2\n")
    #expect(try repository.cairn("why", "s").output == "s  FRESH  last ran just now because its command changed\n")
    try repository.commit("a value", by: "Bob")
    // A commit once had the command as its text; the run had a value in it.
    try repository.write("params.yaml", "lr: 0.3\n")
    try repository.cairn("repro", "-q")
    try repository.write("params.yaml", "lr: 0.4\n")
    #expect(try repository.cairn("why", "s").output.hasPrefix("s  STALE  because params.yaml: lr changed  0.3 → 0.4\n"))
  }

  @Test("a parameter file behind a link is nobody's, and one that only Python calls the same has its own author")
  func linksAndTypes() throws {
    let repository = try finished(["conf/p.yaml": "l: 1\nk: 0.5\n", "dvc.yaml": Self.stage + "    - conf/p.yaml: [k]\n"])
    try repository.replace("k: 0.5", with: "k: 1", in: "conf/p.yaml")
    try repository.commit("one", by: "Ann")
    try repository.replace("k: 1", with: "k: true", in: "conf/p.yaml")
    try repository.commit("true", by: "Tru")
    #expect(at(try repository.causes("s").first) == "conf/p.yaml:2 Tru clean")
    try repository.shell("mv conf there && ln -s there conf")
    try repository.commit("a link", by: "Bob")
    #expect(at(try repository.causes("s").first) == "conf/p.yaml:2 - -")
  }

  @Test("who took a parameter away is told")
  func takenAway() throws {
    let repository = try finished(["params.yaml": "a: 1\nb: 2\n", "dvc.yaml": Self.stage + "    - b\n"])
    try repository.replace("b: 2\n", with: "", in: "params.yaml")
    #expect(at(try repository.causes("s").first) == "params.yaml:- - dirty")
    try repository.commit("second", by: "Bob")
    #expect(at(try repository.causes("s").first) == "params.yaml:- Bob clean")
  }

  @Test(
    "a command of many lines is told by who changed any of them",
    arguments: [
      ("|\n      echo one > s\n      echo two >> s", 5), (">-\n      echo one\n      two > s", 3),
      ("echo one\n      two > s", 3), ("\n    - echo one > s\n    - echo two >> s", 5),
    ])
  func commands(command: String, line: Int) throws {
    let repository = try finished(["dvc.yaml": "stages:\n  s:\n    cmd: \(command)\n    outs: [s]\n"])
    try repository.replace("two", with: "2", in: "dvc.yaml")
    #expect(at(try repository.causes("s").first) == "dvc.yaml:\(line) - dirty")
    #expect(try repository.cairn("why", "s").output.contains("STALE  because its command was edited"))
    try repository.commit("second", by: "Bob")
    #expect(at(try repository.causes("s").first) == "dvc.yaml:\(line) Bob clean")
  }

  @Test(
    "a command that a value made another one is told by that value, before and after it ran",
    arguments: [
      ("echo ${d.q} > s", "q: 2", "q: 6", "params.yaml", "d.q", 2),
      ("echo ${d} > s", "q: 2", "q: 6", "params.yaml", "d.q", 2),
      ("echo ${d.q} ${l[1]} > s", "l: [1, 2]", "l: [1, 6]", "params.yaml", "l.1", 3),
      ("echo ${v} > s", "v: 2", "v: 6", "dvc.yaml", "vars.0.v", 2),
      ("echo ${w} > s", "w: 2", "w: 6", "vars.json", "w", 1),
    ])
  func values(command: String, old: String, new: String, file: String, key: String, line: Int) throws {
    let repository = try finished([
      "params.yaml": "d:\n  q: 2\nl: [1, 2]\n", "vars.json": "{w: 2}\n".replacing("w:", with: "\"w\":"),
      "dvc.yaml": "vars:\n- v: 2\n- vars.json\nstages:\n  s:\n    cmd: \(command)\n    outs: [s]\n",
    ])
    let (old, new) = file == "vars.json" ? ("\"w\": 2", "\"w\": 6") : (old, new)
    try repository.replace(old, with: new, in: file)
    try repository.commit("second", by: "Bob")
    let causes = try repository.causes("s")
    #expect(causes.map { $0["kind"] as? String } == ["parameter-changed"])
    #expect(causes.first?["path"] as? String == file)
    #expect(causes.first?["key"] as? String == key)
    #expect(causes.first?["was"] as? Int == 2 && causes.first?["now"] as? Int == 6)
    #expect(at(causes.first) == "\(file):\(line) Bob clean")
    let text = try repository.cairn("why", "s").output
    #expect(text.hasPrefix("s  STALE  because \(file): \(key) changed  2 → 6\n"), "\(text)")
    #expect(text.contains("  was "))
    try repository.cairn("repro", "-q")
    #expect(
      try repository.cairn("why", "s").output
        == "s  FRESH  last ran just now because \(file): \(key) changed  2 → 6\n")
  }

  @Test("of a foreach and a matrix the item that somebody edited is told")
  func items() throws {
    let repository = try finished([
      "dvc.yaml": """
        stages:
          f:
            foreach:
              a: {lr: 1}
              b: {lr: 2}
            do:
              cmd: echo ${item.lr} > f-${key}
              outs: ["f-${key}"]
          m:
            matrix:
              x: [{lr: 1}, {lr: 2}]
            cmd: echo ${item.x.lr} > ${key}
            outs: ["${key}"]

        """
    ])
    try repository.replace("b: {lr: 2}", with: "b: {lr: 7}", in: "dvc.yaml")
    try repository.replace("x: [{lr: 1},", with: "x: [{lr: 7},", in: "dvc.yaml")
    #expect(
      try repository.cairn("why").output.split(separator: "\n").dropFirst().map { $0.replacing(#/ +→ /#, with: " → ") } == [
        "  dvc.yaml: stages.f.foreach.b.lr 2 → 7 → f@b", "  dvc.yaml: stages.m.matrix.x.0.lr 1 → 7 → m@x0",
      ])
  }

  @Test("a parameter that a command takes and that is declared is one cause; several stages share it")
  func shared() throws {
    let repository = try finished([
      "params.yaml": "lr: 1\n",
      "dvc.yaml": """
        stages:
          a: {cmd: "echo ${lr} > a", params: [lr], outs: [a]}
          b: {cmd: "echo ${lr} > b", outs: [b]}

        """,
    ])
    try repository.write("params.yaml", "lr: 2\n")
    #expect(
      try repository.cairn("why").output.split(separator: "\n").last == "  params.yaml: lr 1 → 2   → a, b")
    let causes = try repository.causes("a")
    #expect(causes.count == 1)
    #expect((causes.first?["affects"] as? [String: [String]])?["must"] == ["a"])
  }

  @Test("values that were never committed are found again through the runs that had them", arguments: [true, false])
  func uncommitted(isTracked: Bool) throws {
    let repository = try finished([
      "params.yaml": "lr: 1\n", "dvc.yaml": "stages:\n  s:\n    cmd: echo ${lr} > s\n    outs: [s]\n",
    ])
    if !isTracked {
      try repository.git("rm", "--quiet", "--cached", "dvc.yaml", "params.yaml")
      try repository.git("commit", "--quiet", "--message", "without")
    }
    for (was, now) in [(1, 4), (4, 5), (5, 1)] {
      try repository.write("params.yaml", "lr: \(now)\n")
      #expect(try repository.cairn("why", "s").output.contains("because params.yaml: lr changed  \(was) → \(now)\n"))
      try repository.cairn("repro", "-q")
      #expect(
        try repository.cairn("why", "s").output
          == "s  FRESH  last ran just now because params.yaml: lr changed  \(was) → \(now)\n")
    }
  }

  @Test("of an unpacked map only what shows in the command is told")
  func options() throws {
    let repository = try finished([
      "params.yaml": "opts:\n  lr: 1\n  fast: false\n",
      "dvc.yaml": "stages:\n  s:\n    cmd: echo ${opts} > s\n    outs: [s]\n",
    ])
    try repository.write("params.yaml", "opts:\n  lr: 2\n  fast: false\n  slow: false\n")
    #expect(try repository.causes("s").map { $0["key"] as? String } == ["opts.lr"])
    try repository.write("params.yaml", "opts:\n  lr: 1\n  slow: true\n")
    #expect(try repository.causes("s").map { $0["key"] as? String } == ["opts.slow"])
  }

  @Test("a text that became a template is an edit; where nothing tells, neither is claimed")
  func editOrValue() throws {
    let text = "stages:\n  s:\n    cmd: echo 2 > s\n    outs: [s]\n"
    let repository = try finished(["params.yaml": "lr: 6\nother: 7\n", "dvc.yaml": text])
    try repository.write("dvc.yaml", text.replacing("echo 2", with: "echo ${lr}"))
    #expect(try repository.cairn("why", "s").output.hasPrefix("s  STALE  because its command was edited\n"))
    try repository.cairn("repro", "-q")
    // No commit has either of the two texts with a value in it.
    try repository.write("dvc.yaml", text.replacing("echo 2", with: "echo ${other}"))
    let unclear = try repository.cairn("why", "s")
    #expect(unclear.output.hasPrefix("s  STALE  because its command changed\n"), "\(unclear)")
    #expect(try repository.causes("s").first?["at"] is NSNull)
  }

  @Test("without git, a template older than the run tells that the value was edited")
  func withoutGit() throws {
    let repository = try TestRepository(git: false)
    try repository.write("params.yaml", "lr: 2\n")
    try repository.write("dvc.yaml", "stages:\n  s:\n    cmd: echo ${lr} > s\n    outs: [s]\n")
    try repository.age("dvc.yaml", bySeconds: 60)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.write("params.yaml", "lr: 6\n")
    #expect(try repository.cairn("why", "s").output.hasPrefix("s  STALE  because params.yaml: lr changed  2 → 6\n"))
    try repository.replace("echo", with: "echo -n", in: "dvc.yaml")
    #expect(try repository.cairn("why", "s").output.hasPrefix("s  STALE  because its command was edited\n"))
  }

  @Test("a lock entry that something else brought is not told by a run that left another one")
  func broughtBack() throws {
    let repository = try TestRepository()
    try repository.write("params.yaml", "lr: 1\n")
    try repository.write(
      "dvc.yaml", "stages:\n  s:\n    cmd: test -e ok && cp params.yaml s\n    params: [lr]\n    outs: [s]\n")
    #expect(try repository.cairn("repro", "-q").status == 255)
    try repository.write("ok", "")
    // Another clone, which has no records, makes the lock; so would DVC.
    let other = try TestRepository(copying: repository)
    try other.remove(".cairn")
    #expect(try other.cairn("repro", "-q").status == 0)
    try repository.write("dvc.lock", other.bytes("dvc.lock") ?? [])
    try repository.write("s", other.bytes("s") ?? [])
    try repository.shell("cp -r ../../\(other.root.split(separator: "/").dropLast().last ?? "")/project/.dvc/cache .dvc/")
    let unknown = try repository.cairn("why", "s")
    #expect(unknown.output == "s  FRESH  as dvc.lock says; no record tells who ran it\n", "\(unknown)")
    #expect(try repository.cairn("why", "s", "--json").output.contains("\"last_run\": null"))

    let first = repository.bytes("dvc.lock") ?? []
    try repository.write("params.yaml", "lr: 2\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    let second = repository.bytes("dvc.lock") ?? []
    try repository.write("params.yaml", "lr: 3\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    #expect(first != second)
    try repository.write("params.yaml", "lr: 2\n")
    try repository.write("dvc.lock", second)
    try repository.write("s", "lr: 2\n")
    let back = try repository.cairn("why", "s")
    #expect(
      back.output
        == "s  FRESH  as made just now because params.yaml: lr changed  1 → 2; a later run did other work\n",
      "\(back)")
    #expect(try repository.cairn("why", "--last", "s").output.hasSuffix("; dvc.lock has other work\n"))
    #expect(try repository.cairn("why", "--last").output.hasSuffix("; dvc.lock has other work\n"))
    #expect(try repository.cairn("repro", "-q", "-f").status == 0)
    #expect(try repository.cairn("why", "s").output == "s  FRESH  last ran just now because it was forced\n")
    #expect(!(try repository.cairn("why", "--last", "s").output.contains("dvc.lock")))
  }

  @Test("what a variable was before it was named is unknown; that it was not set is recorded")
  func variables() throws {
    let text = "stages:\n  s:\n    cmd: echo 1 > s\n    outs: [s]\n"
    let repository = try finished(["dvc.yaml": text])
    try repository.write("dvc.yaml", text + "    meta: {cairn: {env: [COLOR]}}\n")
    for environment in [[:], ["COLOR": "red"]] {
      let result = try repository.cairn("why", "s", environment: environment)
      #expect(result.status == 0)
      #expect(result.output.contains("what COLOR was is not recorded: makes nothing stale"), "\(result)")
    }
    try repository.cairn("repro", "-q", "-f")
    #expect(try repository.cairn("why", "s").output == "s  FRESH  last ran just now because it was forced\n")
    #expect(
      try repository.cairn("why", "s", environment: ["COLOR": "red"]).output.contains("COLOR       (not set) → red"))
    #expect(try repository.cairn("runs", "show", "@last").output.contains("variables    COLOR is not set"))
  }

  @Test("a number that JSON has no word for is told as records have it")
  func numbers() throws {
    let repository = try finished(["params.yaml": "a: 1.5\n", "dvc.yaml": Self.stage + "    - a\n"])
    try repository.write("params.yaml", "a: -.inf\n")
    let cause = try #require(try repository.causes("s").first)
    #expect(cause["now"] as? [String: String] == ["$float": "-inf"])
  }

  @Test("from a subfolder, all names and paths are seen from there")
  func subfolder() throws {
    let repository = try finished([
      "sub/params.yaml": "lr: 1\n",
      "sub/dvc.yaml": """
        stages:
          a: {cmd: cp params.yaml a, params: [lr], outs: [a]}
          b: {cmd: cp a b, deps: [a], outs: [b]}

        """,
      "dvc.yaml": "stages:\n  c: {cmd: cp sub/b c, deps: [sub/b], outs: [c]}\n",
    ])
    try repository.write("sub/params.yaml", "lr: 2\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    #expect(
      try repository.cairn("why", "../dvc.yaml:c", in: "sub").output
        == "../dvc.yaml:c  FRESH  last ran just now because params.yaml: lr changed  1 → 2 (a → b → ../dvc.yaml:c)\n")
    let last = try repository.cairn("why", "--last", "b", in: "sub").output
    #expect(last.hasPrefix("b  RAN  just now because params.yaml: lr changed  1 → 2 (a → b)"), "\(last)")
  }

  // MARK: Files

  private static let copying = "stages:\n  s: {cmd: cp -r f s, deps: [f], outs: [s]}\n"

  @Test("the commit that brought the bytes is told, not one of the mode or of a comment; a shallow clone tells none")
  func bytes() throws {
    let repository = try finished(["f": "1\n", "dvc.yaml": Self.copying])
    try repository.write("f", "2\n")
    try repository.commit("second", by: "Bob")
    try repository.shell("chmod +x f")
    try repository.commit("a mode", by: "Carl")
    #expect(at(try repository.causes("s").first) == "f:- Bob clean")
    try repository.write("f", "3\n")
    #expect(at(try repository.causes("s").first) == "f:- - dirty")
    try repository.git("checkout", "f")
    try repository.shell("git clone -q --depth 1 file://$PWD ../shallow && cp -r .dvc/cache ../shallow/.dvc/")
    let shallow = try repository.run([try CairnBinary.path(), "why", "s", "--json"], in: "../shallow").output
    #expect(shallow.contains("\"author\": null") && shallow.contains("\"dirty\": null"), "\(shallow)")
  }

  @Test("what git was told not to look at is not called committed, nor is what only leads to another file")
  func hidden() throws {
    let repository = try finished(["f": "1\n", "dvc.yaml": Self.copying])
    try repository.git("update-index", "--assume-unchanged", "f")
    try repository.write("f", "2\n")
    #expect(at(try repository.causes("s").first) == "f:- - -")
    let link = try TestRepository()
    try link.write("far", "1\n")
    try link.write("dvc.yaml", Self.copying)
    try link.shell("ln -s far f")
    try link.cairn("repro", "-q")
    try link.commit("first", by: "Ann")
    try link.write("far", "2\n3\n")
    #expect(at(try link.causes("s").first) == "f:- - -")
    #expect(try link.cairn("why", "s").output.contains("+2 −1 lines"))
  }

  @Test("of a folder the commits count that changed what differs; what git ignores was changed by nobody there")
  func folders() throws {
    let repository = try finished(["f/a": "1\n", "f/b": "1\n", ".gitignore": "/f/made\n", "dvc.yaml": Self.copying])
    try repository.write("f/a", "2\n")
    try repository.commit("second", by: "Bob")
    try repository.write("f/ignored.tmp", "x")
    try repository.write(".dvcignore", "*.tmp\n")
    try repository.commit("third", by: "Carl")
    #expect(at(try repository.causes("s").first) == "f:- Bob clean")
    try repository.write("f/c", "1\n")
    #expect(at(try repository.causes("s").first) == "f:- - dirty")
    try repository.remove("f/c")
    try repository.cairn("repro", "-q")
    try repository.write("f/made", "1\n")
    #expect(at(try repository.causes("s").first) == "f:- - dirty")
  }

  @Test("of a folder the newest commit counts by its place in history, and who took a file away is told")
  func order() throws {
    let repository = try finished(["f": "1\n", "d/a": "0\n", "d/b": "0\n", "dvc.yaml": """
      stages:
        s: {cmd: cat d/a > s, deps: [d], outs: [s]}
        t: {cmd: cat f > t, deps: [f], outs: [t]}

      """])
    try repository.write("d/a", "1\n")
    try repository.commit("edit a", by: "Bob")
    try repository.write("d/b", "1\n")
    try repository.git(
      "-c", "user.name=Carl", "commit", "--quiet", "--all", "--message", "edit b", "--date", "2020-01-01T00:00:00Z")
    let folder = try repository.cairn("why", "s").output
    #expect(folder.contains("commit ") && folder.contains("\"edit b\""), "\(folder)")
    try repository.remove("f")
    #expect(at(try repository.causes("t").first) == "f:- - dirty")
    try repository.commit("without f", by: "Bob")
    #expect(at(try repository.causes("t").first) == "f:- Bob clean")
    #expect(try repository.cairn("why", "t").output.contains("  f            removed in commit "))
  }

  @Test("of data the commit is told in which its .dvc file got this hash")
  func data() throws {
    let repository = try TestRepository()
    try repository.write("f", "1\n")
    try repository.cairn("add", "-q", "f")
    try repository.write("dvc.yaml", Self.copying)
    try repository.cairn("repro", "-q")
    try repository.commit("first", by: "Ann")
    try repository.write("f", "2\n")
    try repository.cairn("add", "-q", "f")
    try repository.commit("second", by: "Bob")
    try repository.write("f.dvc", "# about f\n" + (repository.read("f.dvc") ?? ""))
    try repository.commit("a comment", by: "Carl")
    #expect(at(try repository.causes("s").first) == "f:- Bob clean")
  }

  // MARK: Verdicts

  @Test("an output that only the cache lacks is told as that, and a frozen stage with another output is not fresh")
  func cacheAndFrozen() throws {
    let repository = try finished(["f": "1\n", "dvc.yaml": Self.copying])
    try repository.remove(".dvc/cache/files")
    #expect(try repository.cairn("why", "s").output.hasPrefix("s  STALE  because s is not in the cache\n"))
    try repository.cairn("repro", "-q")
    #expect(try repository.cairn("why", "s").output == "s  FRESH  last ran just now because s was not in the cache\n")
    try repository.cairn("freeze", "s")
    #expect(try repository.cairn("why", "s").status == 0)
    try repository.write("s", "mine\n")
    let frozen = try repository.cairn("why")
    #expect(frozen.status == 1)
    #expect(
      frozen.output == """
        0 of 1 stages fresh · 1 frozen, and not as dvc.lock has it
          s  frozen: s is not what dvc.lock has

        """, "\(frozen)")
    // What somebody else made is recorded as DVC does, and nothing is said to have run.
    let events = try repository.cairn("repro", "--json").output
    #expect(events.contains("\"event\": \"stage-skipped\"") && events.contains("\"why\": \"frozen\""), "\(events)")
    #expect(events.contains("\"ran\": 0") && !events.contains("stage-finished"), "\(events)")
  }

  @Test("what nothing brings is told as what a stage cannot run without, and the step that helps")
  func lacking() throws {
    let repository = try finished([
      "f": "1\n", "g": "1\n", "dvc.yaml": Self.copying + "  t: {cmd: cat s g > t, deps: [s, g], outs: [t]}\n",
    ])
    try repository.cairn("freeze", "s")
    try repository.remove("s")
    let frozen = try repository.cairn("why", "t")
    #expect(frozen.output.contains("\n  cannot run   until s is there: cairn checkout s\n"), "\(frozen)")
    #expect(!frozen.output.contains("sure to run"), "\(frozen)")
    let json = try repository.cairn("why", "--json").output
    #expect(json.contains("\"fresh\": 0,\n    \"stale\": 1,\n    \"frozen\": 1,\n    \"unknown\": 0"), "\(json)")
    #expect(try repository.cairn("repro").status == 255)
    #expect(try repository.cairn("checkout", "s").status == 0)
    try repository.remove("g")
    let text = try repository.cairn("why", "t").output
    #expect(text.contains("\n  cannot run   until g is there\n"), "\(text)")
    // What a stage before it will make is not lacking.
    try repository.cairn("unfreeze", "s")
    try repository.write("g", "1\n")
    try repository.remove("s")
    #expect(try !repository.cairn("why", "t").output.contains("cannot run"))
  }

  @Test("behind a stale stage nothing is sure to run: what comes before may come from the cache, and so may it")
  func behind() throws {
    let repository = try finished([
      "f": "1\n", "dvc.yaml": Self.copying + "  t: {cmd: cp s t, deps: [s], outs: [t]}\n",
    ])
    try repository.write("f", "2\n")
    try repository.cairn("repro", "-q")
    try repository.write("f", "1\n")
    try repository.remove("t")
    let text = try repository.cairn("why", "t").output
    #expect(text.contains("sure to run       s   from the cache"), "\(text)")
    #expect(text.contains("run or restored   t"), "\(text)")
    #expect(try repository.cairn("why", "t", "--json").output.contains("\"would\": \"depends\""))
  }
}
