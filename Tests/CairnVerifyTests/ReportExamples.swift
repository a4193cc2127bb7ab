// Verifications for the tests of reports: one of each verdict, and one full of what formats stumble over.
@testable import CairnVerify

enum ReportExamples {
  static let commit = "4e51c0ffee0123456789abcdef0123456789abcd"

  /// 2026-06-01 10:00 UTC.
  private static func finished(_ verification: Verification) -> Verification {
    var verification = verification
    verification.time = 1_780_308_000 * 1_000_000_000
    verification.seconds = 0.0124
    return verification
  }

  static func place(_ line: Int, _ file: String = "dvc.yaml") -> CheckPlace { CheckPlace(file: file, line: line) }

  static var clean: Verification {
    finished(
      Verification(
        revision: commit,
        checks: [
          Check(.lockCommand, .passed, stage: "prepare", at: place(2)),
          Check(.lockCommand, .passed, stage: "train", at: place(6)),
          Check(.depContent, .passed, stage: "train", path: "src/train.py", at: place(9)),
        ]))
  }

  /// A project in a folder of the repository, with something of everything.
  static var faults: Verification {
    var accepted = Check(
      .pathOutside, .accepted, stage: "publish", path: "/srv/models", message: "the output lies outside the repository",
      at: place(31))
    accepted.acceptance = Check.Acceptance(reason: "until the new registry is there (#12)", until: "2026-12-31")
    var record = Check(.record, .unknown, stage: "train", message: "no record of the run is here", at: place(12))
    record.isOptional = true
    return finished(
      Verification(
        revision: commit, base: "b45e" + commit.dropFirst(4),
        checks: [
          Check(.lockCommand, .passed, stage: "prepare", at: place(2)),
          Check(
            .lockCommand, .failed, stage: "train", message: "the command was edited after its last run",
            hint: "run `cairn repro train` and commit dvc.lock", was: "python src/train.py --lr 0.1",
            now: "python src/train.py --lr 0.01 \\\n  --epochs 20", at: place(12)),
          Check(
            .lockParams, .failed, stage: "train", path: "params.yaml", message: "train.lr is not what was locked",
            hint: "run `cairn repro train` and commit dvc.lock", was: "0.1", now: "0.003",
            at: place(3, "params.yaml")),
          Check(
            .lockParams, .failed, stage: "train", path: "params.yaml", message: "train.epochs is not locked",
            hint: "run `cairn repro train` and commit dvc.lock", at: place(4, "params.yaml")),
          record,
          Check(
            .objectMissing, .unknown, stage: "train", path: "model.pkl",
            message: "not in the cache, and the remote 'store' does not answer", hint: "look again when it does",
            at: place(18)),
          Check(.objectMissing, .skipped, stage: "train", path: "plots/a.png", message: "no manifest", at: place(19)),
          Check(.lockOrphan, .failed, stage: "old-eval", message: "the stage is gone", at: place(40, "dvc.lock")),
          accepted,
        ], prefix: "ml/"))
  }

  static var unknown: Verification {
    finished(
      Verification(
        level: .data,
        checks: [
          Check(.lockCommand, .passed, stage: "train", at: place(6)),
          Check(
            .objectMissing, .unknown, stage: "train", path: "model.pkl",
            message: "not in the cache, and no remote is configured", at: place(8)),
          Check(.objectMissing, .erased, stage: "raw", path: "raw.csv", message: "erased on 2026-05-01", at: place(2)),
        ]))
  }

  static var accepted: Verification {
    var old = Check(.lockCommand, .accepted, stage: "train", message: "the command was edited", at: place(6))
    old.acceptance = nil
    var verification = Verification(base: commit, checks: [old])
    verification.countsNewOnly = true
    return finished(verification)
  }

  /// Bytes that are not UTF-8 as `FileName` holds them.
  static let oddPath = "da:ta, 1%/n\u{10FFFF}me|`é`#1.csv"
  static let oddMessage =
    "\u{1B}[31mred\u{1B}[0m @octocat closes #1 <img src=x onerror=alert(1)> ]]> & \"a\" | `b` ::error::no\r\n"
    + "##[error]x %0A 100%\u{301} \u{202E}gnorw\u{0}\u{FFFE}"

  /// What people may put into names and messages, friends or not.
  static var odd: Verification {
    finished(
      Verification(
        checks: [
          Check(
            .depContent, .failed, stage: "sub.dir/dvc.yaml:tr\"ain@0.1", path: oddPath, message: oddMessage,
            hint: "see <https://example.org/?a=1&b=2> and `run ``this``", was: "</td></table>```\n</details>",
            now: "*bold* _it_ ~~no~~ [a](javascript:x) www.example.org", at: place(0, oddPath)),
          Check(.depContent, .failed, stage: "sub/dir/dvc.yaml:tr\"ain@0.1", path: oddPath, at: place(7, "../x.yaml")),
          Check(.depContent, .passed, stage: "sub.dir/dvc.yaml:tr\"ain@0.1", path: oddPath, at: place(7)),
          Check(.pipelineValid, .failed, path: "dvc.yaml", message: "", hint: "", at: place(3)),
        ], prefix: "a b/"))
  }

  static let all: [(name: String, verification: Verification)] = [
    ("clean", clean), ("faults", faults), ("unknown", unknown), ("accepted", accepted), ("odd", odd),
  ]

  /// So many faults of one kind, each at its line.
  static func many(_ count: Int, message: (Int) -> String = { "fault \($0)" }) -> Verification {
    Verification(
      checks: (1...count).map { number in
        Check(.lockDeps, .failed, stage: "s\(number)", path: "p\(number)", message: message(number), at: place(number))
      })
  }
}
