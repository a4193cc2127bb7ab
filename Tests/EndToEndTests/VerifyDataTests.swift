// `verify --data`: is every object that locks and .dvc files name in the cache or on its remote, and is it whole?
import CairnTestSupport
import Foundation
import Testing

struct VerifyDataTests {
  /// A tracked folder and file, a stage, all of it pushed.
  private func project() throws -> TestRepository {
    let repository = try TestRepository()
    for (name, text) in ["d/a": "1\n", "d/b": "2\n", "f": "f\n"] { try repository.write(name, text) }
    #expect(try repository.cairn("add", "-q", "d", "f").status == 0)
    try repository.write("dvc.yaml", "stages:\n  s: {cmd: cat d/* f > o, deps: [d, f], outs: [o]}\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    #expect(try repository.cairn("remote", "add", "-q", "-d", "r", "../remote").status == 0)
    #expect(try repository.cairn("push", "-q").status == 0)
    try repository.commit()
    return repository
  }

  private static let (a, f, list) = (
    "files/md5/b0/26324c6904b2a9cb4b88d6d61c81d1", "files/md5/9a/8ad92c50cae39aa2c5604fd0ab6d8c",
    "files/md5/c3/7f8bc8917fdf64a45bb6010380cdab.dir"
  )

  private func json(_ result: CommandResult) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result)")
  }

  /// `object-missing d failed`, of the checks of data.
  private func found(_ repository: TestRepository, _ arguments: String..., in folder: String = ".") throws -> [String] {
    let result = try repository.run([CairnBinary.path(), "verify", "--data", "--json"] + arguments, in: folder)
    let document = try json(result)
    #expect(document["level"] as? String == "data")
    let checks = try #require(document["checks"] as? [[String: Any]])
    return checks.compactMap { check in
      guard let id = check["id"] as? String, id.hasPrefix("object-") else { return nil }
      return "\(id) \(check["path"] as? String ?? "-") \(check["status"] as? String ?? "")"
    }.sorted()
  }

  /// Names, modes, sizes and times of all files that data lies in.
  private func state(_ repository: TestRepository) throws -> String {
    try repository.shell("find .dvc/cache ../remote -printf '%p %m %s %T@\\n' 2>/dev/null | sort").output
  }

  private func spoil(_ repository: TestRepository, _ path: String) throws {
    try repository.shell("chmod u+w \(path) && echo other > \(path)")
  }

  private static let all = ["object-missing d passed", "object-missing f passed", "object-missing o passed"]
  private static let whole = ["object-corrupt d passed", "object-corrupt f passed", "object-corrupt o passed"] + all

  @Test("data in the cache or on the remote is there, and hashing it changes nothing")
  func there() throws {
    let repository = try project()
    #expect(try found(repository) == Self.all)
    try repository.shell("mv ../remote ../away")
    let before = try state(repository)
    #expect(try found(repository, "--deep") == Self.whole)
    #expect(try state(repository) == before)
    try repository.shell("mv ../away ../remote; chmod -R u+w .dvc/cache; rm -rf .dvc/cache")
    let far = try state(repository)
    #expect(try found(repository) == Self.all)
    #expect(try found(repository, "--deep") == Self.whole)
    #expect(try state(repository) == far)
    #expect(try found(repository, "--rev", "HEAD", "--deep") == Self.whole)
    let text = try repository.cairn("verify", "--data", "s")
    #expect(text.status == 0 && text.output.hasPrefix("REPRODUCIBLE  "), "\(text)")
    #expect(try found(repository, "s") == ["object-missing o passed"])
  }

  @Test("what is nowhere fails by name, a folder once for all of it")
  func missing() throws {
    let repository = try project()
    try repository.shell("rm -f .dvc/cache/\(Self.a) ../remote/\(Self.a) .dvc/cache/\(Self.f)")
    let result = try repository.cairn("verify", "--data")
    #expect(result.status == 1 && result.output.hasPrefix("NOT REPRODUCIBLE  1 error, "), "\(result)")
    #expect(result.output.contains("d.dvc:6  d.dvc: 1 of 2 files of d (d/a) is neither in the cache nor on the remote 'r'\n"), "\(result)")
    #expect(result.output.contains("`cairn push d.dvc` where it still is"), "\(result)")
    try repository.shell("rm -f .dvc/cache/\(Self.list) ../remote/\(Self.list)")
    let list = try repository.cairn("verify", "--data")
    #expect(list.status == 1 && list.output.contains("d is neither in the cache"), "\(list)")
    #expect(try repository.cairn("verify").status == 0)

    let junit = try repository.cairn("verify", "--data", "--junit", "-")
    #expect(junit.status == 1 && junit.output.contains("object-missing"), "\(junit)")
    let sarif = try repository.cairn("verify", "--data", "--sarif", "-")
    #expect(sarif.output.contains("\"ruleId\": \"object-missing\""), "\(sarif)")
    let github = try repository.cairn("verify", "--data", "--github")
    #expect(github.output.contains("::error file=d.dvc"), "\(github)")

    // Gone in the base, too.
    let old = try repository.cairn("verify", "--data", "--rev", "HEAD", "--base", "HEAD", "--new-only")
    #expect(old.status == 0 && old.output.hasPrefix("ACCEPTED"), "\(old)")
    try repository.write(
      ".cairn/config.toml",
      "[[verify.accepted]]\ncheck = \"object-missing\"\npath = \"d\"\nreason = \"lost\"\nuntil = 2999-01-01\n")
    #expect(try repository.cairn("verify", "--data").output.hasPrefix("ACCEPTED"))
    try repository.write(".cairn/config.toml", "[verify.severity]\nobject-missing = \"warning\"\n")
    #expect(try repository.cairn("verify", "--data").output.contains("1 warning"))
    try repository.write(".cairn/config.toml", "[verify.severity]\nobject-missing = \"off\"\n")
    #expect(try found(repository).isEmpty)
  }

  @Test("altered bytes are found in the cache, and on the remote where the cache has none")
  func corrupt() throws {
    let repository = try project()
    try spoil(repository, ".dvc/cache/" + Self.a)
    try spoil(repository, "../remote/" + Self.f)
    try repository.shell("rm -f .dvc/cache/\(Self.f)")
    #expect(try found(repository) == Self.all)
    let before = try state(repository)
    let deep = try repository.cairn("verify", "--data", "--deep")
    #expect(deep.status == 1 && deep.output.hasPrefix("NOT REPRODUCIBLE  2 errors, "), "\(deep)")
    #expect(deep.output.contains("1 of 2 files of d (d/a) has other bytes in the cache than the lock says"), "\(deep)")
    #expect(deep.output.contains("f has other bytes on its remote than the lock says"), "\(deep)")
    #expect(deep.output.contains("now  in " + Self.a), "\(deep)")
    #expect(try state(repository) == before)
  }

  @Test("for runs, too, altered bytes on the remote are found, and left there", arguments: ["o", "d/a"])
  func corruptOfRun(path: String) throws {
    let repository = try project()
    let runs = try json(repository.cairn("runs", "--json"))["runs"] as? [[String: Any]]
    let run = try #require(runs?.first?["run"] as? String)
    let digits = try repository.shell("md5sum \(path)").output.prefix(32)
    let object = "\(digits.prefix(2))/\(digits.dropFirst(2))"
    try spoil(repository, "../remote/files/md5/" + object)
    try repository.shell("rm -f .dvc/cache/files/md5/" + object)
    let before = try state(repository)
    let result = try repository.cairn("verify", "--lineage", run, "--deep")
    #expect(result.status == 1, "\(result)")
    #expect(result.output.contains("\(path == "o" ? "o" : "d") has other bytes than its hash says"), "\(result)")
    #expect(!result.output.contains("neither in the cache"), "\(result)")
    #expect(try state(repository) == before)
  }

  @Test("an altered list is found without reading all, and stands for what it lists")
  func corruptList() throws {
    let repository = try project()
    try spoil(repository, ".dvc/cache/" + Self.list)
    let before = try state(repository)
    #expect(try found(repository) == ["object-corrupt d failed"] + Self.all)
    try spoil(repository, "../remote/" + Self.list)
    #expect(try found(repository) == ["object-corrupt d failed", "object-missing f passed", "object-missing o passed"])
    #expect(try repository.shell("test -e .dvc/cache/\(Self.list)").status == 0 && !before.isEmpty)
  }

  @Test("a remote that does not answer is unknown, as long as the cache lacks something")
  func unreachable() throws {
    let repository = try project()
    let port = "http://127.0.0.1:9"
    for (key, value) in [
      ("url", "s3://bucket/x"), ("endpointurl", port), ("access_key_id", "k"), ("secret_access_key", "s"), ("region", "us-east-1"),
    ] {
      #expect(try repository.cairn("remote", "modify", "-q", "r", key, value).status == 0)
    }
    #expect(try repository.cairn("verify", "--data").status == 0)
    try repository.shell("rm -f .dvc/cache/\(Self.f)")
    let result = try repository.cairn("verify", "--data")
    #expect(result.status == 2 && result.output.hasPrefix("UNKNOWN  1 unknown"), "\(result)")
    #expect(result.output.contains("the remote 'r' cannot tell: "), "\(result)")
    #expect(try repository.cairn("remote", "add", "-q", "-f", "-d", "r", "gs://bucket/x").status == 0)
    let other = try repository.cairn("verify", "--data")
    #expect(other.status == 2 && other.output.contains("is of a kind that is not in Cairn yet"), "\(other)")
  }

  @Test("an output counts on the remote that it names, one that is not pushed in the cache alone, one of git's nowhere")
  func homes() throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        s:
          cmd: for f in a b c d; do echo $f > $f; done
          outs:
            - a: {remote: other}
            - b: {push: false}
            - c: {cache: false}
            - d

      """)
    #expect(try repository.cairn("remote", "add", "-q", "-d", "r", "../remote").status == 0)
    #expect(try repository.cairn("remote", "add", "-q", "other", "../other").status == 0)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit()
    #expect(try repository.cairn("push", "-q").status == 0)
    #expect(try found(repository) == ["a", "b", "d"].map { "object-missing \($0) passed" })
    try repository.shell("chmod -R u+w .dvc/cache; rm -rf .dvc/cache")
    #expect(try found(repository) == ["object-missing a passed", "object-missing b skipped", "object-missing d passed"])
    #expect(try repository.cairn("verify", "--data").status == 0)
    try repository.shell("rm -rf ../other")
    #expect(try found(repository) == ["object-missing a failed", "object-missing b skipped", "object-missing d passed"])
    #expect(try repository.cairn("remote", "remove", "-q", "r").status == 0)
    let none = try repository.cairn("verify", "--data")
    #expect(none.status == 1 && none.output.contains("d is not in the cache, and there is no default remote"), "\(none)")
  }

  @Test("data that was erased on purpose is not known to be lost")
  func erased() throws {
    let repository = try project()
    let o = try repository.shell("sed -n 's/.*md5: //p' dvc.lock | tail -n 1").output.dropLast()
    let object = "files/md5/\(o.prefix(2))/\(o.dropFirst(2))"
    try repository.shell(
      """
      hash=$(sha256sum < o | cut -c1-64); rm -f .dvc/cache/\(object) ../remote/\(object); cd .cairn/runs
      text='{"actor":"ann","authority":"art. 17","hash":"'$hash'","reason":"a name","schema":"cairn.tombstone/v1","time":"2026-01-01T00:00:00.000000Z"}'
      name=$(echo "$text" | sha256sum | cut -c1-64); mkdir -p tombstones $(echo $name | cut -c1-2)
      echo "$text" > $(echo $name | sed 's/^../&\\//').json && echo $name > tombstones/$hash
      """)
    #expect(try found(repository) == ["object-missing d passed", "object-missing f passed", "object-missing o erased"])
    let result = try repository.cairn("verify", "--data")
    #expect(result.status == 2 && result.output.contains("o is erased on purpose"), "\(result)")
  }

  @Test("reading is of the data, and of nothing else")
  func usage() throws {
    let result = try project().cairn("verify", "--deep")
    #expect(result.status == 254 && result.errors.contains("argument --deep: needs --data"), "\(result)")
  }
}
