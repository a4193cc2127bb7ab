// Where `cairn verify` puts its reports, and what it prints: nothing of the project's is replaced, nothing is said twice.
import CairnTestSupport
import Foundation
import Testing

struct VerifyReportTests {
  private func project() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.git("config", "user.name", "a")
    try repository.git("config", "user.email", "a@b")
    try repository.write("in.txt", "1\n")
    try repository.write(
      "dvc.yaml", "stages:\n  a:\n    cmd: mkdir -p d && cp in.txt d/x && cp in.txt o\n    deps: [in.txt]\n    outs: [d, o]\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit()
    return repository
  }

  @Test(
    "a report replaces nothing that git, the project or its data has",
    arguments: [
      ("in.txt", "it would replace 'in.txt', which is in git"),
      ("link.xml", "it would replace 'in.txt', which is in git"),
      ("o", "it would replace 'o' of a, or a part of it"), ("d/report.xml", "it would replace 'd' of a, or a part of it"),
      (".git/HEAD", "it lies in git's own folder"), (".git/new", "it lies in git's own folder"),
      (".dvc/config.local", "it lies in .dvc, which belongs to the project"),
      (".cairn/config.toml", "it lies in .cairn, which belongs to the project"),
    ])
  func places(path: String, reason: String) throws {
    let repository = try project()
    #expect(try repository.run(["ln", "-s", "in.txt", repository.path("link.xml")]).status == 0)
    let before = repository.bytes(path)
    let result = try repository.cairn("verify", "--junit", "fine.xml", "--sarif", path)
    #expect(result.status == 255 && result.output.isEmpty)
    #expect(result.errors.hasPrefix("ERROR: cannot write the report '\(path)': \(reason)\n"), "\(result)")
    #expect(repository.bytes(path) == before && !repository.exists("fine.xml"))
  }

  @Test("a stage with a fault that would run nothing is not drawn as sound")
  func faultyStage() throws {
    let repository = try project()
    try repository.git("rm", "-q", "--cached", "in.txt")
    try repository.git("commit", "-qm", "x")
    let result = try repository.cairn("verify", "--markdown", "-")
    #expect(result.status == 1 && result.output.contains("[\"✗ a\"]:::faulty"), "\(result)")
  }

  @Test("a page counts its files from git's top, in its tables as in its findings")
  func subdirectory() throws {
    let repository = try TestRepository()
    let cairn = try CairnBinary.path()
    try repository.write("sub/params.yaml", "lr: 1\n")
    try repository.write(
      "sub/dvc.yaml", "stages:\n  s:\n    cmd: echo '{\"a\":1}' > m.json\n    params: [lr]\n    metrics: [m.json: {cache: false}]\n")
    try repository.shell("cd sub && '\(cairn)' init -q --subdir && '\(cairn)' repro -q")
    try repository.commit()
    try repository.write("sub/params.yaml", "lr: 2\n")
    try repository.write("sub/m.json", "{\"a\": 2}\n")
    try repository.commit()
    let page = try repository.shell("cd sub && '\(cairn)' verify --rev HEAD --base HEAD^ --markdown - || true").output
    #expect(page.contains("| `sub/params.yaml` | `lr` | `1` | `2` |") && page.contains("| `sub/m.json` | `a` |"), "\(page)")
  }

  @Test("two reports are not one file under two names")
  func aliases() throws {
    let repository = try project()
    #expect(try repository.run(["ln", "-s", "b.xml", repository.path("link.xml")]).status == 0)
    try repository.write("b.xml", "old\n")
    for other in ["./b.xml", repository.path("b.xml"), "link.xml"] {
      let result = try repository.cairn("verify", "--junit", "b.xml", "--sarif", other)
      #expect(result.status == 255, "\(result)")
      #expect(result.errors.contains("another report goes to 'b.xml', which is the same file"))
      #expect(repository.read("b.xml") == "old\n")
    }
    // What is nobody's is replaced, and a pipe is written to.
    #expect(try repository.cairn("verify", "--junit", "b.xml", "--sarif", "/dev/null").status == 0)
    #expect(repository.read("b.xml")?.hasPrefix("<?xml ") == true)
  }

  @Test("one fault in a template is read once, with the number of its items")
  func folded() throws {
    let repository = try project()
    try repository.write(
      "dvc.yaml", "stages:\n  s:\n    matrix: {n: [1, 2, 3]}\n    cmd: echo ${nope} > f${item.n}\n    outs: ['f${item.n}']\n")
    let result = try repository.cairn("lint")
    #expect(result.status == 1)
    #expect(
      result.output == """
        3 errors, 0 passed
          dvc.yaml:4  s@* (3): failed to parse 'stages.s@*.cmd' in 'dvc.yaml': Could not find 'nope'
            mend dvc.yaml

        """, "\(result)")
  }
}
