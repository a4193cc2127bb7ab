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
  let contents: FolderContents
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
      case .folder(let plan): plan.isWhole ? plan.files : []
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

  /// Somebody edited what the stage left.
  func check(_ kept: Kept, _ readings: [ContentRequest: ContentReading]) -> Check? {
    switch kept.content {
    case .file(let path): file(kept, path, readings[ContentRequest(path, kept.hash.algorithm)])
    case .folder(let plan): folder(kept, plan, readings)
    }
  }

  private func file(_ kept: Kept, _ path: RepoPath, _ reading: ContentReading?) -> Check? {
    switch reading {
    case .digest(let digest)?:
      if digest == kept.hash.digest, !kept.hash.isDirectory { return nil }
      if let why = source.pointer(in: [path]) { return unknown(kept, why) }
      let ends = kept.hash.isDirectory ? [:] : LineEnds.digests([("", path)], isFolder: false, in: source)
      return edited(kept, now: digest.hex, ends)
    case .unknown(let why)?: return unknown(kept, why)
    case .folder?: return replaced(kept)
    // What is gone is data that is not here.
    case .missing?, nil: return nil
    }
  }

  private func folder(_ kept: Kept, _ plan: FolderPlan, _ readings: [ContentRequest: ContentReading]) -> Check? {
    if let why = plan.unknown { return unknown(kept, why) }
    if let (link, _) = plan.leadingOut.first { return unknown(kept, "the link '\(link)' leads out of the repository") }
    // It holds what another level knows.
    if plan.isOpen { return nil }
    switch contents.content(plan.place, { plan.content(readings) }) {
    case .entries(_, let digest):
      if digest == kept.hash.digest, kept.hash.isDirectory { return nil }
      if plan.mixesHashes { return unknown(kept, FolderPlan.mixed) }
      if let why = source.pointer(in: plan.files) { return unknown(kept, why) }
      let ends =
        kept.hash.isDirectory
        ? contents.lineEnds(plan.place) { LineEnds.digests(of: plan, in: source) } : [:]
      return edited(kept, now: digest.hex + ".dir", ends)
    case .unknown(let name, let why): return unknown(kept, "that of \(name) \(why)")
    case .folder: return replaced(kept)
    case .deleted: return nil
    }
  }

  private func unknown(_ kept: Kept, _ why: String) -> Check {
    maker.unknown(
      .lockOuts, path: kept.output.location.recordPath, "the content of \(kept.output.declared) is not known: \(why)",
      at: kept.output.mark)
  }

  private func replaced(_ kept: Kept) -> Check {
    maker.failed(
      .lockOuts, path: kept.output.location.recordPath,
      "a folder stands where git has a file of \(kept.output.declared)", at: kept.output.mark)
  }

  private func edited(_ kept: Kept, now: String, _ digests: [LineEnds: Digest16]) -> Check {
    let ends = kept.hash.algorithm == .md5 ? digests.first { $0.value == kept.hash.digest }?.key : nil
    return maker.failed(
      .lockOuts, path: kept.output.location.recordPath,
      ends?.message(kept.output.declared)
        ?? "\(kept.output.declared) is in git with other bytes than its last run left",
      was: "md5 " + kept.hash.text, now: "md5 " + now, hint: ends?.hint(maker.rerun), at: kept.output.mark)
  }
}
