// Holds the reports to what their readers want. Whether the readers agree is asked by Tests/Conformance/readers.
import CairnCore
import CairnFormats
import CairnTestSupport
import Foundation
import FoundationXML
import Testing

@testable import CairnVerify

/// JSON as a strict reader sees it.
private func json(_ bytes: [UInt8]) throws -> Any {
  #expect(String(validating: bytes, as: UTF8.self) != nil)
  return try JSONSerialization.jsonObject(with: Data(bytes))
}

private func verifyJSON(_ verification: Verification) -> String {
  JSONWriter.text(VerifyJSON.value(verification), indent: 2, ensureASCII: false) + "\n"
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

struct GoldenReportTests {
  @Test("each report of each verdict is what its golden file says", arguments: ReportExamples.all.map(\.name))
  func golden(name: String) throws {
    let verification = try #require(ReportExamples.all.first { $0.name == name }).verification
    let reports = [
      ("json", verifyJSON(verification)),
      ("junit.xml", text(JUnitReport.bytes(verification))),
      ("sarif", text(SARIFReport.bytes(verification))),
      ("code-quality.json", text(CodeQualityReport.bytes(verification))),
      ("github.txt", GitHubAnnotations.lines(verification).map { $0 + "\n" }.joined()),
    ]
    for (kind, report) in reports {
      #expect(Golden.difference(report, from: "Verify/\(name).\(kind)") == nil)
    }
  }
}

struct VerifyJSONTests {
  private func object(_ verification: Verification) throws -> [String: Any] {
    try #require(try json(Array(verifyJSON(verification).utf8)) as? [String: Any])
  }

  @Test("keys beyond the promised ones stand only where they say something")
  func keys() throws {
    let clean = try object(ReportExamples.clean)
    #expect(Set(clean.keys) == ["schema", "verdict", "level", "rev", "summary", "checks"])
    #expect(Set(try #require(clean["summary"] as? [String: Int]).keys) == ["passed", "failed", "unknown", "warnings"])
    let promised: Set = ["id", "severity", "stage", "status", "path", "message", "hint", "at"]
    for check in try #require(clean["checks"] as? [[String: Any]]) { #expect(Set(check.keys) == promised) }

    let faults = try object(ReportExamples.faults)
    #expect(faults["base"] is String)
    let checks = try #require(faults["checks"] as? [[String: Any]])
    #expect(Set(checks[1].keys) == promised.union(["was", "now"]))
    #expect(checks[4]["optional"] as? Bool == true)
    #expect(checks.last?["accepted"] as? [String: String] == [
      "reason": "until the new registry is there (#12)", "until": "2026-12-31",
    ])
    #expect((faults["summary"] as? [String: Int])?["accepted"] == 1)
  }

  @Test("paths count from the project's root, and a name that is not UTF-8 is shown")
  func paths() throws {
    let odd = try #require(try object(ReportExamples.odd)["checks"] as? [[String: Any]])
    #expect(odd[0]["path"] as? String == #"da:ta, 1%/n\xffme|`é`#1.csv"#)
  }
}

struct JUnitReportTests {
  /// The elements of a report, with their attributes and texts.
  private final class Reading: NSObject, XMLParserDelegate {
    var elements: [(name: String, attributes: [String: String], text: String)] = []
    private var open: [Int] = []

    init(_ bytes: [UInt8]) throws {
      super.init()
      let parser = XMLParser(data: Data(bytes))
      parser.delegate = self
      try #require(parser.parse(), "\(String(describing: parser.parserError)) line \(parser.lineNumber)")
    }

    func parser(
      _: XMLParser, didStartElement name: String, namespaceURI _: String?, qualifiedName _: String?,
      attributes: [String: String]
    ) {
      open.append(elements.count)
      elements.append((name, attributes, ""))
    }

    func parser(_: XMLParser, foundCharacters text: String) { if let last = open.last { elements[last].text += text } }

    func parser(_: XMLParser, didEndElement _: String, namespaceURI _: String?, qualifiedName _: String?) {
      open.removeLast()
    }

    func all(_ name: String) -> [(name: String, attributes: [String: String], text: String)] {
      elements.filter { $0.name == name }
    }
  }

  @Test("the counts of both suites are those of the cases", arguments: ReportExamples.all.map(\.name))
  func counts(name: String) throws {
    let verification = try #require(ReportExamples.all.first { $0.name == name }).verification
    let report = try Reading(JUnitReport.bytes(verification))
    for suite in report.all("testsuites") + report.all("testsuite") {
      #expect(suite.attributes["tests"] == "\(report.all("testcase").count)")
      #expect(suite.attributes["failures"] == "\(report.all("failure").count)")
      #expect(suite.attributes["errors"] == "\(report.all("error").count)")
      #expect(suite.attributes["skipped"] == "\(report.all("skipped").count)")
      #expect(suite.attributes["time"] == "0.012")
    }
    #expect(report.all("testsuite")[0].attributes["timestamp"] == "2026-06-01T10:00:00")
  }

  @Test("an unknown verdict is one more case, with an error; a fault makes it superfluous, and so does an accepted one")
  func unknown() throws {
    let report = try Reading(JUnitReport.bytes(ReportExamples.unknown))
    #expect(report.all("testcase").count == 4 && report.all("skipped").count == 2)
    #expect(report.all("error").map { $0.attributes["type"] } == ["unknown"])
    let last = try #require(report.all("testcase").last).attributes
    #expect(last["classname"] == "verify" && last["name"] == "verdict")
    for other in [ReportExamples.clean, ReportExamples.faults, ReportExamples.accepted] {
      #expect(try Reading(JUnitReport.bytes(other)).all("error").isEmpty)
    }
  }

  @Test("only faults fail; what was accepted, and a record that nobody asked for, are skipped, and a warning passes")
  func standing() throws {
    let report = try Reading(JUnitReport.bytes(ReportExamples.faults))
    #expect(report.all("failure").map { $0.attributes["type"] } == ["lock-command", "lock-params", "lock-params"])
    let skipped = report.all("skipped").compactMap { $0.attributes["message"] }
    #expect(skipped == [
      "not looked at: no record of the run is here",
      "unknown: not in the cache, and the remote 'store' does not answer", "not looked at: no manifest",
      "accepted until 2026-12-31: until the new registry is there (#12)",
    ])
    #expect(report.all("system-out").map(\.text) == ["warning: the stage is gone\nml/dvc.lock:40"])
  }

  @Test("the text of a fault is its message and its content, too, and paths count from git's root")
  func content() throws {
    let report = try Reading(JUnitReport.bytes(ReportExamples.faults))
    let failure = try #require(report.all("failure").first)
    #expect(failure.attributes["message"] == "the command was edited after its last run")
    #expect(failure.text.hasPrefix("the command was edited after its last run\nwas: python src/train.py --lr 0.1\n"))
    #expect(failure.text.hasSuffix("\nml/dvc.yaml:12"))
    #expect(report.all("testcase")[2].attributes["file"] == "ml/params.yaml")
    #expect(report.all("testcase")[2].attributes["line"] == "3")
  }

  @Test("what XML cannot hold is replaced, and all else comes back as it was")
  func characters() throws {
    let bytes = JUnitReport.bytes(ReportExamples.odd)
    #expect(String(validating: bytes, as: UTF8.self) != nil)
    let report = try Reading(bytes)
    let message = try #require(report.all("failure").first?.attributes["message"])
    let wanted = String(String.UnicodeScalarView(ReportExamples.oddMessage.unicodeScalars.map { scalar in
      ["\u{1B}", "\u{0}", "\u{FFFE}"].contains(scalar) ? "\u{FFFD}" : scalar
    }))
    // By scalars: as characters, CR LF would equal itself only.
    #expect(Array(message.unicodeScalars) == Array(wanted.unicodeScalars))
    #expect(report.all("failure")[0].text.contains("]]>"))
    #expect(report.all("testcase")[0].attributes["name"] == #"dep-content a b/da:ta, 1%/n\xffme|`é`#1.csv"#)
  }

  @Test("no `.` is left in a classname, and no two cases have the same one and the same name")
  func names() throws {
    let cases = try Reading(JUnitReport.bytes(ReportExamples.odd)).all("testcase")
    #expect(cases.allSatisfy { !($0.attributes["classname"] ?? ".").contains(".") })
    #expect(Set(cases.map { [$0.attributes["classname"], $0.attributes["name"]] }).count == cases.count)
    #expect(cases.map { $0.attributes["name"]?.hasSuffix(")") } == [false, true, true, false])
  }

  @Test("a place outside git's root, and a line that is none, become ones that readers take")
  func places() throws {
    let cases = try Reading(JUnitReport.bytes(ReportExamples.odd)).all("testcase")
    #expect(cases[0].attributes["line"] == "1")
    #expect(cases[1].attributes["file"] == "x.yaml" && cases[1].attributes["line"] == "7")
    let outside = Verification(checks: [Check(.lockDeps, .failed, at: ReportExamples.place(7, "../x.yaml"))])
    let attributes = try Reading(JUnitReport.bytes(outside)).all("testcase")[0].attributes
    #expect(attributes["file"] == "dvc.yaml" && attributes["line"] == "1")
  }

  @Test("beyond the limit, cases that passed are left out first, then said so, and the counts still hold")
  func limit() throws {
    var verification = ReportExamples.many(60)
    verification.checks.insert(
      contentsOf: (1...60).map { Check(.lockOuts, .passed, stage: "ok\($0)", at: ReportExamples.place($0)) }, at: 0)
    let bytes = JUnitReport.bytes(verification, limit: 20_000)
    #expect(bytes.count <= 20_000)
    let report = try Reading(bytes)
    let kept = report.all("testcase").count
    #expect(kept > 60 && kept < 120 && report.all("failure").count == 60)
    #expect(report.all("testsuite")[0].attributes["tests"] == "\(kept)")
    let leftOut = report.all("property").first { $0.attributes["name"] == "left-out" }
    #expect(leftOut?.attributes["value"] == "\(120 - kept) cases for want of room")
    #expect(try Reading(JUnitReport.bytes(verification)).all("testcase").count == 120)
  }
}

struct CodeQualityReportTests {
  private func items(_ verification: Verification) throws -> [[String: Any]] {
    try #require(try json(CodeQualityReport.bytes(verification)) as? [[String: Any]])
  }

  @Test("a clean verdict and an accepted one are an empty list")
  func empty() {
    #expect(text(CodeQualityReport.bytes(ReportExamples.clean)) == "[]\n")
    #expect(text(CodeQualityReport.bytes(ReportExamples.accepted)) == "[]\n")
  }

  @Test("faults are blockers, unknowns major, warnings minor; an unknown verdict is an item of its own")
  func severities() throws {
    #expect(try items(ReportExamples.faults).map { $0["severity"] as? String } == [
      "blocker", "blocker", "blocker", "major", "minor",
    ])
    #expect(try items(ReportExamples.unknown).map { $0["check_name"] as? String } == [
      "verdict", "object-missing", "object-missing",
    ])
    #expect(try items(ReportExamples.unknown).map { $0["severity"] as? String } == ["critical", "major", "major"])
  }

  @Test("fingerprints differ, and stay when lines and messages change")
  func fingerprints() throws {
    let faults = ReportExamples.faults
    let prints = try items(faults).compactMap { $0["fingerprint"] as? String }
    #expect(Set(prints).count == prints.count && prints.allSatisfy { $0.utf8.count == 64 })
    var moved = faults
    for index in moved.checks.indices {
      moved.checks[index].at.line += 5
      moved.checks[index].message += " now"
    }
    #expect(try items(moved).compactMap { $0["fingerprint"] as? String } == prints)
    // The second key of the same file keeps its name when the first one is mended.
    moved.checks[2].status = .passed
    #expect(try items(moved)[1]["fingerprint"] as? String == prints[2])
    // Another project of the same repository.
    moved.prefix = "other/"
    #expect(try Set(items(moved).compactMap { $0["fingerprint"] as? String }).isDisjoint(with: prints))
  }

  @Test("a path begins neither with `./` nor with `/`, and a description is one line")
  func places() throws {
    for (_, verification) in ReportExamples.all {
      for item in try items(verification) {
        let path = try #require((item["location"] as? [String: Any])?["path"] as? String)
        #expect(!path.hasPrefix("./") && !path.hasPrefix("/") && !path.hasPrefix(".."))
        #expect(try !#require(item["description"] as? String).contains("\n"))
      }
    }
  }
}
