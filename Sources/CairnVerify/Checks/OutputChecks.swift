// Holds the outputs of a stage against what git has: those of the cache must not be in it, the others must be as they
// were left there.
import CairnCore
import CairnEngine
import CairnStore
import CairnSystem

struct OutputChecks {
  let maker: CheckMaker
  let subject: VerifySubject
  let source: any SourceTree
  private var stage: Stage { _read { yield maker.stage } }

  /// An output that no cache holds, and what git has of it.
  struct Kept {
    var output: Output
    var hash: ContentHash
    var content: KeptOutput

    /// What has to be read of it.
    var files: [RepoPath] {
      switch content {
      case .file(let path): [path]
      case .folder(let plan): plan.files
      }
    }
  }

  private func gitPath(_ output: Output) -> RepoPath? {
    subject.paths.pathInWorkTree(output.location).map { RepoPath(unchecked: $0) }
  }

  /// Outputs of the cache that are in git as well.
  func inGit() -> [Check] {
    stage.outputs.compactMap { output in
      guard output.isCached, let path = gitPath(output) else { return nil }
      let shown = output.location.recordPath
      guard source.listing[path] != nil || source.listing.folders.contains(path) || isBehindLink(path) else {
        return maker.passed(.outInGit, path: shown, at: output.mark)
      }
      let inside = source.listing.files(below: path)
      let what = source.listing[path] == nil && inside.count > 0 ? "\(inside.count) of its files" : "the file"
      let quoted = ShellQuoting.quote(shown)
      return maker.failed(
        .outInGit, path: shown, "the output \(output.declared) is in the cache, and git has \(what) too",
        hint: "take it out of git: `git rm -r --cached \(quoted)`", at: output.mark)
    }
  }

  /// A link of git's leads to what git has.
  private func isBehindLink(_ path: RepoPath) -> Bool {
    switch source.target(of: path) {
    case .file, .folder: true
    default: false
    }
  }

  /// What git has of outputs without a cache, with what the lock says of them.
  func kept(_ entry: LockEntry, _ planner: DependencyPlanner) -> [Kept] {
    stage.outputs.compactMap { output in
      guard !output.isCached, let path = gitPath(output),
        let hash = entry.out(output.declared)?.withHashOfFiles.contentHash,
        let content = planner.kept(path, hash.algorithm)
      else { return nil }
      return Kept(output: output, hash: hash, content: content)
    }
  }

  /// Somebody edited what the stage left.
  func check(_ kept: Kept, _ readings: [ContentRequest: ContentReading]) -> Check? {
    let shown = kept.output.location.recordPath
    func unknown(_ why: String) -> Check {
      maker.unknown(
        .lockOuts, path: shown, "the content of \(kept.output.declared) is not known: \(why)", at: kept.output.mark)
    }
    var members: [(path: String, member: FolderPlan.Member)] = []
    var isFolder = false
    switch kept.content {
    case .file(let path): members = [("", .file(path))]
    case .folder(let plan):
      isFolder = true
      members = plan.members
      if let why = plan.unknown { return unknown(why) }
      if let (link, _) = plan.leadingOut.first { return unknown("the link '\(link)' leads out of the repository") }
      // It holds what another level knows.
      if plan.isOpen { return nil }
    }
    var entries: [DirectoryManifest.Entry] = []
    for (name, member) in members {
      switch member {
      case .digest(let digest): entries.append(.init(path: name, md5: digest))
      case .file(let file):
        switch readings[ContentRequest(file, kept.hash.algorithm)] {
        case .digest(let digest)?: entries.append(.init(path: name, md5: digest))
        case .unknown(let why)?: return unknown(why)
        case .folder?:
          return maker.failed(
            .lockOuts, path: shown, "a folder stands where git has a file of \(kept.output.declared)",
            at: kept.output.mark)
        // What is gone is data that is not here.
        case .missing?, nil: return nil
        }
      }
    }
    let digest = isFolder ? DependencyChecks.digest(entries) : entries.first?.md5
    guard let digest, digest != kept.hash.digest || isFolder != kept.hash.isDirectory else { return nil }
    if case .folder(let plan) = kept.content, plan.mixesHashes { return unknown(FolderPlan.mixed) }
    var ends: LineEnds?
    if kept.hash.algorithm == .md5, isFolder == kept.hash.isDirectory {
      ends = LineEnds.digests(of: members, isFolder: isFolder, in: source).first { $0.value == kept.hash.digest }?.key
    }
    return maker.failed(
      .lockOuts, path: shown,
      ends?.message(kept.output.declared)
        ?? "\(kept.output.declared) is in git with other bytes than its last run left",
      was: "md5 " + kept.hash.text, now: "md5 " + digest.hex + (isFolder ? ".dir" : ""), hint: ends?.hint(maker.rerun),
      at: kept.output.mark)
  }
}
