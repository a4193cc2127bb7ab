// Reads parameter files from the disk, each once, and the values that stages declare in them.
package import CairnCore
internal import CairnFormats
internal import CairnSystem
internal import OrderedCollections
internal import Synchronization

/// The values of a stage's keys in one file, as they are now.
package enum ParameterReading: Sendable {
  /// The file is not there.
  case missing
  /// Each declared key that has a value (of a whole file: its top-level keys), in order, with its place.
  case values([(key: String, value: MarkedValue)])
}

package final class ParameterFiles: ParameterSource, Sendable {
  private let files: any ProjectFiles
  private let read = Mutex<[Location: Result<ParameterContent?, Diagnostic>]>([:])

  /// - Parameter files: `nil` for those on the disk.
  package init(root: String, files: (any ProjectFiles)? = nil) { self.files = files ?? DiskFiles(root: root) }

  package func parameters(at location: Location) throws(Diagnostic) -> ParameterContent? {
    if let known = read.withLock({ $0[location] }) { return try known.get() }
    let result: Result<ParameterContent?, Diagnostic>
    do throws(Diagnostic) { result = .success(try load(location)) } catch { result = .failure(error) }
    read.withLock { $0[location] = result }
    return try result.get()
  }

  private func load(_ location: Location) throws(Diagnostic) -> ParameterContent? {
    switch location {
    case .local(let path):
      if files.isDirectory(path) { return .directory }
      guard let bytes = try files.read(path) else { return nil }
      return .document(try ParameterFile.parse(SourceText(path: path.text, bytes: bytes)))
    case .external(let path):
      if files.isDirectory(outside: path) { return .directory }
      guard let bytes = try files.read(outside: path) else { return nil }
      return .document(try ParameterFile.parse(SourceText(path: path.absolute, bytes: bytes)))
    case .url: return nil
    }
  }

  /// The values of `set` now.
  ///
  /// - Throws: when the file is a directory or cannot be understood.
  package func reading(of set: ParameterSet, from folder: RepoPath) throws(Diagnostic) -> ParameterReading {
    let shown = set.text(from: folder)
    let content: ParameterContent?
    do throws(Diagnostic) { content = try parameters(at: set.location) } catch {
      throw Diagnostic(.parameterFile, "Unable to read parameters from '\(shown)'", at: set.mark).because(of: error)
    }
    switch content {
    case nil: return .missing
    case .directory:
      throw Diagnostic(.parameterFile, "'\(shown)' is a directory, expected a parameters file", at: set.mark)
    case .document(let document): return .values(try Self.values(of: set, in: document))
    }
  }

  /// The values of `set` in a file's content, wherever that was read.
  ///
  /// - Throws: when the content is no table.
  package static func values(
    of set: ParameterSet, in document: MarkedValue
  ) throws(Diagnostic) -> [(key: String, value: MarkedValue)] {
    var values: [(key: String, value: MarkedValue)] = []
    if set.keys.isEmpty {
      if document.entries == nil, document.value.isTruthy {
        // What is empty or zero counts as a file without values.
        let type = PythonText.typeName(document.value)
        throw Diagnostic.unexpected(
          .parameterFile, "'\(type)' object has no attribute 'keys'", at: set.mark)
      }
      for entry in document.entries ?? [] { values.append((PythonText.str(entry.key.value), entry.value)) }
      return values
    }
    var seen: Set<String> = []
    let lookup = ParameterLookup(document, forMany: set.keys.count > 16)
    for key in set.keys where seen.insert(key).inserted {
      if let value = try lookup.value(key) { values.append((key, value)) }
    }
    return values
  }

  /// What was read, and what was looked for in vain.
  package var sources: ProjectSources {
    var sources = ProjectSources()
    read.withLock { read in
      for (location, result) in read {
        var isAbsent = false
        if case .success(nil) = result { isAbsent = true }
        switch location {
        case .local(let path): if isAbsent { sources.absent.append(path) } else { sources.files.append(path) }
        // There or not: whoever keeps what hangs on them looks at both.
        case .external(let path): sources.outside.append(path.absolute)
        case .url: break
        }
      }
    }
    return sources
  }
}

extension Diagnostic.Code {
  package static let parameterFile = Diagnostic.Code("parameter-file")
}
