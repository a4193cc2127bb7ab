// Answers `cairn verify` by stamps alone, when nothing has changed since it was answered properly.
package import CairnCore
package import CairnEngine
import CairnSystem

/// What was printed and how the process ended, under everything that the answer depends on. Kept in `.cairn/fresh`, in
/// the form of `FreshnessIndex`, and only where Cairn has that folder already: a question leaves no trace in a
/// repository that has never heard of it.
package struct VerifyIndex: Sendable {
  private let root: String
  private let key: String

  /// - Parameters:
  ///   - arguments: all that decides what is printed.
  ///   - today: acceptances end with a day.
  package init(_ repository: Repository, _ arguments: [String], today: String) {
    root = repository.root
    key =
      (["verify", CairnVersion.current, repository.workingDirectory, today] + arguments + FreshnessIndex.environment()
      + Self.gitEnvironment)
      .joined(separator: "\u{0}")
  }

  /// A hook is asked about another index; variables set what files of settings would.
  private static var gitEnvironment: [String] {
    Environment.names(startingWith: "GIT_").sorted().map { "\($0)=\(Environment.value($0) ?? "")" }
  }

  /// What to print, and how to end; `nil`: ask properly.
  package func answer() -> (output: [UInt8], exitCode: Int32)? {
    guard let words = FreshnessIndex.answer(root: root, key: key), let code = words.first else { return nil }
    return (Array(words.dropFirst()), Int32(code))
  }

  /// Remembers an answer, where stamps can vouch for it.
  ///
  /// - Parameter began: when the first file was looked at, by the wall clock.
  package func remember(_ output: [UInt8], exitCode: Int32, of outcome: VerifyOutcome, began: Nanoseconds) {
    guard let subject = outcome.subject, subject.revision == nil, outcome.base == nil, let looked = outcome.lookedAt,
      // Nobody can say what a file that cannot be understood would have led to.
      looked.isComplete, subject.project.failures.isEmpty, output.count <= Self.limit, CairnFolder.isPrepared(subject.repository),
      !Machine.isNetworkFileSystem(root), Environment.value("GIT_INDEX_FILE") == nil,
      let git = (try? GitRepository.find(from: root)) ?? nil
    else { return }
    var paths = FreshnessIndex.files(of: subject.project, subject.repository)
    paths += FreshnessIndex.folders(of: subject.project).map(\.path)
    paths += [
      git.gitDirectory + "/index", git.gitDirectory + "/HEAD", git.commonDirectory + "/config", ".cairn/journal",
    ]
    var seen: Set<RepoPath> = []
    let unique = (paths + looked.paths).filter { seen.insert(RepoPath(unchecked: $0)).inserted }
    let entries = FreshnessIndex.look(at: unique, root: root)
    // What was written while it was looked at, or within a tick of the clock before, may differ from what was seen.
    if entries.contains(where: { FreshnessIndex.isRacy($0, now: began) }) { return }
    FreshnessIndex.write(entries, root: root, key: key, words: [UInt8(truncatingIfNeeded: exitCode)] + output)
  }

  private static let limit = 64 << 20
}
