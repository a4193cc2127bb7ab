// `cairn init --template`: what is written where, and what is left alone.
import CairnTestSupport
import Foundation
import Testing

struct TemplateTests {
  private static let files = [
    ".github/workflows/cairn-verify.yml", "ci/cairn-verify.gitlab-ci.yml", "ci/cairn-verify.md", "ci/cairn-verify.sh",
  ]

  @Test("a template's files are those of its folder in pipelines/, to the byte and with their mode")
  func embedded() throws {
    let templates = try FileManager.default.contentsOfDirectory(atPath: PackageFiles.path("pipelines"))
      .filter { !$0.hasSuffix(".md") }.sorted()
    #expect(templates == ["ci-check"])
    for template in templates {
      let repository = try TestRepository()
      #expect(try repository.cairn("init", "--template", template).status == 0)
      let paths = FileManager.default.enumerator(atPath: PackageFiles.path("pipelines/" + template))?
        .compactMap { $0 as? String } ?? []
      var compared: [String] = []
      for path in paths.sorted() {
        let source = PackageFiles.path("pipelines/\(template)/\(path)")
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: source, isDirectory: &isFolder), isFolder.boolValue { continue }
        compared.append(path)
        let hint = "\(path) differs from what is built in: run scripts/templates"
        #expect(repository.bytes(path).map { Data($0) } == FileManager.default.contents(atPath: source), "\(hint)")
        let runs = repository.permissions(path).map { $0 & 0o111 != 0 }
        #expect(runs == FileManager.default.isExecutableFile(atPath: source), "\(hint)")
      }
      #expect(compared == Self.files)
    }
  }

  @Test("an empty git repository is initialised too, and the files are left for the user to add")
  func emptyRepository() throws {
    let repository = try TestRepository(dvc: false)
    let result = try repository.cairn("init", "--template", "ci-check")
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    #expect(result.output.hasPrefix("Initialized DVC repository.\n"))
    #expect(result.output.contains("ci/cairn-verify.sh  written\nNext: set 'version', 'url' and 'sha256'"))
    let added = "A  .dvc/.gitignore\nA  .dvc/config\nA  .dvcignore\n"
    #expect(try repository.git("status", "--short") == added + "?? .github/\n?? ci/\n")
  }

  @Test("a project that is there is not initialised again, not even by --force, and a second time nothing is written")
  func existingProject() throws {
    let repository = try TestRepository()
    try repository.write(".dvc/config", "# ours\n")
    try repository.write(".dvc/cache/files/md5/aa/bb", "kept")
    try repository.write("src/here", "")
    #expect(try repository.cairn("init", "--template", "ci-check", "--force", in: "src").status == 0)
    #expect(repository.read(".dvc/config") == "# ours\n")
    #expect(repository.exists(".dvc/cache/files/md5/aa/bb") && !repository.exists("src/.dvc"))
    #expect(Self.files.allSatisfy { repository.exists($0) })
    let again = try repository.cairn("init", "--template", "ci-check")
    #expect(again.status == 0 && again.errors.isEmpty, "\(again)")
    #expect(again.output == Self.files.map { $0 + "  is there already\n" }.joined())
  }

  @Test("a file that differs is named and kept, and nothing is written, not even .dvc; --force replaces it")
  func differingFile() throws {
    let repository = try TestRepository(dvc: false)
    try repository.write("ci/cairn-verify.sh", "mine\n")
    let refused = try repository.cairn("init", "--template", "ci-check")
    #expect(refused.status == 1 && refused.output.isEmpty, "\(refused)")
    #expect(
      refused.errors == """
        ERROR: 'ci/cairn-verify.sh' is there already, and not as the template has it: nothing was written
        hint: move it away, or let `cairn init --template ci-check --force` replace it

        """)
    #expect(repository.list() == [".git", "ci"] && repository.list("ci") == ["cairn-verify.sh"])
    #expect(repository.read("ci/cairn-verify.sh") == "mine\n")
    #expect(try repository.cairn("init", "--template", "ci-check", "--force").status == 0)
    #expect(repository.read("ci/cairn-verify.sh")?.hasPrefix("#!/bin/sh\n") ?? false)
  }

  @Test("a file where a folder is needed is in the way, with --force too")
  func inTheWay() throws {
    let repository = try TestRepository()
    try repository.write("ci", "")
    let result = try repository.cairn("init", "--template", "ci-check", "--force")
    #expect(result.status == 1 && result.errors == "ERROR: 'ci' is in the way of the template: nothing was written\n")
    #expect(!repository.exists(".github"))
  }

  @Test("an unknown template ends with 254, names those that there are, and guesses")
  func unknown() throws {
    let repository = try TestRepository(dvc: false)
    let result = try repository.cairn("init", "--template", "ci-chek")
    #expect(result.status == 254 && result.output.isEmpty, "\(result)")
    #expect(
      result.errors == "ERROR: there is no template 'ci-chek' (there are: ci-check)\nhint: did you mean 'ci-check'?\n")
    #expect(repository.list() == [".git"])
  }

  @Test("of a project below the top of git's work tree the files go to the top, and name its folder")
  func below() throws {
    let repository = try TestRepository(dvc: false)
    try repository.write("services/it's/data.csv", "")
    let result = try repository.cairn("init", "--subdir", "--template", "ci-check", in: "services/it's")
    #expect(result.status == 0 && result.output.contains("../../ci/cairn-verify.sh  written"), "\(result)")
    #expect(repository.read("ci/cairn-verify.sh")?.contains("\nproject='services/it'\"'\"'s'  ") ?? false)
    #expect(repository.exists("services/it's/.dvc") && !repository.exists("services/it's/ci"))
  }

  @Test("without a setting, with another checksum or another version, the script runs nothing and ends with 255")
  func refusals() throws {
    let repository = try TestRepository()
    try repository.cairn("init", "--template", "ci-check")
    try repository.write("archive", "no archive at all")
    let script = try #require(repository.read("ci/cairn-verify.sh"))
    for (settings, says) in [
      (["version": "", "url": "", "sha256": ""], "set 'version' and 'url' at its top"),
      (["version": "1", "url": "file://\(repository.path("archive"))", "sha256": ""], "set 'sha256' at its top"),
      (["version": "1", "url": "file://\(repository.path("archive"))", "sha256": "12"], "has 2 digits instead of 64"),
      (
        ["version": "1", "url": "file://\(repository.path("archive"))", "sha256": String(repeating: "0", count: 64)],
        "it is not what was chosen, and is not run"
      ),
      (
        ["version": "1", "url": "file://\(repository.path("gone"))", "sha256": String(repeating: "0", count: 64)],
        "cannot fetch"
      ),
    ] {
      var text = script
      for (name, value) in settings {
        text = text.replacingOccurrences(of: "\n\(name)=''", with: "\n\(name)='\(value)'")
      }
      try repository.write("ci/cairn-verify.sh", text)
      let result = try repository.run(["/bin/sh", "ci/cairn-verify.sh"])
      #expect(result.status == 255 && result.errors.contains(says), "\(settings): \(result)")
      #expect(result.errors.contains("ERROR: nothing was verified: "))
    }
  }
}
