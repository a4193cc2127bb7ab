// Looks at data that is to be compared, not recorded: what could not become data is told beside the rest. Knows nothing
// of what it is compared with.
package import CairnCore
import CairnFormats
import CairnSystem
import Glibc

package enum DataSurvey: Sendable {
  case missing
  /// A link that leads nowhere.
  case deadLink
  case file(FileContent)
  case folder(FolderSurvey)
}

package struct FolderSurvey: Sendable {
  /// The hash of the folder counts links that lead nowhere, the list of its files does not.
  package var content: DirectoryContent
  /// All below it, those without a file too, and links to folders; relative to it.
  package var folders: [String]
  /// Links that lead nowhere; relative to it.
  package var deadLinks: [String]
}

extension Snapshotter {
  /// What is at a path now. Call `index.flush()` when done.
  package func survey(_ path: RepoPath, algorithm: ContentHash.Algorithm) throws(Diagnostic) -> DataSurvey {
    let place = place(path)
    let kinds = DigestKinds(algorithm, sha256: false)
    let observed = index.now()
    if case .success(let found) = RawFile.stat(place.absolute, followLinks: true), found.isDirectory {
      let scan = try DirectoryScan(place.absolute, base: path, filter: filter, pass: .all)
      let digests = try digests(of: scan.files, in: place, kinds, observed: observed)
      var content = try DirectoryContent(scan.files, digests, kinds)
      if !scan.deadLinks.isEmpty {
        let list = ManifestJSON.encode(content.manifest, deadLinks: scan.deadLinks)
        content.hash.digest = ContentHasher.md5(of: list)
      }
      return .folder(FolderSurvey(content: content, folders: scan.folders, deadLinks: scan.deadLinks))
    }
    switch observe(place, kinds) {
    case .file(let file): return .file(file)
    case .unknown(let error): throw error
    case .missing, .directory, .dataset:
      if case .success = RawFile.stat(place.absolute, followLinks: false) { return .deadLink }
      return .missing
    }
  }
}
