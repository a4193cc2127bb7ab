// Expands patterns as Python's `glob` does: `*`, `?`, `[…]` within a name, `**` for folders of any depth.
package import CairnCore
internal import CairnSystem

package enum FileGlob {
  /// The paths that match, relative to the working directory as the patterns are, by name.
  package static func expand(_ patterns: [String], in project: OpenProject) throws(Diagnostic) -> [String] {
    var found: [String] = []
    for pattern in patterns {
      let parts = pattern.split(separator: "/").map(String.init)
      let start = pattern.hasPrefix("/") ? "/" : ""
      try match(parts[...], at: start, project, into: &found)
    }
    if found.isEmpty {
      let list = patterns.map { "'\($0)'" }.joined(separator: ", ")
      throw Diagnostic(.addition, "Glob [\(list)] has no matches.")
    }
    return found
  }

  private static func match(
    _ parts: ArraySlice<String>, at folder: String, _ project: OpenProject, into found: inout [String]
  ) throws(Diagnostic) {
    guard let part = parts.first else {
      if !folder.isEmpty { found.append(folder) }
      return
    }
    let rest = parts.dropFirst()
    let join = { (name: String) in folder.isEmpty ? name : Repository.join(folder, name) }
    if part == "**" {
      try match(rest, at: folder, project, into: &found)
      for name in try names(folder, project) where !name.hasPrefix(".") {
        if Files.isDirectory(project.absolute(join(name))) {
          try match(parts, at: join(name), project, into: &found)
        } else if rest.isEmpty {
          found.append(join(name))
        }
      }
      return
    }
    guard part.contains(where: { "*?[".contains($0) }) else {
      let path = join(part)
      if Files.exists(project.absolute(path), followLinks: false) { try match(rest, at: path, project, into: &found) }
      return
    }
    let all = try names(folder, project).filter { part.hasPrefix(".") || !$0.hasPrefix(".") }
    for name in NameGlob.filter(all, part) {
      if rest.isEmpty || Files.isDirectory(project.absolute(join(name))) {
        try match(rest, at: join(name), project, into: &found)
      }
    }
  }

  private static func names(_ folder: String, _ project: OpenProject) throws(Diagnostic) -> [String] {
    let path = folder.isEmpty ? project.repository.workingDirectory : project.absolute(folder)
    return (try Files.list(path) ?? []).map(\.name).sorted { $0.precedesInBytes($1) }
  }
}
