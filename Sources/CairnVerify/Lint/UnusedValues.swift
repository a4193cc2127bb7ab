// Finds parameters and variables that no stage uses. A file that something takes whole is used as a whole.
import CairnCore
import CairnEngine

struct UnusedValues {
  let subject: VerifySubject
  private let project: LoadedProject
  /// What stages declare of each parameter file; `nil` where one takes it whole.
  private var declared: [Location: Set<String>?] = [:]

  init(_ subject: VerifySubject) {
    self.subject = subject
    project = subject.project
    for stage in project.pipeline.stages {
      for set in stage.parameters { declare(set.location, set.keys.isEmpty ? nil : set.keys) }
      for dependency in stage.dependencies { declare(dependency.location, nil) }
    }
    for file in project.pipeline.files {
      // Shown to people as a whole.
      for name in file.params { declare(subject.paths.location(of: name, in: .local(file.path.parent)), nil) }
    }
  }

  private mutating func declare(_ file: Location, _ keys: [String]?) {
    guard let keys, case .some(let known) = declared[file] ?? .some([]) else {
      declared[file] = .some(nil)
      return
    }
    declared[file] = known.union(keys)
  }

  func checks() -> [Check] {
    var checks: [Check] = []
    var templated: [Location: Set<String>] = [:]
    var sources: [(file: Location, isVariables: Bool)] = []
    for file in project.pipeline.files {
      let references = TemplateReferences(file.document)
      let folder = Location.local(file.path.parent)
      let standard = subject.paths.location(of: "params.yaml", in: folder)
      sources.append((standard, false))
      templated[standard, default: []].formUnion(references.paths)
      for item in file.document["vars"]?.items ?? [] {
        if let name = item.string {
          // `other.yaml:a,b` takes those two alone.
          let path = name.split(separator: ":", maxSplits: 1).first.map(String.init) ?? name
          let location = subject.paths.location(of: path, in: folder)
          sources.append((location, true))
          templated[location, default: []].formUnion(references.paths)
        } else {
          checks += inline(item, references, file)
        }
      }
      checks += stageVariables(file)
    }
    for location in declared.keys where !sources.contains(where: { $0.file == location }) {
      sources.append((location, false))
    }
    var seen: Set<Location> = []
    for (location, isVariables) in sources.sorted(by: { $0.file.recordPath < $1.file.recordPath })
    where seen.insert(location).inserted {
      let isParameters = declared[location] != nil || !isVariables
      checks += unused(in: location, isParameters ? .unusedParam : .unusedVar, templated[location] ?? [])
    }
    return checks
  }

  private func inline(_ item: MarkedValue, _ references: TemplateReferences, _ file: PipelineFile) -> [Check] {
    var checks: [Check] = []
    collect(item, "", references.paths) { key, mark in
      checks.append(check(.unusedVar, "no template uses the variable \(key)", file.path.text, mark))
    }
    return checks
  }

  /// `vars` of single stages.
  private func stageVariables(_ file: PipelineFile) -> [Check] {
    var checks: [Check] = []
    for stage in file.document["stages"]?.entries ?? [] {
      let body = stage.value["do"] ?? stage.value
      let references = TemplateReferences(body)
      for item in body["vars"]?.items ?? [] where item.string == nil { checks += inline(item, references, file) }
    }
    return checks
  }

  private func unused(in location: Location, _ id: CheckID, _ templated: Set<String>) -> [Check] {
    // What else stands in a module is the module's own business.
    if location.recordPath.hasSuffix(".py") { return [] }
    // Taken whole.
    if case .some(.none) = declared[location] { return [] }
    let keys = (declared[location] ?? []) ?? []
    guard let content = (try? subject.loader.parameters.parameters(at: location)) ?? nil,
      case .document(let document) = content
    else { return [] }
    // A pattern may mean anything.
    if keys.contains(where: { $0.contains { "*?[".contains($0) } }) { return [] }
    let used = keys.union(templated)
    var checks: [Check] = []
    collect(document, "", used) { key, mark in
      let what = id == .unusedParam ? "no stage declares or uses the parameter \(key)" : "no template uses \(key)"
      checks.append(check(id, what, location.recordPath, mark))
    }
    if checks.isEmpty {
      return [Check(id, .passed, path: location.recordPath, at: CheckPlace(file: location.recordPath, line: 1))]
    }
    return checks
  }

  /// The topmost keys below which nothing is used.
  private func collect(
    _ value: MarkedValue, _ prefix: String, _ used: Set<String>, _ found: (String, SourceMark?) -> Void
  ) {
    for entry in value.entries ?? [] {
      let key = prefix + PythonText.str(entry.key.value)
      if used.contains(key) || used.contains(where: { key.hasPrefix($0 + ".") }) { continue }
      if used.contains(where: { $0.hasPrefix(key + ".") }) {
        collect(entry.value, key + ".", used, found)
      } else {
        found(key, entry.key.mark)
      }
    }
  }

  private func check(_ id: CheckID, _ message: String, _ file: String, _ mark: SourceMark?) -> Check {
    Check(
      id, .failed, path: file, message: message, hint: "take it out, or declare it where it is read",
      at: CheckPlace(mark, orFile: file, subject.paths))
  }
}
