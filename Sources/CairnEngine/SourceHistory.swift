// What git tells of the sources in a lineage: which commit brought this data, was this script ever committed.
package import CairnCore
import CairnFormats
package import CairnLineage
import CairnStore
import CairnSystem

/// Asked only for what is shown, and for what would else be unknown; without git it answers nothing.
package struct SourceHistory: Sendable {
  /// Of a folder so many bytes are compared with a commit.
  private static let sizeLimit: UInt64 = 64 << 20

  let search: CommitSearch
  private let store: RecordStore

  /// - Parameter store: has the contents of folders.
  package init(root: String, store: RecordStore) {
    self.store = store
    search = CommitSearch(root: root, git: (try? GitRepository.find(from: root)) ?? nil, head: "HEAD")
  }

  /// A path of a record's as records name what differed from the commit; `nil` outside of the work tree.
  package func gitPath(_ path: String) -> String? { search.pathInWorkTree(recorded: path) }

  /// Author, date and subject of the commits in a graph, as far as they are at hand.
  package func describeCommits(of graph: inout LineageGraph) {
    let names = graph.nodes.keys.compactMap { id -> String? in if case .commit(let name) = id { name } else { nil } }
    let found = (try? search.git?.commits(named: names)) ?? []
    for commit in found {
      graph.commits[commit.name] = .init(author: commit.author, date: commit.date, subject: commit.subject)
    }
  }

  /// A `.dvc` file stands beside it.
  package func isData(_ path: String) -> Bool {
    search.paths.absolute(search.paths.location(ofRecorded: path)).map { Files.exists($0 + ".dvc") } ?? false
  }

  /// `1a2b3c4 "june batch"`: the commit that made the `.dvc` file say that the data is this version. `nil` when none of
  /// the newest did, or the data is no `.dvc` file's.
  ///
  /// - Parameter record: of a run that read it. Its commit is where the search begins: data that was put back later has
  ///   a newer commit, too. What was committed only after the run is the first commit that has it.
  package func commit(ofData path: String, md5: String, readBy record: RunRecord? = nil) -> String? {
    func isMeant(_ bytes: [UInt8]) -> Bool {
      String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).contains(md5[...])
    }
    let file = path + ".dvc"
    var found: GitCommit?
    if let commit = record?.source.commit {
      found = bringer(of: file, from: commit, isMeant: isMeant)
      if found == nil {
        let location = search.paths.location(ofRecorded: file)
        let later = search.history(of: location).reversed().first { entry in
          ((try? search.bytes(location, at: entry.commit)) ?? nil).map(isMeant) ?? false
        }
        found = later.flatMap { search.commit($0.commit, location) }
      }
    } else {
      found = bringer(of: file, isMeant: isMeant)
    }
    return found.map { "\($0.name.prefix(7)) \"\($0.subject)\"" }
  }

  /// The commit that gave the file these bytes; `nil` when none of the newest did.
  package func commit(of path: String, md5: String) -> String? {
    bringer(of: path) { ContentHasher.md5(of: $0).hex == md5 }.map { String($0.name.prefix(7)) }
  }

  private func bringer(of file: String, from start: String? = nil, isMeant: ([UInt8]) -> Bool) -> GitCommit? {
    search.bringer(of: search.paths.location(ofRecorded: file), from: start) { path, commit in
      do throws(Diagnostic) { return try search.bytes(path, at: commit).map(isMeant) ?? false } catch { return nil }
    }
  }

  /// The first commit after the run in which the file has the bytes that the run read.
  package func firstCommit(of input: RunRecord.Input, after record: RunRecord) -> String? {
    let location = search.paths.location(ofRecorded: input.path)
    guard let git = search.git, let path = search.pathInWorkTree(location) else { return nil }
    let commits = try? git.commits(of: path, since: record.execution.started, notIn: record.source.commit)
    let found = commits?.first { commit in
      ((try? search.bytes(location, at: commit)) ?? nil).map { Self.areBytes($0, of: input) } ?? false
    }
    return found.map { String($0.prefix(7)) }
  }

  /// Whether these are in the commit the bytes that the run read. Of a folder: all its files are there with theirs. Of
  /// a link never: git has where it leads, not what stands there.
  package func holds(_ commit: String, _ input: RunRecord.Input) -> Bool {
    let location = search.paths.location(ofRecorded: input.path)
    guard let git = search.git, let objects = search.objects, let file = search.pathInWorkTree(location)
    else { return false }
    guard input.md5?.hasSuffix(".dir") == true else {
      return ((try? search.bytes(location, at: commit)) ?? nil).map { Self.areBytes($0, of: input) } ?? false
    }
    guard let digest = input.sha256, let bytes = (try? store.document(digest)) ?? nil,
      let manifest = try? DirectoryDocument.decode(bytes), let tree = (try? git.tree(commit, path: file)) ?? nil
    else { return false }
    let files = Dictionary(tree.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    if manifest.entries.reduce(0, { $0 + ($1.size ?? 0) }) > Self.sizeLimit { return false }
    return manifest.entries.allSatisfy { entry in
      guard let found = files[file + "/" + entry.path], found.mode.hasPrefix("100"), found.size == entry.size,
        let bytes = (try? objects.object(found.object)) ?? nil
      else { return false }
      return ContentHasher.md5(of: bytes) == entry.md5
    }
  }

  private static func areBytes(_ bytes: [UInt8], of input: RunRecord.Input) -> Bool {
    // The MD5 may be one of unified line ends.
    if let sha256 = input.sha256 { return ContentHasher.sha256(of: bytes) == sha256 }
    return ContentHasher.md5(of: bytes).hex == input.md5
  }
}
