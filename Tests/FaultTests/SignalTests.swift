// Signals, time limits and retries: what is stopped is recorded as such, and no process is left behind.
import CairnTestSupport
import Foundation
import Testing

struct SignalTests {
  private func project(_ stages: String) throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages:\n" + stages)
    try repository.write(".cairn/config.toml", "grace = 1\n")
    return repository
  }

  /// Each case has a number of its own to be found by: they run beside each other.
  private static func sleepers(_ signal: Int32) -> String {
    """
      a:
        cmd: echo > began; sleep 47.\(100 + signal)
        outs: [a]
      b:
        cmd: echo b > b
        outs: [b]
        deps: [a]

    """
  }

  @Test(
    "the first signal stops what runs, starts nothing new, and is the exit code",
    arguments: [SIGINT, SIGTERM, SIGHUP])
  func one(signal: Int32) throws {
    let repository = try project(Self.sleepers(signal))
    let running = try repository.startRepro("-j", "2")
    #expect(eventually { repository.exists("began") })
    running.signal(signal)
    let result = running.wait()
    #expect(result.status == 128 + signal, "\(result)")
    #expect(!repository.isRunning("47.\(100 + signal)"))
    #expect(try repository.results().map(\.result) == ["aborted"])
    #expect(!repository.exists("dvc.lock"))
    #expect(repository.list(".cairn/journal").isEmpty)
  }

  @Test("SIGTERM and SIGHUP leave the lines of what ended well, as with DVC", arguments: [SIGTERM, SIGHUP])
  func lines(signal: Int32) throws {
    let repository = try project(
      "  a: {cmd: echo 1 > oa, outs: [oa]}\n"
        + "  b: {cmd: 'cat oa > ob; test -e go || sleep 46.5\(signal)', deps: [oa], outs: [ob]}\n")
    let running = try repository.startRepro("-j", "2")
    #expect(eventually { repository.exists("ob") })
    running.signal(signal)
    #expect(running.wait().status == 128 + signal)
    #expect(repository.read(".gitignore") == "/oa\n")
    try repository.write("go", "")
    #expect(try repository.cairn("repro", "-q").status == 0)
    #expect(repository.read(".gitignore") == "/oa\n/ob\n")
  }

  @Test("a command that will not end gets SIGKILL after the grace, with all of its group", arguments: [SIGTERM, SIGINT])
  func stubborn(signal: Int32) throws {
    let repository = try project(
      "  a:\n    cmd: trap '' INT TERM; echo > began; (sleep 48.25\(signal) & sleep 48.25\(signal); sleep 48.25\(signal))\n    outs: [a]\n")
    let running = try repository.startRepro()
    #expect(eventually { repository.exists("began") })
    running.signal(signal)
    if signal == SIGINT {
      usleep(200_000)
      running.signal(SIGINT)
    }
    let result = running.wait()
    #expect(result.status == 128 + signal, "\(result)")
    #expect(!repository.isRunning("48.25\(signal)"))
    #expect(try repository.results().map(\.result) == ["aborted"])
  }

  @Test(
    "what ends well after Ctrl-C is recorded, but lines that did not start make no success",
    arguments: [[], ["--fail-fast"]])
  func endsWell(options: [String]) throws {
    let repository = try project(
      """
        whole:
          cmd: trap 'sleep 0.5; echo whole > whole; exit 0' INT; echo > began1; sleep 20 & wait
          outs: [whole]
        part:
          cmd:
          - trap 'exit 0' INT; echo > began2; echo > part; sleep 20 & wait
          - echo never > never
          outs: [part]

      """)
    let running = try repository.start([try CairnBinary.path(), "repro", "-j", "2"] + options, environment: [:])
    #expect(eventually { repository.exists("began1") && repository.exists("began2") })
    running.signal(SIGINT)
    let result = running.wait()
    #expect(result.status == 130, "\(result)")
    #expect(!repository.exists("never"))
    let lock = try #require(repository.read("dvc.lock"))
    #expect(lock.contains("  whole:\n") && !lock.contains("  part:\n"))
    #expect(try repository.count("succeeded", of: "whole") == 1)
    #expect(try repository.count("aborted", of: "part") == 1)
  }

  @Test("a time limit ends the whole group, and each retry has a record of its own")
  func limits() throws {
    let repository = try project(
      """
        slow:
          cmd: sleep 49.25 & sleep 49.25
          outs: [slow]
          meta: {cairn: {timeout: 1s}}
        flaky:
          cmd: echo x >> tries; test $(wc -l < tries) -ge 3 && echo > flaky
          outs: [flaky]
          meta: {cairn: {retries: 2}}

      """)
    let result = try repository.cairn("repro", "-k", "-j", "2")
    #expect(result.status == 255, "\(result)")
    #expect(!repository.isRunning("49.25"))
    #expect(try repository.count("failed", of: "slow") == 1)
    #expect(try repository.count("failed", of: "flaky") == 2)
    #expect(try repository.count("succeeded", of: "flaky") == 1)
  }
}
