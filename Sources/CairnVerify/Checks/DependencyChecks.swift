// Holds the dependencies of a stage against what its lock entry says of them: does somebody else have them, in the
// version that the stage ran with? Decides from plans and readings; reads nothing itself.
import CairnCore
import CairnEngine
import CairnFormats
import CairnStore
import CairnSystem

struct DependencyChecks {
  let maker: CheckMaker
  let planner: DependencyPlanner
  /// By what was asked for.
  let readings: [ContentRequest: ContentReading]
  let contents: FolderContents
  /// Checks whose failure stands against the verdict.
  let errors: Set<CheckID>
  let datasets: Datasets

  var places: OutputPlaces { planner.places }
  var subject: VerifySubject { planner.subject }
  private var source: any SourceTree { planner.source }

  /// A dependency with what the lock says of it, and where its bytes come from.
  struct Item {
    var dependency: Dependency
    /// `nil`: the stage has no entry, or the entry does not name it.
    var locked: LockedFile?
    var source: DependencySource
  }

  func checks(of item: Item) -> [Check] {
    switch item.source {
    case .elsewhere where item.dependency.isDataset: return dataset(item)
    case .elsewhere: return [origin(item)]
    case .outside: return []
    case .output(let place, let rest, let kept):
      let chain = chain(item, place, rest)
      let found = [origin(item, madeBy: place)] + (chain.map { [$0] } ?? [])
      // What follows from a broken chain is not told.
      guard let kept, chain?.status != .failed || !errors.contains(.lockChain) else { return found }
      switch kept {
      case .file(let path): return found + file(item, path).filter { $0.id == .depContent }
      case .folder(let plan):
        return found + folder(item, plan).filter { $0.id == .depContent || $0.status == .failed }
      }
    case .file(let path): return file(item, path)
    case .folder(let plan): return folder(item, plan)
    case .absent(let path): return [absent(item, path)]
    case .leadsOut(let link, let text):
      return [leadsOut(item, link, text)]
    case .circle(let link):
      return [
        failed(.depOrigin, item, "links lead round in a circle at \(shown(link))", hint: "put the data itself there")
      ]
    case .stray(let module): return [stray(item, module)]
    case .unknown(let why):
      return [origin(item), unknown(.depContent, item, "its content is not known: \(why)", hint: Self.hint(why))]
    }
  }

  // MARK: Origin

  func path(_ item: Item) -> String {
    maker.name(of: item.dependency.location, declared: item.dependency.declared)
  }

  func origin(_ item: Item) -> Check { maker.passed(.depOrigin, path: path(item), at: item.dependency.mark) }

  /// What tracks or makes it must be in git itself.
  private func origin(_ item: Item, madeBy place: OutputPlace) -> Check {
    planner.untracked(place).map { untracked(item, $0, item.dependency.declared) } ?? origin(item)
  }

  private func untracked(_ item: Item, _ file: RepoPath, _ what: String) -> Check {
    failed(
      .depOrigin, item, "\(file) tracks \(what), and is not in git itself",
      hint: "`git add \(ShellQuoting.quote(file.text))`")
  }

  private func leadsOut(_ item: Item, _ link: RepoPath, _ text: String) -> Check {
    failed(
      .depOrigin, item, path: shown(link),
      "the link \(shown(link)) leads out of the repository, to \(CheckWords.short(text))",
      hint: "put the data itself there, or track it with `cairn add`", evidence: text)
  }

  private func stray(_ item: Item, _ module: RepoPath) -> Check {
    failed(
      .depOrigin, item, path: shown(module),
      "\(shown(module)) is a repository of its own that no clone fetches: .gitmodules does not name it",
      hint: "make it a submodule with `git submodule add`, or put its files into this repository")
  }

  /// The next step for a content that is not here.
  private static func hint(_ why: String) -> String? {
    if why.contains("pointer") { return "run `git lfs pull` first" }
    return why.contains("submodule") ? "run `git submodule update --init` first" : nil
  }

  private func absent(_ item: Item, _ path: RepoPath) -> Check {
    let name = item.dependency.declared
    // A link of git's that is gone, or that leads nowhere.
    if source.listing[path]?.kind == .link { return deleted(item, path) }
    let tracker = RepoPath(unchecked: path.text + ".dvc")
    if source.listing[tracker] == nil, case .local(let file) = subject.paths.location(inWorkTree: tracker.text),
      subject.files.exists(file), case .ignored = source.absence(of: tracker)
    {
      return failed(
        .depOrigin, item, "\(file) tracks \(name), and git ignores it: nobody else has it",
        hint: "take it out of .gitignore, and `git add \(ShellQuoting.quote(file.text))`")
    }
    let track = "`git add` it, track it with `cairn add`, or make it the output of a stage"
    let force = "`git add --force` it, track it with `cairn add`, or make it the output of a stage"
    switch source.absence(of: path) {
    case .ignored:
      return failed(
        .depOrigin, item, "\(name) is on this machine only: git ignores it, and nothing tracks it", hint: force)
    case .notAdded:
      return failed(.depOrigin, item, "\(name) is on this machine only: it was never added to git", hint: track)
    case .nowhere:
      return failed(
        .depOrigin, item, "\(name) is not in git, and nothing makes or tracks it",
        hint: "bring it back and " + track)
    }
  }

  // MARK: Content

  private func file(_ item: Item, _ path: RepoPath) -> [Check] {
    guard let locked = item.locked, let hash = locked.contentHash else {
      // What the lock lacks is told elsewhere.
      return [isDeleted(path) ? deleted(item, path) : origin(item)]
    }
    switch readings[ContentRequest(path, hash.algorithm)] {
    case .digest(let digest)?:
      if digest == hash.digest, !hash.isDirectory { return [origin(item), passed(.depContent, item)] }
      if let why = source.pointer(in: [path]) { return [origin(item), behindPointer(item, why)] }
      return [origin(item), edited(item, path, locked, hash, now: digest.hex)]
    case .missing?: return [deleted(item, path)]
    case .folder?:
      return [
        origin(item), failed(.depContent, item, "a folder stands where git has the file \(item.dependency.declared)"),
      ]
    case .unknown(let why)?:
      return [origin(item), unknown(.depContent, item, "its content is not known: \(why)", hint: Self.hint(why))]
    case nil: return [origin(item), unknown(.depContent, item, "its content was not looked at")]
    }
  }

  private func isDeleted(_ path: RepoPath) -> Bool { source.content(of: [ContentRequest(path, .md5)]) == [.missing] }

  private func deleted(_ item: Item, _ path: RepoPath) -> Check {
    failed(
      .depOrigin, item,
      "\(item.dependency.declared) was deleted, or something else stands in its place: the next commit would lack it",
      hint: "bring it back with `git checkout -- \(ShellQuoting.quote(shown(path)))`, or take it out of the stage")
  }

  private func edited(
    _ item: Item, _ path: RepoPath, _ locked: LockedFile, _ hash: ContentHash, now: String
  ) -> Check {
    let ends =
      hash.algorithm == .md5 && !hash.isDirectory
      ? LineEnds.digests([("", path)], isFolder: false, in: source).first { $0.value == hash.digest }?.key : nil
    return failed(
      .depContent, item,
      ends?.message(item.dependency.declared) ?? "\(item.dependency.declared) was edited after the stage ran",
      was: locked.hashText.map { "md5 " + $0 }, now: "md5 " + now, hint: ends?.hint(maker.rerun))
  }

  private func folder(_ item: Item, _ plan: FolderPlan) -> [Check] {
    var strangers =
      plan.untracked.map { untracked(item, $0, "a part of \(item.dependency.declared)") }
      + plan.strangers.map { stranger(item, $0) } + plan.leadingOut.map { leadsOut(item, $0.link, $0.to) }
      + plan.strays.map { stray(item, $0) }
    if strangers.isEmpty, plan.members.isEmpty, !plan.isOpen, plan.unknown == nil, item.locked?.fileCount != 0 {
      strangers = [
        failed(
          .depOrigin, item, "\(item.dependency.declared) is a folder without a file in git",
          hint: "put a file into it, or take it out of the stage")
      ]
    }
    let origin = strangers.isEmpty ? [origin(item)] : strangers
    guard let locked = item.locked, let hash = locked.contentHash else { return origin }
    if let unknown = plan.unknown {
      return origin + [
        self.unknown(.depContent, item, "its content is not known: \(unknown)", hint: Self.hint(unknown))
      ]
    }
    if !plan.leadingOut.isEmpty || !plan.strays.isEmpty {
      return origin + [untold(item, "a part of it does not lie in this repository")]
    }
    if plan.isOpen {
      if let message = contradiction(plan, locked) {
        if let why = source.pointer(in: plan.files) { return origin + [behindPointer(item, why)] }
        return origin + [
          failed(.depContent, item, "\(item.dependency.declared) was edited after the stage ran: \(message)")
        ]
      }
      return origin + [
        maker.skipped(
          .depContent, path: path(item), "it holds data whose list is not here", at: item.dependency.mark)
      ]
    }
    let entries: [DirectoryManifest.Entry]
    let digest: Digest16
    switch contents.content(plan.place, { plan.content(readings) }) {
    case .entries(let found, let hash): (entries, digest) = (found, hash)
    case .deleted(let name, let file), .folder(let name, let file):
      return origin.filter { $0.status != .passed } + [
        failed(
          .depOrigin, item, path: shown(file),
          "\(name) in \(item.dependency.declared) was deleted, or something else stands in its place: "
            + "the next commit would lack it",
          hint: "bring it back with `git checkout -- \(ShellQuoting.quote(shown(file)))`")
      ]
    case .unknown(let name, let why):
      return origin + [unknown(.depContent, item, "the content of \(name) \(why)")]
    }
    if hash.isDirectory, digest == hash.digest { return origin + [passed(.depContent, item)] }
    // What else lies there may be a part of what was locked.
    if hash.isDirectory, plan.areStrangersMany {
      return origin + [untold(item, "what git does not have there is too much to be read")]
    }
    if hash.isDirectory, isLocked(entries, with: plan.strangers, item, hash) { return origin }
    if plan.mixesHashes {
      return origin + [unknown(.depContent, item, "its content is not known: \(FolderPlan.mixed)")]
    }
    if let why = source.pointer(in: plan.files) { return origin + [behindPointer(item, why)] }
    var message = "\(item.dependency.declared) was edited after the stage ran"
    let ends = hash.algorithm == .md5 && hash.isDirectory ? lineEnds(plan, hash) : nil
    if let ends {
      message = ends.message(item.dependency.declared)
    } else if let count = locked.fileCount, count != entries.count {
      message += ": it had \(count) file\(count == 1 ? "" : "s"), git has \(entries.count)"
    }
    return origin + [
      failed(
        .depContent, item, message, was: locked.hashText.map { "md5 " + $0 }, now: "md5 \(digest.hex).dir",
        hint: ends?.hint(maker.rerun))
    ]
  }

  private func behindPointer(_ item: Item, _ why: String) -> Check {
    unknown(.depContent, item, "its content is not known: \(why)", hint: "run `git lfs pull` first")
  }

  /// Of a folder whose origin failed: that says enough, unless the project lets it pass.
  private func untold(_ item: Item, _ why: String) -> Check {
    var check = maker.skipped(
      .depContent, path: path(item), "its content is not known: \(why)", at: item.dependency.mark)
    check.standIn = .depOrigin
    return check
  }

  /// What the numbers in the lock say against the folder, where the list of an output in it is not here.
  private func contradiction(_ plan: FolderPlan, _ locked: LockedFile) -> String? {
    guard let recorded = plan.recorded, plan.unknown == nil, plan.strangers.isEmpty else { return nil }
    let inGit = plan.files
    if let count = locked.fileCount, count != inGit.count + recorded.files {
      return "it had \(count) file\(count == 1 ? "" : "s"), and has \(inGit.count + recorded.files)"
    }
    guard let size = locked.size else { return nil }
    var sum = recorded.bytes
    for path in inGit {
      guard let bytes = source.size(of: path) else { return nil }
      sum &+= bytes
    }
    return sum == size ? nil : "it had \(size) bytes, and has \(sum)"
  }

  private func lineEnds(_ plan: FolderPlan, _ hash: ContentHash) -> LineEnds? {
    contents.lineEnds(plan.place) { LineEnds.digests(of: plan, in: source) }
      .first { $0.value == hash.digest }?.key
  }

  /// A path of git's, seen from the project's root.
  private func shown(_ path: RepoPath) -> String { subject.paths.location(inWorkTree: path.text).recordPath }

  private func stranger(_ item: Item, _ file: RepoPath) -> Check {
    let shown = shown(file)
    let name = ShellQuoting.quote(shown)
    switch source.absence(of: file) {
    case .ignored:
      return failed(
        .depOrigin, item, path: shown,
        "\(shown) is a part of \(item.dependency.declared), and git ignores it: nobody else has it",
        hint: "name it in .dvcignore, remove it, or `git add --force \(name)`; then run the stage again")
    case .notAdded, .nowhere:
      return failed(
        .depOrigin, item, path: shown,
        "\(shown) is a part of \(item.dependency.declared), and was never added to git: nobody else has it",
        hint: "`git add \(name)`, or name it in .dvcignore")
    }
  }

  static func digest(_ entries: [DirectoryManifest.Entry]) -> Digest16 {
    ContentHasher.md5(of: ManifestJSON.encode(DirectoryManifest(entries)))
  }

  /// With what git does not have it is what was locked: the strangers are all there is to tell.
  private func isLocked(
    _ entries: [DirectoryManifest.Entry], with strangers: [RepoPath], _ item: Item, _ hash: ContentHash
  ) -> Bool {
    guard !strangers.isEmpty, let folder = subject.paths.pathInWorkTree(item.dependency.location) else { return false }
    var entries = entries
    for stranger in strangers {
      guard case .digest(let digest)? = readings[ContentRequest(stranger, hash.algorithm)] else { return false }
      entries.append(.init(path: stranger.relative(to: RepoPath(unchecked: folder)), md5: digest))
    }
    return Self.digest(entries) == hash.digest
  }

  // MARK: Words

  func passed(_ id: CheckID, _ item: Item) -> Check {
    maker.passed(id, path: path(item), at: item.dependency.mark)
  }

  func skipped(_ item: Item, _ message: String) -> Check {
    maker.skipped(.lockChain, path: path(item), message, at: item.dependency.mark)
  }

  func unknown(_ id: CheckID, _ item: Item, _ message: String, hint: String? = nil) -> Check {
    maker.unknown(id, path: path(item), message, hint: hint, at: item.dependency.mark)
  }

  func failed(
    _ id: CheckID, _ item: Item, path: String? = nil, _ message: String, was: String? = nil, now: String? = nil,
    hint: String? = nil, evidence: String? = nil
  ) -> Check {
    let check = maker.failed(
      id, path: path ?? self.path(item), message, was: was, now: now, hint: hint, evidence: evidence,
      at: item.dependency.mark)
    return id == .depOrigin ? check : maker.softened(check)
  }
}
