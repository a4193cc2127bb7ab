// What `cairn verify` says of files that this machine has and others do not, and of what nobody could look at.
import CairnTestSupport
import Foundation
import Testing

struct VerifyOriginTests {
  /// A project that is run, of which all is committed but the files named.
  private func project(
    _ pipeline: String, _ files: [String: String], forgetting: [String] = []
  ) throws -> TestRepository {
    let repository = try TestRepository()
    for (name, text) in files { try repository.write(name, text) }
    try repository.write("dvc.yaml", pipeline)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.git("add", "-A")
    for file in forgetting { try repository.git("rm", "-q", "--cached", file) }
    try repository.git("commit", "-qm", "x")
    return repository
  }

  private static let one = "stages:\n  a:\n    cmd: cp in o\n    deps: [in]\n    outs: [o]\n"

  @Test(
    "a file without which nobody else knows the stages, and that was never added, is a fault",
    arguments: [
      ("stages:\n  a:\n    foreach: ${n}\n    do: {cmd: echo > o, outs: [o]}\n", "params.yaml", "n: [1]\n"),
      ("stages:\n  a:\n    matrix:\n      x: ${n}\n    cmd: echo > o\n    outs: [o]\n", "params.yaml", "n: [1]\n"),
      ("vars: [v.yaml]\nstages:\n  a: {cmd: echo > o, outs: [o]}\n", "v.yaml", "n: 1\n"),
      ("stages:\n  a:\n    vars: [v.yaml:n]\n    cmd: echo > o\n    outs: [o]\n", "v.yaml", "n: 1\n"),
      ("stages:\n  a: {cmd: echo > o, outs: [o]}\nmetrics: [\"${n}\"]\n", "params.yaml", "n: o\n"),
    ])
  func neededFile(pipeline: String, file: String, content: String) throws {
    let repository = try project(pipeline, [file: content], forgetting: [file])
    let result = try repository.cairn("verify")
    #expect(result.status == 1 && result.output.contains("dvc.yaml takes values from \(file), which is not in git"), "\(result)")
    try repository.commit()
    #expect(try repository.cairn("verify").status == 0)
  }

  @Test("patterns that hide a part of a folder from one machine alone are a fault; those that hide nothing of git's are none")
  func ignoreFile() throws {
    let pipeline = "stages:\n  a: {cmd: ls src > o, deps: [src], outs: [o]}\n"
    let files = ["src/a": "1", "src/b": "2", ".dvcignore": "src/b\n", ".gitignore": "/env\n", "env/.dvcignore": "x\n"]
    let repository = try project(pipeline, files, forgetting: [".dvcignore"])
    let result = try repository.cairn("verify", "--json")
    #expect(result.status == 1 && result.output.contains("\".dvcignore is not in git: elsewhere nothing hides what it hides\""), "\(result)")
    #expect(!result.output.contains("env/.dvcignore"))
    try repository.commit()
    #expect(try repository.cairn("verify").status == 0)
  }

  @Test("a .dvc file behind a link that leads out of the repository is nobody else's")
  func trackedBehindLink() throws {
    let repository = try TestRepository()
    try repository.write("in", "1\n")
    #expect(try repository.cairn("add", "-q", "in").status == 0)
    try repository.write("dvc.yaml", Self.one)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit()
    #expect(try repository.cairn("verify").status == 0)
    try repository.shell("mv in.dvc ../elsewhere.dvc && ln -s ../elsewhere.dvc in.dvc")
    try repository.commit()
    let result = try repository.cairn("verify")
    #expect(result.status == 1 && result.output.contains("in.dvc is a link to a file that is not in git"), "\(result)")
  }

  @Test("a lock without its dvc.yaml is not known, and a fault where the dvc.yaml stands there")
  func forgottenPipeline() throws {
    let repository = try project(Self.one, ["in": "1\n"], forgetting: ["dvc.yaml"])
    #expect(try repository.cairn("verify").status == 1)
    let commit = try repository.cairn("verify", "--rev", "HEAD")
    #expect(commit.status == 2 && commit.output.contains("git has dvc.lock, and not the dvc.yaml whose runs it tells of"), "\(commit)")
    try repository.write("sub/dvc.yaml", "stages: {b: {cmd: echo > p, outs: [p]}}\n")
    #expect(try repository.cairn("repro", "-q", "sub/dvc.yaml").status == 0)
    try repository.git("add", "sub")
    try repository.git("commit", "-qm", "x")
    let beside = try repository.cairn("verify", "--rev", "HEAD")
    #expect(beside.status == 0 && beside.output.contains("1 warning"), "\(beside)")
    try repository.write(".gitignore", "/o\n/dvc.yaml\n")
    try repository.commit()
    let hidden = try repository.cairn("verify")
    #expect(hidden.status == 1 && hidden.output.contains("dvc.yaml is not in git: nobody else has this pipeline"), "\(hidden)")
  }

  @Test("what could not be looked at is not known, whatever a team accepts and the base has")
  func acceptedUnseen() throws {
    let pipeline = "stages:\n  a: {cmd: cp in o, deps: [in], params: [p.json: [a]], outs: [o]}\n"
    let repository = try project(pipeline, ["in": "1\n", "p.json": "{\"a\": 1}\n"])
    try repository.write("p.json", "{\"a\": 2\n")
    try repository.commit()
    try repository.write("p.json", "{\"a\": 3\n")
    try repository.commit()
    #expect(try repository.cairn("verify", "--base", "HEAD^", "--new-only").status == 2)
    try repository.write(
      ".cairn/config.toml",
      "[[verify.accepted]]\ncheck = \"pipeline-valid\"\npath = \"p.json\"\nreason = \"x\"\nuntil = 2099-01-01\n")
    let result = try repository.cairn("verify")
    #expect(result.status == 2 && result.output.contains("until 2099-01-01: x"), "\(result)")
  }

  @Test("records that are asked for are looked for, though their check was turned down")
  func recordsAskedFor() throws {
    let repository = try project(Self.one, ["in": "1\n"])
    try repository.remove(".cairn")
    try repository.write(".cairn/config.toml", "[verify.severity]\nrecord = \"off\"\n")
    #expect(try repository.cairn("verify").status == 0)
    #expect(try repository.cairn("verify", "--require-records").status == 2)
  }

  @Test("a pointer of Git LFS in the place of a content is not that content's edit")
  func pointers() throws {
    let pipeline = """
      stages:
        d: {cmd: ls imgs > o, deps: [imgs], outs: [o]}
        k: {cmd: cp imgs/a.png plot.png, outs: [plot.png: {cache: false}]}
        p: {cmd: echo > q, params: [big.yaml: [a]], outs: [q]}

      """
    let repository = try project(pipeline, ["imgs/a.png": "picture", "imgs/b": "1\n", "big.yaml": "a: 1\n"])
    #expect(try repository.cairn("verify").status == 0)
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:\(String(repeating: "0", count: 64))\nsize 7\n"
    for name in ["imgs/a.png", "plot.png", "big.yaml"] { try repository.write(name, pointer) }
    try repository.commit()
    let result = try repository.cairn("verify")
    #expect(result.status == 2 && result.output.components(separatedBy: "unknown ·").count == 4, "\(result)")
    #expect(try repository.cairn("verify", "d").status == 2)
    // An edit beside it is one all the same where numbers say so.
    try repository.write("imgs/b", "2\n")
    #expect(try repository.cairn("verify", "d").status == 2)
  }

  @Test("an edit that keeps a file's size and time is noticed")
  func sameStamps() throws {
    let repository = try project(Self.one, ["in": "1\n"])
    Thread.sleep(forTimeInterval: 0.05)
    for _ in 0..<2 { #expect(try repository.cairn("status").output.hasPrefix("Data and pipelines are up to date")) }
    try repository.shell("touch -r in stamp && printf '2\\n' > in && touch -r stamp in && rm stamp")
    #expect(try repository.cairn("verify").status == 1)
    #expect(try repository.cairn("status").output.contains("modified:           in"))
  }

  @Test("an index that was cut off says nothing")
  func damagedIndex() throws {
    let repository = try project(Self.one, ["in": "1\n"])
    try repository.shell("truncate -s $(( $(stat -c %s .git/index) / 2 )) .git/index")
    let result = try repository.cairn("verify")
    #expect(result.status == 2 || result.status == 255, "\(result)")
  }
}
