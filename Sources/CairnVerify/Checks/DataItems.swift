// Which objects the data level is about: those that locks and .dvc files name, and where each ought to be. Looks at none.
import CairnCore
import CairnEngine
import CairnStore

/// Where an object may be beside the cache.
enum ObjectHome: Hashable, Sendable {
  /// On the remote of this name.
  case remote(String)
  /// Neither the output nor the project names a remote.
  case noRemote
  /// `push: false`: on purpose on the machine that made it, alone.
  case here
  /// In the repository that it was imported from.
  case otherRepository
  /// Versions of files, which `cloud` and `files` of the entry name.
  case versions
}

/// One output with its lock entry.
struct DataItem: Sendable {
  var maker: CheckMaker
  var output: Output
  var hash: ContentHash
  var home: ObjectHome
  /// Of `versions`: what the entry itself lists.
  var listed: DirectoryManifest?

  /// As checks name it.
  var path: String { output.location.recordPath }

  /// What the cache holds, and has a hash: outputs without one are another check's.
  static func all(of ids: [StageID], in subject: VerifySubject, _ remotes: OpenRemotes) -> [DataItem] {
    ids.flatMap { id -> [DataItem] in
      let maker = CheckMaker(subject.project.pipeline[id], subject.paths)
      let stage = maker.stage
      let entry = stage.kind == .tracked ? stage.trackedLock : subject.project.lockEntry(of: stage)
      guard let entry else { return [] }
      let isImport = stage.dependencies.contains { $0.source?.repository != nil }
      return stage.outputs.compactMap { output in
        guard output.isCached, !output.location.isURL, let locked = entry.out(output.declared)?.withHashOfFiles,
          let hash = locked.contentHash
        else { return nil }
        let home: ObjectHome =
          if isImport {
            .otherRepository
          } else if locked.other["files"] != nil || locked.other["cloud"] != nil {
            .versions
          } else if !output.isPushed {
            .here
          } else {
            remotes.name(output.remote).map { .remote($0) } ?? .noRemote
          }
        return DataItem(maker: maker, output: output, hash: hash, home: home, listed: locked.listedManifest)
      }
    }
  }
}
