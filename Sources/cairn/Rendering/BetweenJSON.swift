// What differs between two commits as the document `cairn.why/v1`.
internal import CairnCore
internal import CairnEngine

struct BetweenJSON {
  private let document: WhyJSON
  private let answer: BetweenExplanation
  private let query: BetweenCommits

  init(_ answer: BetweenExplanation, _ query: BetweenCommits, _ evidence: any CauseEvidence, omitsSame: Bool) {
    self.answer = answer
    self.query = query
    document = WhyJSON(
      answer.explanation, of: query.to.project.pipeline, nil, evidence,
      omitsFresh: omitsSame)
  }

  var value: Value {
    var map = document.value.map ?? [:]
    var between: ValueMap = ["from": .string(query.from.revision), "to": .string(query.to.revision)]
    between["gone"] = .list(answer.gone.map { .string($0.text()) })
    map.updateValue(.map(between), forKey: "between", insertingAt: 1)
    return .map(map)
  }
}
