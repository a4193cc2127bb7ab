// Reasons as `why --json`, events and run records show them. Knows nothing of how they were found.
package import CairnCore

package enum ReasonJSON {
  /// `{"kind", "path", "key", "was", "now", "stage", "removed"}`, those that the reason has; content as
  /// `{"md5", "size"}`, parameters, commands and variables as plain values.
  ///
  /// A kind that compares always has both `was` and `now`, null for the side that there is none of.
  package static func value(_ reason: Reason) -> Value {
    var map: ValueMap = ["kind": .string(reason.kind.rawValue)]
    if let path = reason.path { map["path"] = .string(path) }
    if let key = reason.key { map["key"] = .string(key) }
    if reason.was != nil || reason.now != nil || reason.kind.compares {
      map["was"] = evidence(reason.was)
      map["now"] = evidence(reason.now)
    }
    if let stage = reason.stage { map["stage"] = .string(stage.text()) }
    if let removed = reason.removedDeclarations { map["removed"] = .list(removed.map { .string($0) }) }
    return .map(map)
  }

  /// A reason as a record has it; `nil` for a kind that this version does not know.
  package static func reason(_ value: Value) -> Reason? {
    guard let kind = value["kind"]?.string.flatMap(ReasonKind.init(rawValue:)) else { return nil }
    var reason = Reason(
      kind, path: value["path"]?.string, key: value["key"]?.string, was: evidence(value["was"]),
      now: evidence(value["now"]), stage: value["stage"]?.string.map { StageAddress($0) })
    reason.removedDeclarations = value["removed"]?.list?.compactMap(\.string)
    return reason
  }

  private static func evidence(_ value: Value?) -> Reason.Evidence? {
    guard let value else { return nil }
    guard let hash = value["md5"]?.string else { return .value(value) }
    return .content(hash: hash, size: value["size"]?.int.flatMap { UInt64(exactly: $0) })
  }

  package static func evidence(_ evidence: Reason.Evidence?) -> Value {
    switch evidence {
    case nil: .null
    case .content(let hash, let size):
      .map(["md5": .string(hash), "size": size.map { Int(exactly: $0).map(Value.int) ?? .bigInt(String($0)) } ?? .null])
    case .value(let value): value
    }
  }
}

extension ReasonKind {
  fileprivate var compares: Bool {
    switch self {
    case .commandChanged, .dependencyChanged, .parameterChanged, .outputChanged, .environmentChanged: true
    default: false
    }
  }
}
