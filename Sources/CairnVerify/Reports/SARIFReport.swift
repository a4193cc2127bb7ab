// A verification as SARIF 2.1.0 with what GitHub's code scanning wants beyond the schema. Knows nothing of uploading.
import CairnCore
import CairnFormats
import CairnSystem

package enum SARIFReport {
  /// What GitHub takes: results of a run, and bytes once they are packed.
  private static let mostResults = 25_000
  private static let largest = 10_000_000

  /// One run; a rule for each check, a result for each fault, unknown and warning, `[]` when there is none.
  ///
  /// A fault is an `error`, what is unknown a `warning`, a failed warning a `note`: the order of their gravity. An
  /// unknown verdict is one more result, an `error` of the rule `verdict`: no reader stops at what was not checked.
  /// What was accepted is a `note` with a suppression: it stops neither who reads suppressions nor who does not.
  /// Paths are percent-encoded and count from git's root. `automationDetails.id` is `cairn-verify/LEVEL/`, then the
  /// project's folder: GitHub refuses two uploads of one category. Beyond GitHub's limits the least grave are left out,
  /// which a notification says. There is no `security-severity`, which would make security alerts of them.
  ///
  /// - Source: OASIS SARIF 2.1.0 errata 01; GitHub's "SARIF support for code scanning".
  package static func bytes(_ verification: Verification) -> [UInt8] {
    bytes(verification, results: mostResults, packed: largest)
  }

  static func bytes(_ verification: Verification, results most: Int, packed: Int) -> [UInt8] {
    let found =
      ReportEntry.findings(of: verification)
      + ReportEntry.all(of: verification).filter { $0.standing == .accepted }
    let rules = Rules(verification)
    var room = packed - 100_000
    let kept = found.prefix(most).prefix { entry in
      room -= packedSize(entry)
      return room >= 0
    }
    let run: ValueMap = [
      "tool": .map(["driver": driver(rules)]),
      "automationDetails": .map([
        "id": .string("cairn-verify/\(verification.level.rawValue)/" + ReportText.valid(verification.prefix))
      ]),
      "invocations": .list([invocation(verification, leftOut: found.count - kept.count)]),
      "columnKind": "unicodeCodePoints",
      "properties": .map(["verdict": .string(verification.verdict.rawValue)]),
      "results": .list(kept.map { result($0, rules) }),
    ]
    let document: Value = .map([
      "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
      "version": "2.1.0",
      "runs": .list([.map(run)]),
    ])
    return JSONWriter.bytes(document, indent: 1, ensureASCII: false) + [0x0A]
  }

  /// More than gzip makes of a result: what is the same in all of them packs to a few bytes, 32 of a fingerprint stay,
  /// and texts are taken as if they did not pack at all.
  private static func packedSize(_ entry: ReportEntry) -> Int {
    200 + text(entry).utf8.count + (entry.stage?.utf8.count ?? 0) + 3 * entry.file.utf8.count
      + (entry.path?.utf8.count ?? 0) + (entry.acceptance?.utf8.count ?? 0)
  }

  private static func driver(_ rules: Rules) -> Value {
    .map([
      "name": "cairn",
      "semanticVersion": .string(CairnVersion.current),
      "rules": .list(rules.all.map(\.value)),
    ])
  }

  private static func invocation(_ verification: Verification, leftOut: Int) -> Value {
    var map: ValueMap = ["executionSuccessful": true, "exitCode": .int(Int(verification.verdict.exitCode))]
    if verification.time != 0 { map["endTimeUtc"] = .string(WallClock.text(verification.time)) }
    if leftOut > 0 {
      let text =
        "\(ReportText.count(leftOut, "result")) left out for want of room, the least grave: "
        + "`cairn verify --json` lists all of them"
      map["toolExecutionNotifications"] = .list([
        .map(["level": "warning", "message": .map(["text": .string(text)])])
      ])
    }
    return .map(map)
  }

  private static func result(_ entry: ReportEntry, _ rules: Rules) -> Value {
    var properties: ValueMap = [:]
    if let stage = entry.stage { properties["stage"] = .string(stage) }
    if let path = entry.path { properties["path"] = .string(path) }
    var map: ValueMap = [
      "ruleId": .string(entry.id),
      "ruleIndex": .int(rules.index[entry.id] ?? 0),
      "level": .string(level(entry)),
      "message": .map(["text": .string(text(entry))]),
      "locations": .list([location(entry)]),
      "partialFingerprints": .map([
        "cairnCheck/v1": .string(entry.fingerprint),
        // The only one that GitHub uses; its own end in the number among equals, and ours have none.
        "primaryLocationLineHash": .string(entry.fingerprint.prefix(16) + ":1"),
      ]),
    ]
    if let acceptance = entry.acceptance {
      map["suppressions"] = .list([
        .map(["kind": "external", "status": "accepted", "justification": .string(ReportText.cut(acceptance))])
      ])
    }
    if !properties.isEmpty { map["properties"] = .map(properties) }
    return .map(map)
  }

  private static func level(_ entry: ReportEntry) -> String {
    switch entry.standing {
    case .fault: "error"
    case .open: "warning"
    default: "note"
    }
  }

  /// The first sentence counts, so it ends where details follow.
  private static func text(_ entry: ReportEntry) -> String {
    let ends = entry.details.isEmpty || entry.sentence.last.map { ".!?".contains($0) } ?? true
    return ReportText.cut(([entry.sentence + (ends ? "" : ".")] + entry.details).joined(separator: "\n"))
  }

  /// GitHub wants all four ends of a region; a check knows a line.
  private static func location(_ entry: ReportEntry) -> Value {
    .map([
      "physicalLocation": .map([
        "artifactLocation": .map(["uri": .string(uri(entry.file))]),
        "region": .map([
          "startLine": .int(entry.line), "startColumn": 1, "endLine": .int(entry.line), "endColumn": 2,
        ]),
      ])
    ])
  }

  /// The bytes of the path, all but unreserved characters and `/` percent-encoded (RFC 3986): a bare `:` would make a
  /// scheme of the first folder.
  private static func uri(_ path: String) -> String {
    FileName.bytes(path).map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"), UInt8(ascii: "/"):
        String(Unicode.Scalar(byte))
      default: "%" + Hex.encode([byte]).uppercased()
      }
    }.joined()
  }
}

/// The rules of the driver and their places in the list.
private struct Rules {
  struct Rule {
    var id: String
    var title: String
    var explanation: String
    var level: String

    /// All three texts, which GitHub requires and the schema does not.
    var value: Value {
      .map([
        "id": .string(id),
        "name": .string(id.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()),
        "shortDescription": .map(["text": .string(title)]),
        "fullDescription": .map(["text": .string(explanation)]),
        "help": .map(["text": .string("\(explanation) More: docs/checks.md, \(id).")]),
        "defaultConfiguration": .map(["level": .string(level)]),
        "properties": .map(["tags": .list(["reproducibility"]), "precision": "very-high"]),
      ])
    }
  }

  let all: [Rule]
  let index: [String: Int]

  /// Those of `verify`, so that their places do not depend on what failed, and whatever else was found.
  init(_ verification: Verification) {
    let used = Set(verification.checks.map(\.id))
    let checks = CheckID.allCases.filter { $0.isOfVerify || used.contains($0) }.map { id in
      Rule(
        id: id.rawValue, title: id.title, explanation: id.explanation,
        level: id.defaultSeverity == .error ? "error" : "note")
    }
    let verdict = Rule(
      id: ReportEntry.verdictID, title: "Whether it is reproducible is unknown",
      explanation: "Some checks could not be made, and what was not checked is no pass. Mend what hindered them.",
      level: "error")
    all = checks + [verdict]
    index = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($0.element.id, $0.offset) })
  }
}
