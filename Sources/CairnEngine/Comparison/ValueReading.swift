// Reads the parameters or metrics of one state of a project: which files count, and what they hold.
package import CairnCore
package import OrderedCollections

/// By path, relative to the project.
package typealias FileReadings = OrderedDictionary<String, Result<Value, Diagnostic>>
/// By the name of the revision.
package typealias StateReadings = OrderedDictionary<String, StateReading>

/// What one state says; `failed` when its pipeline files could not be understood.
package enum StateReading: Sendable {
  case files(FileReadings)
  case failed(Diagnostic)

  /// Something could not be read.
  package var hasErrors: Bool {
    switch self {
    case .failed: true
    case .files(let files): files.values.contains { if case .failure = $0 { true } else { false } }
    }
  }

  /// What could be read.
  package var values: NamedValues {
    guard case .files(let files) = self else { return [:] }
    return files.compactMapValues { try? $0.get() }
  }
}

extension ProjectState {
  /// - Parameter targets: paths relative to the project; empty: all that the pipeline declares.
  package func metrics(_ targets: [String]) -> StateReading {
    reading { () throws(Diagnostic) in
      var paths = targets
      if targets.isEmpty {
        let pipeline = try project().pipeline
        for stage in pipeline.stages {
          for output in stage.outputs where output.role == .metric { paths.append(text(output.location)) }
        }
        for file in pipeline.files { paths += file.metrics.map { joined(file.path.parent, $0) } }
      }
      var files: FileReadings = [:]
      for path in paths.flatMap(expand) where files[path] == nil {
        files[path] = result { () throws(Diagnostic) in Self.metrics(in: try document(at: path)) }
      }
      return files
    }
  }

  /// Numbers, texts and truth values; lists and what else there may be do not count.
  private static func metrics(in value: Value) -> Value {
    let found = metric(value)
    return found?.isTruthy ?? false ? found ?? .emptyMap : .emptyMap
  }

  private static func metric(_ value: Value) -> Value? {
    switch value {
    case .int, .bigInt, .float, .string, .bool: return value
    case .map(let map):
      var kept: ValueMap = [:]
      for (key, inner) in map {
        if let metric = metric(inner), metric != .emptyMap { kept[key] = metric }
      }
      return .map(kept)
    case .null, .timestamp, .list: return nil
    }
  }

  /// - Parameters:
  ///   - targets: paths relative to the project; empty: all that the pipeline declares, its templates used, and the
  ///     default file.
  ///   - dependenciesOnly: without the files of the top-level `params`, and the default one.
  package func parameters(_ targets: [String], dependenciesOnly: Bool) -> StateReading {
    reading { () throws(Diagnostic) in
      var wanted: [(path: String, keys: [String])] = targets.map { ($0, []) }
      if targets.isEmpty {
        let pipeline = try project().pipeline
        for stage in pipeline.stages { wanted += stage.parameters.map { (text($0.location), $0.keys) } }
        if !dependenciesOnly {
          for file in pipeline.files { wanted += file.params.map { (joined(file.path.parent, $0), []) } }
          if files.exists(RepoPath(unchecked: "params.yaml")) { wanted.append(("params.yaml", [])) }
        }
      }
      let whole = Set(wanted.filter(\.keys.isEmpty).map(\.path))
      var keys: OrderedDictionary<String, [String]> = [:]
      for (path, more) in wanted { keys[path, default: []] += whole.contains(path) ? [] : more }
      var files: FileReadings = [:]
      for (path, keys) in keys {
        for file in expand(path) {
          files[file] = result { () throws(Diagnostic) in
            ParameterSubtree.select(keys, from: try document(at: file))
          }
        }
      }
      if targets.isEmpty { try addUses(to: &files) }
      return files
    }
  }

  /// What templates took from files that are not shown yet.
  private func addUses(
    to files: inout FileReadings
  ) throws(Diagnostic) {
    let project = try project()
    var uses: OrderedDictionary<String, ValueMap> = [:]
    for stage in project.pipeline.stages {
      // A map that is written out whole is none of the values that DVC compares.
      for use in stage.uses where use.value.map == nil {
        let path = joined(project.folder, use.source)
        if files[path] == nil { uses[path, default: [:]][.string(use.key)] = use.value }
      }
    }
    for (path, values) in uses { files[path] = .success(.map(values)) }
  }

  private func reading(
    _ body: () throws(Diagnostic) -> FileReadings
  ) -> StateReading {
    do throws(Diagnostic) { return .files(try body()) } catch { return .failed(error) }
  }

  private func result(_ body: () throws(Diagnostic) -> Value) -> Result<Value, Diagnostic> {
    do throws(Diagnostic) { return .success(try body()) } catch { return .failure(error) }
  }

  private func text(_ location: Location) -> String {
    switch location {
    case .local(let path): path.text
    case .external(let path): path.absolute
    case .url(let url): url
    }
  }

  private func joined(_ folder: RepoPath, _ path: String) -> String { folder.resolving(path)?.text ?? path }
}
