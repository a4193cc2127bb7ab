// What exports call a project and its files, so that they are the same on every machine.
import CairnCore
import CairnSystem

package struct ExportProject: Sendable {
  /// The last part of the repository's address, else what the folder is called.
  package var name: String
  /// The project's folder inside the git repository; empty where they are one.
  package var folder: String
  /// `s3://bucket/prefix` of the default remote, where it is on S3.
  package var remote: String?

  /// - Parameters:
  ///   - repository: as records have it.
  ///   - root: the project's folder, absolute.
  package init(repository: String?, root: String, folder: String, remote: String?) {
    name = RepositoryAddress(repository)?.name ?? String(root.split(separator: "/").last ?? "project")
    self.folder = folder == "." ? "" : folder
    self.remote = remote?.hasPrefix("s3://") == true ? remote.map(GitRepository.withoutCredentials) : nil
  }

  /// Jobs of one project share a name space.
  var jobNamespace: String { ExportText.namespace("cairn/" + name + (folder.isEmpty ? "" : "/" + folder)) }

  /// A file of the project by its path in the repository; `nil` for one outside of it.
  func pathInRepository(_ path: String) -> String? {
    if path.hasPrefix("/") || path.contains("://") { return nil }
    if !path.hasPrefix("../"), path != ".." { return folder.isEmpty ? path : folder + "/" + path }
    return RepoPath(unchecked: folder).resolving(path).map(\.text)
  }

  /// Name space and name of what a record calls `path`.
  ///
  /// Not the name space `file` (absolute paths of two machines are never the same thing), and not the object (each
  /// version would be a dataset of its own).
  func dataset(_ path: String, in record: RunRecord) -> (namespace: String, name: String) {
    let home = RepositoryAddress(record.source.repository)?.namespace ?? jobNamespace
    if let inside = pathInRepository(path) { return (home, ExportText.text(inside)) }
    if path.hasPrefix("/") || !path.contains("://") {
      return (ExportText.namespace("file://" + record.actor.host), ExportText.text(path))
    }
    let url = GitRepository.withoutCredentials(path)
    guard let scheme = url.firstRange(of: "://"), !url.hasPrefix("ds://") else {
      return (home, ExportText.text(url))
    }
    let rest = url[scheme.upperBound...]
    let authority = rest.prefix { $0 != "/" }
    let name = rest[authority.endIndex...].drop { $0 == "/" }
    return (ExportText.namespace(String(url[..<scheme.upperBound]) + authority), ExportText.text(name.isEmpty ? "/" : String(name)))
  }

  /// Bucket and key of an object on the default remote.
  func object(md5: String) -> (namespace: String, name: String)? {
    guard let remote, md5.utf8.count >= 32 else { return nil }
    let rest = remote.dropFirst("s3://".count)
    let bucket = rest.prefix { $0 != "/" }
    let prefix = rest[bucket.endIndex...].split(separator: "/").joined(separator: "/")
    let key = "files/md5/" + md5.prefix(2) + "/" + md5.dropFirst(2)
    return (ExportText.namespace("s3://" + bucket), prefix.isEmpty ? key : prefix + "/" + key)
  }
}
