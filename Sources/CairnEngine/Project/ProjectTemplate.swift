// The templates that `cairn init --template` knows: names, words and files. Knows nothing of the disk.
package import CairnCore

package struct ProjectTemplate: Sendable {
  package struct File: Sendable {
    /// From the folder that the template is written into.
    package var path: String
    package var isExecutable: Bool
    package var text: String
  }

  package enum Place: Sendable {
    /// The project's folder.
    case project
    /// The top of git's work tree, where CI systems look; the project's folder where there is no git. The line that
    /// begins with this text names the project's folder as seen from there.
    case repository(projectLine: String)
  }

  package var name: String
  /// What it is, for `--help`; no full stop.
  package var summary: String
  package var place: Place
  /// What is left to do by hand.
  package var nextStep: String
  package var files: [File] { Self.embedded[name] ?? [] }

  package static let all = [
    ProjectTemplate(
      name: "ci-check", summary: "`cairn verify` in GitHub Actions, GitLab CI, or any other by a shell script",
      place: .repository(projectLine: "project='.'"),
      nextStep: "set 'version', 'url' and 'sha256' at the top of ci/cairn-verify.sh; ci/cairn-verify.md has the rest"),
    ProjectTemplate(
      name: "dataset-lineage", summary: "prepare, train, evaluate, register: a model that leads back to its data",
      place: .project, nextStep: "`cairn add data/raw.csv`, then a remote for it; README.md has the rest"),
  ]

  /// - Throws: when there is none of that name; the message lists those that there are.
  package static func named(_ name: String) throws(Diagnostic) -> ProjectTemplate {
    if let found = all.first(where: { $0.name.hasSameBytes(as: name) }) { return found }
    throw .unknownTemplate(name)
  }

  /// The file's text for a project in the folder `project`, seen from where the template is written (`.`: there).
  func text(of file: File, project: String) -> String {
    guard case .repository(let line) = place, project != "." else { return file.text }
    let assignment = line.prefix { $0 != "=" } + "="
    let quoted = ShellQuoting.quote(project)
    return file.text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.hasPrefix(line) ? assignment + quoted + $0.dropFirst(line.count) : $0 }.joined(separator: "\n")
  }
}

extension Diagnostic.Code {
  package static let projectTemplate = Diagnostic.Code("project-template")
}

extension Diagnostic {
  fileprivate static func unknownTemplate(_ name: String) -> Diagnostic {
    let known = ProjectTemplate.all.map(\.name)
    var diagnostic = Diagnostic(
      .projectTemplate, "there is no template '\(name)' (there are: \(known.joined(separator: ", ")))",
      hint: Suggestion.hint(for: name, among: known))
    diagnostic.exitCode = 254
    return diagnostic
  }
}
