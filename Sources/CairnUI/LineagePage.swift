// One self-contained page that tells a lineage to an auditor: the graph, each run in full, each file, what is unknown.
// Knows the map of a graph; loads nothing, asks nobody, and is complete without its script.
package import CairnCore
import CairnFormats
import CairnLineage
import CairnSystem

/// Bytes of UTF-8. The same graph and moment give the same page.
package struct LineagePage {
  private let map: LineageMap
  private let subject: String
  private let isDown: Bool
  private let written: Nanoseconds
  private let version: String

  /// - Parameters:
  ///   - subject: what was asked for.
  ///   - isDown: the graph was walked down: what the subject touched.
  ///   - written: when the page is made.
  package init(
    _ graph: LineageGraph, of subject: String, isDown: Bool, written: Nanoseconds, version: String = CairnVersion.current
  ) {
    map = LineageMap(graph)
    self.subject = subject
    self.isDown = isDown
    self.written = written
    self.version = version
  }

  package var bytes: [UInt8] {
    var html = HTMLWriter()
    let title = isDown ? "What \(HTMLWriter.visible(subject)) touched" : "Lineage of \(HTMLWriter.visible(subject))"
    head(title, &html)
    html.raw("<body>\n<a class=\"skip\" href=\"#runs\">Skip the graph</a>\n<header>\n<h1>")
    html.raw(isDown ? "What " : "Lineage of ")
    html.name(subject)
    html.raw(isDown ? " touched" : "")
    html.raw("</h1>\n<p class=\"muted\">Written \(time(written)) by cairn ")
    html.text(version)
    html.raw(" from recorded runs. \(isDown ? "Downstream: every run that used it, and what they made." : "Upstream: every run, file and commit behind it.")</p>\n")
    summary(&html)
    html.raw("</header>\n<main>\n")
    roots(&html)
    unknown(&html)
    graph(&html)
    runs(&html)
    files(&html)
    sources(&html)
    models(&html)
    html.raw("</main>\n<script>")
    html.raw(Self.script)
    html.raw("</script>\n</body>\n</html>\n")
    return html.bytes
  }

  /// The policy names the two texts of ours by their hashes: whatever else got in would not be obeyed, and nothing is
  /// fetched from anywhere.
  private func head(_ title: String, _ html: inout HTMLWriter) {
    func hash(_ text: String) -> String { "'sha256-" + PageHash.base64(Array(text.utf8)) + "'" }
    html.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
    html.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \(hash(Self.style)); script-src \(hash(Self.script)); base-uri 'none'; form-action 'none'\">\n")
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>")
    html.text(title)
    html.raw("</title>\n<style>")
    html.raw(Self.style)
    html.raw("</style>\n</head>\n")
  }

  // MARK: The top

  private func summary(_ html: inout HTMLWriter) {
    let unknown = map.graph.unknown.count
    html.raw("<ul class=\"counts\">")
    for (number, word) in [
      (map.runs.count, "run"), (map.artifacts.count, "file version"), (map.models.count, "registered model"),
      (map.commits.count, "commit"),
      (map.externals.count, "place outside"),
    ] where number > 0 {
      html.raw("<li><b>\(number)</b> \(number == 1 ? word : word == "place outside" ? "places outside" : word + "s")</li>")
    }
    html.raw(unknown == 0 ? "<li class=\"good\">nothing unknown</li>" : "<li class=\"warn\"><b>\(unknown)</b> unknown</li>")
    html.raw("</ul>\n")
  }

  private func roots(_ html: inout HTMLWriter) {
    for root in map.graph.roots {
      html.raw("<section class=\"card\" aria-label=\"Subject\"><dl class=\"facts\">")
      switch map.graph.nodes[root] {
      case .artifact(let artifact):
        row("Path", &html) { $0.name(artifact.path, class: "mono") }
        row("Size", &html) { $0.text(Self.size(artifact.size)) }
        row("MD5", &html) { $0.name(artifact.md5 ?? "not known", class: "mono") }
        row("SHA-256", &html) { $0.name(artifact.sha256?.hex ?? "not recorded", class: "mono") }
        if !artifact.repository.isEmpty {
          row("Repository", &html) { $0.name(GitRepository.withoutCredentials(artifact.repository), class: "mono") }
        }
        row("Made by", &html) { html in runLinks(map.makers(of: root), "no run that is recorded", &html) }
      case .run(let record):
        row("Run", &html) { html in
          if case .run(let run) = root { link("#" + LineageMap.anchor(root), run.hex, &html) }
        }
        row("Stage", &html) { $0.name(record.stage.address, class: "mono") }
        row("Result", &html) { result(record, &$0) }
      case .model(let model):
        row("Model", &html) { $0.name(model.text, class: "mono") }
        facts(model, &html)
      case .commit, .external, nil:
        row("Subject", &html) { $0.name(root.description, class: "mono") }
      }
      row("Id", &html) { $0.name(root.description, class: "mono") }
      html.raw("</dl></section>\n")
    }
  }

  private func unknown(_ html: inout HTMLWriter) {
    html.raw("<section id=\"unknown\"><h2>What is not known</h2>\n")
    if map.graph.unknown.isEmpty {
      html.raw("<p>Nothing: every file here is the output of a recorded run, or is told where it came from.</p></section>\n")
      return
    }
    html.raw("<ul class=\"unknowns\">\n")
    for entry in map.graph.unknown {
      // No search hides these.
      html.raw("<li><b>")
      html.text(LineageMap.word(entry.what))
      html.raw("</b> ")
      if map.graph.nodes[entry.node] != nil {
        link("#" + LineageMap.anchor(entry.node), map.name(entry.node), &html)
      } else {
        html.name(entry.node.bare, class: "mono")
      }
      html.raw(" <span class=\"muted\">")
      html.text(LineageMap.sentence(entry.what))
      html.raw("</span></li>\n")
    }
    html.raw("</ul></section>\n")
  }

  private func graph(_ html: inout HTMLWriter) {
    html.raw("<section aria-labelledby=\"graph-head\"><h2 id=\"graph-head\">Graph</h2>\n<div class=\"tools\" role=\"search\"><label>Search <input id=\"q\" type=\"search\" autocomplete=\"off\" placeholder=\"path, stage, hash, commit\"></label>\n<fieldset><legend>Show</legend>")
    for kind in LineageMap.Kind.allCases where map.boxes.contains(where: { $0.kind == kind }) {
      html.raw("<label><input type=\"checkbox\" name=\"kind\" value=\"\(kind.rawValue)\" checked><i class=\"key \(kind.rawValue)\"></i>\(kind.words)</label>")
    }
    html.raw("</fieldset>\n<span class=\"zoom\"><button type=\"button\" id=\"out\" aria-label=\"Zoom out\">−</button><button type=\"button\" id=\"in\" aria-label=\"Zoom in\">+</button><button type=\"button\" id=\"fit\">Fit</button></span>\n<output id=\"hits\" aria-live=\"polite\"></output></div>\n<div id=\"view\" tabindex=\"0\" aria-label=\"Graph; arrow keys move it, plus and minus zoom, 0 fits it\">\n")
    LineageDrawing(map).write(to: &html)
    html.raw("</div>\n<p class=\"muted hint\">Drag to move, Ctrl and wheel to zoom; a box leads to its entry below.</p></section>\n")
  }

  // MARK: Runs

  private func runs(_ html: inout HTMLWriter) {
    html.raw("<section id=\"runs\"><h2>Runs</h2>\n")
    if map.runs.isEmpty {
      html.raw("<p>No recorded run.</p></section>\n")
      return
    }
    html.raw("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Stage<th scope=\"col\">Run<th scope=\"col\">Result<th scope=\"col\">Started (UTC)<th scope=\"col\">Took<th scope=\"col\">By<th scope=\"col\">Commit</tr></thead><tbody>\n")
    for (id, record) in map.runs {
      html.raw("<tr data-row><td>")
      html.name(record.stage.address, class: "mono")
      html.raw("<td>")
      link("#" + LineageMap.anchor(.run(id)), String(id.hex.prefix(12)), &html)
      html.raw("<td>")
      result(record, &html)
      html.raw("<td class=\"num\">\(PageTime.second(record.execution.started).prefix(19))<td class=\"num\">")
      html.text(duration(record))
      html.raw("<td>")
      html.name(record.actor.name + "@" + record.actor.host)
      html.raw("<td>")
      html.name(record.source.commit.map { String($0.prefix(10)) } ?? "—", class: "mono")
      if record.source.isDirty == true { html.raw(" <span class=\"tag warn\">uncommitted</span>") }
      html.raw("</tr>\n")
    }
    html.raw("</tbody></table></div>\n")
    for (id, record) in map.runs { RunEntry(id: id, record: record, page: self).write(to: &html) }
    html.raw("</section>\n")
  }

  // MARK: Files and sources

  private func files(_ html: inout HTMLWriter) {
    html.raw("<section id=\"files\"><h2>Files</h2>\n<p class=\"muted\">Each is one version at one place. What only shares its bytes is no relative.</p>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Path<th scope=\"col\">Size<th scope=\"col\">MD5, SHA-256<th scope=\"col\">Made by<th scope=\"col\">Read by</tr></thead><tbody>\n")
    for (id, artifact) in map.artifacts {
      html.raw("<tr data-row id=\"\(LineageMap.anchor(id))\"><td>")
      html.name(artifact.path, class: "mono")
      html.raw("<td class=\"num\">")
      html.text(AmountText.size(artifact.size) ?? "—")
      html.raw("<td class=\"hash\">")
      html.name(artifact.md5 ?? "—", class: "mono")
      html.raw("<br>")
      html.name(artifact.sha256?.hex ?? "—", class: "mono")
      html.raw("<td>")
      runLinks(map.makers(of: id), "—", &html)
      html.raw("<td>")
      runLinks(map.readers(of: id), "—", &html)
      html.raw("</tr>\n")
    }
    html.raw("</tbody></table></div></section>\n")
  }

  private func models(_ html: inout HTMLWriter) {
    if map.models.isEmpty { return }
    html.raw("<section><h2>Registered models</h2>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Model<th scope=\"col\">Aliases<th scope=\"col\">Is<th scope=\"col\">Made by<th scope=\"col\">Registry and source</tr></thead><tbody>\n")
    for model in map.models {
      html.raw("<tr data-row id=\"\(LineageMap.anchor(model.id))\"><td>")
      html.name(model.text, class: "mono")
      html.raw("<td>")
      html.name(model.aliases.isEmpty ? "—" : model.aliases.map { "@" + $0 }.joined(separator: ", "))
      html.raw("<td>")
      artifactLink(map.graph.artifact(behind: model.id), model.path, &html)
      html.raw("<td>")
      runLink(model.run, &html)
      html.raw("<td class=\"hash\">")
      html.name(model.server, class: "mono")
      html.raw("<br>")
      html.name(GitRepository.withoutCredentials(model.source), class: "mono")
      html.raw("</tr>\n")
    }
    html.raw("</tbody></table></div></section>\n")
  }

  private func facts(_ model: RegisteredModel, _ html: inout HTMLWriter) {
    row("Is", &html) { artifactLink(map.graph.artifact(behind: model.id), model.path, &$0) }
    row("Made by", &html) { runLink(model.run, &$0) }
    if !model.aliases.isEmpty { row("Aliases", &html) { $0.name(model.aliases.map { "@" + $0 }.joined(separator: ", ")) } }
    row("Registry", &html) { $0.name(model.server, class: "mono") }
  }

  private func sources(_ html: inout HTMLWriter) {
    guard !map.commits.isEmpty || !map.externals.isEmpty else { return }
    html.raw("<section><h2>Where it comes from</h2>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Kind<th scope=\"col\">Name<th scope=\"col\">Of</tr></thead><tbody id=\"outside\">\n")
    for (commit, repository) in map.commits {
      html.raw("<tr data-row id=\"\(LineageMap.anchor(.commit(commit)))\"><td>commit<td>")
      html.name(commit, class: "mono")
      html.raw("<td>")
      html.name(repository.map(GitRepository.withoutCredentials) ?? "—", class: "mono")
      html.raw("</tr>\n")
    }
    for id in map.externals {
      html.raw("<tr data-row><td>imported from<td>")
      html.name(LineageMap.address(id), class: "mono")
      html.raw("<td>—</tr>\n")
    }
    html.raw("</tbody></table></div></section>\n")
  }

  // MARK: Parts

  func row(_ name: String, _ html: inout HTMLWriter, _ write: (inout HTMLWriter) -> Void) {
    html.raw("<dt>\(name)</dt><dd>")
    write(&html)
    html.raw("</dd>")
  }

  func link(_ target: String, _ text: String, _ html: inout HTMLWriter) {
    html.raw("<a class=\"mono\"")
    html.attribute("href", target)
    html.raw(">")
    html.name(text)
    html.raw("</a>")
  }

  func runLinks(_ runs: [RunID], _ otherwise: String, _ html: inout HTMLWriter) {
    if runs.isEmpty { html.text(otherwise) }
    for (number, run) in runs.enumerated() {
      if number > 0 { html.raw(", ") }
      runLink(run, &html)
    }
  }

  /// Stage and first digits; of a run that is not on the page its digits alone.
  func runLink(_ run: RunID, _ html: inout HTMLWriter) {
    guard let record = map.record(run) else { return html.name(String(run.hex.prefix(12)), class: "mono") }
    link("#" + LineageMap.anchor(.run(run)), record.stage.address + " " + run.hex.prefix(6), &html)
  }

  func artifactLink(_ artifact: LineageNodeID, _ path: String, _ html: inout HTMLWriter) {
    if map.holds(artifact) { link("#" + LineageMap.anchor(artifact), path, &html) } else { html.name(path, class: "mono") }
  }

  func result(_ record: RunRecord, _ html: inout HTMLWriter) {
    html.raw("<span class=\"tag \(LineageMap.state(record.result))\">\(LineageMap.word(record.result))</span>")
    if record.reconstructed != nil { html.raw(" <span class=\"tag cached\">reconstructed from git, not observed</span>") }
  }

  func time(_ moment: Nanoseconds) -> String {
    "<time datetime=\"\(Timestamp.text(moment))\">\(PageTime.second(moment))</time>"
  }

  func duration(_ record: RunRecord) -> String {
    record.execution.finished.map { AmountText.duration(Double($0 - record.execution.started) / 1e9) } ?? "—"
  }

  /// Rounded, and exact behind it.
  static func size(_ bytes: UInt64?) -> String {
    guard let bytes else { return "not known" }
    return bytes < 1000 ? "\(bytes) bytes" : "\(AmountText.size(bytes) ?? "") (\(bytes) bytes)"
  }
}
