// Run records on their way between clones: with `push`, `fetch` and `pull`, over a folder and over S3.
import CairnTestSupport
import Foundation
import Testing

struct RecordTransferTests {
  enum Kind: String, Sendable, CaseIterable { case folder, s3 }

  /// Endpoint, bucket, key and secret of the server that the test run brought up.
  private static let server = ProcessInfo.processInfo.environment["CAIRN_TEST_S3"]?.split(separator: " ").map(String.init)
  static let kinds = Kind.allCases.filter {
    $0 == .folder || server != nil || ProcessInfo.processInfo.environment["CAIRN_CONFORMANCE"] == "required"
  }

  /// A pipeline whose command prints, reads a folder and writes one, with a remote.
  private func project(_ kind: Kind = .folder, path: String = "../remote") throws -> TestRepository {
    let repository = try TestRepository()
    for (name, text) in ["in/a": "1\n", "in/b": "2\n", "p.yaml": "n: 1\n"] { try repository.write(name, text) }
    try repository.write(
      "dvc.yaml",
      """
      stages:
        s:
          cmd: mkdir out && cat in/* p.yaml > out/all && echo said
          deps: [in]
          params: [{p.yaml: [n]}]
          outs: [out]
        t:
          cmd: wc -l < out/all > last
          deps: [out]
          outs: [last]

      """)
    try repository.commit()
    try remote(repository, kind, path)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit()
    return repository
  }

  private func remote(_ repository: TestRepository, _ kind: Kind, _ path: String) throws {
    switch kind {
    case .folder: #expect(try repository.cairn("remote", "add", "-q", "-d", "r", path).status == 0)
    case .s3:
      let words = try #require(Self.server, "the S3 server is not up (Tests/Engines/s3-up.sh)")
      let url = "s3://\(words[1])/records/\(UUID().uuidString)"
      #expect(try repository.cairn("remote", "add", "-q", "-d", "r", url).status == 0)
      for (key, value) in [
        ("endpointurl", words[0]), ("access_key_id", words[2]), ("secret_access_key", words[3]), ("region", "us-east-1"),
      ] {
        #expect(try repository.cairn("remote", "modify", "-q", "r", key, value).status == 0)
      }
    }
  }

  private func clone(_ repository: TestRepository, _ name: String = "two") throws -> String {
    try repository.git("clone", "-q", ".", "../" + name)
    return "../" + name
  }

  private func runs(_ repository: TestRepository, in folder: String = ".") throws -> [String] {
    let result = try repository.cairn("runs", "--json", in: folder)
    let runs = try #require(json(result)["runs"] as? [[String: Any]], "\(result)")
    return runs.compactMap { $0["run"] as? String }.sorted()
  }

  private func json(_ result: CommandResult) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result)")
  }

  /// The names of a store's files, temporary ones too.
  private func files(_ repository: TestRepository, _ folder: String) throws -> [String] {
    try repository.shell("cd \(folder) && find . -type f -o -type p | grep -v '/heads/\\|/store$' | sort").output
      .split(separator: "\n").map(String.init)
  }

  private func again(_ repository: TestRepository, _ number: Int, in folder: String = ".") throws {
    try repository.write(folder + "/p.yaml", "n: \(number)\n")
    #expect(try repository.cairn("repro", "-q", in: folder).status == 0)
    #expect(try repository.run(["git", "commit", "-qam", "\(number)"], in: folder).status == 0)
  }

  @Test("who brings the data brings what is known of it, and what runs there goes back", arguments: kinds)
  func there(kind: Kind) throws {
    let one = try project(kind)
    #expect(try one.cairn("runs", "check").output.hasPrefix("whole: 2 runs (2 on no remote), "))
    let push = try one.cairn("push")
    #expect(push.status == 0 && push.output == "3 files pushed\n" && push.errors.isEmpty, "\(push)")
    #expect(try one.cairn("push").output == "Everything is up to date.\n")
    #expect(try one.cairn("runs", "check").output.hasPrefix("whole: 2 runs, "))
    #expect(try json(one.cairn("runs", "check", "--json"))["unpushed"] as? Int == 0)
    let two = try clone(one)
    let pull = try one.cairn("pull", in: two)
    #expect(pull.output == "A       out/\nA       last\n3 files fetched and 2 files added\n" && pull.errors.isEmpty, "\(pull)")
    #expect(try runs(one, in: two) == runs(one) && runs(one).count == 2)
    #expect(try one.cairn("runs", "log", "@last:s", in: two).output == "said\n")
    let check = try one.cairn("runs", "check", in: two)
    #expect(check.status == 0 && check.output.hasPrefix("whole: 2 runs, 1 invocation, "), "\(check)")
    #expect(try one.cairn("verify", "--require-records", in: two).status == 0)
    #expect(try files(one, "../two/.cairn/runs") == files(one, ".cairn/runs"))
    let fetch = try one.cairn("fetch", in: two)
    #expect(fetch.output == "Everything is up to date.\n" && fetch.errors.isEmpty, "\(fetch)")

    try again(one, 2, in: two)
    #expect(try one.cairn("push", in: two).status == 0)
    try one.git("pull", "-q", two, "HEAD")
    #expect(try one.cairn("fetch").status == 0)
    #expect(try runs(one).count == 4 && runs(one) == runs(one, in: two))
    #expect(one.list(".cairn/runs/heads") == one.list("../two/.cairn/runs/heads") && one.list(".cairn/runs/heads").count == 1)
    if kind == .folder { #expect(one.list("../remote/cairn/heads") == one.list(".cairn/runs/heads")) }
    // What it has now stands behind the lock entries: nothing runs again, and the reasons are known.
    #expect(try one.cairn("checkout", "-q").status == 0)
    #expect(try one.cairn("why", "--last", "s").output.contains("p.yaml: n"))
  }

  @Test("what two clones ran beside each other joins, and the next run follows both")
  func branches() throws {
    let one = try project()
    #expect(try one.cairn("push").status == 0)
    let two = try clone(one)
    #expect(try one.cairn("pull", in: two).status == 0)
    try again(one, 5)
    try again(one, 6, in: two)
    #expect(try one.cairn("push").status == 0 && one.cairn("push", in: two).status == 0)
    #expect(one.list("../remote/cairn/heads").count == 2)
    #expect(try one.cairn("fetch").status == 0)
    let heads = one.list(".cairn/runs/heads")
    #expect(heads == one.list("../remote/cairn/heads"))
    try again(one, 7)
    #expect(one.list(".cairn/runs/heads").count == 1)
    let previous = try one.shell("jq -c .previous $(grep -l invocation/v1 $(ls -t .cairn/runs/??/*.json) | head -1)").output
    #expect(heads.allSatisfy { previous.contains($0) }, "\(previous)")
    #expect(try one.cairn("push").status == 0)
    #expect(one.list("../remote/cairn/heads") == one.list(".cairn/runs/heads"))
    #expect(try one.cairn("runs", "check").status == 0)
  }

  @Test("repositories that share a remote leave each other's records there, and look at them once", arguments: kinds)
  func strangers(kind: Kind) throws {
    let one = try project(kind)
    #expect(try one.cairn("push").status == 0)
    try one.shell("mkdir ../other && cp -r .dvc dvc.yaml in p.yaml ../other && rm -rf ../other/.dvc/cache ../other/.dvc/tmp")
    try one.shell("cd ../other && git init -q && git add -A && git commit -qm other")
    try one.write("../other/in/a", "other\n")
    #expect(try one.cairn("repro", "-q", in: "../other").status == 0)
    #expect(try one.cairn("push", in: "../other").status == 0)
    let before = try runs(one, in: "../other")
    let first = try one.cairn("fetch", in: "../other")
    #expect(first.status == 0 && first.errors.isEmpty, "\(first)")
    #expect(try runs(one, in: "../other") == before)
    #expect(try one.cairn("runs", "check", in: "../other").status == 0)
    let notes = try one.shell("cat ../other/.cairn/remotes/*").output
    #expect(notes.split(separator: "\n").contains { $0.hasPrefix("-") }, "\(notes)")
    #expect(try one.cairn("fetch", in: "../other").errors.isEmpty)
    #expect(try one.shell("cat ../other/.cairn/remotes/*").output == notes)
    #expect(try one.cairn("fetch").errors.isEmpty && runs(one).count == 2)
  }

  @Test("a run of a commit that came later is taken when it has come")
  func laterCommit() throws {
    let one = try project()
    #expect(try one.cairn("push").status == 0)
    let two = try clone(one)
    try one.shell("cd ../two && git remote set-url origin https://git.example.org/fork.git")
    try again(one, 9, in: two)
    try again(one, 10, in: two)
    #expect(try one.cairn("push", in: two).status == 0)
    #expect(try one.cairn("fetch").status == 0)
    let before = try runs(one).count
    try one.git("pull", "-q", two, "HEAD")
    #expect(try one.cairn("fetch").status == 0)
    #expect(try before == 4 && runs(one).count == 6)
  }

  @Test("a shallow clone that cannot tell whose the records are says so, and takes them once it can")
  func shallow() throws {
    let repository = try project()
    #expect(try repository.cairn("push").status == 0)
    try repository.write("more", "1\n")
    try repository.commit("more")
    try repository.shell("git clone -q --depth 1 \"file://$PWD\" ../two && git -C ../two remote remove origin")
    let pull = try repository.cairn("pull", in: "../two")
    #expect(pull.status == 0 && pull.errors.contains("this shallow clone cannot tell"), "\(pull)")
    #expect(try runs(repository, in: "../two").isEmpty)
    try repository.shell("git -C ../two fetch -q --unshallow \"file://$PWD\"")
    let fetch = try repository.cairn("fetch", in: "../two")
    #expect(fetch.status == 0 && fetch.errors.isEmpty, "\(fetch)")
    #expect(try runs(repository, in: "../two") == runs(repository))
    #expect(try files(repository, "../two/.cairn/runs") == files(repository, ".cairn/runs"))
  }

  @Test("what a hostile remote holds does no harm: it is named, and the rest comes")
  func hostile() throws {
    let one = try project()
    #expect(try one.cairn("push").status == 0)
    let log = try #require(try files(one, ".cairn/runs").first { !$0.hasSuffix(".json") }).dropFirst(2)
    let secret = "ab/" + String(repeating: "0", count: 62)
    try one.shell(
      """
      cd ../remote/cairn && echo secret > ../../secret && ln -s ../../../secret ab-link && mkdir -p ab zz
      ln -s ../../../secret \(secret).json; echo x > zz/\(String(repeating: "0", count: 62)).json
      truncate -s 300M ab/\(String(repeating: "1", count: 62)).json; echo '{"schema":"cairn.run/v1"}' > ab/\(String(repeating: "2", count: 62))
      mkdir -p heads tombstones/../tombstones/x; : > heads/nothing; : > heads/\(String(repeating: "5", count: 64))
      : > tombstones/x/y; one=$(ls ../../project/.cairn/runs/??/*.json | head -n 1 | sed 's|.*/runs/||; s|/||; s|\\.json||')
      mkdir -p tombstones/$one && : > tombstones/$one/\(String(repeating: "6", count: 64)); mkfifo ab/\(String(repeating: "3", count: 62)).json
      chmod u+w \(log) && echo other > \(log)
      name=$(printf '{"schema":"cairn.run/v1"}\\n' | sha256sum | cut -c1-64); mkdir -p $(echo $name | cut -c1-2)
      printf '{"schema":"cairn.run/v1"}\\n' > $(echo $name | sed 's/^../&\\//').json
      """)
    let two = try clone(one)
    let pull = try one.cairn("pull", in: two)
    #expect(pull.status == 0 && pull.output.hasSuffix("3 files fetched and 2 files added\n"), "\(pull)")
    #expect(pull.errors.contains("other bytes than its name says") && pull.errors.contains("too large for a record"), "\(pull)")
    #expect(pull.errors.contains("names \(String(repeating: "5", count: 64)) as a newest invocation"), "\(pull)")
    #expect(try runs(one, in: two) == runs(one))
    let check = try one.cairn("runs", "check", in: two)
    #expect(check.status == 1 && check.output.contains("1 missing") && check.output.contains("  log of "), "\(check)")
    #expect(try files(one, "../two/.cairn/runs").count == files(one, ".cairn/runs").count - 1)
    // Mended, it comes with the next fetch.
    try one.shell("rm ../remote/cairn/\(log)")
    #expect(try one.cairn("push").status == 0 && one.cairn("fetch", in: two).status == 0)
    #expect(try one.cairn("runs", "check", in: two).status == 0)
  }

  @Test("an altered record is not sent; the others go, and it is said")
  func altered() throws {
    let one = try project()
    let log = try #require(try files(one, ".cairn/runs").first { !$0.hasSuffix(".json") })
    try one.shell("cd .cairn/runs && chmod u+w \(log) && echo more >> \(log)")
    let push = try one.cairn("push")
    #expect(push.status == 0 && push.output == "3 files pushed\n" && push.errors.contains("was altered"), "\(push)")
    #expect(!one.exists("../remote/cairn/" + log.dropFirst(2)))
    #expect(try files(one, "../remote/cairn").count == files(one, ".cairn/runs").count - 1)
  }

  @Test("records that cannot go are told of, and the data goes")
  func failure() throws {
    let one = try project()
    try one.write("../remote/cairn", "in the way\n")
    let push = try one.cairn("push")
    #expect(push.status == 0 && push.output == "3 files pushed\n", "\(push)")
    #expect(push.errors.contains("WARNING: run records were not sent to 'r': "), "\(push)")
    #expect(try one.cairn("runs", "check").output.contains("(2 on no remote)"))
    #expect(try one.cairn("config", "cairn.runs.remote", "false").status == 0)
    let quiet = try one.cairn("push")
    #expect(quiet.output == "Everything is up to date.\n" && quiet.errors.isEmpty, "\(quiet)")
  }

  @Test("who has no records asks for none and leaves none")
  func none() throws {
    let one = try TestRepository()
    try one.write("f", "f\n")
    #expect(try one.cairn("add", "-q", "f").status == 0)
    try remote(one, .folder, "../remote")
    #expect(try one.cairn("push").output == "1 file pushed\n")
    #expect(one.list("../remote") == ["files"])
    #expect(try one.cairn("fetch").output == "Everything is up to date.\n")
    #expect(!one.exists(".cairn/runs") && !one.exists(".cairn/remotes"))
  }

  @Test("what is erased here is erased there, and does not come back", arguments: kinds)
  func erased(kind: Kind) throws {
    let one = try project(kind)
    #expect(try one.cairn("push").status == 0)
    let log = try #require(try files(one, ".cairn/runs").first { !$0.hasSuffix(".json") }).dropFirst(2)
    let hash = log.replacingOccurrences(of: "/", with: "")
    try one.shell(
      """
      cd .cairn/runs && rm -f \(log)
      text='{"actor":"ann","authority":"art. 17","hash":"\(hash)","reason":"a name","schema":"cairn.tombstone/v1","time":"2026-01-01T00:00:00.000000Z"}'
      name=$(echo "$text" | sha256sum | cut -c1-64); mkdir -p tombstones $(echo $name | cut -c1-2)
      echo "$text" > $(echo $name | sed 's/^../&\\//').json && echo $name > tombstones/\(hash)
      """)
    #expect(try one.cairn("runs", "check").output.contains("1 erased"))
    #expect(try one.cairn("push").status == 0)
    let two = try clone(one)
    #expect(try one.cairn("fetch", in: two).errors.isEmpty)
    let check = try one.cairn("runs", "check", in: two)
    #expect(check.status == 0 && check.output.contains("1 erased"), "\(check)")
    #expect(try one.cairn("fetch").status == 0)
    #expect(!one.exists(".cairn/runs/" + log))
  }

  @Test("killed in the middle, nothing is there in part, and the next one goes on", arguments: kinds)
  func killed(kind: Kind) throws {
    let one = try TestRepository()
    let names = (0..<60).map { "s\($0)" }
    try one.write(
      "dvc.yaml",
      """
      stages:
        s:
          foreach: [\(names.joined(separator: ", "))]
          do:
            cmd: echo ${item} | tee o-${item}
            outs:
              - o-${item}

      """)
    try one.commit()
    #expect(try one.cairn("repro", "-q").status == 0)
    try one.commit()
    try remote(one, kind, "../remote")
    try one.commit()
    #expect(try one.cairn("push", environment: ["CAIRN_RUNS_REMOTE": "false"]).status == 0)
    for milliseconds in stride(from: 20, through: 300, by: 40) {
      let push = try one.start([CairnBinary.path(), "push", "-j", "2"])
      usleep(UInt32(milliseconds) * 1000)
      push.signal(9)
      _ = push.wait()
    }
    #expect(try one.cairn("push").status == 0)
    let two = try clone(one)
    for milliseconds in stride(from: 20, through: 300, by: 40) {
      let fetch = try one.start([CairnBinary.path(), "fetch", "-j", "2"], in: two)
      usleep(UInt32(milliseconds) * 1000)
      fetch.signal(9)
      _ = fetch.wait()
      let wrong = try one.shell("cd ../two/.cairn/runs 2>/dev/null && for f in ??/*; do echo \"$(echo \"${f%.json}\" | tr -d /)  $f\"; done | sha256sum --check --quiet")
      #expect(wrong.output.isEmpty, "\(wrong)")
    }
    #expect(try one.cairn("fetch", in: two).status == 0)
    let check = try one.cairn("runs", "check", in: two)
    #expect(check.status == 0 && check.output.hasPrefix("whole: 60 runs, 1 invocation, "), "\(check)")
    #expect(try runs(one, in: two) == runs(one))
    #expect(one.list(".cairn/runs/heads") == one.list("../two/.cairn/runs/heads"))
  }
}
