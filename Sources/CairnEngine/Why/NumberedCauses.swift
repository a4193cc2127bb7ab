// The causes that a walk over the stages has found, each under its number. Knows nothing of what makes two one.
import CairnCore

struct NumberedCauses<Key: Hashable> {
  /// In the order in which they were found.
  private(set) var all: [Explanation.Cause] = []
  private var numbers: [Key: Int] = [:]

  subscript(number: Int) -> Explanation.Cause {
    get { all[number] }
    _modify { yield &all[number] }
  }

  /// The number of a root of the stage `owner`; a new one where none with this key is known yet.
  mutating func number(of root: Explanation.StageReason, _ key: Key, of owner: StageID) -> Int {
    if let number = numbers[key] { return number }
    numbers[key] = all.count
    all.append(
      Explanation.Cause(
        reason: root.reason, subject: root.subject, stage: root.reason.kind.isOfStage ? owner : nil))
    return all.count - 1
  }
}
