// Checks of whole files: can they be understood, does git have them, do locks name stages that are gone.
import CairnCore
import CairnEngine
import CairnFormats
import CairnSystem

struct PipelineChecks {
  let subject: VerifySubject
  /// `nil` where nobody can say what git has.
  let source: (any SourceTree)?

  private func place(_ mark: SourceMark?, _ file: RepoPath) -> CheckPlace {
    CheckPlace(mark, orFile: file.text, subject.paths)
  }

  // MARK: Validity

  /// The pipeline cannot be understood, so that nothing can be said of its stages.
  var isBroken: Bool { (try? subject.project.graph()) == nil }

  /// One check for each file that stages are read from; those that failed may have several.
  func validity() -> [Check] {
    var checks = subject.project.failures.map(fault)
    let bad = Set(subject.project.failures.map(\.file))
    if checks.isEmpty {
      do throws(Diagnostic) { _ = try subject.project.graph() } catch { checks.append(graphFault(error)) }
    }
    checks += hidden() + unreadable() + leftOut() + forgotten()
    for file in files where !bad.contains(file) {
      if let fault = absence(of: file) {
        checks.append(fault)
      } else {
        checks.append(Check(.pipelineValid, .passed, path: file.text, at: CheckPlace(file: file.text, line: 1)))
      }
    }
    return checks
  }

  /// `dvc.yaml` and `.dvc` files that were understood, in the order of the pipeline.
  private var files: [RepoPath] {
    var files: [RepoPath] = []
    var seen: Set<RepoPath> = []
    func add(_ file: RepoPath) { if seen.insert(file).inserted { files.append(file) } }
    for file in subject.project.pipeline.files { add(file.path) }
    var last: RepoPath?
    for index in subject.project.pipeline.stages.indices {
      let file = subject.project.pipeline.stages[index].address.file
      if file != last { add(file) }
      last = file
    }
    return files
  }

  private func fault(_ failure: LoadedProject.Failure) -> Check {
    let error = failure.diagnostic
    let at = place(error.mark, fileAtFault(failure))
    var stage: String?
    if let name = failure.stage, !name.isEmpty { stage = StageAddress(file: failure.file, name: name).text() }
    let isUnknown = error.code == .unknownContent
    return Check(
      .pipelineValid, isUnknown ? .unknown : .failed, stage: stage, path: at.file, message: words(error),
      hint: error.hint ?? hint(error, at.file), evidence: wholeWords(error), at: at)
  }

  /// Of each file that cannot be understood: nobody knows which stages it has.
  func unlooked() -> [Check] {
    var seen: Set<RepoPath> = []
    return subject.project.failures.map(\.file).filter { seen.insert($0).inserted }.map { file in
      Check(
        .lockMissing, .unknown, path: file.text, message: Check.unlooked, at: CheckPlace(file: file.text, line: 1))
    }
  }

  /// Folders and ignore files that could not be looked into: what they hold is not known.
  private func unreadable() -> [Check] {
    subject.project.sources.unreadable.map { path in
      Check(
        .pipelineValid, .unknown, path: path.description, message: "\(path) cannot be read: what it holds is not known",
        hint: "make it readable", at: CheckPlace(file: path.description, line: 1))
    }
  }

  /// On one line, and without the folder where this clone happens to lie.
  private func words(_ error: Diagnostic) -> String { CheckWords.short(wholeWords(error)) }

  private func wholeWords(_ error: Diagnostic) -> String {
    var text = error.fullMessage
    for note in error.notes.prefix(3) { text += (text.hasSuffix(".") ? " " : "; ") + note.message }
    return text.replacing(subject.repository.root + "/", with: "")
  }

  private func hint(_ error: Diagnostic, _ file: String) -> String {
    error.code == .gitIgnored ? "take it out of .gitignore, and `git add \(ShellQuoting.quote(file))`" : "mend \(file)"
  }

  /// Pipelines and `.dvc` files that git has and that its own patterns hide: DVC does not look at them.
  private func hidden() -> [Check] {
    guard let source else { return [] }
    return subject.project.sources.passedOver.flatMap { [$0] + committed(below: $0, source) }.compactMap { path in
      guard path.name == "dvc.yaml" || path.text.hasSuffix(".dvc"),
        !subject.loader.ignore.isIgnored(path, isDirectory: false),
        source.listing[RepoPath(unchecked: subject.paths.pathInWorkTree(path))] != nil
      else { return nil }
      return Check(
        .pipelineValid, .failed, path: path.text,
        message: "\(path) is in git, and a .gitignore hides it: what it says does not count",
        hint: "take it out of .gitignore", at: CheckPlace(file: path.text, line: 1))
    }
  }

  /// Pipelines and `.dvc` files that git has and a sparse checkout does not put on the disk: their stages count, and
  /// nobody looks at them here.
  private func leftOut() -> [Check] {
    guard let source, subject.revision == nil else { return [] }
    return source.listing.files(below: projectInTree).compactMap { file in
      guard file.name == "dvc.yaml" || file.name == "dvc.lock" || file.name.hasSuffix(".dvc"),
        source.listing[file]?.isLeftOut == true, !isOfAnotherProject(file, source),
        case .local(let path) = subject.paths.location(inWorkTree: file.text), !subject.files.exists(path),
        !subject.loader.ignore.isIgnored(path, isDirectory: false)
      else { return nil }
      return Check(
        .pipelineValid, .unknown, path: path.text,
        message: "a sparse checkout leaves \(path) out: what it says is not looked at",
        hint: "look at the commit: `cairn verify --rev HEAD`", at: CheckPlace(file: path.text, line: 1))
    }
  }

  /// Patterns of what DVC does not see that only this machine has: elsewhere its folders have other files.
  private func forgotten() -> [Check] {
    guard let source, subject.revision == nil else { return [] }
    return subject.project.sources.files.compactMap { file in
      guard file.name == ".dvcignore", file.parent.text != ".cairn", !isInGit(file, source),
        // In a folder of which git has nothing it hides nothing that others have.
        !source.listing.files(below: RepoPath(unchecked: subject.paths.pathInWorkTree(file.parent))).isEmpty
      else { return nil }
      let text = ((try? subject.files.read(file)) ?? nil).map { String(decoding: $0, as: UTF8.self) } ?? ""
      let hasPatterns = text.split(whereSeparator: \.isNewline).contains {
        $0.first { !$0.isWhitespace }.map { $0 != "#" } ?? false
      }
      guard hasPatterns else { return nil }
      return Check(
        .pipelineValid, .failed, path: file.text, message: "\(file) is not in git: elsewhere nothing hides what it hides",
        hint: "`git add \(ShellQuoting.quote(file.text))`", at: CheckPlace(file: file.text, line: 1))
    }
  }

  /// The project's folder as git names it.
  private var projectInTree: RepoPath {
    RepoPath(unchecked: subject.prefix.isEmpty ? "" : String(subject.prefix.dropLast()))
  }

  private func isOfAnotherProject(_ file: RepoPath, _ source: any SourceTree) -> Bool {
    var parent = file.parent
    while parent != projectInTree, !parent.isRoot {
      if source.listing.folders.contains(parent.appending(".dvc")) { return true }
      parent = parent.parent
    }
    return false
  }

  /// What git has in a folder that was passed over as a whole, other projects in it aside.
  private func committed(below folder: RepoPath, _ source: any SourceTree) -> [RepoPath] {
    let inTree = RepoPath(unchecked: subject.paths.pathInWorkTree(folder))
    return source.listing.files(below: inTree).compactMap { file in
      guard !isOfAnotherProject(file, source), case .local(let path) = subject.paths.location(inWorkTree: file.text)
      else { return nil }
      return path
    }
  }

  /// A lock that cannot be read, or that git does not see, and a parameter file that templates need, are told of the
  /// file beside it.
  private func fileAtFault(_ failure: LoadedProject.Failure) -> RepoPath {
    let text = failure.diagnostic.fullMessage
    let repository = subject.repository
    let beside = [PipelineLoader.lockPath(of: failure.file), failure.file.parent.appending("params.yaml")]
    return (subject.project.sources.files + beside).first { file in
      let path = repository.absolute(file)
      let names = [path, file.text, Repository.relative(path, to: repository.workingDirectory)]
      return file != failure.file && names.contains { text.contains("'" + $0 + "'") }
    } ?? failure.file
  }

  private func graphFault(_ error: Diagnostic) -> Check {
    let file = subject.project.pipeline.files.first?.path ?? RepoPath(unchecked: "dvc.yaml")
    let at = place(error.mark, file)
    return Check(
      .pipelineValid, .failed, path: at.file, message: words(error), hint: error.hint ?? "mend \(at.file)",
      evidence: wholeWords(error), at: at)
  }

  /// A pipeline that only this machine has. A `.dvc` file is asked for where something needs its data.
  private func absence(of file: RepoPath) -> Check? {
    guard let source, subject.revision == nil else { return nil }
    guard file.name == "dvc.yaml" else {
      // A link that git has, to what it does not have.
      let path = RepoPath(unchecked: subject.paths.pathInWorkTree(file))
      guard source.listing[path]?.kind == .link, !isInGit(file, source) else { return nil }
      return Check(
        .pipelineValid, .failed, path: file.text, message: "\(file) is a link to a file that is not in git",
        hint: "let the file itself stand there", at: CheckPlace(file: file.text, line: 1))
    }
    if !isInGit(file, source) {
      return Check(
        .pipelineValid, .failed, path: file.text, message: "\(file) is not in git: nobody else has this pipeline",
        hint: "`git add \(ShellQuoting.quote(file.text))`", at: CheckPlace(file: file.text, line: 1))
    }
    let pipeline = subject.project.pipeline
    var templates = Set(pipeline.files.first { $0.path == file }?.neededFiles ?? [])
    for index in pipeline.stages.indices where pipeline.stages[index].address.file == file {
      for use in pipeline.stages[index].uses { templates.insert(use.source) }
    }
    for name in templates.sorted() {
      guard let path = subject.project.folder.resolving(name), !isInGit(path, source) else { continue }
      return Check(
        .pipelineValid, .failed, path: path.text,
        message: "\(file) takes values from \(path), which is not in git: nobody else can read this pipeline",
        hint: "`git add \(ShellQuoting.quote(path.text))`", at: CheckPlace(file: path.text, line: 1))
    }
    return nil
  }

  func isInGit(_ path: RepoPath, _ source: any SourceTree) -> Bool {
    if case .file = source.target(of: RepoPath(unchecked: subject.paths.pathInWorkTree(path))) { return true }
    return false
  }

  // MARK: Locks

  /// A lock that only this machine has, by its path.
  func uncommittedLocks() -> Set<RepoPath> {
    guard let source, subject.revision == nil else { return [] }
    return Set(subject.project.locks.keys.filter { !isInGit($0, source) })
  }

  /// Entries of stages that are gone.
  func orphans() -> [Check] {
    var names: [RepoPath: Set<RepoPath>] = [:]
    for index in subject.project.pipeline.stages.indices {
      let address = subject.project.pipeline.stages[index].address
      if let name = address.name { names[address.file, default: []].insert(RepoPath(unchecked: name)) }
    }
    var checks: [Check] = []
    for (lock, content) in subject.project.locks.sorted(by: { $0.key < $1.key }) {
      let file = pipelineFile(of: lock)
      let gone = Array(content.entries.keys).filter { !(names[file]?.contains(RepoPath(unchecked: $0)) ?? false) }
      checks += orphans(gone, of: lock, file)
      if gone.isEmpty {
        checks.append(Check(.lockOrphan, .passed, path: lock.text, at: CheckPlace(file: lock.text, line: 1)))
      }
    }
    return checks + widowed()
  }

  private func pipelineFile(of lock: RepoPath) -> RepoPath {
    RepoPath(unchecked: String(lock.text.dropLast(".lock".count)) + ".yaml")
  }

  private func orphans(_ gone: [String], of lock: RepoPath, _ file: RepoPath) -> [Check] {
    guard !gone.isEmpty else { return [] }
    let document = ((try? subject.files.read(lock)) ?? nil).flatMap {
      try? YAMLReader.parse(SourceText(path: lock.text, bytes: $0))
    }
    var marks: [RepoPath: SourceMark] = [:]
    for entry in (document?["stages"] ?? document)?.entries ?? [] {
      if let name = entry.key.string { marks[RepoPath(unchecked: name)] = entry.key.mark }
    }
    return gone.map { name in
      Check(
        .lockOrphan, .failed, stage: StageAddress(file: file, name: name).text(), path: lock.text,
        message: "\(lock) has an entry for it, and \(file) has no such stage",
        hint: "take the entry out of \(lock), or bring the stage back",
        at: place(marks[RepoPath(unchecked: name)], lock))
    }
  }

  /// Locks that git has without the `dvc.yaml` beside them.
  private func widowed() -> [Check] {
    guard let source else { return [] }
    var checks: [Check] = []
    for path in source.listing.files(below: projectInTree) where path.name == "dvc.lock" {
      guard case .local(let lock) = subject.paths.location(inWorkTree: path.text), subject.project.locks[lock] == nil,
        !subject.project.pipeline.files.contains(where: { $0.path == pipelineFile(of: lock) }),
        // Of a pipeline that git has and DVC does not see, that is told.
        source.listing[RepoPath(unchecked: subject.paths.pathInWorkTree(pipelineFile(of: lock)))] == nil
          || !subject
            .files.exists(pipelineFile(of: lock)),
        !subject.loader.ignore.isIgnored(lock, isDirectory: false),
        let bytes = (try? subject.files.read(lock)) ?? nil,
        let document = try? YAMLReader.parse(SourceText(path: lock.text, bytes: bytes)),
        let content = try? LockYAML.parse(document)
      else { continue }
      checks += orphans(Array(content.entries.keys), of: lock, pipelineFile(of: lock))
      guard !content.entries.isEmpty else { continue }
      // Was it taken away, or never added? Where there is no other pipeline, nothing at all was looked at.
      let file = pipelineFile(of: lock)
      let isHere = subject.files.exists(file)
      guard isHere || !subject.project.pipeline.stages.contains(where: { $0.kind == .pipeline }) else { continue }
      checks.append(
        Check(
          .pipelineValid, isHere ? .failed : .unknown, path: file.text,
          message: isHere
            ? "\(file) is not in git: nobody else has this pipeline"
            : "git has \(lock), and not the \(file) whose runs it tells of",
          hint: isHere ? "`git add --force \(ShellQuoting.quote(file.text))`" : "add \(file), or remove \(lock), too",
          at: CheckPlace(file: lock.text, line: 1)))
    }
    return checks
  }
}
