// A reason in words that a colleague would use.
internal import CairnCore
internal import CairnFormats

enum ReasonText {
  /// "data/raw.csv changed", "params.yaml: train.lr changed  0.01 → 0.003".
  static func short(_ reason: Reason) -> String { PrintableText.line(words(reason)) }

  private static func words(_ reason: Reason) -> String {
    let path = reason.path ?? ""
    switch reason.kind {
    case .neverRun: return "it has never run"
    case .noRecord: return "dvc.lock has no entry for it"
    case .commandChanged:
      guard let removed = reason.removedDeclarations else { return "its command changed" }
      return "\(removed.joined(separator: ", ")) \(removed.count > 1 ? "are" : "is") no longer declared"
    case .dependencyChanged: return "\(path) changed"
    case .dependencyMissing:
      return path.hasPrefix("ds://") ? "\(path) is not in sync with dvc.lock" : "\(path) is missing"
    case .dependencyAdded: return "\(path) is a new dependency"
    case .parameterChanged: return "\(path): \(reason.key ?? "") changed  \(change(reason))"
    case .parameterAdded:
      return reason.key.map { "\(path): \($0) is a new parameter" } ?? "\(path) is a new parameter file"
    case .parameterMissing: return reason.key.map { "\(path): \($0) is missing" } ?? "\(path) is missing"
    case .outputChanged: return "\(path) is not what dvc.lock has"
    case .outputMissing: return reason.isOfCache ? "\(path) is not in the cache" : "\(path) is missing"
    case .outputAdded: return "\(path) is a new output"
    case .upstreamStale: return reason.stage.map { "\($0.text()) comes first" } ?? "a stage before it is stale"
    case .alwaysChanged: return "it is declared always changed"
    case .environmentChanged: return "the environment variable \(reason.key ?? "") changed"
    case .forced: return "it was forced"
    }
  }

  /// `0.1 → 0.01`; a text that looks like what it was has its quotes: `1 → "1"`.
  static func change(_ reason: Reason) -> String {
    let (was, now) = (value(reason.was), value(reason.now))
    if was != now { return "\(was) → \(now)" }
    return "\(quoted(reason.was)) → \(quoted(reason.now))"
  }

  private static func quoted(_ evidence: Reason.Evidence?) -> String {
    guard case .value(let value)? = evidence else { return "?" }
    return value.string.map { JSONWriter.text(.string($0), ensureASCII: false) } ?? self.value(evidence)
  }

  /// A value as YAML would show it on one line; at most 60 characters.
  static func value(_ evidence: Reason.Evidence?) -> String {
    guard case .value(let value)? = evidence else { return "?" }
    let text = PrintableText.line(value.string ?? JSONWriter.text(value, ensureASCII: false))
    return text.count > 60 ? String(text.prefix(59)) + "…" : text
  }
}
