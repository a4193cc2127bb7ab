// What the locks of the work tree and of HEAD say that stages read and made, for the lineage.
package import CairnCore
package import CairnLineage
import CairnSystem

extension LockedWork {
  /// An entry that both have is there once.
  package static func all(of repository: Repository, _ tracked: TrackedPaths) throws(Diagnostic) -> [LockedWork] {
    let git = try GitRepository.find(from: repository.root)
    var works = tracked.works
    // A commit that cannot be read tells nothing more.
    if let git, let head = (try? git.revision("HEAD")) ?? nil {
      works += (try? TrackedPaths.inCommit(head, git, repository, locksOnly: true).works) ?? []
    }
    let name = git.flatMap(History.name) ?? ""
    func artifacts(_ files: [(path: Location, file: LockedFile)]) -> [LineageArtifact] {
      files.map { path, file in
        LineageArtifact(
          repository: name, path: path.recordPath, md5: file.hashName == "md5" ? file.hashText : nil, sha256: nil,
          size: file.size)
      }
    }
    var seen: Set<Digest16> = []
    return works.filter { seen.insert($0.key.digest).inserted }.map { work in
      LockedWork(stage: work.stage, key: work.key, read: artifacts(work.read), made: artifacts(work.made))
    }
  }
}
