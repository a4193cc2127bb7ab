// Why a stage's command in one commit is another one than in an earlier: its text was edited, or a value that a
// template puts into it. Asks the two declarations alone, and says which only where they show it.
import CairnCore

/// Two commands of a stage, each with what is declared beside it.
struct CommandBetween {
  /// `nil` where that cannot be understood.
  var former: Stage?
  var was: Value
  var stage: Stage
  var now: Value
  /// Those of the earlier commit, and of the later.
  var formerValues: CommittedValues
  var values: CommittedValues

  var change: CommandChange {
    // The lock has a command that is not declared there: nobody knows from what text it came.
    guard stage.commandValue.isEqualInPython(to: now) else { return .unclear }
    guard let template = stage.commandTemplate, !template.sources.isEmpty else { return .edited }
    guard let former, former.commandValue.isEqualInPython(to: was), let old = former.commandTemplate else {
      // No value makes this text the former command.
      if case .none = template.match(was) { return .edited }
      return .unclear
    }
    guard old.written.isEqualInPython(to: template.written) else { return .edited }
    guard old.sources.count == template.sources.count else { return .unclear }
    return CommandChanges.values(template, template.sources.map { values.place(of: $0.mark) }) { old.sources[$0].value }
  }

  /// Values that a text takes which was edited, and took before: other ones now, whatever else was edited.
  var valuesBesideEdit: [CommandChange.Through] {
    guard stage.commandValue.isEqualInPython(to: now), let template = stage.commandTemplate, let former,
      former.commandValue.isEqualInPython(to: was), let old = former.commandTemplate
    else { return [] }
    var before: [ValuePlace: Value] = [:]
    for source in old.sources { if let place = formerValues.place(of: source.mark) { before[place] = source.value } }
    // A value that stands elsewhere now is part of the edit.
    let places = template.sources.map { source in
      values.place(of: source.mark).flatMap { before[$0] == nil ? nil : $0 }
    }
    let change = CommandChanges.values(template, places) { number in places[number].flatMap { before[$0] } }
    if case .values(let changed) = change { return changed }
    return []
  }
}
