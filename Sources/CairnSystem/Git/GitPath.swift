// Follows the links that git has, by names alone. Knows nothing of a disk.
package import CairnCore

/// Where a path leads inside of what git has.
package enum GitTarget: Hashable, Sendable {
  case file(RepoPath)
  case folder(RepoPath)
  /// A submodule, and what is behind it in the path, whose files are not known.
  case submodule(RepoPath)
  /// Nothing that git has; the path as it is after its links.
  case missing(RepoPath)
  /// A link leads out of the work tree: to what.
  case outside(String)
  /// Links lead round in a circle.
  case circle(RepoPath)
}

extension GitListing {
  /// - Parameter linkText: what a link says, by its path; `nil` where it cannot be read.
  package func follow(_ path: RepoPath, linkText: (RepoPath) -> String?) -> GitTarget {
    var path = path
    for _ in 0..<Self.mostLinks {
      if let file = files[path] {
        switch file.kind {
        case .file, .executable: return .file(path)
        case .submodule: return .submodule(path)
        case .link: break
        }
      } else if path.isRoot || folders.contains(path) {
        return .folder(path)
      }
      // A link, or something behind one.
      guard let (link, rest) = linkOnTheWay(to: path) else { return .missing(path) }
      if files[link]?.kind == .submodule { return .submodule(link) }
      guard let text = linkText(link) else { return .missing(path) }
      guard let target = link.parent.resolving(text) else { return .outside(text) }
      path = target.appending(rest)
    }
    return .circle(path)
  }

  /// As the kernel has it.
  private static let mostLinks = 40

  private func linkOnTheWay(to path: RepoPath) -> (link: RepoPath, rest: String)? {
    var folder = RepoPath.root
    let parts = path.components
    for (index, part) in parts.enumerated() {
      folder = folder.appending(String(part))
      if let file = files[folder], file.kind == .link || file.kind == .submodule {
        return (folder, parts[(index + 1)...].joined(separator: "/"))
      }
    }
    return nil
  }
}
