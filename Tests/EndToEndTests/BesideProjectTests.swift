// A project in a folder of a git repository whose stages read files beside it: records, reasons and lineage name them
// from the project's root, and git's side of their story is told.
import CairnTestSupport
import Foundation
import Testing

struct BesideProjectTests {
  /// `p1` reads a file, a value and a folder of the repository around it; all is run and committed by Ann.
  private func project() throws -> TestRepository {
    let repository = try TestRepository(dvc: false)
    try repository.git("config", "user.email", "team@example.org")
    try repository.write("shared.txt", "1\n2\n")
    try repository.write("conf/values.yaml", "# values\nlr: 0.1\n")
    try repository.write("lib/a.py", "a\n")
    try repository.write("lib/b.py", "b\n")
    try repository.write("p1/own.txt", "own\n")
    try repository.shell("cd p1 && '\(try CairnBinary.path())' init --subdir -q")
    try repository.write(
      "p1/dvc.yaml",
      """
      stages:
        text:
          cmd: cat ../shared.txt own.txt > text
          deps: [../shared.txt, own.txt]
          outs: [text]
        value:
          cmd: echo ${lr} > value
          params: [{../conf/values.yaml: [lr]}]
          outs: [value]
        folder:
          wdir: sub
          cmd: cat ../../lib/* > folder
          deps: [../../lib]
          outs: [folder]
      vars: [../conf/values.yaml]

      """)
    try repository.write("p1/sub/.keep", "")
    let result = try repository.cairn("repro", "-q", in: "p1")
    guard result.status == 0 else { throw TestSupportError("the project does not run: \(result)") }
    try commit(repository, by: "Ann")
    return repository
  }

  private func commit(_ repository: TestRepository, by author: String) throws {
    try repository.git("add", "--all")
    try repository.git("commit", "--quiet", "--message", "by \(author)", "--author", "\(author) <team@example.org>")
  }

  private func show(_ stage: String, _ repository: TestRepository) throws -> [String: Any] {
    try object(repository.cairn("runs", "show", "@last:\(stage)", "--json", in: "p1").output)
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
  }

  @Test("a record names what lies beside the project from the project's root, says that it is git's, and what differed")
  func records() throws {
    let repository = try project()
    try repository.write("shared.txt", "1\n3\n")
    try repository.write("conf/values.yaml", "# values\nlr: 0.2\n")
    try repository.write("lib/a.py", "aa\n")
    #expect(try repository.cairn("repro", "-q", in: "p1").status == 0)
    for (stage, path) in [("text", "../shared.txt"), ("folder", "../lib")] {
      let text = try repository.cairn("runs", "show", "@last:\(stage)", "--json", in: "p1").output
      #expect(!text.contains(repository.root), "\(text)")
      let record = try show(stage, repository)
      let inputs = try #require(record["inputs"] as? [[String: Any]])
      let input = try #require(inputs.first { $0["path"] as? String == path }, "\(inputs)")
      #expect((input["origin"] as? [String: Any])?["kind"] as? String == "git")
      let reasons = record["reasons"] as? [[String: Any]]
      #expect(reasons?.first?["path"] as? String == path, "\(text)")
      let source = try #require(record["source"] as? [String: Any])
      #expect(source["dirty"] as? Bool == true)
      #expect((source["changed"] as? [String: Any])?.keys.sorted() == ["conf/values.yaml", "lib/a.py", "shared.txt"])
    }
    let value = try show("value", repository)
    #expect((value["params"] as? [String: Any])?.keys.sorted() == ["../conf/values.yaml"])
    // As DVC has it, from the stage's folder.
    let lock = repository.read("p1/dvc.lock") ?? ""
    for name in ["path: ../shared.txt\n", "path: ../../lib\n", "../conf/values.yaml:\n"] {
      #expect(lock.contains(name), "\(lock)")
    }
  }

  @Test("a file beside the project that was edited between two stages makes the second one's source dirty")
  func dirty() throws {
    let repository = try project()
    try repository.write(
      "p1/dvc.yaml",
      """
      stages:
        one: {cmd: cp own.txt one && echo 9 > ../shared.txt, deps: [own.txt], outs: [one]}
        two: {cmd: cp ../shared.txt two, deps: [one, ../shared.txt], outs: [two]}

      """)
    try repository.git("commit", "-qam", "one writes what two reads")
    #expect(try repository.cairn("repro", "-q", in: "p1").status == 0)
    let source = try #require(try show("two", repository)["source"] as? [String: Any])
    #expect((source["changed"] as? [String: Any])?.keys.sorted() == ["shared.txt"])
  }

  @Test("an output beside the project that git tracks is no edit while it is as the lock has it")
  func outputs() throws {
    let repository = try project()
    try repository.write(
      "p1/dvc.yaml",
      """
      stages:
        m: {cmd: cat own.txt > ../m.txt, deps: [own.txt], outs: [{../m.txt: {cache: false}}]}
        n: {cmd: cp ../m.txt n, deps: [../m.txt], outs: [n]}

      """)
    #expect(try repository.cairn("repro", "-q", in: "p1").status == 0)
    try commit(repository, by: "Ann")
    try repository.write("p1/own.txt", "other\n")
    try commit(repository, by: "Bob")
    #expect(try repository.cairn("repro", "-q", in: "p1").status == 0)
    let record = try show("n", repository)
    #expect((record["source"] as? [String: Any])?["dirty"] as? Bool == false, "\(record)")
    let input = try #require((record["inputs"] as? [[String: Any]])?.first)
    #expect(input["path"] as? String == "../m.txt" && input["producer"] is String, "\(input)")
    let up = try repository.cairn("lineage", "n", in: "p1").output
    #expect(up.contains("../m.txt") && up.contains("own.txt"), "\(up)")
  }

  @Test("why names the lines, the commit and the author of what changed beside the project")
  func why() throws {
    let repository = try project()
    func cause(_ stage: String) throws -> (cause: [String: Any], at: String) {
      let document = try object(repository.cairn("why", stage, "--json", in: "p1").output)
      let cause = try #require((document["causes"] as? [[String: Any]])?.first, "\(document)")
      let at = cause["at"] as? [String: Any] ?? [:]
      let line = (at["line"] as? Int).map { String($0) } ?? "-"
      let author = at["author"] as? String ?? "-"
      let dirty = (at["dirty"] as? Bool).map { $0 ? "dirty" : "clean" } ?? "-"
      return (cause, "\(at["file"] ?? "-"):\(line) \(author) \(dirty)")
    }
    try repository.write("shared.txt", "1\n3\n4\n")
    try repository.write("conf/values.yaml", "# values\nlr: 0.2\n")
    try repository.write("lib/a.py", "aa\n")
    #expect(try cause("text").at == "../shared.txt:- - dirty")
    #expect(try cause("value").at == "../conf/values.yaml:2 - dirty")
    try commit(repository, by: "Bob")
    let text = try cause("text")
    #expect(text.at == "../shared.txt:- Bob clean")
    let lines = text.cause["lines"] as? [String: Any]
    #expect(lines?["added"] as? Int == 2 && lines?["removed"] as? Int == 1, "\(text.cause)")
    #expect(try cause("value").at == "../conf/values.yaml:2 Bob clean")
    let folder = try cause("folder")
    #expect(folder.at == "../lib:- Bob clean")
    #expect((folder.cause["files"] as? [String: Any])?["changed"] as? Int == 1, "\(folder.cause)")
    // From elsewhere in the project it is reached by another way.
    #expect(try repository.cairn("why", "text", in: "p1").output.contains(" ../shared.txt"))
    #expect(try repository.cairn("why", "../dvc.yaml:text", in: "p1/sub").output.contains(" ../../shared.txt"))
    // What it was is remembered, too.
    #expect(try repository.cairn("repro", "-q", in: "p1").status == 0)
    let last = try repository.cairn("why", "--last", "value", in: "p1").output
    #expect(last.contains("because ../conf/values.yaml: lr changed"), "\(last)")
  }

  @Test("a file that was moved out of the project keeps its author")
  func moved() throws {
    let repository = try project()
    try repository.write("p1/old.txt", "one\ntwo\nthree\n")
    try repository.write("p1/dvc.yaml", "stages: {s: {cmd: cp old.txt s, deps: [old.txt], outs: [s]}}\n")
    #expect(try repository.cairn("repro", "-q", in: "p1").status == 0)
    try commit(repository, by: "Ann")
    try repository.write("p1/old.txt", "one\ntwo\nfour\n")
    try commit(repository, by: "Bob")
    try repository.git("mv", "p1/old.txt", "new.txt")
    try repository.write("p1/dvc.yaml", "stages: {s: {cmd: cp ../new.txt s, deps: [../new.txt], outs: [s]}}\n")
    try commit(repository, by: "Carl")
    let text = try repository.cairn("why", "s", "--json", in: "p1").output
    #expect(text.contains("\"author\": \"Bob\""), "\(text)")
  }

  @Test("lineage finds what lies beside the project, by its way from here and by its absolute path, up and down")
  func lineage() throws {
    let repository = try project()
    let commit = String(try repository.git("rev-parse", "HEAD").prefix(7))
    let down = try repository.cairn("lineage", "../shared.txt", "--down", in: "p1")
    #expect(down.status == 0 && down.output.contains(" text "), "\(down)")
    let absolute = repository.path("shared.txt")
    #expect(try repository.cairn("lineage", absolute, "--down", in: "p1").output == down.output)
    #expect(try repository.cairn("lineage", "../../shared.txt", "--down", in: "p1/sub").output == down.output)
    #expect(try repository.cairn("lineage", "--down", "path:../lib", in: "p1").output.contains(" sub/folder "))
    let source = try repository.cairn("lineage", "../shared.txt", in: "p1")
    #expect(source.status == 0 && source.output.contains("commit \(commit)"), "\(source)")
    // It was committed after the run that read it.
    let up = try repository.cairn("lineage", "text", in: "p1").output
    #expect(up.contains("../shared.txt") && !up.contains(repository.root), "\(up)")
    try repository.write("shared.txt", "other\n")
    let old = try repository.cairn("lineage", "../shared.txt", "--rev", "HEAD", "--down", in: "p1").output
    #expect(old.contains(" text "), "\(old)")
    // Nobody has heard of it: a whole disk may be there.
    try repository.write("unknown.txt", "?\n")
    #expect(try repository.cairn("lineage", "../unknown.txt", in: "p1").status != 0)
    #expect(try repository.cairn("lineage", "..", in: "p1").status != 0)
  }

  @Test("clones at two places have one name for the same artifact")
  func clones() throws {
    let first = try project()
    let second = try TestRepository(copying: first)
    func ids(_ repository: TestRepository) throws -> [String] {
      try repository.remove("p1/.cairn")
      #expect(try repository.cairn("repro", "-qf", in: "p1").status == 0)
      let text = try repository.cairn("lineage", "text", "--json", in: "p1").output
      return text.matches(of: /a:[0-9a-f]+/).map { String($0.0) }.sorted()
    }
    let ids = (try ids(first), try ids(second))
    #expect(!ids.0.isEmpty && ids.0 == ids.1)
  }

  @Test("outside of the git work tree a path stays absolute, and nothing is said of git")
  func elsewhere() throws {
    let repository = try project()
    let other = try TestRepository(git: false, dvc: false)
    try other.write("data.txt", "1\n")
    let path = other.path("data.txt")
    try repository.write("p1/dvc.yaml", "stages: {s: {cmd: cp \(path) s, deps: [\(path)], outs: [s]}}\n")
    #expect(try repository.cairn("repro", "-q", in: "p1").status == 0)
    let input = try #require((try show("s", repository)["inputs"] as? [[String: Any]])?.first)
    #expect(input["path"] as? String == path)
    #expect((input["origin"] as? [String: Any])?["kind"] as? String == "none")
    #expect(try repository.cairn("lineage", path, "--down", in: "p1").output.contains(" s "))
    try other.write("data.txt", "2\n")
    let why = try repository.cairn("why", "s", in: "p1").output
    #expect(why.contains(path) && why.contains("1 line"), "\(why)")
  }

  @Test("a record that has the absolute path is read, and stands behind its lock entry")
  func old() throws {
    let repository = try TestRepository(git: false, dvc: false)
    try repository.write("shared.txt", "1\n")
    try repository.write("p1/.dvc/config", "[core]\n    no_scm = True\n")
    try repository.write("p1/dvc.yaml", "stages: {s: {cmd: cp ../shared.txt s, deps: [../shared.txt], outs: [s]}}\n")
    #expect(try repository.cairn("repro", "-q", in: "p1").status == 0)
    let path = repository.path("shared.txt")
    #expect(try repository.cairn("runs", "show", "@last:s", "--json", in: "p1").output.contains("\"path\":\"\(path)\""))
    // Now a work tree is around it.
    try repository.git("init", "--quiet", "--initial-branch=main")
    #expect(try repository.cairn("repro", in: "p1").output.contains("up to date"))
    #expect(try repository.cairn("why", "s", in: "p1").output.contains("last ran"))
    let up = try repository.cairn("lineage", "s", in: "p1").output
    #expect(up.contains(path) && up.contains(" · s · "), "\(up)")
    #expect(try repository.cairn("lineage", "../shared.txt", "--down", in: "p1").output.contains(" s "))
  }
}
