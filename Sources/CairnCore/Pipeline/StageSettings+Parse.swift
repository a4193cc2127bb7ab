// Reads `meta.cairn` of a stage.

extension StageSettings {
  private static let keys = [
    "resources", "mutex", "env", "env_record", "env_set", "env_secret", "retries", "timeout", "executor",
    "nondeterministic", "rewrites", "context",
  ]

  /// `meta`: the stage's, templates resolved; `stage` is how it is called in messages.
  package static func parse(_ meta: MarkedValue?, ofStage stage: String) throws(Diagnostic) -> StageSettings {
    var settings = StageSettings()
    guard let cairn = meta?["cairn"], !cairn.isNull else { return settings }
    let reader = SettingReader(stage: stage)
    guard let entries = cairn.entries else {
      throw reader.fault("meta.cairn", "must be a map", cairn)
    }
    for entry in entries {
      let key = PythonText.str(entry.key.value)
      let value = entry.value
      switch key {
      case "resources": settings.resources = try reader.resources(value)
      case "mutex": settings.mutex = try reader.texts(value, key)
      case "env": settings.env = try reader.variableNames(value, key)
      case "env_record": settings.envRecord = try reader.variableNames(value, key)
      case "env_set": settings.envSet = try reader.variables(value)
      case "env_secret": settings.envSecret = try reader.variableNames(value, key)
      case "retries": settings.retries = try reader.count(value, key)
      case "timeout": settings.timeoutSeconds = try reader.duration(value, key)
      case "executor": try reader.executor(value)
      case "nondeterministic": settings.nondeterministic = try reader.texts(value, key)
      case "rewrites": settings.rewrites = try reader.texts(value, key)
      case "context": settings.contexts = try reader.contexts(value)
      default:
        throw Diagnostic(
          .unknownSetting, "stage '\(stage)': unknown setting '\(key)' in meta.cairn", at: entry.key.mark,
          hint: Suggestion.hint(for: key, among: keys))
      }
    }
    return settings
  }
}

private struct SettingReader {
  var stage: String

  func fault(_ name: String, _ problem: String, _ value: MarkedValue, hint: String? = nil) -> Diagnostic {
    Diagnostic(.badSetting, "stage '\(stage)': \(name) \(problem)", at: value.mark, hint: hint)
  }

  /// A list of names, or one name without the brackets.
  func texts(_ value: MarkedValue, _ key: String) throws(Diagnostic) -> [String] {
    try (value.items ?? [value]).map { item throws(Diagnostic) in
      guard let text = item.string, !text.isEmpty else {
        throw fault("meta.cairn.\(key)", "must be a name or a list of names", item)
      }
      return text
    }
  }

  func variableNames(_ value: MarkedValue, _ key: String) throws(Diagnostic) -> [String] {
    try (value.items ?? [value]).map { item throws(Diagnostic) in
      guard let name = item.string else { throw fault("meta.cairn.\(key)", "must be a name or a list of names", item) }
      try check(variable: name, of: key, at: item)
      return name
    }
  }

  /// No variable can be asked for, or is set by anybody, under such a name.
  private func check(variable name: String, of key: String, at place: MarkedValue) throws(Diagnostic) {
    let isOdd = name.unicodeScalars.contains { $0 == "=" || $0 == "\0" || $0.properties.isWhitespace }
    if !name.isEmpty, !isOdd { return }
    throw fault(
      "meta.cairn.\(key)", "\(PythonText.quoted(name)) is no variable's name", place,
      hint: name.contains("=") ? "`env_set: {NAME: VALUE}` gives the command a value" : nil)
  }

  func resources(_ value: MarkedValue) throws(Diagnostic) -> [String: Double] {
    guard let entries = value.entries else {
      throw fault("meta.cairn.resources", "must be a map of names to amounts", value, hint: "{gpu: 1}")
    }
    var resources: [String: Double] = [:]
    for entry in entries {
      let name = PythonText.str(entry.key.value)
      guard let amount = number(entry.value), amount.isFinite, amount >= 0 else {
        throw fault("meta.cairn.resources.\(name)", "must be a number, zero or more", entry.value)
      }
      if name == "gpu", amount != amount.rounded() {
        throw fault("meta.cairn.resources.gpu", "must be a whole number", entry.value)
      }
      resources[name] = amount
    }
    return resources
  }

  func variables(_ value: MarkedValue) throws(Diagnostic) -> [String: String] {
    guard let entries = value.entries else {
      throw fault("meta.cairn.env_set", "must be a map of names to values", value)
    }
    var variables: [String: String] = [:]
    for entry in entries {
      let name = PythonText.str(entry.key.value)
      try check(variable: name, of: "env_set", at: entry.key)
      guard let scalar = entry.value.scalar, !scalar.isNull, !(scalar.string?.utf8.contains(0) ?? false) else {
        throw fault("meta.cairn.env_set.\(name)", "must be a text or a number", entry.value)
      }
      if case .bool(let flag) = scalar {
        variables[name] = flag ? "true" : "false"
      } else {
        variables[name] = PythonText.str(scalar)
      }
    }
    return variables
  }

  func contexts(_ value: MarkedValue) throws(Diagnostic) -> [String: String] {
    guard let entries = value.entries else {
      throw fault("meta.cairn.context", "must be a map", value, hint: "{data/train.csv: training}")
    }
    var contexts: [String: String] = [:]
    for entry in entries {
      let name = PythonText.str(entry.key.value)
      guard let text = entry.value.string, !text.isEmpty, text.unicodeScalars.count <= 500 else {
        throw fault("meta.cairn.context.\(name)", "must be a word such as training, validation or test", entry.value)
      }
      contexts[name] = text
    }
    return contexts
  }

  func count(_ value: MarkedValue, _ key: String) throws(Diagnostic) -> Int {
    guard let count = value.scalar?.int, (0...1000).contains(count) else {
      throw fault("meta.cairn.\(key)", "must be a whole number from 0 to 1000", value)
    }
    return count
  }

  /// Seconds: a number, or numbers with `d`, `h`, `m`, `s` (`2h`, `1h30m`, `90s`).
  func duration(_ value: MarkedValue, _ key: String) throws(Diagnostic) -> Double {
    let seconds = number(value) ?? value.string.flatMap(Self.seconds)
    guard let seconds, seconds.isFinite, seconds > 0 else {
      throw fault("meta.cairn.\(key)", "must be a time above zero", value, hint: "2h, 90s, 1h30m, or seconds")
    }
    return seconds
  }

  func executor(_ value: MarkedValue) throws(Diagnostic) {
    switch value.string {
    case "local": return
    case "slurm", "sagemaker":
      throw fault(
        "meta.cairn.executor", "'\(value.string ?? "")' is not in this version", value,
        hint: "executor: local runs the stage on this machine")
    default:
      throw fault(
        "meta.cairn.executor", "'\(PythonText.str(value.value))' is not known", value,
        hint: value.string.flatMap { Suggestion.hint(for: $0, among: ["local", "slurm", "sagemaker"]) }
          ?? "executor: local runs the stage on this machine")
    }
  }

  private func number(_ value: MarkedValue) -> Double? {
    switch value.scalar {
    case .int(let number): Double(number)
    case .float(let number): number
    default: nil
    }
  }

  private static func seconds(_ text: String) -> Double? {
    var total = 0.0
    var digits = ""
    for character in text where character != " " {
      if character.isASCII, character.isNumber || character == "." {
        digits.append(character)
        continue
      }
      let units: [Character: Double] = ["d": 86400, "h": 3600, "m": 60, "s": 1]
      guard let unit = units[character], let amount = Double(digits) else { return nil }
      total += amount * unit
      digits = ""
    }
    if digits.isEmpty { return total }
    return total == 0 ? Double(digits) : nil
  }
}

extension Diagnostic.Code {
  /// A key under `meta.cairn` that does not exist.
  package static let unknownSetting = Diagnostic.Code("unknown-setting")
  package static let badSetting = Diagnostic.Code("bad-setting")
}
