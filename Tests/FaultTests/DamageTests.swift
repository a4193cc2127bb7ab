// Files that are broken, disks that are full or cannot be written: a clear error or no word at all, never a loss.
import CairnTestSupport
import Foundation
import Testing

struct DamageTests {
  @Test(
    "indexes that are broken are made anew without a word",
    arguments: ["garbage", "", "\u{0}\u{0}\u{0}\u{0}", "cairn.state/1\nrest"])
  func indexes(content: String) throws {
    let pipeline = try CountedPipeline()
    let repository = pipeline.repository
    #expect(try repository.cairn("repro").status == 0)
    for path in try repository.shell("find .cairn -type f -not -name '*.json' -not -path '*/runs/??/*'").output
      .split(separator: "\n") where !path.hasSuffix("ignore") && !path.hasSuffix(".key")
    {
      try repository.write(String(path), content)
    }
    let result = try repository.cairn("repro")
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    #expect(pipeline.executions().values.allSatisfy { $0 == 1 })
    try repository.write("in", "changed")
    #expect(try repository.cairn("repro").status == 0)
    #expect(pipeline.executions().values.allSatisfy { $0 == 2 }, "\(pipeline.executions())")
    try repository.expectSound("broken indexes")
  }

  @Test("a truncated dvc.lock is an error, and is left as it is")
  func truncatedLock() throws {
    let pipeline = try CountedPipeline()
    let repository = pipeline.repository
    #expect(try repository.cairn("repro").status == 0)
    let lock = try #require(repository.bytes("dvc.lock"))
    let cut = Array(lock.prefix(lock.count / 2 + 3))
    try repository.write("dvc.lock", cut)
    let result = try repository.cairn("repro")
    #expect(result.status != 0 && result.errors.contains("dvc.lock"), "\(result)")
    #expect(repository.bytes("dvc.lock") == cut)
    try repository.write("dvc.lock", lock)
    try repository.expectSound("mended")
  }

  @Test("journals of the dead: nonsense is passed over, entries that the lock has left behind change nothing")
  func oldJournals() throws {
    let pipeline = try CountedPipeline(width: 1)
    let repository = pipeline.repository
    #expect(try repository.cairn("repro", environment: ["CAIRN_FAULT_POINT": "journalSynced"]).status == 137)
    let name = try #require(repository.list(".cairn/journal").first)
    let journal = try #require(repository.bytes(".cairn/journal/" + name))
    #expect(try repository.cairn("repro").status == 0)
    try repository.write("in", "other")
    #expect(try repository.cairn("repro").status == 0)
    let lock = repository.read("dvc.lock")
    try repository.write(".cairn/journal/" + name, journal)
    try repository.write(".cairn/journal/01OLD.journal", "00000000 {\"kind\": \"ended\"}\nnonsense\n\u{0}\u{0}")
    try repository.expectSound("old journals")
    #expect(repository.read("dvc.lock") == lock)
  }

  @Test("an object with other bytes is never checked out: the stage runs instead")
  func corruptObject() throws {
    let pipeline = try CountedPipeline(width: 1)
    let repository = pipeline.repository
    #expect(try repository.cairn("repro").status == 0)
    try repository.remove("end")
    try repository.shell("for f in $(find .dvc/cache/files -type f); do chmod u+w $f; echo spoilt >> $f; done")
    let result = try repository.cairn("repro")
    #expect(result.status == 0, "\(result)")
    #expect(!(try #require(repository.read("end")).contains("spoilt")))
  }

  @Test("why leaves a broken entry of the run-cache where it is; repro removes it and runs the stage")
  func brokenRunCache() throws {
    let pipeline = try CountedPipeline(width: 1)
    let repository = pipeline.repository
    #expect(try repository.cairn("repro", "a1").status == 0)
    let entry = try repository.shell("find .dvc/cache/runs -type f").output.trimmingCharacters(in: .whitespacesAndNewlines)
    try repository.write(entry, "broken: [")
    try repository.remove("dvc.lock")
    try repository.remove("a1")
    #expect(try repository.cairn("why", "a1").status == 1)
    #expect(repository.read(entry) == "broken: [")
    #expect(try repository.cairn("repro", "a1").status == 0)
    #expect(pipeline.executions()["a1"] == 2)
    #expect(repository.read(entry)?.hasPrefix("cmd:") == true)
  }

  @Test("why leaves an altered object of the cache where it is; status removes it, as DVC does")
  func alteredObject() throws {
    let pipeline = try CountedPipeline(width: 1)
    let repository = pipeline.repository
    #expect(try repository.cairn("repro", "a1").status == 0)
    let objects = "find .dvc/cache/files -type f | wc -l"
    let before = try repository.shell(objects).output
    _ = try repository.shell("for f in $(find .dvc/cache/files -type f); do chmod 644 $f; echo altered > $f; done")
    #expect(try repository.cairn("why", "a1").status == 1)
    #expect(try repository.shell(objects).output == before)
    _ = try repository.cairn("status")
    #expect(try repository.shell(objects).output != before)
  }

  @Test("a folder in the place of the book of links is a book that is lost, and is written anew")
  func linkBook() throws {
    let repository = try TestRepository()
    try repository.write("data", "1\n")
    try FileManager.default.createDirectory(atPath: repository.path(".cairn/links"), withIntermediateDirectories: true)
    #expect(try repository.cairn("add", "data").status == 0)
    try repository.remove("data")
    let result = try repository.cairn("checkout", "data.dvc")
    #expect(result.status == 0, "\(result)")
    #expect(repository.read("data") == "1\n")
    #expect(repository.read(".cairn/links")?.contains("data") == true)
  }

  @Test("without standard streams nothing is printed into files of ours", arguments: ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
  func closedStreams(closing: String) throws {
    for jobs in ["1", "2"] {
      let pipeline = try CountedPipeline(width: 1)
      let repository = pipeline.repository
      let line = "\(try CairnBinary.path()) repro -j \(jobs) \(closing)"
      #expect(try repository.run(["/bin/sh", "-c", line]).status == 0, "\(line)")
      #expect(pipeline.executions() == ["a1": 1, "b1": 1, "end": 1])
      try repository.expectSound("\(line)")
    }
  }

  @Test("on a network file system all is as elsewhere")
  func network() throws {
    let pipeline = try CountedPipeline()
    let environment = ["CAIRN_NETWORK_FS": "1"]
    #expect(try pipeline.repository.cairn("repro", environment: environment).status == 0)
    let again = try pipeline.repository.cairn("repro", environment: environment)
    #expect(again.output.hasSuffix("Data and pipelines are up to date.\n"), "\(again)")
    #expect(pipeline.executions().values.allSatisfy { $0 == 1 })
    #expect(pipeline.repository.list(".cairn/fresh").isEmpty, "time stamps alone prove nothing there")
    #expect(try pipeline.repository.cairn("repro").status == 0)
    #expect(!pipeline.repository.list(".cairn/fresh").isEmpty)
  }

  // MARK: Disks

  @Test("a disk that fills, at each stage of filling: nothing torn, and all goes on when there is room", Mounts.needed)
  func fullDisk() throws {
    for free in [0, 8, 24, 64, 150, 300] {
      let disk = try Mounts.Disk(kilobytes: 2048)
      let repository = disk.repository
      try repository.write(
        "dvc.yaml",
        """
        stages:
          small:
            cmd: cat in > small
            deps: [in]
            outs: [small]
          big:
            cmd: head -c 100000 /dev/zero > big
            deps: [small]
            outs: [big]

        """)
      try repository.write("in", "1\n")
      #expect(try repository.cairn("repro").status == 0)
      let lock = try #require(repository.read("dvc.lock"))
      try repository.write("in", "\(free) is left\n")
      try repository.shell("head -c 4000000 /dev/zero > filler; truncate -s -\(free)K filler")
      let full = try repository.cairn("repro")
      #expect(full.status == 255 || full.status == 0, "\(free) KiB: \(full)")
      if full.status == 255 { #expect(full.errors.contains("ERROR:"), "\(free) KiB: \(full)") }
      let after = try #require(repository.read("dvc.lock"), "\(free) KiB: dvc.lock is gone")
      #expect(after == lock || after.hasPrefix("schema: '2.0'\n"))
      try repository.remove("filler")
      let again = try repository.cairn("repro")
      #expect(again.status == 0, "\(free) KiB: \(again)")
      try repository.expectSound("\(free) KiB were left")
    }
  }

  @Test("a stage that fails on a full disk is told by name, whatever else cannot be written then", Mounts.needed)
  func failureOnFullDisk() throws {
    let disk = try Mounts.Disk(kilobytes: 2048)
    let repository = disk.repository
    try repository.write(
      "dvc.yaml",
      "stages:\n  a:\n    cmd: echo 1 > a\n    outs: [a]\n  b:\n    cmd: cat a /dev/zero > b\n    deps: [a]\n    outs: [b]\n")
    let full = try repository.cairn("repro")
    #expect(full.status == 255)
    #expect(full.errors.contains("ERROR: failed to reproduce 'b': failed to run: cat a /dev/zero > b, exited with 1"), "\(full)")
    #expect(full.errors.contains("No space left on device"), "\(full)")
    try repository.remove("b")
    let status = try repository.cairn("status")
    #expect(status.output.hasPrefix("b:\n"), "a had ended well: \(status)")
    #expect(try repository.cairn("runs", "check").status == 0)
  }

  @Test("a log that a full disk does not take is missing, not empty; a try without words has an empty one", Mounts.needed)
  func logOnFullDisk() throws {
    let disk = try Mounts.Disk(kilobytes: 2048)
    let repository = disk.repository
    try repository.write(
      "dvc.yaml",
      "stages:\n  loud:\n    cmd: head -c 3000000 /dev/zero | tr '\\\\0' x; echo 1 > a\n    outs: [a]\n  silent:\n    cmd: echo 1 > b\n    outs: [b]\n")
    let full = try repository.cairn("repro")
    #expect(full.status == 0, "\(full.status): \(full.errors)")
    let lost = try repository.cairn("runs", "log", "@last:loud")
    #expect(lost.status == 2 && lost.output.isEmpty && lost.errors.contains("is missing"), "\(lost)")
    #expect(try repository.cairn("runs", "log", "@last:silent").status == 0)
    #expect(try repository.cairn("status").status == 0)
  }

  @Test("a project that cannot be written is left alone, with an error", Mounts.needed)
  func readOnly() throws {
    let disk = try Mounts.Disk(kilobytes: 4096)
    let repository = disk.repository
    try repository.write("dvc.yaml", "stages:\n  a:\n    cmd: cat in > a\n    deps: [in]\n    outs: [a]\n")
    try repository.write("in", "1\n")
    #expect(try repository.cairn("repro").status == 0)
    try repository.write("in", "22\n")
    try disk.remount("ro")
    let result = try repository.cairn("repro")
    #expect(result.status == 255 && result.errors.contains("ERROR:"), "\(result)")
    #expect(repository.read("a") == "1\n")
    try disk.remount("rw")
    #expect(try repository.cairn("repro").status == 0)
    #expect(repository.read("a") == "22\n")
  }
}

/// Small disks in memory; they need the right to mount.
enum Mounts {
  static let needed: ConditionTrait = .enabled(if: isAllowed, "mounting a small disk is refused here (needs root)")

  private static let isAllowed: Bool = {
    guard let scratch = try? TemporaryFolder("cairn-mount-"), case let folder = scratch.path,
      let result = try? Command.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], in: "/")
    else { return false }
    if result.status == 0 { _ = try? Command.run(["umount", scratch.path], in: "/") }
    return result.status == 0
  }()

  final class Disk: Sendable {
    let repository: TestRepository

    init(kilobytes: Int) throws {
      repository = try TestRepository(git: false, dvc: false)
      let result = try Command.run(
        ["mount", "-t", "tmpfs", "-o", "size=\(kilobytes)k", "tmpfs", repository.root], in: "/")
      guard result.status == 0 else { throw TestSupportError("cannot mount: \(result)") }
      try repository.write(".dvc/config", "[core]\n    no_scm = True\n")
      try repository.write(".dvcignore", "")
      try FileManager.default.createDirectory(atPath: repository.path(".dvc/tmp"), withIntermediateDirectories: true)
    }

    func remount(_ option: String) throws {
      let result = try Command.run(["mount", "-o", "remount,\(option)", repository.root], in: "/")
      guard result.status == 0 else { throw TestSupportError("cannot remount: \(result)") }
    }

    deinit { _ = try? Command.run(["umount", repository.root], in: "/") }
  }
}
