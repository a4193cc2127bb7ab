// All commits behind some, parents first, each with the files of a pattern that it changed. Knows git's output formats
// alone.
package import CairnCore

/// One commit of a walk.
package struct GitWalkEntry: Sendable {
  /// The content of a file before and after; `nil` where it was not there. Links and submodules are none.
  package struct Change: Sendable {
    /// Relative to the work tree.
    package var path: String
    package var old: String?
    package var new: String?
  }

  package var commit: String
  /// Empty also where a shallow clone ends.
  package var parents: [String]
  /// When it was committed.
  package var committed: Nanoseconds
  /// Against its first parent.
  package var changes: [Change] = []
  package var author = ""
  /// When it was authored; known, as the author is, of commits with changes.
  package var authored: Nanoseconds = 0
}

extension GitRepository {
  /// The commits that these revisions reach, parents before children. The order is a function of what stands behind each
  /// commit, and the same in every clone.
  ///
  /// - Parameters:
  ///   - revisions: full names of commits.
  ///   - patterns: of the files whose changes are told, as git's `glob` pathspecs from the top of the work tree.
  package func walk(_ revisions: [String], changing patterns: [String]) throws(Diagnostic) -> [GitWalkEntry] {
    if revisions.isEmpty { return [] }
    let names = revisions.reduce(into: [UInt8]()) { $0 += Array($1.utf8) + [0x0A] }
    let list = try git(["rev-list", "--parents", "--timestamp", "--topo-order", "--reverse", "--stdin"], input: names)
    var entries: [GitWalkEntry] = []
    var places: [String: Int] = [:]
    var reached: [Int64] = []
    for line in list.text.split(separator: "\n") {
      let fields = line.split(separator: " ").map(String.init)
      guard fields.count >= 2, let seconds = Int64(fields[0]) else { continue }
      places[fields[1]] = entries.count
      let parents = Array(fields.dropFirst(2))
      // A clock that went wrong does not bring a commit before its parents.
      reached.append(max(seconds, parents.compactMap { places[$0] }.map { reached[$0] + 1 }.max() ?? seconds))
      entries.append(GitWalkEntry(commit: fields[1], parents: parents, committed: Self.nanoseconds(seconds)))
    }
    try noteChanges(of: names, patterns, places, in: &entries)
    return entries.indices.sorted { a, b in
      reached[a] != reached[b] ? reached[a] < reached[b] : entries[a].commit < entries[b].commit
    }.map { entries[$0] }
  }

  private func noteChanges(
    of names: [UInt8], _ patterns: [String], _ places: [String: Int], in entries: inout [GitWalkEntry]
  ) throws(Diagnostic) {
    // Side branches of a merge that kept the other side have their story, too: `--full-history`.
    let log = try git(
      [
        "-c", "log.showRoot=true", "-c", "diff.ignoreSubmodules=all", "log", "--full-history",
        "--diff-merges=first-parent", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff",
        "--no-show-signature", "--encoding=UTF-8", "--format=%x01%H%x00%an%x00%at", "--stdin", "--",
      ] + patterns.map { ":(top,glob)" + $0 }, input: names)
    // Of each commit: a mark and three fields; then, behind a line's end, pairs of what changed and where.
    let fields = log.output.split(separator: 0, omittingEmptySubsequences: false)
    var number = 0
    var place: Int?
    while number < fields.count {
      let field = fields[number].drop { $0 == 0x0A }
      if field.first == 1, number + 2 < fields.count {
        place = places[String(decoding: field.dropFirst(), as: UTF8.self)]
        if let place {
          entries[place].author = String(decoding: fields[number + 1], as: UTF8.self)
          let seconds = Int64(String(decoding: fields[number + 2], as: UTF8.self)) ?? 0
          entries[place].authored = Self.nanoseconds(seconds)
        }
        number += 3
      } else if field.first == UInt8(ascii: ":"), number + 1 < fields.count {
        let parts = String(decoding: field.dropFirst(), as: UTF8.self).split(separator: " ").map(String.init)
        if parts.count == 5, let place {
          entries[place].changes.append(
            .init(
              path: FileName.escape(fields[number + 1]), old: parts[0].hasPrefix("100") ? parts[2] : nil,
              new: parts[1].hasPrefix("100") ? parts[3] : nil))
        }
        number += 2
      } else {
        number += 1
      }
    }
  }

  /// Git takes any number; records have years of four digits.
  private static func nanoseconds(_ seconds: Int64) -> Nanoseconds {
    min(max(seconds, 0), 9_000_000_000) * 1_000_000_000
  }

  /// What each name (`COMMIT:PATH`) means: a blob with its size, a folder; `nil` for nothing.
  package func kinds(of names: [String]) throws(Diagnostic) -> [GitObjectKind?] {
    if names.isEmpty { return [] }
    // A name with a line's end in it cannot be asked for.
    let asked = names.indices.filter { !FileName.bytes(names[$0]).contains(0x0A) }
    let input = asked.reduce(into: [UInt8]()) { $0 += FileName.bytes(names[$1]) + [0x0A] }
    let result = try git(["cat-file", "--batch-check=%(objecttype) %(objectsize) %(objectname)"], input: input)
    let lines = result.output.split(separator: 0x0A)
    guard lines.count == asked.count else { throw Diagnostic(.git, "git cat-file answered something else than it was asked") }
    var kinds = [GitObjectKind?](repeating: nil, count: names.count)
    for (place, line) in zip(asked, lines) {
      let fields = String(decoding: line, as: UTF8.self).split(separator: " ")
      guard fields.count == 3, let size = Int(fields[1]) else { continue }
      if fields[0] == "blob" { kinds[place] = .blob(String(fields[2]), size: size) }
      if fields[0] == "tree" { kinds[place] = .tree }
    }
    return kinds
  }
}

package enum GitObjectKind: Hashable, Sendable {
  case blob(String, size: Int)
  case tree
}
