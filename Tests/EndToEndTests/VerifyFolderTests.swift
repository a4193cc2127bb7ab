// What `cairn verify` makes of folders that hold more than git's files: links, outputs with and without a cache, data
// whose `.dvc` file is nowhere. And of datasets, which are no files at all.
import CairnTestSupport
import Foundation
import Testing

struct VerifyFolderTests {
  private func repository(_ stages: String, _ files: [String: String]) throws -> TestRepository {
    let repository = try TestRepository()
    try repository.git("config", "user.name", "a")
    try repository.git("config", "user.email", "a@b")
    for (name, text) in files { try repository.write(name, text) }
    try repository.write("dvc.yaml", "stages:\n" + stages)
    return repository
  }

  private func link(_ repository: TestRepository, _ target: String, _ name: String) throws {
    #expect(try repository.run(["ln", "-s", target, repository.path(name)]).status == 0)
  }

  /// Runs, commits, and expects that nothing is found.
  private func settle(_ repository: TestRepository) throws {
    #expect(try repository.cairn("repro", "-qP").status == 0)
    try repository.commit()
    #expect(try found(repository) == [])
  }

  /// What stands against the verdict in the work tree, in the commit and in a clone, which must be the same.
  private func found(_ repository: TestRepository) throws -> [String] {
    let clone = repository.path("../clone-of-\(repository.root.split(separator: "/").last ?? "")")
    #expect(try repository.run(["git", "clone", "-q", repository.root, clone]).status == 0)
    defer { try? FileManager.default.removeItem(atPath: clone) }
    let looks = try [["verify"], ["verify", "--rev", "HEAD"], ["--cd", clone, "verify"]].map { look in
      let result = try repository.run([try CairnBinary.path()] + look + ["--json"])
      let document = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
      let checks = try #require(document["checks"] as? [[String: Any]])
      return checks.filter { ["failed", "unknown"].contains($0["status"] as? String) && $0["id"] as? String != "record" }
        .map { ($0["status"] as? String == "unknown" ? "? " : "") + "\($0["id"] ?? "") \($0["stage"] ?? "")" }
    }
    #expect(looks[0] == looks[1] && looks[0] == looks[2], "\(looks)")
    return looks[0]
  }

  @Test("a link to tracked data counts as the data, and the files beside it are looked at")
  func linkToData() throws {
    let repository = try repository(
      "  p: {cmd: cat d/a > o, deps: [d], outs: [o]}\n", ["d/a": "1\n", "x": "1\n", "y/z": "1\n"])
    #expect(try repository.cairn("add", "-q", "x", "y").status == 0)
    try link(repository, "../x", "d/l")
    // To a folder: DVC takes it for nothing.
    try link(repository, "../y", "d/m")
    try settle(repository)
    try repository.write("d/a", "2\n")
    try repository.commit()
    #expect(try found(repository) == ["dep-content p"])
    try repository.git("checkout", "-q", "HEAD~1", "--", "d/a")
    #expect(try repository.run(["rm", "-f", repository.path("x")]).status == 0)
    try repository.write("x", "2\n")
    #expect(try repository.cairn("add", "-q", "x").status == 0)
    try repository.commit()
    #expect(try found(repository) == ["dep-content p"])
  }

  @Test("a folder with data of DVC 2 and of DVC 3 passes where the hashes say so, and is else not known")
  func mixedHashes() throws {
    let repository = try repository(
      "  mk: {cmd: echo 1 > d/z, outs: [d/z]}\n  p: {cmd: cat d/a > o, deps: [d], outs: [o]}\n", ["d/a": "1\n"])
    try settle(repository)
    let lock = try #require(repository.read("dvc.lock"))
    let entry = "    - path: d/z\n      hash: md5\n"
    #expect(lock.contains(entry))
    try repository.write("dvc.lock", lock.replacingOccurrences(of: entry, with: "    - path: d/z\n"))
    try repository.commit()
    #expect(try found(repository) == [])
    try repository.write("d/a", "2\n")
    try repository.commit()
    #expect(try found(repository) == ["? dep-content p"])
  }

  @Test("parameters behind a link to tracked data are another level's business, and not gone")
  func linkedParameters() throws {
    let repository = try repository(
      "  p: {cmd: echo 1 > o, params: [l.yaml: [k]], outs: [o]}\n", ["data/p.yaml": "k: 1\n"])
    #expect(try repository.cairn("add", "-q", "data/p.yaml").status == 0)
    try link(repository, "data/p.yaml", "l.yaml")
    try settle(repository)
  }

  @Test("what a stage left at a URL is held against what the next one ran with", arguments: [("aaaa", false), ("bbbb", true)])
  func urls(tag: String, isBroken: Bool) throws {
    let repository = try repository(
      "  a: {cmd: echo, outs: ['s3://b/x': {cache: false}]}\n  b: {cmd: echo, deps: ['s3://b/x']}\n", [:])
    try repository.write(
      "dvc.lock",
      """
      schema: '2.0'
      stages:
        a: {cmd: echo, outs: [{path: 's3://b/x', etag: aaaa, size: 1}]}
        b: {cmd: echo, deps: [{path: 's3://b/x', etag: \(tag), size: 1}]}

      """)
    try repository.commit()
    #expect(try found(repository) == (isBroken ? ["lock-chain b"] : []))
  }

  @Test("a part of a folder that git keeps, and a folder around it, are held against git's own bytes")
  func keptFolders() throws {
    let stages = """
        mk: {cmd: "mkdir -p d/k/sub && cp s d/k/sub/a && cp s d/k/b", deps: [s], outs: [d/k: {cache: false}]}
        part: {cmd: cat d/k/sub/a > o, deps: [d/k/sub], outs: [o]}
        around: {cmd: cat d/c > p, deps: [d], outs: [p]}

      """
    let files = ["s": "1\n", "d/c": "1\n"]
    let edited = try repository(stages, files)
    try settle(edited)
    try edited.write("d/c", "2\n")
    try edited.commit()
    #expect(try found(edited) == ["dep-content around"])
    let made = try repository(stages, files)
    try settle(made)
    try made.write("s", "2\n")
    #expect(try made.cairn("repro", "-q", "-s", "mk").status == 0)
    try made.commit()
    #expect(try found(made) == ["dep-content part", "dep-content around"])
    let target = try repository(stages, files)
    try settle(target)
    try target.write("d/k/b", "9\n")
    try target.commit()
    #expect(try target.cairn("verify", "--rev", "HEAD", "around").status == 1)
    #expect(try target.cairn("verify", "--rev", "HEAD", "part").status == 0)
  }

  @Test("links that a stage leaves in a folder that git keeps are a part of it, and none may be added")
  func linksInKeptFolders() throws {
    let repository = try repository(
      "  mk: {cmd: \"mkdir -p k && cp s k/a && ln -sf a k/l\", deps: [s], outs: [k: {cache: false}]}\n", ["s": "1\n"])
    try settle(repository)
    try link(repository, "a", "k/m")
    try repository.commit()
    #expect(try found(repository) == ["lock-outs mk"])
  }

  @Test("a folder whose origin the team lets pass is not known, for anything in it may have been edited")
  func acceptedOrigins() throws {
    let repository = try repository("  p: {cmd: cat d/a > o, deps: [d], outs: [o]}\n", ["d/a": "1\n"])
    try link(repository, "/usr", "d/l")
    try link(repository, "/etc/passwd", "d/m")
    #expect(try repository.cairn("repro", "-qP").status == 0)
    try repository.commit()
    try repository.git("tag", "base")
    #expect(Set(try found(repository)) == ["dep-origin p"])
    try repository.write("d/a", "2\n")
    try repository.write(
      ".cairn/config.toml",
      "[[verify.accepted]]\ncheck = \"dep-origin\"\nstage = \"p\"\nreason = \"x\"\nuntil = 2999-01-01\n")
    try repository.commit()
    #expect(try found(repository) == ["? dep-content p"])
    #expect(try repository.cairn("verify", "--rev", "HEAD", "--base", "base", "--new-only").status == 2)
  }

  @Test("data in a folder whose .dvc file git does not have is nobody else's")
  func untrackedData() throws {
    let repository = try repository("  p: {cmd: cat d/a > o, deps: [d], outs: [o]}\n", ["d/a": "1\n", "d/x": "1\n"])
    #expect(try repository.cairn("add", "-q", "d/x").status == 0)
    try settle(repository)
    try repository.git("rm", "-q", "--cached", "d/x.dvc")
    let result = try repository.cairn("verify")
    #expect(result.status == 1)
    #expect(result.output.contains("p: d/x.dvc tracks a part of d, and is not in git itself"))
    // Behind a link, too.
    let linked = try self.repository("  p: {cmd: cat d/a > o, deps: [d], outs: [o]}\n", ["d/a": "1\n", "x": "1\n"])
    #expect(try linked.cairn("add", "-q", "x").status == 0)
    try link(linked, "../x", "d/l")
    try settle(linked)
    try linked.git("rm", "-q", "--cached", "x.dvc")
    #expect(try linked.cairn("verify").output.contains("p: x.dvc tracks a part of d, and is not in git itself"))
  }

  @Test("a pipeline in a folder that git ignores as a whole is not passed over in silence")
  func hiddenPipelines() throws {
    let repository = try repository(
      "  p: {cmd: echo 1 > o, outs: [o]}\n", ["g/dvc.yaml": "stages: {q: {cmd: echo 1 > r, outs: [r]}}\n"])
    try settle(repository)
    try repository.write(".gitignore", (repository.read(".gitignore") ?? "") + "/g/\n")
    try repository.commit()
    #expect(try found(repository) == ["pipeline-valid <null>"])
  }

  @Test("a dataset that was updated, or that is declared otherwise, is told by the stage that ran with the one before")
  func datasets() throws {
    func text(_ rev: String) -> String {
      "datasets:\n- {name: foo, url: /nowhere, type: dvc, path: d, rev: \(rev)}\n"
    }
    func locked(_ rev: String, stage: String, name: String = "foo") -> String {
      let entry = "name: \(name)\n{}url: /nowhere\n{}type: dvc\n{}path: d\n{}rev: \(rev)\n{}rev_lock: 0\n"
      return """
        schema: '2.0'
        stages:
          p:
            cmd: echo 1 > o
            deps:
            - path: ds://foo
              dataset:
                \(entry.replacingOccurrences(of: rev, with: stage).replacingOccurrences(of: "{}", with: "        "))\
            outs:
            - path: o
              hash: md5
              md5: b026324c6904b2a9cb4b88d6d61c81d1
              size: 2
        datasets:
        - \(entry.replacingOccurrences(of: "{}", with: "  "))
        """
    }
    let repository = try repository("  p: {cmd: echo 1 > o, deps: ['ds://foo'], outs: [o]}\n", [:])
    let stages = try #require(repository.read("dvc.yaml"))
    func look(_ declared: String?, _ lock: String) throws -> [String] {
      try repository.write("dvc.yaml", stages + (declared.map(text) ?? ""))
      try repository.write("dvc.lock", lock)
      try repository.commit()
      return try found(repository)
    }
    #expect(try look("v1", locked("v1", stage: "v1")) == [])
    #expect(try look("v2", locked("v2", stage: "v1")) == ["lock-chain p"])
    #expect(try look("v2", locked("v1", stage: "v1")) == ["lock-chain p"])
    #expect(try look(nil, locked("v1", stage: "v1")) == ["dep-origin p"])
    #expect(try look("v1", locked("v1", stage: "v1", name: "bar")) == ["lock-chain p"])
  }

  @Test("an answer that came with the repository is none")
  func forgedAnswers() throws {
    let repository = try repository("  p: {cmd: cat in > o, deps: [in], outs: [o]}\n", ["in": "1\n"])
    try settle(repository)
    try repository.write("in", "2\n")
    try repository.commit()
    // Older than a tick of the clock: then the answer is kept.
    usleep(50_000)
    #expect(try repository.cairn("verify").status == 1)
    let folder = repository.path(".cairn/fresh")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(!names.isEmpty)
    for name in names {
      let bytes = try #require(repository.bytes(".cairn/fresh/" + name))
      func number(_ at: Int) -> Int { (0..<4).reduce(0) { $0 + Int(bytes[at + $1]) << (8 * $1) } }
      let key = Array(bytes[..<(12 + number(8))])
      let words = [0] + Array("REPRODUCIBLE  9 passed\n".utf8)
      let count = (0..<4).map { UInt8(words.count >> (8 * $0) & 0xFF) }
      try repository.write(".cairn/fresh/" + name, key + count + words + [0, 0, 0, 0, 0])
    }
    #expect(try repository.cairn("verify").status == 1)
  }
}
