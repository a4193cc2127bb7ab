// `push`, `fetch` and `pull` as a user meets them, with a folder as the remote. What DVC does the same is held against it
// elsewhere.
import CairnTestSupport
import Foundation
import Testing

struct TransferTests {
  private func project() throws -> TestRepository {
    let repository = try TestRepository()
    for (name, text) in ["d/a": "1\n", "d/b": "2\n", "f": "f\n"] { try repository.write(name, text) }
    #expect(try repository.cairn("add", "-q", "d", "f").status == 0)
    #expect(try repository.cairn("remote", "add", "-q", "-d", "r", "../remote").status == 0)
    try repository.commit()
    return repository
  }

  private func forget(_ repository: TestRepository) throws { try repository.shell("chmod -R u+w .dvc/cache; rm -rf .dvc/cache d f") }

  private static let (a, b, f, list) = (
    "files/md5/b0/26324c6904b2a9cb4b88d6d61c81d1", "files/md5/26/ab0db90d72e28ad0ba1e22ee510510",
    "files/md5/9a/8ad92c50cae39aa2c5604fd0ab6d8c", "files/md5/c3/7f8bc8917fdf64a45bb6010380cdab.dir"
  )

  @Test("what was pushed comes back, and a second time there is nothing to do")
  func roundTrip() throws {
    let repository = try project()
    #expect(try repository.cairn("push").output == "4 files pushed\n")
    #expect(try repository.cairn("push").output == "Everything is up to date.\n")
    try forget(repository)
    #expect(try repository.cairn("fetch").output == "4 files fetched\n")
    #expect(!repository.exists("f"))
    #expect(try repository.cairn("pull").output == "A       d/\nA       f\n3 files added\n")
    #expect(try repository.cairn("status").output.hasPrefix("Data and pipelines are up to date"))
    try forget(repository)
    #expect(try repository.cairn("pull", "f.dvc").output == "A       f\n1 file fetched and 1 file added\n")
  }

  @Test("of all that is on the remote, metrics, plots or what is small come alone where they are asked for")
  func someKinds() throws {
    let repository = try TestRepository()
    let outs = "metrics: [m.json], plots: [p.csv], outs: [o, shown]"
    let command = "echo '{}' > m.json; echo a > p.csv; head -c 2000 /dev/zero > o; echo s > shown"
    try repository.write("dvc.yaml", "stages:\n  s: {cmd: \"\(command)\", \(outs)}\nplots: [t: {y: {shown: c}}]\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    #expect(try repository.cairn("remote", "add", "-q", "-d", "r", "../remote").status == 0)
    #expect(try repository.cairn("push").output == "4 files pushed\n")
    for (options, count) in [
      (["--type", "metrics"], "1 file"), (["--type", "plots"], "2 files"), (["--type", "metrics", "--type", "plots"], "3 files"),
      (["--max-size", "2000"], "3 files"), ([], "4 files"),
    ] {
      try repository.remove(".dvc/cache")
      let result = try repository.run([try CairnBinary.path(), "fetch"] + options)
      #expect(result.output == count + " fetched\n", "\(options): \(result)")
    }
  }

  @Test("a folder's list is not sent before all that it names is there")
  func partOfFolder() throws {
    let repository = try project()
    let part = try repository.cairn("push", "d/a")
    #expect(part.status == 0 && part.output == "1 file pushed\n" && part.errors.contains("1 file of it is not on the remote"), "\(part)")
    #expect(repository.exists("../remote/" + Self.a) && !repository.exists("../remote/" + Self.list))
    #expect(try repository.cairn("push", "d/b").output == "2 files pushed\n")
    #expect(repository.exists("../remote/" + Self.list))
  }

  @Test("an altered object gets no other's name, on the remote and in the cache")
  func altered() throws {
    let repository = try project()
    try repository.shell("chmod u+w .dvc/cache/\(Self.a) && echo other > .dvc/cache/\(Self.a) && chmod 444 .dvc/cache/\(Self.a)")
    let push = try repository.cairn("push")
    #expect(push.status == 1 && push.errors.contains("2 files failed to upload") && push.errors.contains("corrupted cache file"), "\(push)")
    #expect(!repository.exists("../remote/" + Self.a) && !repository.exists("../remote/" + Self.list))
    #expect(repository.exists("../remote/" + Self.f) && repository.exists("../remote/" + Self.b))
    try repository.shell("rm -f .dvc/cache/\(Self.a); echo 1 > .dvc/cache/\(Self.a)")
    #expect(try repository.cairn("push").status == 0)
    try repository.shell("chmod u+w ../remote/\(Self.a) && echo other > ../remote/\(Self.a) && chmod 444 ../remote/\(Self.a)")
    try forget(repository)
    let fetch = try repository.cairn("fetch")
    #expect(fetch.status == 1 && fetch.errors.contains("has other bytes than its name says"), "\(fetch)")
    #expect(!repository.exists(".dvc/cache/" + Self.a) && !repository.exists(".dvc/cache/" + Self.list))
    #expect(repository.exists(".dvc/cache/" + Self.f))
  }

  @Test("an altered object that fetch removes from a folder, as DVC does, is named")
  func removed() throws {
    let repository = try project()
    #expect(try repository.cairn("push").status == 0)
    try repository.shell("chmod u+w ../remote/\(Self.f) && echo other > ../remote/\(Self.f)")
    try forget(repository)
    let fetch = try repository.cairn("fetch")
    #expect(fetch.status == 0 && fetch.output == "3 files fetched\n", "\(fetch)")
    #expect(fetch.errors.contains("\(Self.f)' had other bytes than its name says: it was removed"), "\(fetch)")
    #expect(fetch.errors.contains("Missing cache files:"), "\(fetch)")
  }

  @Test("a list that names files outside of its folder brings nothing", arguments: ["../../escaped", "/tmp/escaped", "a/../../x"])
  func hostileList(path: String) throws {
    let repository = try TestRepository()
    #expect(try repository.cairn("remote", "add", "-q", "-d", "r", "../remote").status == 0)
    let list = "[{\"md5\": \"b026324c6904b2a9cb4b88d6d61c81d1\", \"relpath\": \"\(path)\"}]"
    let hash = try repository.run(["sh", "-c", "printf %s \"$1\" | md5sum | cut -c1-32", "sh", list]).output.prefix(32)
    try repository.write("../remote/files/md5/\(hash.prefix(2))/\(hash.dropFirst(2)).dir", list)
    try repository.write("../remote/" + Self.a, "1\n")
    try repository.write("d.dvc", "outs:\n- md5: \(hash).dir\n  size: 2\n  nfiles: 1\n  hash: md5\n  path: d\n")
    let result = try repository.cairn("pull")
    #expect(result.status == 1, "\(result)")
    #expect(result.errors.contains("\(hash.dropFirst(2)).dir'"), "\(result)")
    #expect(result.errors.contains("the path '\(path)' does not stay in the folder"), "\(result)")
    #expect(result.errors.contains("Checkout failed for following targets:\nd\n"), "\(result)")
    #expect(!repository.exists("../escaped") && !repository.exists("x") && !FileManager.default.fileExists(atPath: "/tmp/escaped"))
  }

  @Test("what a list names behind a link that leads out of the repository is not written")
  func linkOut() throws {
    let repository = try TestRepository()
    try repository.write("d/sub/a", "1\n")
    #expect(try repository.cairn("add", "-q", "d").status == 0)
    try repository.shell("mkdir ../outside && rm -r d && mkdir d && ln -s ../../outside d/sub")
    let result = try repository.cairn("checkout")
    #expect(result.status == 255 && result.errors.contains("is a link that leads out of the repository"), "\(result)")
    #expect(!repository.exists("../outside/a"))
  }

  @Test("a remote of a kind that is not here is refused with the next step")
  func otherKinds() throws {
    let repository = try project()
    #expect(try repository.cairn("remote", "add", "-q", "-d", "-f", "r", "gs://bucket/x").status == 0)
    for command in ["push", "fetch", "pull"] {
      let result = try repository.cairn(command)
      #expect(result.status == 254 && result.errors.contains("hint: `dvc \(command == "pull" ? "fetch" : command)`"), "\(result)")
    }
  }
}
