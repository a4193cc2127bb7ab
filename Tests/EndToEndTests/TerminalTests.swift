// What `repro` shows on a terminal. The terminal is made by `script` of util-linux.
import CairnTestSupport
import Foundation
import Testing

struct TerminalTests {
  static let hasScript = FileManager.default.isExecutableFile(atPath: "/usr/bin/script")

  /// Three stages, the second of which takes long enough to be shown line by line.
  private func project() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        first:
          cmd: cat in > first.txt; echo quick; test -t 1 && echo on-a-terminal
          deps: [in]
          outs: [first.txt]
        slow:
          cmd: 'echo step-1; sleep 4.5; echo step-2; cat first.txt > slow.txt; echo "{\\"auc\\": $(cat in)}" > m.json'
          deps: [first.txt]
          outs: [slow.txt]
          metrics: [m.json: {cache: false}]
        wrong:
          cmd: test ! -e fail || { sleep 1.5; echo some words; echo the last words; exit 7; }
          deps: [first.txt]
        after:
          cmd: cat slow.txt
          deps: [slow.txt]

      """)
    try repository.write("in", "1\n")
    return repository
  }

  /// What the terminal got, lines written over in their last state.
  private func show(_ repository: TestRepository, _ words: String, environment: [String: String] = [:]) throws -> String {
    let line = "\(try CairnBinary.path()) \(words)"
    let result = try repository.run(
      ["/usr/bin/script", "-qec", line, "/dev/null"],
      environment: ["TERM": "xterm", "SHELL": "/bin/sh"].merging(environment) { $1 })
    return result.output.replacing("\r\n", with: "\n")
  }

  @Test("several jobs: what may run, long stages line by line, and a last line", .enabled(if: TerminalTests.hasScript))
  func live() throws {
    let repository = try project()
    let first = try show(repository, "repro -j 3")
    for text in [
      "4 of 4 stages may run, 3 at once", "Running stage 'first':\n", "> cat in > first.txt", "quick\non-a-terminal\n",
      "slow | step-1\n", "slow | step-2\n", "[2/4] slow 0:0", "4 done: 4 ran",
    ] { #expect(first.contains(text), "\(text) in:\n\(first)") }
    #expect(!first.contains("first | "), "a short stage is one block")
    #expect(!first.contains("\u{1B}[3"), "NO_COLOR holds")
    try repository.write("in", "2\n")
    let second = try show(repository, "repro -j 3 slow", environment: ["NO_COLOR": ""])
    #expect(second.contains("2 of 2 stages may run, 3 at once · ≈ "), "\(second)")
    #expect(second.contains("auc 1 → 2   (cairn runs diff @last:slow)"), "\(second)")
    #expect(second.contains("\u{1B}["), "colours")
    let dumb = try show(repository, "metrics show --no-such", environment: ["NO_COLOR": "", "TERM": "dumb"])
    let plain = try show(repository, "metrics show --no-such", environment: ["NO_COLOR": ""])
    #expect(!dumb.contains("\u{1B}[") && plain.contains("\u{1B}["), "\(dumb)\n\(plain)")
    let third = try show(repository, "repro -j 3 slow")
    #expect(third.contains("Stage 'first' didn't change, skipping\n"), "\(third)")
    #expect(third.contains("Data and pipelines are up to date."), "\(third)")
  }

  @Test("a failure has its last words, what goes on, and the next step", .enabled(if: TerminalTests.hasScript))
  func failure() throws {
    let repository = try project()
    try repository.write("fail", "")
    let text = try show(repository, "repro -j 3")
    for part in [
      "ERROR: failed to reproduce 'wrong': failed to run: test ! -e fail", "exited with 7\n", "  | some words\n",
      "  | the last words", "all of it: cairn runs log @last:wrong\n", "  still finishing: slow · not started: after\n",
      "hint: mend it and run `cairn repro`: the finished stage is kept\n", "2 done: 2 ran, 1 failed, 1 not started",
    ] { #expect(text.contains(part), "\(part) in:\n\(text)") }
  }

  @Test("one job: DVC's lines, and a failure's log is named", .enabled(if: TerminalTests.hasScript))
  func serial() throws {
    let repository = try project()
    try repository.write("fail", "")
    let text = try show(repository, "repro -j 1 wrong")
    for part in [
      "first  STALE  because it has never run\nRunning stage 'first':\n> cat in", "quick\non-a-terminal\n",
      "Updating lock file 'dvc.lock'", "ERROR: failed to reproduce 'wrong'", "  all of it: cairn runs log @last:wrong\n",
    ] { #expect(text.contains(part), "\(part) in:\n\(text)") }
    #expect(!text.contains("  | the last words"), "they have just been shown")
  }

  @Test("one job reads what is piped into it, though a terminal shows its output", .enabled(if: TerminalTests.hasScript))
  func pipedInput() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages:\n  a:\n    cmd: read answer; echo got-$answer; test -t 1\n")
    let result = try repository.run(
      ["/usr/bin/script", "-qec", "echo yes | \(try CairnBinary.path()) repro -j 1; echo =$?", "/dev/null"],
      environment: ["TERM": "xterm", "SHELL": "/bin/sh"])
    #expect(result.output.contains("got-yes") && result.output.contains("=0"), "\(result)")
  }

  @Test("into a pipe nothing of this is said")
  func pipe() throws {
    let repository = try project()
    let result = try repository.cairn("repro", "-j", "3", "first")
    #expect(
      result.output == """
        Running stage 'first':
        > cat in > first.txt; echo quick; test -t 1 && echo on-a-terminal
        quick

        """ || result.status == 255, "\(result)")
    #expect(!result.errors.contains("may run") && !result.output.contains("may run"))
  }
}
