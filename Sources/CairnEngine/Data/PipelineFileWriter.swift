// Puts a stage into a `dvc.yaml`, or takes one out, and leaves everything else as its author laid it out.
internal import CairnCore
internal import CairnFormats
internal import CairnSystem

struct PipelineFileWriter {
  let project: OpenProject
  let file: RepoPath

  enum Action: String { case adding = "Adding", modifying = "Modifying" }

  private var path: String { project.repository.absolute(file) }

  private func read() throws(Diagnostic) -> SourceText? {
    try Files.read(path).map { SourceText(path: file.text, bytes: $0) }
  }

  /// Writes the stage's entry: a new one at the end, one that exists where it stands.
  func put(_ stage: Stage) throws(Diagnostic) -> Action {
    let name = stage.address.name ?? ""
    if stage.isParametrized { throw .parametrized(stage, "dump", project) }
    let entry = Value.map(StageDeclaration.entry(stage))
    guard let source = try read(), !source.bytes.isEmpty else {
      try write(YAMLWriter.dump(.map(["stages": .map([.string(name): entry])])))
      return .adding
    }
    let document = try YAMLReader.parse(source).value
    if document.isNull {
      // Nothing but comments: they stay above.
      let text = String(decoding: source.bytes, as: UTF8.self)
      let separator = text.isEmpty || text.hasSuffix("\n") ? "" : "\n"
      try write(text + separator + YAMLWriter.dump(.map(["stages": .map([.string(name): entry])])))
      return .adding
    }
    var editor = try YAMLEditor(source)
    let place: [PathStep] = [.key("stages"), .key(name)]
    let old = document["stages"]?[name]
    if let old {
      try editor.apply(entry, over: old, at: place)
    } else if document["stages"]?.map == nil {
      try editor.set([.key("stages")], to: .map([.string(name): entry]))
    } else {
      try editor.set(place, to: entry)
    }
    try write(editor.text)
    return old == nil ? .adding : .modifying
  }

  /// Takes the stage out of the file and its lock; a file without stages goes altogether, as with DVC.
  func remove(_ stage: Stage) throws(Diagnostic) {
    let name = stage.address.name ?? ""
    if stage.isParametrized { throw .parametrized(stage, "remove", project) }
    try removeFromLock(name)
    guard let source = try read() else { return }
    guard let stages = try YAMLReader.parse(source).value["stages"]?.map, stages[.string(name)] != nil else { return }
    if stages.count == 1 {
      _ = try Files.remove(path)
      return
    }
    var editor = try YAMLEditor(source)
    try editor.remove([.key("stages"), .key(name)])
    try write(editor.text)
  }

  private func removeFromLock(_ name: String) throws(Diagnostic) {
    let lockFile = PipelineLoader.lockPath(of: file)
    let path = project.repository.absolute(lockFile)
    guard let bytes = try Files.read(path) else { return }
    var lock = try LockYAML.read(SourceText(path: lockFile.text, bytes: bytes))
    guard lock.entries.removeValue(forKey: name) != nil else { return }
    if lock.entries.isEmpty {
      _ = try Files.remove(path)
    } else {
      try AtomicFile.writeKeepingMode(LockYAML.encode(lock), to: path, sync: false)
    }
  }

  private func write(_ text: String) throws(Diagnostic) {
    try AtomicFile.writeKeepingMode(Array(text.utf8), to: path, sync: false)
  }
}

extension Diagnostic {
  static func parametrized(_ stage: Stage, _ action: String, _ project: OpenProject) -> Diagnostic {
    let name = stage.address.text(from: project.repository.workingFolder ?? .root)
    return Diagnostic(Diagnostic.Code("parametrized-stage"), "cannot \(action) a parametrized stage: '\(name)'", at: stage.mark)
  }
}
