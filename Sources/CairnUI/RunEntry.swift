// One run in full, as a part of the page. Knows its record; of other runs only what they are called.
import CairnCore
import CairnFormats
import CairnLineage
import CairnSystem

struct RunEntry {
  let id: RunID
  let record: RunRecord
  let page: LineagePage

  func write(to html: inout HTMLWriter) {
    html.raw("<article id=\"\(LineageMap.anchor(.run(id)))\" data-row><h3>")
    html.name(record.stage.address)
    html.raw(" ")
    page.result(record, &html)
    html.raw("</h3>\n<dl class=\"facts\">")
    facts(&html)
    html.raw("</dl>\n<pre class=\"cmd\"><code>")
    html.lines(record.stage.cmd.joined(separator: "\n"))
    html.raw("</code></pre>\n")
    files(&html)
    html.raw("<div class=\"pair\">")
    values("Parameters", record.params.flatMap { file, values in
      RunRecord.leaves(of: values).map { (file + ":" + $0, $1) }
    }, &html)
    values("Metrics", record.metricLeaves, &html)
    values("Variables", record.execution.env.map { ($0, $1.map { .string($0) } ?? "not set") }, &html)
    values("Resources", record.execution.resources.filter { $0.value.isTruthy }.map { ($0.key.scalarText, $0.value) }, &html)
    values("Said by the command, not observed", record.claims.map { ($0.scalarText, $1) }, &html)
    html.raw("</div></article>\n")
  }

  private func facts(_ html: inout HTMLWriter) {
    let execution = record.execution
    page.row("Run", &html) { $0.name(id.hex, class: "mono") }
    if let error = record.error {
      page.row("Error", &html) { html in
        html.name(error.code, class: "mono")
        html.raw(" ")
        html.text(error.message)
      }
    }
    page.row("Started", &html) { $0.raw(page.time(execution.started)) }
    page.row("Finished", &html) { html in
      html.raw(execution.finished.map { page.time($0) } ?? "not seen")
      if execution.finished != nil {
        html.raw(" <span class=\"muted\">after ")
        html.text(page.duration(record))
        html.raw("</span>")
      }
    }
    if let exit = execution.exit { page.row("Exit code", &html) { $0.text(String(exit)) } }
    page.row("By", &html) { html in
      html.name(record.actor.name)
      html.raw(" on ")
      html.name(record.actor.host)
    }
    page.row("Commit", &html) { commit(&$0) }
    if !record.source.changed.isEmpty {
      page.row("Uncommitted", &html) { html in
        for (number, change) in record.source.changed.enumerated() {
          if number > 0 { html.raw(", ") }
          html.name(change.key, class: "mono")
          if change.value == nil { html.raw(" (deleted)") }
        }
      }
    }
    if !record.reasons.isEmpty {
      page.row("Ran because", &html) { html in
        for (number, reason) in record.reasons.enumerated() {
          if number > 0 { html.raw("<br>") }
          html.text(Self.words(reason))
        }
      }
    }
    if let source = record.restoredFrom { page.row("From the cache", &html) { html in
      html.raw("made by ")
      page.runLink(source, &html)
    } }
    if let accepted = record.accepts { page.row("Accepts", &html) { page.runLink(accepted, &$0) } }
    if execution.attempt > 1 { page.row("Attempt", &html) { $0.text(String(execution.attempt)) } }
    page.row("Log", &html) { html in
      guard let log = record.log else { return html.text("none") }
      html.name(log.sha256.hex, class: "mono")
      html.text(" " + LineagePage.size(log.size) + (log.dropped > 0 ? ", \(log.dropped) bytes left out" : ""))
    }
    hash("Patch", record.source.patch, &html)
    hash("Environment", record.environment, &html)
    page.row("Machine", &html) { html in
      html.text(execution.os + " · cairn " + execution.cairn)
      if let seconds = execution.cpuSeconds { html.text(" · " + AmountText.duration(seconds) + " of processor") }
      if let memory = execution.peakMemory { html.text(" · " + (AmountText.size(memory) ?? "") + " of memory") }
    }
    page.row("Invocation", &html) { $0.name(record.invocation, class: "mono") }
  }

  private func commit(_ html: inout HTMLWriter) {
    let source = record.source
    guard let commit = source.commit else { return html.text("none") }
    html.name(commit, class: "mono")
    if let branch = source.branch {
      html.raw(" on ")
      html.name(branch)
    }
    if let repository = source.repository {
      html.raw(" of ")
      html.name(GitRepository.withoutCredentials(repository), class: "mono")
    }
    switch source.isDirty {
    case true?: html.raw(" <span class=\"tag warn\">with uncommitted changes</span>")
    case false?: html.raw(" <span class=\"muted\">clean</span>")
    case nil: html.raw(" <span class=\"tag warn\">git did not say whether it was clean</span>")
    }
  }

  private func hash(_ name: String, _ digest: Digest32?, _ html: inout HTMLWriter) {
    guard let digest else { return }
    page.row(name, &html) { $0.name(digest.hex, class: "mono") }
  }

  /// `dependency-changed data/raw.csv`, `parameter-changed params.yaml train.lr 0.1 → 0.01`.
  private static func words(_ reason: Value) -> String {
    var parts = ["kind", "path", "key", "stage"].compactMap { reason[$0]?.string }
    if let was = reason["was"], let now = reason["now"], was.map == nil, now.map == nil {
      parts.append(was.scalarText + " → " + now.scalarText)
    }
    return parts.joined(separator: " ")
  }

  // MARK: Tables

  private func files(_ html: inout HTMLWriter) {
    let repository = record.source.repository ?? ""
    html.raw("<div class=\"scroll\"><table class=\"files\"><thead><tr><th scope=\"col\"><th scope=\"col\">Path<th scope=\"col\">Size<th scope=\"col\">MD5<th scope=\"col\">From</tr></thead><tbody>\n")
    for input in record.inputs {
      html.raw("<tr><td class=\"muted\">\(input.role == "params" ? "params" : "in")<td>")
      page.artifactLink(LineageArtifact(input, repository: repository).id, input.path, &html)
      html.raw("<td class=\"num\">")
      html.text(AmountText.size(input.size) ?? "—")
      html.raw("<td class=\"hash\">")
      html.name(input.md5 ?? "—", class: "mono")
      html.raw("<td>")
      from(input, &html)
      html.raw("</tr>\n")
    }
    for output in record.outputs {
      html.raw("<tr><td class=\"muted\">\(Self.role(output.role))<td>")
      page.artifactLink(LineageArtifact(output, repository: repository).id, output.path, &html)
      html.raw("<td class=\"num\">")
      html.text(AmountText.size(output.size) ?? "—")
      html.raw("<td class=\"hash\">")
      html.name(output.md5 ?? "—", class: "mono")
      html.raw("<td>")
      html.text(output.annotations["type"]?.string.map { "type: " + $0 } ?? "")
      html.raw("</tr>\n")
    }
    html.raw("</tbody></table></div>\n")
  }

  private static func role(_ role: String) -> String { role == "metric" ? "metric" : role == "plot" ? "plot" : "out" }

  private func from(_ input: RunRecord.Input, _ html: inout HTMLWriter) {
    if let producer = input.producer { return page.runLink(producer, &html) }
    switch input.origin.kind {
    case .git: html.text("git")
    case .stage: html.text("a stage, run not recorded")
    case .dvcFile: html.text("data tracked by a .dvc file")
    case .import, .importURL:
      html.raw("imported from ")
      html.name((input.origin.url ?? input.origin.repository).map(GitRepository.withoutCredentials) ?? "elsewhere", class: "mono")
      if let rev = input.origin.rev { html.text(" @ " + rev) }
    case .none: html.text("not known")
    }
    if !input.appeared.isEmpty { html.text("; \(input.appeared.count) files appeared meanwhile") }
  }

  private func values(_ title: String, _ leaves: [(String, Value)], _ html: inout HTMLWriter) {
    if leaves.isEmpty { return }
    html.raw("<table class=\"values\"><caption>\(title)</caption><tbody>")
    for (name, value) in leaves {
      html.raw("<tr><th scope=\"row\">")
      html.name(name, class: "mono")
      html.raw("<td>")
      html.name(value.scalarText, class: "mono")
      html.raw("</tr>")
    }
    html.raw("</tbody></table>\n")
  }
}
