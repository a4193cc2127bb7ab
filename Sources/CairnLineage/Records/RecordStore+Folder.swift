// Makes the store's surroundings on the first write: ignore files, so that git and DVC never see it, and its name.
package import CairnCore
import CairnSystem
import Glibc

extension RecordStore {
  /// Where the record of a run lies, or would.
  package func path(of run: RunID) -> String {
    folder + "/" + WriteOnceFolder.Name(run.digest, suffix: Self.documentSuffix).text
  }

  /// The UUID of this store, made on the first call and kept in the file `store`.
  package func identifier() throws(Diagnostic) -> String {
    let path = folder + "/store"
    if let text = try Files.readText(path), text.utf8.count >= 36 { return String(text.prefix(36)) }
    try prepareProjectFolder()
    let fresh = Identifier.uuid()
    try Self.create(path, fresh + "\n")
    // Another process may have been first: what stands in the file counts.
    return String((try Files.readText(path) ?? fresh).prefix(36))
  }

  /// Writes `.cairn/.gitignore` and `.cairn/.dvcignore` unless something stands there.
  func prepareProjectFolder() throws(Diagnostic) {
    if isPrepared.load(ordering: .acquiring) { return }
    try Files.makeDirectories(folder)
    if let slash = folder.utf8.lastIndex(of: UInt8(ascii: "/")) {
      let cairnFolder = String(folder[..<slash])
      try Self.create(cairnFolder + "/.gitignore", "*\n!config.toml\n")
      try Self.create(cairnFolder + "/.dvcignore", "*\n")
    }
    isPrepared.store(true, ordering: .releasing)
  }

  /// Writes a new file whole; one that exists is left alone, also one that another process makes meanwhile.
  private static func create(_ path: String, _ text: String) throws(Diagnostic) {
    if Files.exists(path) { return }
    let temporary = AtomicFile.temporaryName(beside: path)
    do throws(Diagnostic) {
      try Files.write(text, to: temporary)
    } catch {
      _ = try? Files.remove(temporary)
      throw error
    }
    let isLinked = link(temporary, path) == 0 || errno == EEXIST
    if isLinked { try Files.remove(temporary) } else { try Files.rename(temporary, to: path) }
  }
}
