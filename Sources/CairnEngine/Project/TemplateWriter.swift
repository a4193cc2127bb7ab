// Writes a template's files into a project, all of them or none. Knows nothing of what stands in them.
package import CairnCore
internal import CairnSystem

package struct TemplateWriter {
  package enum Outcome: Sendable {
    case written
    /// It was there, to the byte.
    case kept
  }

  private struct Step {
    var path: String
    var isExecutable: Bool
    var bytes: [UInt8]
    var outcome: Outcome
  }

  /// Absolute.
  package let folder: String
  private let steps: [Step]

  /// Looks at what is there, and writes nothing.
  ///
  /// - Parameters:
  ///   - project: the project's folder, absolute.
  ///   - usesGit: where the template belongs to the repository, its top is looked for.
  ///   - replaces: a file that is there and differs is replaced.
  /// - Throws: when a file is there and differs; when something other than a file or folder stands in its place.
  package init(
    _ template: ProjectTemplate, project: String, usesGit: Bool, replaces: Bool
  ) throws(Diagnostic) {
    var folder = project
    if case .repository = template.place, usesGit, let git = try GitRepository.find(from: project) {
      folder = git.workTree
    }
    self.folder = folder
    let name = Repository.relative(project, to: folder)
    var steps: [Step] = []
    var differing: [String] = []
    for file in template.files {
      let bytes = Array(template.text(of: file, project: name).utf8)
      let isThere = try Self.isFile(file.path, in: folder)
      var outcome = Outcome.written
      if isThere {
        if try Files.read(Repository.join(folder, file.path)) == bytes {
          outcome = .kept
        } else if !replaces {
          differing.append(file.path)
        }
      }
      steps.append(Step(path: file.path, isExecutable: file.isExecutable, bytes: bytes, outcome: outcome))
    }
    guard differing.isEmpty else { throw .filesDiffer(differing, template.name) }
    self.steps = steps
  }

  /// - Returns: what became of each file, by its path from `folder`.
  package func write() throws(Diagnostic) -> [(path: String, outcome: Outcome)] {
    for step in steps where step.outcome == .written {
      let path = Repository.join(folder, step.path)
      try Files.makeDirectories(Repository.parent(path))
      try AtomicFile.write(step.bytes, to: path, mode: step.isExecutable ? 0o777 : 0o666, sync: true)
    }
    return steps.map { ($0.path, $0.outcome) }
  }

  /// False when nothing is there.
  private static func isFile(_ path: String, in folder: String) throws(Diagnostic) -> Bool {
    let parts = path.split(separator: "/")
    for count in 1..<parts.count {
      let parent = parts.prefix(count).joined(separator: "/")
      guard let stat = try FileStat.of(Repository.join(folder, parent)) else {
        if Files.isDeadLink(Repository.join(folder, parent)) { throw .inTheWay(parent) }
        return false
      }
      guard stat.isDirectory else { throw .inTheWay(parent) }
    }
    guard let stat = try FileStat.of(Repository.join(folder, path)) else {
      if Files.isDeadLink(Repository.join(folder, path)) { throw .inTheWay(path) }
      return false
    }
    guard stat.isFile else { throw .inTheWay(path) }
    return true
  }
}

extension Diagnostic {
  fileprivate static func filesDiffer(_ paths: [String], _ template: String) -> Diagnostic {
    let names = paths.map { "'\($0)'" }.joined(separator: ", ")
    let (verb, them) = paths.count == 1 ? ("is", "it") : ("are", "them")
    return refusal(
      "\(names) \(verb) there already, and not as the template has \(them): nothing was written",
      hint: "move \(them) away, or let `cairn init --template \(template) --force` replace \(them)")
  }

  fileprivate static func inTheWay(_ path: String) -> Diagnostic {
    refusal("'\(path)' is in the way of the template: nothing was written")
  }

  private static func refusal(_ message: String, hint: String? = nil) -> Diagnostic {
    var diagnostic = Diagnostic(.projectTemplate, message, hint: hint)
    // As every refusal of `init`.
    diagnostic.exitCode = 1
    return diagnostic
  }
}
