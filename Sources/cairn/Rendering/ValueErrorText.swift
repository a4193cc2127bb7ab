// Faults of parameter and metrics files as DVC's JSON names them: a Python type and its words.
internal import CairnCore
internal import CairnEngine
internal import CairnFormats

enum ValueErrorText {
  /// Without the cause: `str()` of DVC's exception.
  static func message(_ error: Diagnostic) -> String {
    if error.code == .yamlSyntax, let path = fileName(of: error) {
      return "unable to read: '\(path)', YAML file structure is corrupted"
    }
    guard !error.isUnexpected, error.code == .schema || error.code == .validationFailed else { return error.message }
    // What is wrong where stands behind it, but for how many faults there are.
    let words = error.message.prefix { $0 != "\n" }
    let parts = words.split(separator: ": ", maxSplits: 1)
    let count = parts.last.map { $0.hasSuffix(" errors.") ? ": " + $0.dropLast() : "" } ?? ""
    return (parts.first.map { $0.hasSuffix(".") ? $0.dropLast() : $0 } ?? words) + count
  }

  /// The file as the words name it, seen from where the user stands.
  private static func fileName(of error: Diagnostic) -> String? {
    let parts = error.message.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { return error.mark?.source.path }
    return String(parts[1].hasPrefix("./") ? parts[1].dropFirst(2) : parts[1])
  }

  /// `{"type", "msg"}` of a pipeline that could not be understood.
  static func value(_ error: Diagnostic) -> Value {
    let path = error.mark?.source.path ?? ""
    let type =
      switch error.code {
      case _ where isNotText(error): "EncodingError"
      case .yamlSyntax where TargetWords.isStageFile(path) || path.hasSuffix("dvc.lock"): "YAMLSyntaxError"
      // A file of `vars`.
      case .yamlSyntax, .unreadableFile: format(ofFile: path) + "FileCorruptedError"
      case .schema, .validationFailed: "YAMLValidationError"
      case .template: "ResolveError"
      case .outputIgnored: "OutputIsIgnoredError"
      default: "DvcException"
      }
    return .map(["type": .string(type), "msg": .string(message(error))])
  }

  /// `{"type", "msg"}` of a file that could not be read; `path` is relative to the project.
  static func value(_ error: Diagnostic, ofFile path: String, workingDirectory: String) -> Value {
    switch error.code {
    case .noFile: return .map(["type": "FileNotFoundError", "msg": .string(error.message)])
    case .noFolderList: return .map(["type": "DataIndexDirError", "msg": .string(error.message)])
    case .isFolder: return .map(["type": "IsADirectoryError", "msg": .string(error.message)])
    default: break
    }
    // A file that is not in the workspace was looked for among the outputs, and those could not be understood.
    if isOfPipeline(error, lookingFor: path) { return value(error) }
    // DVC takes the project for the root of a file system of its own, and shows the way there from where one stands.
    let shown = Repository.relative("/" + path, to: workingDirectory)
    let type: String
    let message: String
    if isNotText(error) {
      (type, message) = ("EncodingError", "is not valid utf-8")
    } else {
      let format = format(ofFile: path)
      (type, message) = (format + "FileCorruptedError", "\(format) file structure is corrupted")
    }
    return .map(["type": .string(type), "msg": .string("unable to read: '\(shown)', \(message)")])
  }

  private static func isOfPipeline(_ error: Diagnostic, lookingFor path: String) -> Bool {
    switch error.code {
    case .schema, .validationFailed, .template: true
    default: error.mark.map { !$0.source.path.hasSameBytes(as: path) } ?? false
    }
  }

  private static func isNotText(_ error: Diagnostic) -> Bool {
    error.code == .notUTF8 || error.message.hasSuffix("is not valid utf-8")
  }

  /// As DVC's names of faults have it.
  private static func format(ofFile path: String) -> String {
    switch ParameterFile.suffix(of: path) {
    case ".json": "JSON"
    case ".toml": "TOML"
    case ".py": "Python"
    default: "YAML"
    }
  }
}
