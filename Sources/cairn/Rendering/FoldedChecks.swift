// What is the same in all stages of one template is read once. Knows no format.
internal import CairnCore
internal import CairnVerify

struct FoldedChecks {
  /// In the order of the first of each; of several, `stage` is `train@* (15)`.
  private(set) var checks: [Check] = []
  /// How many stand behind each.
  private(set) var counts: [Int] = []

  init(_ all: [Check]) {
    var places: [Key: Int] = [:]
    for check in all {
      let key = Key(check)
      guard let place = places[key] else {
        places[key] = checks.count
        checks.append(check)
        counts.append(1)
        continue
      }
      counts[place] += 1
      checks[place] = key.folded(check, counts[place])
    }
  }

  /// Everything that is read of a check, with the name of its item left out.
  private struct Key: Hashable {
    let id: CheckID
    let status: CheckStatus
    let severity: Severity
    let file: String
    let line: Int
    let stage: String?
    let words: [String?]

    init(_ check: Check) {
      id = check.id
      status = check.status
      severity = check.severity
      file = check.at.file
      line = check.at.line
      let group = check.stage.map(Self.group)
      func general(_ text: String?) -> String? {
        guard let text, let name = check.stage, let group, group != name else { return text }
        return text.replacing(name, with: group)
      }
      stage = group
      words = [check.message, check.was, check.now, check.hint, check.path].map(general)
        + [check.acceptance?.until, check.acceptance?.reason]
    }

    /// `train@*` of `train@3-x`.
    private static func group(_ stage: String) -> String {
      let name = stage.firstRange(of: "dvc.yaml:")?.upperBound ?? stage.startIndex
      return stage[name...].firstIndex(of: "@").map { stage[...$0] + "*" } ?? stage
    }

    func folded(_ check: Check, _ count: Int) -> Check {
      var check = check
      check.stage = stage.map { "\($0) (\(count))" }
      check.message = words[0] ?? ""
      check.was = words[1]
      check.now = words[2]
      // Commands take the name of the whole group.
      check.hint = words[3]?.replacing("@*", with: "")
      return check
    }
  }
}
