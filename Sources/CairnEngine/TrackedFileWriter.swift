// Writes what a tracked file or folder holds now into its `.dvc` file, in place.
import CairnCore
import CairnFormats
import CairnSystem

enum TrackedFileWriter {
  /// Sets hash, size and count of each output of a `.dvc` file; everything else of the file stays as it is.
  static func update(_ stage: Stage, _ contents: [Content], root: String) throws(Diagnostic) {
    let path = root + "/" + stage.address.file.text
    guard let bytes = try Files.read(path) else { return }
    if let tracked = stage.tracked, tracked.outputs.contains(where: { !$0.other.isEmpty }) {
      let outputs = stage.outputs.indices.filter(contents.indices.contains).map { index in
        LockedFile(path: stage.outputs[index].declared, content: contents[index])
          .keepingVersions(of: tracked.outputs[index], in: contents[index])
      }
      if outputs == tracked.outputs { return }
      return try DataFileWriter.write(
        stage, outputs: outputs, previous: tracked.document, keepsChecksum: true, to: path)
    }
    var editor = try YAMLEditor(SourceText(path: stage.address.file.text, bytes: bytes))
    for (index, output) in stage.outputs.enumerated() where index < contents.count {
      let old = stage.trackedLock?.out(output.declared)
      let new = LockedFile(path: output.declared, content: contents[index])
      if old?.hashText == new.hashText, old?.size == new.size, old?.isExecutable == new.isExecutable { continue }
      let item: [PathStep] = [.key("outs"), .index(index)]
      if let hash = new.hashText { try editor.set(item + [.key("md5")], to: .string(hash)) }
      if let size = new.size { try editor.set(item + [.key("size")], to: .int(Int(size))) }
      if let count = new.fileCount {
        try editor.set(item + [.key("nfiles")], to: .int(count))
      } else if old?.fileCount != nil {
        try editor.remove(item + [.key("nfiles")])
      }
      if new.isExecutable {
        try editor.set(item + [.key("isexec")], to: .bool(true))
      } else if old?.isExecutable == true {
        try editor.remove(item + [.key("isexec")])
      }
      if old?.hasHashField == false, new.hasHashField { try editor.set(item + [.key("hash")], to: "md5") }
    }
    let text = Array(editor.text.utf8)
    if text != bytes { try AtomicFile.writeKeepingMode(text, to: path, sync: false) }
  }

  /// Of an import, what was read as well: its file has a checksum over both.
  static func updateImport(
    _ stage: Stage, _ contents: [Content], _ dependencies: [Content], root: String
  ) throws(Diagnostic) {
    let files = zip(stage.dependencies, dependencies).map { LockedFile(path: $0.declared, content: $1) }
    for (dependency, file) in zip(stage.dependencies, files) where file.hashText == nil {
      throw Diagnostic.missingDependency(dependency.declared, at: dependency.mark)
    }
    try DataFileWriter.write(
      stage, outputs: zip(stage.outputs, contents).map { LockedFile(path: $0.declared, content: $1) },
      previous: stage.tracked?.document, dependencies: files.map(DataFiles.value(dependency:)),
      to: root + "/" + stage.address.file.text)
  }
}
