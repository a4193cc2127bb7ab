// How checks speak: places in files, addresses, values that differ. Knows nothing of what is checked.
import CairnCore
import CairnEngine
import CairnFormats

/// Makes checks of one stage, each with its place. Shared by all that look at the stage, which has dozens of fields that
/// nobody wants to copy.
final class CheckMaker: Sendable {
  let stage: Stage
  /// DVC's address, seen from the project's root.
  let address: String
  let paths: PathResolver

  init(_ stage: Stage, _ paths: PathResolver) {
    self.stage = stage
    self.paths = paths
    address = stage.address.text()
  }

  func passed(_ id: CheckID, path: String? = nil, at mark: SourceMark? = nil) -> Check {
    Check(id, .passed, stage: address, path: path, at: place(mark))
  }

  func skipped(_ id: CheckID, path: String? = nil, _ message: String, at mark: SourceMark? = nil) -> Check {
    Check(id, .skipped, stage: address, path: path, message: message, at: place(mark))
  }

  func unknown(
    _ id: CheckID, path: String? = nil, _ message: String, hint: String? = nil, at mark: SourceMark? = nil
  ) -> Check {
    Check(id, .unknown, stage: address, path: path, message: message, hint: hint, at: place(mark))
  }

  /// - Parameter hint: where there is none, that the stage is to be run.
  func failed(
    _ id: CheckID, path: String? = nil, _ message: String, was: String? = nil, now: String? = nil, hint: String? = nil,
    evidence: String? = nil, at mark: SourceMark? = nil
  ) -> Check {
    Check(
      id, .failed, stage: address, path: path, message: message, hint: hint ?? rerun, was: was, now: now,
      evidence: evidence, at: place(mark))
  }

  /// The inputs of a frozen stage may move on: nobody expects it to follow.
  func softened(_ check: Check) -> Check {
    guard stage.isFrozen, check.status == .failed else { return check }
    var check = check
    check.severity = .warning
    check.message += " (the stage is frozen)"
    return check
  }

  /// The next step after most faults.
  var rerun: String {
    if stage.kind == .tracked { return "run `cairn repro \(quoted)` and commit \(stage.address.file)" }
    let lock = PipelineLoader.lockPath(of: stage.address.file)
    // A frozen one is passed over by whoever runs the pipeline.
    return stage.isFrozen
      ? "run `cairn unfreeze \(quoted) && cairn repro \(quoted) && cairn freeze \(quoted)`, and commit \(lock)"
      : "run `cairn repro \(quoted)` and commit \(lock)"
  }

  var quoted: String { ShellQuoting.quote(address) }

  /// The place of `mark`, else of the stage.
  func place(_ mark: SourceMark?) -> CheckPlace {
    CheckPlace(mark ?? stage.mark, orFile: stage.address.file.text, paths)
  }
}

extension CheckPlace {
  /// - Parameter file: where nothing is marked.
  init(_ mark: SourceMark?, orFile file: String, _ paths: PathResolver) {
    guard let mark else {
      self.init(file: file, line: 1)
      return
    }
    let name = mark.source.path
    self.init(file: name.hasPrefix("/") ? paths.relative(name, to: .root) : name, line: max(1, mark.line))
  }
}

enum CheckWords {
  /// A value on one line, cut where it is long.
  static func text(_ value: Value) -> String {
    let text: String =
      switch value {
      case .string(let text): text
      case .null: "null"
      default: JSONWriter.text(value, ensureASCII: false)
      }
    return short(text)
  }

  /// The same, whole.
  static func whole(_ value: Value) -> String { JSONWriter.text(value, ensureASCII: false) }

  static func short(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ⏎ ")
    return line.count > limit ? line.prefix(limit - 1) + "…" : line
  }

  /// Of lists of commands, each on its own.
  static func command(_ value: Value) -> String {
    guard let list = value.list else { return text(value) }
    return short(list.map(text).joined(separator: " && "))
  }

  private static let limit = 400

  /// `a`, `a and b`, `a, b and 3 more`.
  static func list(_ names: [String], limit: Int = 3) -> String {
    if names.count > limit { return names.prefix(limit).joined(separator: ", ") + " and \(names.count - limit) more" }
    guard let last = names.last, names.count > 1 else { return names.first ?? "" }
    return names.dropLast().joined(separator: ", ") + " and " + last
  }
}

extension CheckMaker {
  /// Where a path lies that the stage, or its lock entry, names.
  func location(_ declared: String, in wdir: Location) -> Location { paths.location(of: declared, in: wdir) }

  /// How a check names a place: as seen from the project's root; absolute where the stage wrote it so.
  func name(of location: Location, declared: String) -> String {
    guard case .external(let path) = location, !declared.hasPrefix("/") else { return location.recordPath }
    return paths.relative(path.absolute, to: .root)
  }
}
