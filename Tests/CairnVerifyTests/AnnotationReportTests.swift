// Holds GitHub's two formats, annotations and SARIF, to what its runner and its code scanning want.
import CairnCore
import CairnTestSupport
import Foundation
import Testing

@testable import CairnVerify

struct GitHubAnnotationTests {
  /// What the runner makes of a line, after its `ActionCommand`; `nil` for a line that is no command.
  private func read(_ line: String) -> (level: String, values: [String: String], message: String)? {
    guard line.hasPrefix("::") else { return nil }
    let rest = line.dropFirst(2)
    guard let end = rest.range(of: "::") else { return nil }
    let head = rest[..<end.lowerBound].split(separator: " ", maxSplits: 1)
    func undo(_ text: String, _ codes: [(String, String)]) -> String {
      codes.reduce(text) { $0.replacingOccurrences(of: $1.0, with: $1.1, options: .literal) }
    }
    var values: [String: String] = [:]
    for pair in head.dropFirst().joined().split(separator: ",") {
      let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { continue }
      values[parts[0]] = undo(parts[1], [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")])
    }
    let message = undo(String(rest[end.upperBound...]), [("%0D", "\r"), ("%0A", "\n"), ("%25", "%")])
    return (String(head[0]), values, message)
  }

  @Test("the runner reads what was meant: escapes, levels, places from git's root")
  func roundTrip() throws {
    let lines = GitHubAnnotations.lines(ReportExamples.odd)
    let first = try #require(read(lines[0]))
    #expect(first.level == "error")
    #expect(first.values["file"] == "a b/da:ta, 1%/n\\xffme|`é`#1.csv")
    #expect(first.values["line"] == "1")
    #expect(first.values["title"] == "sub.dir/dvc.yaml:tr\"ain@0.1: dep-content")
    // A percent sign with an accent is one character, and CR LF is, too.
    #expect(Array(first.message.unicodeScalars).starts(with: Array(
      "\u{FFFD}[31mred\u{FFFD}[0m @octocat closes #1 <img src=x onerror=alert(1)> ]]> & \"a\" | `b` ::error::no\r\n"
        .unicodeScalars)))
    #expect(first.message.contains("%0A 100%\u{301} "))
    #expect(lines.allSatisfy { line in !line.unicodeScalars.contains { $0 == "\n" || $0 == "\r" || $0 == "\u{1B}" } })
  }

  @Test("the old form of a command, which is found anywhere in a line, is broken up")
  func oldForm() { #expect(GitHubAnnotations.lines(ReportExamples.odd).allSatisfy { !$0.contains("##[") }) }

  @Test("faults are errors; what is unknown and warnings are warnings; accepted and optional ones are not there")
  func levels() {
    let read = GitHubAnnotations.lines(ReportExamples.faults).compactMap(read)
    #expect(read.map(\.level) == ["error", "error", "error", "warning", "warning"])
    #expect(read.map { $0.values["file"] } == [
      "ml/dvc.yaml", "ml/params.yaml", "ml/params.yaml", "ml/dvc.yaml", "ml/dvc.lock",
    ])
  }

  @Test("an unknown verdict is an error; a clean one and an accepted one say nothing")
  func verdicts() {
    #expect(GitHubAnnotations.lines(ReportExamples.unknown).compactMap(read).map(\.level) == [
      "error", "warning", "warning",
    ])
    #expect(GitHubAnnotations.lines(ReportExamples.clean).isEmpty)
    #expect(GitHubAnnotations.lines(ReportExamples.accepted).isEmpty)
  }

  @Test("of more than ten of a level the tenth says how many more", arguments: [
    (10, "fault 10"), (11, "2 errors more"), (500, "491 errors more"),
  ])
  func most(count: Int, last: String) throws {
    let lines = GitHubAnnotations.lines(ReportExamples.many(count))
    #expect(lines.count == 10)
    #expect(try #require(read(lines[9])).message.hasPrefix(last))
  }

  @Test("a message has at most the 4,096 characters that the runner keeps, counted as it counts")
  func longMessages() throws {
    let line = GitHubAnnotations.lines(ReportExamples.many(1) { _ in String(repeating: "😀%\n", count: 3000) })[0]
    let message = try #require(read(line)).message
    #expect(message.utf16.count <= 4_096 && message.utf16.count > 4_000 && message.hasSuffix("…"))
  }

  @Test("a key without a value is left out")
  func empty() {
    let check = Check(.pipelineValid, .failed, message: "broken", at: ReportExamples.place(3))
    #expect(GitHubAnnotations.lines(Verification(checks: [check])) == [
      "::error file=dvc.yaml,line=3,title=pipeline-valid::broken"
    ])
  }
}

struct SARIFReportTests {
  private func run(_ bytes: [UInt8]) throws -> [String: Any] {
    #expect(String(validating: bytes, as: UTF8.self) != nil)
    let document = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    #expect(document["version"] as? String == "2.1.0")
    #expect(document["$schema"] as? String == "https://json.schemastore.org/sarif-2.1.0.json")
    return try #require((document["runs"] as? [[String: Any]])?.first)
  }

  private func results(_ bytes: [UInt8]) throws -> [[String: Any]] {
    try #require(try run(bytes)["results"] as? [[String: Any]])
  }

  private func results(_ verification: Verification) throws -> [[String: Any]] {
    try results(SARIFReport.bytes(verification))
  }

  @Test("a clean verdict has an empty list of results, not none")
  func clean() throws { #expect(try results(ReportExamples.clean).isEmpty) }

  @Test("faults are errors, unknowns warnings, failed warnings notes; an unknown verdict is an error")
  func levels() throws {
    #expect(try results(ReportExamples.faults).map { $0["level"] as? String } == [
      "error", "error", "error", "warning", "note", "note",
    ])
    let unknown = try results(ReportExamples.unknown)
    #expect(unknown.map { $0["level"] as? String } == ["error", "warning", "warning"])
    #expect(unknown[0]["ruleId"] as? String == "verdict")
    #expect(try results(ReportExamples.accepted).map { $0["level"] as? String } == ["note"])
  }

  @Test("what was accepted is suppressed, and nothing else is")
  func suppressions() throws {
    let suppressed = try results(ReportExamples.faults).compactMap { $0["suppressions"] as? [[String: String]] }
    #expect(suppressed == [
      [[
        "kind": "external", "status": "accepted",
        "justification": "accepted until 2026-12-31: until the new registry is there (#12)",
      ]]
    ])
  }

  @Test("what GitHub requires of a rule and the schema does not is there, and within its limits")
  func rules() throws {
    let tool = try #require(try run(SARIFReport.bytes(ReportExamples.odd))["tool"] as? [String: Any])
    let rules = try #require((tool["driver"] as? [String: Any])?["rules"] as? [[String: Any]])
    let wanted = CheckID.allCases.filter(\.isOfVerify).map(\.rawValue) + ["verdict"]
    #expect(rules.compactMap { $0["id"] as? String } == wanted)
    for rule in rules {
      for key in ["shortDescription", "fullDescription", "help"] {
        let text = try #require((rule[key] as? [String: String])?["text"])
        #expect(!text.isEmpty && text.count <= 1024)
      }
      #expect(try #require(rule["name"] as? String).count <= 255)
      #expect((rule["properties"] as? [String: Any])?["security-severity"] == nil)
    }
    for result in try results(ReportExamples.faults) + results(ReportExamples.unknown) {
      let index = try #require(result["ruleIndex"] as? Int)
      #expect(rules[index]["id"] as? String == result["ruleId"] as? String)
    }
  }

  @Test("an address is percent-encoded, counts from git's root and points at a line with all four ends")
  func places() throws {
    let odd = try results(ReportExamples.odd)
    let place = try #require((odd[0]["locations"] as? [[String: Any]])?[0]["physicalLocation"] as? [String: Any])
    #expect((place["artifactLocation"] as? [String: String])?["uri"]
      == "a%20b/da%3Ata%2C%201%25/n%FFme%7C%60%C3%A9%60%231.csv")
    #expect(place["region"] as? [String: Int] == ["startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2])
  }

  @Test("each level and each project of a repository is a category of its own")
  func category() throws {
    func id(_ verification: Verification) throws -> String? {
      (try run(SARIFReport.bytes(verification))["automationDetails"] as? [String: String])?["id"]
    }
    #expect(try id(ReportExamples.clean) == "cairn-verify/static/")
    #expect(try id(ReportExamples.unknown) == "cairn-verify/data/")
    #expect(try id(ReportExamples.faults) == "cairn-verify/static/ml/")
  }

  @Test("GitHub's fingerprint is 16 digits and a number, and no two are the same")
  func fingerprints() throws {
    let prints = try results(ReportExamples.many(300)).compactMap {
      ($0["partialFingerprints"] as? [String: String])?["primaryLocationLineHash"]
    }
    #expect(Set(prints).count == 300)
    #expect(prints.allSatisfy { $0.wholeMatch(of: /[0-9a-f]{16}:1/) != nil })
  }

  @Test("at most 25,000 results, the gravest, and a notification of how many were left out")
  func most() throws {
    var verification = ReportExamples.many(25_010)
    verification.checks[0].severity = .warning
    let run = try run(SARIFReport.bytes(verification))
    let results = try #require(run["results"] as? [[String: Any]])
    #expect(results.count == 25_000)
    #expect(results.allSatisfy { $0["level"] as? String == "error" })
    let invocation = try #require((run["invocations"] as? [[String: Any]])?.first)
    let notification = try #require((invocation["toolExecutionNotifications"] as? [[String: Any]])?.first)
    #expect((notification["message"] as? [String: String])?["text"]?.hasPrefix("10 results left out") == true)
  }

  @Test("at most 10 MB packed, also where nothing packs")
  func packed() throws {
    let source = try #require(FileHandle(forReadingAtPath: "/dev/urandom"))
    let noise = try #require(try source.read(upToCount: 18_000_000))
    let verification = ReportExamples.many(6_000) { number in
      noise[(number - 1) * 3_000..<number * 3_000].base64EncodedString()
    }
    let bytes = SARIFReport.bytes(verification)
    let count = try results(bytes).count
    #expect(count < 6_000 && count > 2_000)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("cairn-\(UUID().uuidString).sarif")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(bytes).write(to: file)
    let packed = try Command.run(["sh", "-c", "gzip -c \(file.path) | wc -c"], in: "/", environment: Command.clean())
    let size = try #require(Int(packed.output.trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(size <= 10_000_000 && size > 5_000_000)
  }
}
