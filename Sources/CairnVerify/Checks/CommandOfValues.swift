// Whether a command is another one only because a parameter is that the stage declares and that another check names.
// Works on what was loaded.
import CairnCore
import CairnEngine

struct CommandOfValues {
  let subject: VerifySubject
  let stage: Stage
  let entry: LockEntry

  /// With the locked values of the stage's own parameters the template gives the locked command.
  var followsFromParameters: Bool {
    guard let template = stage.commandTemplate, !template.sources.isEmpty else { return false }
    var locked: [SourceMark: Value] = [:]
    for set in stage.parameters {
      guard let values = entry.params[set.declared],
        let content = (try? subject.loader.parameters.parameters(at: set.location)) ?? nil,
        case .document(let document) = content
      else { continue }
      for (key, value) in values {
        guard let now = (try? ParameterLookup.value(key, in: document)) ?? nil else { continue }
        collect(now, value, into: &locked)
      }
    }
    if locked.isEmpty { return false }
    let old = template.command { number in
      let source = template.sources[number]
      return locked[source.mark] ?? source.value
    }
    return old?.isEqualInPython(to: entry.command) ?? false
  }

  /// What was locked in the place of each value.
  private func collect(_ now: MarkedValue, _ locked: Value, into places: inout [SourceMark: Value]) {
    if let mark = now.mark { places[mark] = locked }
    switch (now.node, locked) {
    case (.map(let entries), .map(let values)):
      for entry in entries {
        if let value = values[entry.key.value] { collect(entry.value, value, into: &places) }
      }
    case (.list(let items), .list(let values)):
      for (item, value) in zip(items, values) { collect(item, value, into: &places) }
    default: break
    }
  }
}
