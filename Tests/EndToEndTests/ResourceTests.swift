// GPUs, mutexes, retries, time limits and the environment, through the program. The GPUs are a list in
// CUDA_VISIBLE_DEVICES: nothing here needs one.
import CairnTestSupport
import Foundation
import Testing

struct ResourceTests {
  /// A project whose stages are independent, `each` being written with `NAME` for the stage's name.
  private func project(_ names: [String], _ each: String, top: String = "") throws -> TestRepository {
    let repository = try TestRepository()
    let stages = names.map { name in
      "  \(name):\n" + each.replacing("NAME", with: name).split(separator: "\n").map { "    " + $0 }.joined(separator: "\n")
    }
    try repository.write("dvc.yaml", top + "stages:\n" + stages.joined(separator: "\n") + "\n")
    return repository
  }

  /// The records of a stage, newest last, as their text.
  private func records(_ repository: TestRepository, _ stage: String) throws -> [[String: Any]] {
    let files = try repository.shell("find .cairn/runs -name '*.json'").output.split(separator: "\n").map(String.init)
    return files.compactMap { file in
      repository.bytes(file).flatMap { try? JSONSerialization.jsonObject(with: Data($0)) as? [String: Any] }
    }.filter { ($0["stage"] as? [String: Any])?["address"] as? String == stage }
      .sorted { execution($0, "started") < execution($1, "started") }
  }

  private func execution(_ record: [String: Any], _ key: String) -> String {
    "\((record["execution"] as? [String: Any])?[key] ?? "")"
  }

  /// Where the leases of one test's processes are: those of others on this machine must not matter.
  private let runtime: TemporaryFolder

  init() throws { runtime = try TemporaryFolder("cairn-runtime-") }

  private func shared(_ devices: String? = nil) -> [String: String] {
    var environment = ["XDG_RUNTIME_DIR": runtime.path]
    environment["CUDA_VISIBLE_DEVICES"] = devices
    return environment
  }

  @Test("each stage gets a GPU of its own, within what the caller allowed, and the record says which")
  func gpus() throws {
    let repository = try project(
      ["a", "b", "c"],
      """
      cmd: echo $CUDA_VISIBLE_DEVICES > NAME.txt; mkdir busy-$CUDA_VISIBLE_DEVICES && sleep 0.2 && rmdir busy-$CUDA_VISIBLE_DEVICES
      outs: [NAME.txt]
      meta: {cairn: {resources: {gpu: 1}, env_record: [CUDA_VISIBLE_DEVICES]}}
      """)
    let result = try repository.cairn("repro", "-j", "3", environment: shared("3,5"))
    #expect(result.status == 0, "\(result)")
    let used = ["a", "b", "c"].compactMap { repository.read($0 + ".txt") }
    #expect(Set(used) == ["3\n", "5\n"])
    let record = try #require(try records(repository, "a").last)
    let device = String((repository.read("a.txt") ?? "").dropLast())
    #expect(((record["execution"] as? [String: Any])?["resources"] as? [String: Any])?["gpu"] as? [String] == [device])
    #expect(((record["execution"] as? [String: Any])?["env"] as? [String: String])?["CUDA_VISIBLE_DEVICES"] == device)
  }

  @Test("a stage that wants two GPUs gets two; more than there are is refused before anything runs")
  func several() throws {
    let repository = try project(
      ["a"],
      """
      cmd: echo $CUDA_VISIBLE_DEVICES > NAME.txt
      outs: [NAME.txt]
      meta: {cairn: {resources: {gpu: 2}}}
      """)
    #expect(try repository.cairn("repro", environment: shared("0,1,2")).status == 0)
    #expect(repository.read("a.txt") == "0,1\n")
    let refused = try repository.cairn("repro", "--force", environment: shared("7"))
    #expect(refused.status == 255)
    #expect(refused.errors.contains("ERROR: stage 'a' wants 2 of 'gpu', and there is 1"), "\(refused)")
  }

  @Test("two processes never use one GPU or hold one mutex at once", arguments: ["resources: {gpu: 1}", "mutex: [db]"])
  func betweenProcesses(need: String) throws {
    let environment = shared("4")
    let repositories = try (0..<2).map { _ in
      try project(
        ["a"],
        """
        cmd: mkdir $XDG_RUNTIME_DIR/busy && sleep 0.4 && rmdir $XDG_RUNTIME_DIR/busy && echo > NAME.txt
        outs: [NAME.txt]
        meta: {cairn: {\(need)}}
        """)
    }
    let running = try repositories.map { try $0.start([CairnBinary.path(), "repro"], environment: environment) }
    for result in running.map({ $0.wait() }) { #expect(result.status == 0, "\(result)") }
  }

  @Test("a GPU that a killed process held is free again")
  func killed() throws {
    let environment = shared("4")
    let first = try project(
      ["a"],
      """
      cmd: touch started; sleep 30
      meta: {cairn: {resources: {gpu: 1}}}
      """)
    let running = try first.start([CairnBinary.path(), "repro"], environment: environment)
    for _ in 0..<200 where !first.exists("started") { usleep(20_000) }
    let second = try project(["b"], "cmd: echo > NAME.txt\nouts: [NAME.txt]\nmeta: {cairn: {resources: {gpu: 1}}}")
    let waiting = try second.start([CairnBinary.path(), "repro"], environment: environment)
    usleep(300_000)
    #expect(!second.exists("b.txt"))
    running.signal(SIGKILL)
    _ = running.wait()
    #expect(waiting.wait().status == 0)
    #expect(second.exists("b.txt"))
    try first.shell("pkill -x -f 'sleep 30' -P 1; true")
  }

  @Test("where GPUs exist and no stage declares one, one stage runs at a time")
  func undeclared() throws {
    let repository = try project(
      ["a", "b", "c"], "cmd: mkdir busy && sleep 0.1 && rmdir busy && echo > NAME.txt\nouts: [NAME.txt]")
    #expect(try repository.cairn("repro", environment: shared("0")).status == 0)
  }

  @Test("capacities come from the settings, of the team and of one machine")
  func capacities() throws {
    let repository = try project(
      ["a", "b", "c"],
      """
      cmd: touch busy-NAME; sleep 0.3; ls busy* | wc -l > NAME.txt; sleep 0.2; rm busy-NAME
      outs: [NAME.txt]
      meta: {cairn: {resources: {licence: 1}}}
      """)
    #expect(try repository.cairn("repro", "-j", "3").status == 0)
    #expect(["a", "b", "c"].allSatisfy { repository.read($0 + ".txt")?.contains("1") ?? false })
    #expect(try repository.cairn("config", "cairn.resources.licence", "2").status == 0)
    #expect(try repository.cairn("repro", "-f", "-j", "3").status == 0)
    #expect(["a", "b", "c"].contains { repository.read($0 + ".txt")?.contains("2") ?? false })
    #expect(!["a", "b", "c"].contains { repository.read($0 + ".txt")?.contains("3") ?? false })
  }

  // MARK: Retries and time limits

  @Test("each try is a record of its own, and names the one before")
  func retries() throws {
    let repository = try project(
      ["a"],
      """
      cmd: echo x >> tries; test $(wc -l < tries) -ge 3 && echo good > NAME.txt
      outs: [NAME.txt]
      meta: {cairn: {retries: 2}}
      """)
    let result = try repository.cairn("repro")
    #expect(result.status == 0, "\(result)")
    #expect(result.errors.contains("try 2 of 3") && result.errors.contains("try 3 of 3"), "\(result)")
    let records = try records(repository, "a")
    #expect(records.map { $0["result"] as? String } == ["failed", "failed", "succeeded"])
    #expect(records.map { execution($0, "attempt") } == ["1", "2", "3"])
    #expect(execution(records[0], "previous_attempt") == "<null>" || execution(records[0], "previous_attempt") == "")
    #expect(execution(records[2], "previous_attempt").count == 64)
    #expect(execution(records[2], "previous_attempt") != execution(records[1], "previous_attempt"))
  }

  @Test("when all tries fail, the stage has failed once")
  func retriesInVain() throws {
    let repository = try project(["a", "b"], "cmd: echo x >> tries-NAME; exit 4\nmeta: {cairn: {retries: 1, mutex: [m]}}")
    let result = try repository.cairn("repro", "-k", "-j", "2", environment: shared())
    #expect(result.status == 255)
    #expect(repository.read("tries-a") == "x\nx\n" && repository.read("tries-b") == "x\nx\n")
    #expect(try records(repository, "a").map { $0["result"] as? String } == ["failed", "failed"])
  }

  @Test("a time limit ends the whole process group", arguments: ["1s", "0.9", "1"])
  func timeout(limit: String) throws {
    let repository = try project(
      ["a"],
      """
      cmd: (sleep 3; touch survived) & sleep 3; echo > NAME.txt
      outs: [NAME.txt]
      meta: {cairn: {timeout: \(limit)}}
      """)
    let start = Date()
    let result = try repository.cairn("repro")
    #expect(result.status == 255)
    #expect(result.errors.contains("stopped after its time limit of "), "\(result)")
    #expect(Date().timeIntervalSince(start) < 2.9)
    usleep(UInt32(max(0, 3.3 - Date().timeIntervalSince(start)) * 1_000_000))
    #expect(!repository.exists("survived"))
  }

  // MARK: Environment

  @Test("a keyed variable makes its stage stale; a recorded one never does", arguments: [
    ("env", true), ("env_secret", true), ("env_record", false),
  ])
  func environment(key: String, isStale: Bool) throws {
    let repository = try project(
      ["a"],
      """
      cmd: echo x >> runs; echo "$COLOUR" > NAME.txt
      outs: [NAME.txt]
      meta: {cairn: {\(key): [COLOUR]}}
      """)
    #expect(try repository.cairn("repro", environment: ["COLOUR": "red-one"]).status == 0)
    #expect(try repository.cairn("repro", environment: ["COLOUR": "red-one"]).output.contains("didn't change"))
    let other = try repository.cairn("repro", environment: ["COLOUR": "blue-one"])
    #expect(other.output.contains("Running stage 'a':") == isStale, "\(other)")
    #expect(repository.read("a.txt") == (isStale ? "blue-one\n" : "red-one\n"))
    if key == "env_secret" {
      #expect(try repository.shell("grep -r -e red-one -e blue-one .cairn").status != 0, "a secret is never written")
    }
  }

  @Test("a stage keyed by its environment is restored only where a record has the same values")
  func restore() throws {
    let repository = try project(
      ["a"],
      """
      cmd: echo x >> runs; echo "$COLOUR" > NAME.txt
      deps: [in]
      outs: [NAME.txt]
      meta: {cairn: {env: [COLOUR]}}
      """)
    try repository.write("in", "1\n")
    #expect(try repository.cairn("repro", environment: ["COLOUR": "red"]).status == 0)
    #expect(try repository.cairn("repro", environment: ["COLOUR": "blue"]).status == 0)
    #expect(repository.read("runs") == "x\nx\n")
    // Removed outputs come back from the cache, for the values that they were made with.
    try repository.remove("a.txt")
    let back = try repository.cairn("repro", environment: ["COLOUR": "blue"])
    #expect(back.output.contains("is cached - skipping run"), "\(back)")
    #expect(repository.read("a.txt") == "blue\n")
    try repository.remove("a.txt")
    let other = try repository.cairn("repro", environment: ["COLOUR": "green"])
    #expect(other.output.contains("Running stage 'a':"), "\(other)")
    #expect(repository.read("a.txt") == "green\n")
    #expect(repository.read("runs") == "x\nx\nx\n")
  }

  @Test("a value that changes nothing in the output is known for both values")
  func sameOutput() throws {
    let repository = try project(
      ["a"], "cmd: echo x >> runs; echo same > NAME.txt\nouts: [NAME.txt]\nmeta: {cairn: {env: [COLOUR]}}")
    for colour in ["red", "blue", "red", "blue"] {
      #expect(try repository.cairn("repro", environment: ["COLOUR": colour]).status == 0)
    }
    #expect(repository.read("runs") == "x\nx\n")
    #expect(try repository.cairn("status", "-q", environment: ["COLOUR": "blue"]).status == 0)
  }

  @Test("an input that is edited while the command runs is told at once")
  func editedInput() throws {
    let repository = try project(
      ["a"], "cmd: touch begun; sleep 2.5; cat in > NAME.txt\ndeps: [in]\nouts: [NAME.txt]")
    try repository.write("in", "1\n")
    let running = try repository.start([CairnBinary.path(), "repro"])
    for _ in 0..<2000 where repository.read("begun") == nil { usleep(10_000) }
    try repository.write("in", "22\n")
    let result = running.wait()
    #expect(result.status == 255)
    #expect(result.errors.contains("a: in was edited; put it back or this result will not count"), "\(result)")
  }

  @Test("env_set reaches the command, and another value makes the stage stale")
  func set() throws {
    let repository = try project(
      ["a"], "cmd: echo $THREADS > NAME.txt\nouts: [NAME.txt]\nmeta: {cairn: {env_set: {THREADS: 8}}}")
    #expect(try repository.cairn("repro", environment: ["THREADS": "1"]).status == 0)
    #expect(repository.read("a.txt") == "8\n")
    #expect(try repository.cairn("repro").output.contains("didn't change"))
    try repository.write("dvc.yaml", (repository.read("dvc.yaml") ?? "").replacing("THREADS: 8", with: "THREADS: 9"))
    #expect(try repository.cairn("repro").status == 0)
    #expect(repository.read("a.txt") == "9\n")
  }
}
