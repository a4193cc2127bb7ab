// Which paths an answer of `verify` was made from: as long as none of them has changed, neither has the answer.
import CairnCore
import CairnEngine
import CairnSystem

package struct LookedAt: Sendable {
  /// Relative to the project's root, or absolute; what was looked for and not there counts too.
  package var paths: [String] = []
  /// False where something was looked at that stamps of files cannot vouch for.
  package var isComplete = true

  package init() {}

  mutating func add(
    _ dependencies: [(location: Location, source: DependencySource)], _ requests: [ContentRequest],
    _ subject: VerifySubject
  ) {
    func path(_ inWorkTree: RepoPath) -> String {
      switch subject.paths.location(inWorkTree: inWorkTree.text) {
      case .local(let path): path.isRoot ? "." : path.text
      case .external(let path): path.absolute
      case .url(let url): url
      }
    }
    paths += requests.map { path($0.path) }
    var folders: Set<RepoPath> = []
    for (location, source) in dependencies {
      switch source {
      case .elsewhere, .output(_, _, kept: nil): break
      case .file(let file), .output(_, _, kept: .some(.file(let file))):
        // A link on the way may be turned elsewhere.
        if subject.paths.pathInWorkTree(location).map({ RepoPath(unchecked: $0) }) != file { isComplete = false }
      case .folder(let plan), .output(_, _, kept: .some(.folder(let plan))):
        guard folders.insert(plan.place.path).inserted else { continue }
        paths += plan.listed.map(path)
        // Of an open folder the files were not read, but counted and measured.
        if plan.isOpen { paths += plan.files.map(path) }
        if plan.areStrangersMany { isComplete = false }
      case .absent(let missing): paths.append(path(missing))
      case .outside, .leadsOut, .circle, .stray, .unknown: isComplete = false
      }
    }
  }
}
