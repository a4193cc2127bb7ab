// What a team says of the checks of `verify`: how grave each is, and which faults are accepted for a while.
package import CairnCore

package struct VerifyPolicy: Sendable {
  /// One `[[verify.accepted]]`.
  package struct Accepted: Hashable, Sendable {
    package var check: CheckID
    /// At least one of the two is there; both must fit where both are.
    package var stage: String?
    package var path: String?
    package var reason: String
    /// `2026-12-31`: the last day on which it holds.
    package var until: String
  }

  package private(set) var severities: [CheckID: Severity] = [:]
  package private(set) var accepted: [Accepted] = []
  /// `verify.require_records`.
  package private(set) var requiresRecords = false

  package init() {}

  /// The settings have been checked when they were loaded.
  package init(_ settings: Settings) {
    for id in CheckID.allCases {
      if let text = settings.cairn("verify", "severity", id.rawValue)?.string {
        severities[id] = Severity(rawValue: text)
      }
    }
    for list in settings.everywhere("verify", "accepted") { accepted += (list.list ?? []).compactMap(Self.accepted) }
    requiresRecords = settings.cairn("verify", "require_records")?.bool ?? false
  }

  /// Records are asked for: to turn their check down, too, would be to ask for nothing.
  package mutating func requireRecords() { severities[.record] = nil }

  private static func accepted(_ item: Value) -> Accepted? {
    guard let check = item["check"]?.string.flatMap(CheckID.init(rawValue:)), let until = date(item["until"]) else {
      return nil
    }
    return Accepted(
      check: check, stage: item["stage"]?.string, path: item["path"]?.string, reason: item["reason"]?.string ?? "",
      until: until)
  }

  // MARK: Checking

  static func check(severities: MarkedValue, in file: String) throws(Diagnostic) {
    for entry in severities.entries ?? [] {
      let name = entry.key.value.string ?? ""
      guard CheckID(rawValue: name) != nil else {
        throw .unknownCheck(name, in: "verify.severity", file, entry.key.mark)
      }
      guard let text = entry.value.string, Severity(rawValue: text) != nil else {
        throw Diagnostic(
          .badSetting, "'verify.severity.\(name)' in \(file) must be \"error\", \"warning\" or \"off\"",
          at: entry.value.mark)
      }
    }
  }

  static func check(accepted: MarkedValue, in file: String) throws(Diagnostic) {
    for item in accepted.items ?? [] {
      let known = ["check", "stage", "path", "reason", "until"]
      for entry in item.entries ?? [] where !known.contains(entry.key.value.string ?? "") {
        let key = entry.key.value.string ?? ""
        throw Diagnostic(
          .unknownSetting, "unknown setting 'verify.accepted.\(key)' in \(file)", at: entry.key.mark,
          hint: Suggestion.hint(for: key, among: known))
      }
      let place = item.mark ?? item.entries?.first?.key.mark
      guard let name = item["check"] else { throw .incomplete("names no check", file, place) }
      guard let text = name.string, CheckID(rawValue: text) != nil else {
        throw .unknownCheck(name.string ?? PythonText.str(name.value), in: "verify.accepted", file, name.mark)
      }
      if item["stage"] == nil, item["path"] == nil {
        throw .incomplete("names neither a stage nor a path", file, place)
      }
      for key in ["stage", "path", "reason"] {
        guard let value = item[key] else { continue }
        if value.string?.isEmpty ?? true {
          throw Diagnostic(.badSetting, "'verify.accepted.\(key)' in \(file) must be text", at: value.mark)
        }
      }
      if item["reason"] == nil { throw .incomplete("gives no reason", file, place) }
      guard let until = item["until"] else {
        throw .incomplete("says not until when (until = 2026-12-31)", file, place)
      }
      if date(until.value) == nil {
        throw Diagnostic(
          .badSetting, "'verify.accepted.until' in \(file) must be a date, such as 2026-12-31", at: until.mark)
      }
    }
  }

  /// A day that exists, as `2026-12-31`; `nil` for anything else.
  private static func date(_ value: Value?) -> String? {
    let text: String
    switch value {
    case .string(let string)?, .timestamp(let string)?: text = string
    default: return nil
    }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard text.utf8.count == 10, parts.count == 3, parts.map(\.utf8.count) == [4, 2, 2],
      text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 45 }), let year = Int(parts[0]), let month = Int(parts[1]),
      let day = Int(parts[2]), (1...12).contains(month)
    else { return nil }
    let isLeap = year.isMultiple(of: 4) && !year.isMultiple(of: 100) || year.isMultiple(of: 400)
    let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return (1...days[month - 1]).contains(day) ? text : nil
  }
}

extension Diagnostic {
  fileprivate static func unknownCheck(
    _ name: String, in setting: String, _ file: String, _ mark: SourceMark?
  ) -> Diagnostic {
    Diagnostic(
      .unknownSetting, "unknown check '\(name)' in '\(setting)' of \(file)", at: mark,
      hint: Suggestion.hint(for: name, among: CheckID.allCases.map(\.rawValue)))
  }

  fileprivate static func incomplete(_ what: String, _ file: String, _ mark: SourceMark?) -> Diagnostic {
    Diagnostic(.badSetting, "an entry of 'verify.accepted' in \(file) \(what)", at: mark)
  }
}
