// Which settings Cairn has, and of which kind each is. Knows nothing of what they are for.
package import CairnCore
import CairnSystem

package enum OwnSettings {
  private enum Kind {
    case count, seconds, truth, amounts, text
    case choice([String])
    /// How grave each check is.
    case severities
    /// Faults that the team accepts for a while.
    case accepted
    case section([String: Kind])

    var words: String {
      switch self {
      case .count: "must be a whole number above zero"
      case .seconds: "must be a number of seconds, zero or more"
      case .truth: "must be true or false"
      case .text: "must be a text"
      case .choice(let words): "must be one of " + words.joined(separator: ", ")
      case .amounts: "must be a table of names and amounts"
      case .section, .severities: "must be a table"
      case .accepted: "must be a list of tables: [[verify.accepted]]"
      }
    }
  }

  private static let known: [String: Kind] = [
    "jobs": .count, "grace": .seconds, "strict": .truth, "resources": .amounts,
    "runs": .section(["log_limit": .count, "remote": .truth]),
    "verify": .section(["require_records": .truth, "severity": .severities, "accepted": .accepted]),
    "openlineage": .section(["enabled": .truth, "url": .text, "endpoint": .text]),
    "tracking": .section([
      "enabled": .truth, "uri": .text, "experiment": .text, "user": .choice(TrackingSettings.UserNaming.allCases.map(\.rawValue)),
      "log": .truth, "upload": .truth, "register": .truth, "push": .truth, "join": .truth, "wait": .seconds,
    ]),
  ]

  /// Throws for the first key of the document that does not exist, or has a value of the wrong kind.
  ///
  /// - Parameter file: as messages name it.
  package static func check(_ document: MarkedValue, in file: String) throws(Diagnostic) {
    try check(document, known, "", in: file)
  }

  private static func check(
    _ document: MarkedValue, _ known: [String: Kind], _ prefix: String, in file: String
  ) throws(Diagnostic) {
    for entry in document.entries ?? [] {
      let key = entry.key.value.string ?? ""
      let name = prefix + key
      guard let kind = known[key] else {
        throw Diagnostic(
          .unknownSetting, "unknown setting '\(name)' in \(file)", at: entry.key.mark,
          hint: Suggestion.hint(for: key, among: known.keys.sorted()))
      }
      if case .section(let inner) = kind, entry.value.entries != nil {
        try check(entry.value, inner, name + ".", in: file)
      } else if !fits(entry.value.value, kind) {
        throw Diagnostic(.badSetting, "'\(name)' in \(file) \(kind.words)", at: entry.value.mark)
      } else if case .severities = kind {
        try VerifyPolicy.check(severities: entry.value, in: file)
      } else if case .accepted = kind {
        try VerifyPolicy.check(accepted: entry.value, in: file)
      }
    }
  }

  /// The same of the environment's `CAIRN_…`; a table has one for each name in it (`CAIRN_RESOURCES_GPU`).
  static func checkVariables() throws(Diagnostic) { try checkVariables(known, []) }

  private static func checkVariables(_ known: [String: Kind], _ path: [String]) throws(Diagnostic) {
    for (key, kind) in known {
      let variable = Settings.variable(of: path + [key])
      switch kind {
      case .section(let inner): try checkVariables(inner, path + [key])
      case .amounts: try checkAmounts(variable)
      case .severities: try checkSeverities(path + [key])
      case .accepted: break
      case .count, .seconds, .truth, .text, .choice:
        if let value = Settings.value(ofVariable: variable), !fits(value, kind) {
          throw Diagnostic(.badSetting, "the environment variable \(variable) \(kind.words)")
        }
      }
    }
  }

  private static func checkSeverities(_ path: [String]) throws(Diagnostic) {
    // Few or none are set: the names of all checks are made only then.
    let variables = Environment.names(startingWith: Settings.variable(of: path) + "_")
    if variables.isEmpty { return }
    let known = Set(CheckID.allCases.map { Settings.variable(of: path + [$0.rawValue]) })
    for variable in variables where known.contains(variable) {
      guard let value = Settings.value(ofVariable: variable), value.string.flatMap(Severity.init(rawValue:)) == nil else {
        continue
      }
      throw Diagnostic(.badSetting, "the environment variable \(variable) must be error, warning or off")
    }
  }

  private static func checkAmounts(_ table: String) throws(Diagnostic) {
    if Settings.value(ofVariable: table) != nil {
      throw Diagnostic(
        .badSetting, "the environment variable \(table) sets no amount",
        hint: "\(table)_NAME sets that of one resource")
    }
    for variable in Environment.names(startingWith: table + "_") {
      if let value = Settings.value(ofVariable: variable), (value.number ?? -1) < 0 {
        throw Diagnostic(.badSetting, "the environment variable \(variable) must be a number, zero or more")
      }
    }
  }

  private static func fits(_ value: Value, _ kind: Kind) -> Bool {
    switch kind {
    case .count: (value.int ?? 0) > 0
    case .seconds: (value.number ?? -1) >= 0
    case .truth: value.bool != nil
    case .text: value.string != nil
    case .choice(let words): value.string.map(words.contains) ?? false
    case .amounts: value.map?.values.allSatisfy { ($0.number ?? -1) >= 0 } ?? false
    case .severities: value.map != nil
    case .accepted: value.list?.allSatisfy { $0.map != nil } ?? false
    case .section: false
    }
  }
}
