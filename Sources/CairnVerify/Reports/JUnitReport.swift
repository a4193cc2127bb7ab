// A verification as JUnit XML, in the subset that GitLab, Jenkins and GitHub's reporters all read. Knows nothing of
// what the checks mean.
import CairnCore
import CairnSystem

package enum JUnitReport {
  /// GitLab takes less than 30 MB.
  private static let largest = 30_000_000

  /// One test case for each check, in the order of the checks.
  ///
  /// A fault is a `<failure>`, its text in `message` and as content, since Jenkins shows the one and GitLab the other.
  /// An unknown is `<skipped>`, and an unknown verdict one more case with an `<error>`: readers take what is skipped
  /// for green. Accepted: `<skipped>`. A warning stands against no verdict, so its case passes and tells it in
  /// `<system-out>`. `classname` is the stage with `/` for `.`, at which Jenkins would split it; (classname, name) is
  /// unique, since GitLab keeps the first of equals. Beyond 30 MB the least grave is left out, and a property says so.
  ///
  /// - Source: no standard; what Jenkins' and GitLab's readers do, and pytest's own files.
  package static func bytes(_ verification: Verification) -> [UInt8] { bytes(verification, limit: largest) }

  static func bytes(_ verification: Verification, limit: Int) -> [UInt8] {
    var names = Set<[String]>()
    var cases = ReportEntry.all(of: verification).map { Case($0, names: &names) }
    if let verdict = ReportEntry.verdict(of: verification) { cases.append(Case(verdict: verdict)) }
    let count = cases.count
    // The head and the foot are far below this.
    keepGravest(&cases, within: limit - 4_096)
    var out = head(verification, cases, leftOut: count - cases.count)
    for one in cases { out += one.text }
    out += " </testsuite>\n</testsuites>\n"
    return Array(out.utf8)
  }

  private static func head(_ verification: Verification, _ cases: [Case], leftOut: Int) -> String {
    let count = { (result: Case.Result) in cases.count { $0.result == result } }
    let totals =
      "name=\"cairn verify\" tests=\"\(cases.count)\" failures=\"\(count(.failure))\" errors=\"\(count(.error))\""
      + " skipped=\"\(count(.skipped))\" time=\"\(seconds(verification.seconds))\""
    // Without a zone, as Ant has it. A verification that does not know its time has none.
    let time = verification.time == 0 ? "" : " timestamp=\"\(WallClock.text(verification.time).prefix(19))\""
    var properties = [("verdict", verification.verdict.rawValue), ("level", verification.level.rawValue)]
    if let revision = verification.revision { properties.append(("rev", revision)) }
    if let base = verification.base { properties.append(("base", base)) }
    if leftOut > 0 { properties.append(("left-out", "\(ReportText.count(leftOut, "case")) for want of room")) }
    var out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites \(totals)>\n <testsuite \(totals)\(time)>\n"
    out += "  <properties>\n"
    for (name, value) in properties {
      out += "   <property name=\"\(name)\" value=\"\(XMLText.attribute(ReportText.valid(value)))\"/>\n"
    }
    return out + "  </properties>\n"
  }

  /// With a point, whatever the locale.
  private static func seconds(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds > 0, seconds < 1e9 else { return "0.000" }
    let (whole, rest) = Int((seconds * 1000).rounded()).quotientAndRemainder(dividingBy: 1000)
    return "\(whole)." + String(String(1000 + rest).dropFirst())
  }

  private static func keepGravest(_ cases: inout [Case], within limit: Int) {
    if cases.reduce(0, { $0 + $1.text.utf8.count }) <= limit { return }
    var room = limit
    var kept = Set<Int>()
    // A sort that keeps the order of equals.
    let order = cases.indices.sorted { (cases[$0].rank, $0) < (cases[$1].rank, $1) }
    for index in order {
      room -= cases[index].text.utf8.count
      if room < 0 { break }
      kept.insert(index)
    }
    cases = cases.indices.filter(kept.contains).map { cases[$0] }
  }
}

/// One `<testcase>`, written.
private struct Case {
  enum Result { case passed, failure, error, skipped }

  let result: Result
  let text: String
  /// The smaller, the graver.
  let rank: Int

  init(_ entry: ReportEntry, names: inout Set<[String]>) {
    result =
      switch entry.standing {
      case .fault: .failure
      case .open, .accepted, .aside: .skipped
      case .warning, .passed: .passed
      }
    rank = entry.standing.rawValue
    let suite = ReportText.replacing(entry.stage ?? "project") { $0 == "." ? "/" : nil }
    let base = [entry.id, entry.path].compactMap(\.self).joined(separator: " ")
    var name = base
    var number = 1
    while !names.insert([suite, name]).inserted {
      number += 1
      name = "\(base) (\(number))"
    }
    text = Self.element(suite, name, entry, Self.body(entry))
  }

  /// The verdict that is unknown.
  init(verdict entry: ReportEntry) {
    result = .error
    rank = -1
    let body = Self.outcome("error", type: "unknown", message: entry.message, entry)
    text = Self.element("verify", ReportEntry.verdictID, entry, body)
  }

  private static func element(_ suite: String, _ name: String, _ entry: ReportEntry, _ body: String) -> String {
    let open =
      "  <testcase classname=\"\(XMLText.attribute(suite))\" name=\"\(XMLText.attribute(name))\""
      + " file=\"\(XMLText.attribute(entry.place))\" line=\"\(entry.line)\" time=\"0.000\""
    return body.isEmpty ? open + "/>\n" : open + ">\n" + body + "  </testcase>\n"
  }

  private static func body(_ entry: ReportEntry) -> String {
    switch entry.standing {
    case .passed: ""
    case .fault: outcome("failure", type: entry.id, message: entry.message, entry)
    case .open: outcome("skipped", type: nil, message: entry.statement, entry)
    case .aside: outcome("skipped", type: nil, message: "not looked at: " + entry.message, entry)
    case .accepted: outcome("skipped", type: nil, message: entry.acceptance ?? "accepted", entry)
    case .warning: "   <system-out>" + content("warning: " + entry.message, entry) + "</system-out>\n"
    }
  }

  private static func outcome(_ tag: String, type: String?, message: String, _ entry: ReportEntry) -> String {
    let kind = type.map { " type=\"\(XMLText.attribute($0))\"" } ?? ""
    return "   <\(tag)\(kind) message=\"\(XMLText.attribute(ReportText.cut(message)))\">"
      + content(message, entry) + "</\(tag)>\n"
  }

  /// The message, what it rests on, and the place, a line each.
  private static func content(_ message: String, _ entry: ReportEntry) -> String {
    // Of what was accepted, the message is why; what it is comes next.
    let lines = [message] + (entry.standing == .accepted ? [entry.message] : []) + entry.details
    return XMLText.content(ReportText.cut(lines.joined(separator: "\n")) + "\n\(entry.place):\(entry.line)")
  }
}

/// Text as XML 1.0 can hold it.
private enum XMLText {
  /// Ends of lines and tabs as references: in an attribute a reader would make spaces of them.
  static func attribute(_ text: String) -> String { escape(text, inAttribute: true) }

  static func content(_ text: String) -> String { escape(text, inAttribute: false) }

  private static func escape(_ text: String, inAttribute: Bool) -> String {
    ReportText.replacing(text) { scalar in
      switch scalar.value {
      case 0x26: "&amp;"
      case 0x3C: "&lt;"
      // For the end of a CDATA section, which may stand nowhere in content.
      case 0x3E: "&gt;"
      case 0x22: inAttribute ? "&quot;" : nil
      case 0x09: inAttribute ? "&#9;" : nil
      case 0x0A: inAttribute ? "&#10;" : nil
      // A bare one would be read as the end of a line in content, too.
      case 0x0D: "&#13;"
      // One escape byte of a coloured message would make the whole file unreadable.
      case 0x20...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: nil
      default: "\u{FFFD}"
      }
    }
  }
}
