// A verification, and what a pull request changes, as the comment under it. Knows nothing of how comments are posted.
import CairnCore

package enum MarkdownReport {
  /// Posting scripts find the last comment by it and replace that.
  package static let mark = "<!-- cairn-verify -->"
  /// Bytes that GitHub takes for a comment whatever they are.
  private static let largest = 65_536

  /// The verdict first, then faults, unknowns, what would run, metrics and parameters beside the base, the graph,
  /// warnings, what was accepted.
  ///
  /// At most 65,536 bytes. Long sections say how many they left out, and the last line what is missing as a whole;
  /// every fence and `<details>` is closed. Text from the repository can call nobody, link nowhere and format nothing.
  ///
  /// - Source: GitHub Flavored Markdown; GitHub's limit for comments.
  package static func text(_ verification: Verification, story: PullRequestStory? = nil) -> String {
    text(verification, story: story, limit: largest)
  }

  static func text(_ verification: Verification, story: PullRequestStory?, limit: Int) -> String {
    let story = story ?? PullRequestStory()
    let entries = ReportEntry.all(of: verification)
    let sections = [
      checks(entries, .fault, "error", folded: false),
      checks(entries, .open, "check that could not be made", many: "checks that could not be made", folded: false),
      unknowns(story),
      reruns(story),
      values(story.metrics, "metric", story),
      values(story.params, "parameter", story),
      graph(story),
      checks(entries, .warning, "warning", folded: true),
      checks(entries, .accepted, "accepted fault", folded: true),
    ].compactMap(\.self)
    var page = MarkdownPage(head: head(verification, story), limit: limit)
    for section in sections { page.add(section) }
    return page.text
  }

  // MARK: The verdict

  private static func head(_ verification: Verification, _ story: PullRequestStory) -> [String] {
    var facts = ["level `\(verification.level.rawValue)`"]
    facts.append(verification.revision.map { "commit \(MarkdownText.code(short($0)))" } ?? "the work tree")
    if let base = story.base ?? verification.base.map(short) { facts.append("base \(MarkdownText.code(base))") }
    return [
      mark, "### " + title(verification.verdict), "", meaning(verification) + " " + counts(verification.summary) + ".",
      "", "<sub>" + facts.joined(separator: " · ") + "</sub>", "",
    ]
  }

  private static func title(_ verdict: Verdict) -> String {
    switch verdict {
    case .reproducible: "✅ Reproducible"
    case .accepted: "🟡 Accepted"
    case .unknown: "❔ Unknown"
    case .notReproducible: "❌ Not reproducible"
    }
  }

  private static func meaning(_ verification: Verification) -> String {
    switch verification.verdict {
    case .reproducible: "As far as this level looks, what is committed is what the pipeline makes."
    case .accepted:
      verification.countsNewOnly ? "No fault that the base does not have." : "No faults but those that were accepted."
    case .unknown: "Nobody can say: some checks could not be made, and what was not checked is no pass."
    case .notReproducible: "What is committed is not what the pipeline makes."
    }
  }

  private static func counts(_ summary: Verification.Summary) -> String {
    var parts: [String] = []
    if summary.failed > 0 { parts.append("**\(ReportText.count(summary.failed, "error"))**") }
    if summary.unknown > 0 { parts.append("**\(summary.unknown) unknown**") }
    if summary.warnings > 0 { parts.append(ReportText.count(summary.warnings, "warning")) }
    if summary.accepted > 0 { parts.append("\(summary.accepted) accepted") }
    return (parts + ["\(summary.passed) passed"]).joined(separator: ", ")
  }

  /// Of a commit, so many digits that people take it for one.
  private static func short(_ revision: String) -> String {
    revision.utf8.count == 40 && revision.utf8.allSatisfy { Hex.value(of: $0) != nil }
      ? String(revision.prefix(10)) : revision
  }

  // MARK: The checks

  private static func checks(
    _ entries: [ReportEntry], _ standing: ReportEntry.Standing, _ noun: String, many: String? = nil, folded: Bool
  ) -> MarkdownSection? {
    let those = entries.filter { $0.standing == standing }
    if those.isEmpty { return nil }
    return MarkdownSection(
      noun, many: many, items: those.map(item), most: folded ? 30 : 50, isFolded: folded)
  }

  private static func item(_ entry: ReportEntry) -> [String] {
    let name = entry.stage.map { "**\(MarkdownText.code($0))**: " } ?? ""
    var lines = ["- \(name)\(MarkdownText.prose(entry.message, about: entry.path))"]
    lines[0] += " (`\(entry.id)` at \(MarkdownText.code("\(entry.place):\(entry.line)")))"
    switch (entry.was, entry.now) {
    case (let was?, let now?) where was.utf8.count + now.utf8.count < 60:
      lines[0] += ": \(MarkdownText.code(was)) → \(MarkdownText.code(now))"
    default:
      if let was = entry.was { lines.append("  - was \(MarkdownText.code(was))") }
      if let now = entry.now { lines.append("  - now \(MarkdownText.code(now))") }
    }
    if let acceptance = entry.acceptance { lines.append("  - \(MarkdownText.prose(acceptance))") }
    if let hint = entry.hint { lines.append("  - next: \(MarkdownText.prose(hint))") }
    return lines
  }

  // MARK: The story

  private static func unknowns(_ story: PullRequestStory) -> MarkdownSection? {
    if story.unknowns.isEmpty { return nil }
    return MarkdownSection(
      "comparison that could not be made", many: "comparisons that could not be made",
      items: story.unknowns.map { ["- " + MarkdownText.prose(ReportText.valid($0))] }, most: 20)
  }

  private static func reruns(_ story: PullRequestStory) -> MarkdownSection? {
    if story.wouldRun.isEmpty { return nil }
    let rows = story.wouldRun.map { rerun in
      row([
        MarkdownText.code(ReportText.valid(rerun.stage)), rerun.isSure ? "runs" : "may run",
        MarkdownText.prose(ReportText.valid(rerun.reason)),
      ])
    }
    return MarkdownSection(
      "stage that would or may run", many: "stages that would or may run",
      head: table(["stage", "", "because"]), items: rows, most: 50)
  }

  private static func values(_ rows: [PullRequestStory.ValueRow], _ noun: String, _ story: PullRequestStory)
    -> MarkdownSection?
  {
    if rows.isEmpty { return nil }
    let hasChange = rows.contains { $0.change != nil }
    let shown = { (text: String?) in text.map { MarkdownText.code(ReportText.valid($0)) } ?? "–" }
    let base = story.base.map { MarkdownText.code(ReportText.valid($0)) } ?? "base"
    return MarkdownSection(
      noun, head: table(["file", noun, base, "here"] + (hasChange ? ["change"] : [])),
      items: rows.map { one in
        let key = one.key.isEmpty ? "" : MarkdownText.code(ReportText.valid(one.key))
        return row(
          [MarkdownText.code(ReportText.valid(one.file)), key, shown(one.base), shown(one.head)]
            + (hasChange ? [shown(one.change)] : []))
      }, most: 100)
  }

  private static func graph(_ story: PullRequestStory) -> MarkdownSection? {
    guard let graph = MermaidGraph(story) else { return nil }
    var lines = ["```mermaid"] + graph.lines + ["```", legend(story)]
    var missing = graph.leftOut.map { "\($0.count) \(words($0.state))" }
    if graph.edgesLeftOut > 0 { missing.append(ReportText.count(graph.edgesLeftOut, "arrow")) }
    if !missing.isEmpty { lines += ["", "Not drawn: " + missing.joined(separator: ", ") + "."] }
    return MarkdownSection("graph", many: "graph", items: [lines], most: 1, isFolded: true, isCounted: false)
  }

  private static func legend(_ story: PullRequestStory) -> String {
    PullRequestStory.State.allCases.filter { state in story.nodes.contains { $0.state == state } }
      .map { "\(MermaidGraph.mark($0)) \(words($0))" }.joined(separator: " · ")
  }

  private static func words(_ state: PullRequestStory.State) -> String {
    switch state {
    case .sound: "as locked"
    case .stale: "would run"
    case .may: "may run"
    case .faulty: "has a fault"
    case .unknown: "unknown"
    }
  }

  private static func table(_ titles: [String]) -> [String] {
    row(titles) + ["|" + String(repeating: "---|", count: titles.count)]
  }

  private static func row(_ cells: [String]) -> [String] {
    ["| " + cells.map(MarkdownText.cell).joined(separator: " | ") + " |"]
  }
}
