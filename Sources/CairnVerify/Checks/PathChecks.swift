// Finds paths that mean something else on another machine, and parameter files that are taken whole. Needs no lock.
import CairnCore
import CairnEngine

struct PathChecks {
  let maker: CheckMaker
  let paths: PathResolver
  private var stage: Stage { _read { yield maker.stage } }

  /// Dependencies, outputs, folders and commands that lead out of the repository.
  func outside() -> [Check] {
    var checks: [Check] = []
    if let fault = fault(stage.wdir, "its working directory", hint: Self.write) {
      // What is named in it lies there, too.
      return [fault]
    }
    for dependency in stage.dependencies {
      let what = "the dependency \(dependency.declared)"
      let hint = stage.kind == .tracked ? "import it from a place that others reach, too" : Self.bring
      if let fault = fault(
        dependency.location, what, dependency.mark, isAbsolute: dependency.isWrittenAbsolute, hint: hint)
      {
        checks.append(fault)
      }
    }
    for set in stage.parameters {
      let what = "the parameter file \(set.declared)"
      if let fault = fault(set.location, what, set.mark, isAbsolute: set.isWrittenAbsolute, hint: Self.write) {
        checks.append(fault)
      }
    }
    for output in stage.outputs {
      let what = "the output \(output.declared)"
      if let fault = fault(
        output.location, what, output.mark, isAbsolute: output.isWrittenAbsolute, hint: Self.write)
      {
        checks.append(fault)
      }
    }
    var told: Set<String> = []
    for (number, line) in stage.commands.enumerated() {
      for path in CommandPaths.outside(line) where told.insert(path).inserted {
        checks.append(
          maker.failed(
            .pathOutside, path: nil, "its command names \(path), which is another place on another machine",
            hint: "name a path in the repository, or give it as a parameter", at: stage.mark(ofCommand: number)))
      }
    }
    return Self.joined(checks, maker.passed(.pathOutside))
  }

  private static let bring = "bring it in with `dvc import-url`, or `cairn add --out`"
  private static let write = "keep it inside of the repository"

  /// One check for each path; what several lines of a command name is told together.
  private static func joined(_ checks: [Check], _ passed: Check) -> [Check] {
    if checks.isEmpty { return [passed] }
    var result: [Check] = []
    for check in checks {
      if let index = result.firstIndex(where: { $0.path == check.path }) {
        if !result[index].message.contains(check.message) { result[index].message += "; " + check.message }
      } else {
        result.append(check)
      }
    }
    return result
  }

  private func fault(
    _ location: Location, _ what: String, _ mark: SourceMark? = nil, isAbsolute: Bool = false, hint: String
  ) -> Check? {
    switch location {
    case .url: return nil
    case .external(let path):
      // Beside the project, in the same git repository.
      if paths.pathInWorkTree(location) != nil { return nil }
      return maker.failed(
        .pathOutside, path: isAbsolute ? path.absolute : paths.relative(path.absolute, to: .root),
        "\(what) is outside of the repository",
        hint: hint, at: mark)
    case .local(let path):
      guard isAbsolute else { return nil }
      return maker.failed(
        .pathOutside, path: path.text,
        "\(what) is written as an absolute path, which is another place in another clone",
        hint: "write it relative to the stage", at: mark)
    }
  }

  /// - Parameter parameterFiles: of all stages.
  func parametersAsDependencies(_ parameterFiles: Set<Location>) -> [Check] {
    var checks: [Check] = []
    for dependency in stage.dependencies where parameterFiles.contains(dependency.location) {
      checks.append(
        maker.failed(
          .paramsAsDep, path: dependency.location.recordPath,
          "it depends on the whole of \(dependency.declared): any edit of the file runs it again",
          hint: "name the keys that it reads under params instead", at: dependency.mark))
    }
    return checks.isEmpty ? [maker.passed(.paramsAsDep)] : checks
  }
}
