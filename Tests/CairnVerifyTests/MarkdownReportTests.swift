// Holds a pull request's comment to what is promised of it: plain words, limits, and no effect of what others named.
import CairnCore
import CairnEngine
import CairnTestSupport
import Foundation
import Testing

@testable import CairnVerify

private enum StoryExamples {
  static var story: PullRequestStory {
    var story = PullRequestStory(base: "main")
    story.wouldRun = [
      .init("train", because: "params.yaml: train.lr 0.1 → 0.003", isSure: true),
      .init("evaluate", because: "`train` runs, and its outputs may stay the same", isSure: false),
    ]
    story.params = [
      .init(file: "params.yaml", key: "train.lr", base: "0.1", head: "0.003"),
      .init(file: "params.yaml", key: "train.epochs", base: nil, head: "20"),
    ]
    story.metrics = [
      .init(file: "metrics.json", key: "accuracy", base: "0.9706", head: "0.9608", change: "-0.0098"),
      .init(file: "metrics.json", key: "recall.Chinstrap", base: "0.95", head: nil),
    ]
    story.nodes = [
      .init("prepare", .sound), .init("train", .stale), .init("evaluate", .may), .init("fetch@1", .unknown),
      .init("deploy", .faulty),
    ]
    story.edges = [.init(from: "prepare", to: "train"), .init(from: "train", to: "evaluate")]
    story.unknowns = ["plots.json is an output of the cache, and neither the cache nor a remote has it"]
    return story
  }

  /// A chain of so many stages, of which one is stale and all behind it may run.
  static func chain(_ count: Int, stale: Int) -> PullRequestStory {
    var story = PullRequestStory(base: "main")
    story.nodes = (1...count).map { .init("s\($0)", $0 < stale ? .sound : $0 == stale ? .stale : .may) }
    story.edges = (1..<count).map { .init(from: "s\($0)", to: "s\($0 + 1)") }
    return story
  }
}

struct MarkdownReportTests {
  @Test("the comment of each verdict is what its golden file says", arguments: ReportExamples.all.map(\.name))
  func golden(name: String) throws {
    let verification = try #require(ReportExamples.all.first { $0.name == name }).verification
    let page = MarkdownReport.text(verification, story: name == "faults" ? StoryExamples.story : nil)
    #expect(Golden.difference(page, from: "Verify/\(name).md") == nil)
  }

  @Test("the first line is the mark, and the verdict stands before everything else")
  func head() {
    for (verification, title) in [
      (ReportExamples.clean, "✅ Reproducible"), (ReportExamples.faults, "❌ Not reproducible"),
      (ReportExamples.unknown, "❔ Unknown"), (ReportExamples.accepted, "🟡 Accepted"),
    ] {
      let lines = MarkdownReport.text(verification).split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines[0] == "<!-- cairn-verify -->")
      #expect(lines[1] == "### " + title)
    }
  }

  /// What is left when code spans are taken away, as CommonMark finds them: what a renderer would obey.
  private func outsideCode(_ page: String) -> String {
    var out = ""
    for line in page.split(separator: "\n") {
      var rest = line
      while let start = rest.firstIndex(of: "`") {
        let fence = rest[start...].prefix { $0 == "`" }
        out += rest[..<start]
        var inner = rest[fence.endIndex...]
        rest = inner
        while let next = inner.firstIndex(of: "`") {
          let run = inner[next...].prefix { $0 == "`" }
          inner = inner[run.endIndex...]
          if run.count == fence.count { rest = inner; break }
        }
      }
      out += rest + "\n"
    }
    return out
  }

  @Test("a name or message of others calls nobody, links nowhere, formats nothing and opens nothing")
  func hostile() throws {
    var story = PullRequestStory(base: "<b>`x`@octocat")
    let bad = ReportExamples.oddMessage + " www.example.org GH-12 1234abcd [a](b) *b* ~~c~~ <!-- | --> ``` $`x`$ :+1:"
    story.wouldRun = [.init("a|b@octocat", because: bad, isSure: true)]
    story.params = [.init(file: "a|b\n<c>", key: bad, base: bad, head: "|")]
    story.nodes = [.init("x\"]; click n0 \"javascript:x\"`\n```</details>", .stale)]
    story.unknowns = [bad]
    let page = MarkdownReport.text(ReportExamples.odd, story: story)
    let plain = outsideCode(page)
    for word in ["@", "octocat", "<img", "<b>", "www.", "GH-12", "1234abcd", "](", "~~", "*b*", "<c>", ":+1:", "$",
      "\u{202E}", "\u{1B}", "#1 ", "javascript:x)"]
    {
      #expect(!plain.contains(word), "\(word)")
    }
    #expect(page.components(separatedBy: "```mermaid").count == 2)
    let label = "↻ x#34;#93;#59; click n0 #34;javascript:x#34;#96;#10;#96;#96;#96;#60;/details#62;"
    #expect(page.contains("n0[\"\(label)\"]"))
    // Bars of cells, less the escaped ones: as many as in the head of the table.
    for row in page.split(separator: "\n") where row.hasPrefix("| ") {
      let bars = row.replacing("\\|", with: "").count { $0 == "|" }
      #expect(bars == 4 || bars == 5, "\(row)")
    }
  }

  @Test("a sentence keeps its words and its code; what is more than a word becomes code", arguments: [
    ("params.yaml: train.lr is 0.003, the lock says 0.1", "`params.yaml`: `train.lr` is 0.003, the lock says 0.1"),
    ("run `cairn repro train` and commit dvc.lock", "run `cairn repro train` and commit `dvc.lock`"),
    ("thanks @ann, see #12", "thanks `@ann`, see `#12`"),
    ("`a``b` and ` alone", "```a``b``` and `` ` `` alone"),
    ("at src/train.py:12 (in 'train')", "at `src/train.py:12` (in 'train')"),
    ("a\nb  c", "a b c"),
    ("été → 12 %, 3×", "été → 12 %, 3×"),
    ("<b>x</b>", "`<b>x</b>`"),
    ("--base and -1", "`--base` and -1"),
    ("", ""),
  ])
  func prose(text: String, markdown: String) { #expect(MarkdownText.prose(text) == markdown) }

  @Test("the name that a sentence is about stays in one piece", arguments: [
    ("my data.csv is gone", "sub/my data.csv", "`my data.csv` is gone"), ("a b`c d is gone", "a b`c d", "``a b`c d`` is gone"),
    ("run `cat a b` on a b", "a b", "run `cat a b` on `a b`"), ("a.csv is gone", "a.csv", "`a.csv` is gone"),
  ])
  func about(text: String, path: String, markdown: String) {
    #expect(MarkdownText.prose(text, about: path) == markdown)
  }

  @Test("a code span shows what it was given", arguments: [
    ("a", "`a`"), ("`a`", "`` `a` ``"), ("a``b`c", "```a``b`c```"), ("", "`\"\"`"), ("a\r\nb", "`a ⏎ b`"),
    (" a", "`  a `"), ("a\u{1B}[0m\u{202E}", "`a\u{FFFD}[0m\u{FFFD}`"),
  ])
  func code(text: String, markdown: String) { #expect(MarkdownText.code(text) == markdown) }

  @Test("a page never has more than 65,536 bytes, closes what it opens, and says what is missing")
  func limit() {
    var verification = ReportExamples.many(200) { String(repeating: "päge ", count: 200) + "\($0)" }
    for index in 0..<80 {
      verification.checks[index].status = .unknown
      verification.checks[index + 100].severity = .warning
    }
    var story = StoryExamples.chain(300, stale: 200)
    story.params = (1...500).map { .init(file: "params.yaml", key: "key\($0)", base: "1", head: "2") }
    for limit in [65_536, 30_000, 9_000, 3_000] {
      let page = MarkdownReport.text(verification, story: story, limit: limit)
      #expect(page.utf8.count <= limit)
      #expect(page.components(separatedBy: "<details>").count == page.components(separatedBy: "</details>").count)
      #expect(page.components(separatedBy: "\n```").count % 2 == 1)
      #expect(page.contains("… and "))
    }
    let short = MarkdownReport.text(verification, story: story, limit: 9_000)
    #expect(short.contains("#### 40 errors") && short.contains("errors more."))
    #expect(short.contains("_Left out for want of room: "))
    #expect(short.contains("the graph"))
    #expect(MarkdownReport.text(verification, story: story).utf8.count > 60_000)
  }

  @Test("of more than 40 stages the ones that are not sound are drawn, and what is beside them; the rest is told")
  func graph() throws {
    let page = MarkdownReport.text(ReportExamples.clean, story: StoryExamples.chain(100, stale: 95))
    #expect(page.contains("[\"✓ s94\"]") && page.contains("[\"↻ s95\"]") && page.contains("[\"↻? s100\"]"))
    #expect(!page.contains("s93"))
    #expect(page.contains("Not drawn: 93 as locked."))
    let large = MarkdownReport.text(ReportExamples.clean, story: StoryExamples.chain(100, stale: 2))
    #expect(large.components(separatedBy: ":::").count == 41)
    #expect(large.contains("Not drawn: 1 as locked, 59 may run."))
    // Nothing to see: no drawing.
    #expect(!MarkdownReport.text(ReportExamples.clean, story: StoryExamples.chain(100, stale: 101)).contains("mermaid"))
  }
}

struct ReportFileTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("cairn-\(UUID().uuidString)").path

  private func read(_ path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test("a report replaces the file; a page is added to the summary of a job, and to nothing else")
  func replaces() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/report.md"
    for text in ["one\n", "two\n"] { try ReportFile.write(Array(text.utf8), to: path) }
    #expect(read(path) == "two\n")
    try ReportFile.write(markdown: "three\n", to: path, summary: path)
    #expect(read(path) == "two\nthree\n")
    try ReportFile.write(markdown: "four\n", to: path, summary: nil)
    #expect(read(path) == "four\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["report.md"])
  }

  @Test("what is no file is written to and not replaced")
  func devices() throws {
    try ReportFile.write([0x41], to: "/dev/null")
    let type = try FileManager.default.attributesOfItem(atPath: "/dev/null")[.type] as? FileAttributeType
    #expect(type == .typeCharacterSpecial)
  }

  @Test("a report is not written in place of a pipeline's file", arguments: ["dvc.yaml", "data/raw.csv.dvc", "./dvc.lock"])
  func pipelineFiles(path: String) throws {
    let repository = Repository(root: folder, workingDirectory: folder)
    let error = try #require(throws: Diagnostic.self) { try ReportPlaces.check([path], in: repository, nil) }
    #expect(error.fullMessage == "cannot write the report '\(path)': it would replace a file of the project's")
  }

  @Test("a file that cannot be written is named, with the cause", arguments: ["/no/such/folder/r.xml", "/proc"])
  func unwritable(path: String) throws {
    let error = try #require(throws: Diagnostic.self) { try ReportFile.write([], to: path) }
    #expect(error.code == .report)
    #expect(error.fullMessage.hasPrefix("cannot write the report '\(path)': [Errno "))
    #expect(throws: Diagnostic.self) { try ReportFile.write(markdown: "", to: path, summary: path) }
  }
}
