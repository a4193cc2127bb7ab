// Which files a report may replace: none of git's, of the project's, of its data. Writes nothing.
package import CairnCore
package import CairnEngine
import CairnSystem

package enum ReportPlaces {
  /// - Parameters:
  ///   - paths: as given, from the working directory.
  ///   - subject: what was verified; `nil` where nothing could be loaded.
  /// - Throws: what would be replaced; that two reports would be one file.
  package static func check(
    _ paths: [String], in repository: Repository, _ subject: VerifySubject?
  ) throws(Diagnostic) {
    var places: [RepoPath: String] = [:]
    for path in paths {
      let absolute = Repository.normalized(
        path.hasPrefix("/") ? path : Repository.join(repository.workingDirectory, path))
      // A pipe or a device is written to, not replaced.
      if let stat = (try? FileStat.of(absolute)) ?? nil, stat.kind == .other { continue }
      let real = resolved(absolute)
      if let other = places.updateValue(path, forKey: RepoPath(unchecked: real)) {
        throw .report(path).because(of: Diagnostic(.report, "another report goes to '\(other)', which is the same file"))
      }
      if let reason = try replaced(absolute, real, repository, subject) {
        throw .report(path).because(of: Diagnostic(.report, reason)).hinting("choose a name that nothing else has")
      }
    }
  }

  /// - Parameter real: `absolute` with its links followed.
  private static func replaced(
    _ absolute: String, _ real: String, _ repository: Repository, _ subject: VerifySubject?
  ) throws(Diagnostic) -> String? {
    let name = real.split(separator: "/").last ?? ""
    if ["dvc.yaml", "dvc.lock", ".dvcignore", ".gitignore"].contains(name) || name.hasSuffix(".dvc") {
      return "it would replace a file of the project's"
    }
    for folder in [repository.dvcFolder, repository.cairnFolder] where contains(resolved(folder), real) {
      return "it lies in \(Repository.relative(folder, to: repository.root)), which belongs to the project"
    }
    if let git = try GitRepository.find(from: Repository.parent(real)) {
      if [git.gitDirectory, git.commonDirectory].contains(where: { contains(resolved($0), real) }) {
        return "it lies in git's own folder"
      }
      let inTree = Repository.relative(real, to: resolved(git.workTree))
      if Files.exists(real), try git.isTracked(inTree) { return "it would replace '\(inTree)', which is in git" }
    }
    // Under both names: an output may itself be a link, and so may a folder on the way to the project.
    let root = Repository(root: resolved(repository.root), workingDirectory: repository.workingDirectory)
    let inside = [repository.repoPath(of: absolute), root.repoPath(of: real)].compactMap { $0 }
    for stage in subject?.project.pipeline.stages ?? [] {
      for output in stage.outputs {
        guard let path = output.location.local, inside.contains(where: { $0.isInside(path) }) else { continue }
        return "it would replace '\(output.declared)' of \(stage.address.text()), or a part of it"
      }
    }
    return nil
  }

  private static func contains(_ folder: String, _ path: String) -> Bool {
    RepoPath(unchecked: path).isInside(RepoPath(unchecked: folder))
  }

  /// With its links followed; of what is not there yet, those of its folder.
  private static func resolved(_ path: String) -> String {
    if let real = (try? Files.realPath(path)) ?? nil { return real }
    guard let folder = (try? Files.realPath(Repository.parent(path))) ?? nil,
      let name = path.split(separator: "/").last
    else { return path }
    return Repository.join(folder, String(name))
  }
}
