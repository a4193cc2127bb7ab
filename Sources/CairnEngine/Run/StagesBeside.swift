// What stages that run beside one another do to each other's files without saying so. Looks when a command has failed and
// when the run is over; prevents nothing.
package import CairnCore
import CairnStore
import CairnSystem
import Synchronization

package final class StagesBeside: Sendable {
  private struct Made {
    var stage: StageID
    var contents: [Content]
  }

  private struct Span {
    var stage: StageID
    var from: Nanoseconds
    var to: Nanoseconds
  }

  private struct State {
    var made: [Made] = []
    var spans: [Span] = []
  }

  private let state = Mutex(State())
  /// How far a file's time stamp may lie beside the clock that commands are timed by.
  private static let granularity: Nanoseconds = 20_000_000

  package init() {}

  /// The outputs of a stage that ended well, in the stage's order.
  func made(_ stage: StageID, _ contents: [Content]) {
    state.withLock { $0.made.append(Made(stage: stage, contents: contents)) }
  }

  func ran(_ stage: StageID, from: Nanoseconds, to: Nanoseconds) {
    state.withLock { $0.spans.append(Span(stage: stage, from: from, to: to)) }
  }

  // MARK: Outputs that others changed

  /// What is to be said of each stage that was seen to change a finished stage's output, one output each.
  func changes(_ context: RunContext) -> [Diagnostic] {
    let (made, spans) = state.withLock { ($0.made, $0.spans) }
    var found: [Diagnostic] = []
    var culprits: Set<StageID> = []
    for made in made {
      let owner = context.pipeline[made.stage]
      for (output, content) in zip(owner.outputs, made.contents) {
        guard let path = output.location.local, let time = Self.change(of: content, at: path, context) else { continue }
        let culprit = spans.last { span in
          span.stage != made.stage && span.from - Self.granularity <= time && time <= span.to + Self.granularity
            // Who declares it is told, where it counts, that its input has changed.
            && !context.pipeline[span.stage].dependencies.contains { $0.location.local == path }
        }
        // Nobody ran: a person did it, as a person may.
        guard let culprit, culprits.insert(culprit.stage).inserted else { continue }
        found.append(
          .undeclaredChange(
            context.shown(output.location, declared: output.declared), of: context.name(owner),
            by: context.name(context.pipeline[culprit.stage]), at: context.pipeline[culprit.stage].commandMark))
      }
    }
    return found
  }

  /// When the bytes were changed; `nil` when they were not.
  private static func change(of content: Content, at path: RepoPath, _ context: RunContext) -> Nanoseconds? {
    let absolute = context.absolute(.local(path))
    switch content {
    case .file(let was):
      guard let now = (try? FileStat.of(absolute)) ?? nil else { return parentTime(absolute) }
      if now.fingerprint == was.fingerprint { return nil }
      let content = context.observer.content(at: .local(path), algorithm: was.hash.algorithm, sha256: false)
      return content.hash == was.hash ? nil : now.modified
    case .directory(let was):
      if context.observer.isUnchanged(content, at: .local(path)) { return nil }
      let content = context.observer.content(at: .local(path), algorithm: was.hash.algorithm, sha256: false)
      guard case .directory(let now) = content else {
        return parentTime(absolute)
      }
      if was.hash == now.hash { return nil }
      var old = was.manifest.digests
      for (entry, fingerprint) in zip(now.manifest.entries, now.fingerprints) {
        let before = old.removeValue(forKey: RepoPath(unchecked: entry.path))
        if before == entry.md5 { continue }
        // Python leaves its byte code beside what it imports.
        if before == nil, entry.path.split(separator: "/").contains("__pycache__") { continue }
        return fingerprint.modified
      }
      return old.isEmpty ? nil : ((try? FileStat.of(absolute)) ?? nil)?.modified
    default: return nil
    }
  }

  private static func parentTime(_ path: String) -> Nanoseconds? {
    ((try? FileStat.of(Repository.parent(path))) ?? nil)?.modified
  }

  // MARK: Files that were not there yet

  /// The failed command speaks of a missing file that a stage outside of its ancestry makes, and that had not been made
  /// when the command began.
  func undeclared(_ id: StageID, started: Nanoseconds, log: LogBuffer, _ context: RunContext) -> Diagnostic? {
    let text = log.lastLines(40).joined(separator: "\n")
    guard Self.complaints.contains(where: { text.contains($0) }) else { return nil }
    let stage = context.pipeline[id]
    let words = Set(
      text.split { $0.isWhitespace || "'\"`:,;()[]<>‘’".contains($0) }.map { word in
        word.hasPrefix("./") ? String(word.dropFirst(2)) : String(word)
      })
    let wdir = stage.wdir.local ?? .root
    let ancestry = ancestry(of: id, context)
    let spans = state.withLock { $0.spans }
    for other in context.pipeline.ids where other != id && !ancestry.contains(other) {
      for output in context.pipeline[other].outputs {
        guard let path = output.location.local,
          words.contains(path.relative(to: wdir)) || words.contains(context.absolute(output.location))
        else { continue }
        // It was there all the time: that is not what the command lacked.
        let span = spans.last { $0.stage == other }
        let wasThere = span.map { $0.to < started } ?? true
        if wasThere, Files.exists(context.absolute(output.location)) { continue }
        return .undeclaredDependency(
          context.shown(output.location, declared: output.declared), of: context.name(context.pipeline[other]),
          by: context.name(stage))
      }
    }
    return nil
  }

  private static let complaints = [
    "No such file", "no such file", "not found", "FileNotFound", "does not exist", "cannot open", "Cannot open",
    "can't open", "cannot find",
  ]

  private func ancestry(of id: StageID, _ context: RunContext) -> Set<StageID> {
    var found: Set<StageID> = []
    var open = context.producers(id)
    while let next = open.popLast() {
      if found.insert(next).inserted { open += context.producers(next) }
    }
    return found
  }
}

extension Diagnostic.Code {
  package static let undeclaredChange = Diagnostic.Code("undeclared-change")
  package static let undeclaredDependency = Diagnostic.Code("undeclared-dependency")
}

extension Diagnostic {
  fileprivate static func undeclaredChange(
    _ path: String, of owner: String, by culprit: String, at mark: SourceMark?
  ) -> Diagnostic {
    Diagnostic(
      .undeclaredChange, "'\(path)', an output of '\(owner)', was changed while '\(culprit)' ran, which does not declare it",
      at: mark, hint: "let '\(culprit)' write a file of its own, or run with `-j 1`")
  }

  fileprivate static func undeclaredDependency(_ path: String, of owner: String, by stage: String) -> Diagnostic {
    Diagnostic(
      .undeclaredDependency, "'\(path)' was not there, which '\(owner)' makes and '\(stage)' does not declare",
      hint: "add '\(path)' to the deps of '\(stage)'")
  }
}
