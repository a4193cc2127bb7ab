// A check as reports tell it: its words, its place seen from git's root, its name across runs. Knows no format and
// escapes nothing: what each reader cannot bear stands in that reader's file.
import CairnCore
import CairnStore

/// Every text in it is valid UTF-8.
struct ReportEntry: Sendable {
  /// How a check stands to the verdict, the gravest first.
  enum Standing: Int, Sendable, Comparable {
    /// Against it.
    case fault
    /// It cannot be reached because of this one.
    case open
    case warning
    case accepted
    case passed
    /// Looked at in vain, and nobody minds: a record that nobody asked for, another level's business.
    case aside

    init(_ check: Check) {
      switch check.status {
      case .passed: self = .passed
      case .failed: self = check.isFault ? .fault : .warning
      case .unknown, .erased: self = check.isOpen ? .open : .aside
      case .accepted: self = .accepted
      case .skipped: self = .aside
      }
    }

    static func < (a: Standing, b: Standing) -> Bool { a.rawValue < b.rawValue }
  }

  /// The name of the entry that stands for the verdict itself; no check has it.
  static let verdictID = "verdict"

  var id: String
  var standing: Standing
  /// As DVC calls it; `nil` for what belongs to no stage.
  var stage: String?
  /// From git's root, as people read it.
  var path: String?
  /// Where it points, from git's root, in `FileName`'s escaping: the bytes of an address are made of it.
  var file: String
  /// From 1, whatever the check says: readers refuse 0.
  var line: Int
  var message: String
  var hint: String?
  var was: String?
  var now: String?
  /// What was said when it was accepted; `nil` for what was not.
  var acceptance: String?
  /// 64 hexadecimal digits that stay the same while lines and values change; no two entries of a report share them.
  var fingerprint: String

  /// `file` as people read it.
  var place: String { ReportText.valid(file) }

  /// `train: the command was edited after its last run`.
  var sentence: String { (stage.map { $0 + ": " } ?? "") + statement }

  /// The sentence without the stage. That something is unknown is said in words: most readers show no status.
  var statement: String { (standing == .open ? "unknown: " : "") + message }

  /// The lines below the sentence: what was recorded, what is there now, the next step.
  var details: [String] {
    // Of a command of many pages a part is enough, and leaves room for the rest.
    [was.map { "was: " + ReportText.cut($0, to: 1_000) }, now.map { "now: " + ReportText.cut($0, to: 1_000) }, hint]
      .compactMap(\.self)
  }
}

extension ReportEntry {
  /// One for each check, in the same order.
  static func all(of verification: Verification) -> [ReportEntry] {
    // Several keys of one parameter file are several checks of one stage and one path: they are told apart by their
    // order among all that were looked at, which a mended one does not change.
    var seen: [[String]: Int] = [:]
    return verification.checks.map { check in
      let name = [check.id.rawValue, verification.prefix, check.stage ?? "", check.path ?? ""]
      seen[name, default: 0] += 1
      return ReportEntry(check, prefix: verification.prefix, name: name, ordinal: seen[name] ?? 1)
    }
  }

  /// What a report of faults lists: faults, what is unknown, warnings, in this order; before them the verdict itself
  /// where it is unknown, since no reader but Cairn's own fails on what could not be checked.
  static func findings(of verification: Verification) -> [ReportEntry] {
    let listed = all(of: verification).filter { $0.standing <= .warning }
    let ranked = Dictionary(grouping: listed, by: \.standing)
    return [verdict(of: verification)].compactMap(\.self)
      + ([.fault, .open, .warning] as [Standing]).flatMap { ranked[$0] ?? [] }
  }

  /// The verdict as an entry that stands against itself, pointing at the first check that is open; `nil` when it is
  /// known.
  static func verdict(of verification: Verification) -> ReportEntry? {
    guard verification.verdict == .unknown, let open = verification.checks.first(where: \.isOpen) else { return nil }
    let count = verification.summary.unknown
    var entry = ReportEntry(
      open, prefix: verification.prefix, name: [verdictID, verification.prefix, verification.level.rawValue],
      ordinal: 1)
    entry.id = verdictID
    entry.standing = .fault
    (entry.stage, entry.path, entry.was, entry.now, entry.acceptance) = (nil, nil, nil, nil, nil)
    entry.message =
      "the verdict is unknown: \(ReportText.count(count, "check")) could not be made, "
      + "and what was not checked is no pass"
    entry.hint = "`cairn verify` says of each why"
    return entry
  }

  private init(_ check: Check, prefix: String, name: [String], ordinal: Int) {
    let words = { (text: String?) in text.flatMap { $0.isEmpty ? nil : ReportText.valid($0) } }
    id = check.id.rawValue
    standing = Standing(check)
    stage = words(check.stage)
    path = words(check.path.map { ReportText.path($0, below: prefix) ?? $0 })
    let place = ReportText.path(check.at.file, below: prefix)
    file = place ?? prefix + "dvc.yaml"
    // A line of a file that lies outside says nothing of the one that is named in its place.
    line = place == nil ? 1 : max(1, check.at.line)
    message = words(check.message) ?? check.id.title
    hint = words(check.hint)
    was = words(check.was)
    now = words(check.now)
    acceptance = check.status == .accepted ? Self.words(check.acceptance) : nil
    let bytes = name.joined(separator: "\0") + (ordinal > 1 ? "\0\(ordinal)" : "")
    fingerprint = ContentHasher.sha256(of: FileName.bytes(bytes)).hex
  }

  private static func words(_ acceptance: Check.Acceptance?) -> String {
    guard let acceptance else { return "accepted: the base has it, too" }
    return ReportText.valid("accepted until \(acceptance.until): \(acceptance.reason)")
  }
}

/// Words and paths as all reports need them.
enum ReportText {
  /// Characters of a message that readers take: GitHub cuts an annotation there, and the others show less.
  static let longest = 4_096

  /// Bytes of a file's name that are not UTF-8 as `\xff`; all else as it is.
  static func valid(_ text: String) -> String {
    guard FileName.needsEscape(text) else { return text }
    return replacing(text) { scalar in FileName.escapedByte(scalar).map { "\\x" + Hex.encode([$0]) } }
  }

  /// The text with what `replacement` has for a scalar in its place.
  ///
  /// By scalars and not by characters: `\r\n` is one character, and so is a `%` with an accent after it, which a search
  /// for either would pass over, but no reader does.
  static func replacing(_ text: String, by replacement: (Unicode.Scalar) -> String?) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if let other = replacement(scalar) {
        result.append(contentsOf: other.unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }

  /// A path of the project seen from git's root; `nil` when it leads out of there.
  static func path(_ path: String, below prefix: String) -> String? {
    guard let folder = RepoPath(prefix), let whole = folder.resolving(path), !whole.isRoot else { return nil }
    return whole.text
  }

  /// The text with `…` for what is beyond so many UTF-16 units, in which GitHub's runner counts.
  static func cut(_ text: String, to limit: Int = longest) -> String {
    guard text.utf16.count > limit else { return text }
    var room = limit - 1
    var end = text.startIndex
    while end < text.endIndex {
      let next = text.index(after: end)
      room -= text[end..<next].utf16.count
      if room < 0 { break }
      end = next
    }
    return text[..<end] + "…"
  }

  /// `1 check`, `2 checks`.
  static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
