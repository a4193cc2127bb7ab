// Checks a document's shape and names every fault as voluptuous does for DVC. Knows nothing of particular files.
package import CairnCore

indirect enum Schema: Sendable {
  case anything, null, text, integer, boolean
  /// A hash: text of at least three characters, or an integer that has them; empty text stands for none.
  case checksum
  /// The lock's `schema:`.
  case version
  case list(Schema)
  case map([(String, Schema)], required: [String] = [])
  /// Keys of any name.
  case mapOf(Schema, maximum: Int? = nil)
  case anyOf([Schema])
}

struct SchemaFault {
  var message: String
  var path: [String]
  var mark: SourceMark?

  /// `expected str, in stages -> a -> cmd`
  var text: String { path.isEmpty ? message : message + ", in " + path.joined(separator: " -> ") }
}

/// Collects the faults of one document, in the order in which they stand there.
struct SchemaChecker {
  private(set) var faults: [SchemaFault] = []

  mutating func check(_ value: MarkedValue, _ schema: Schema, at path: [String]) {
    func wrong(_ message: String) -> SchemaFault { SchemaFault(message: message, path: path, mark: value.mark) }
    switch schema {
    case .anything: break
    case .null: if !value.isNull { faults.append(wrong("not a valid value")) }
    case .text: if value.string == nil { faults.append(wrong("expected str")) }
    case .integer:
      // Python's True is an int.
      switch value.scalar {
      case .int, .bigInt, .bool: break
      default: faults.append(wrong("expected int"))
      }
    case .boolean: if value.bool == nil { faults.append(wrong("expected bool")) }
    case .checksum:
      switch value.scalar {
      case .string(let text) where text.isEmpty || text.unicodeScalars.count >= 3: break
      case .string: faults.append(wrong("not a valid value"))
      case .int(let number): if String(number).count < 3 { faults.append(wrong("not a valid value")) }
      case .bigInt, .bool: break
      default: faults.append(wrong("not a valid value"))
      }
    case .version: if value.string != "2.0" { faults.append(wrong("invalid schema version")) }
    case .list(let item):
      guard let items = value.items else { return faults.append(wrong("expected a list")) }
      for (index, element) in items.enumerated() { check(element, item, at: path + [String(index)]) }
    case .map(let fields, let required): checkMap(value, fields, required: required, at: path)
    case .mapOf(let item, let maximum):
      guard let entries = value.entries else { return faults.append(wrong("expected a dictionary")) }
      let before = faults.count
      for entry in entries {
        guard let key = entry.key.string else {
          faults.append(
            SchemaFault(message: "extra keys not allowed", path: path + [keyText(entry.key)], mark: entry.key.mark))
          continue
        }
        check(entry.value, item, at: path + [key])
      }
      if let maximum, entries.count > maximum, faults.count == before {
        faults.append(wrong("length of value must be at most \(maximum)"))
      }
    case .anyOf(let choices): checkAny(value, choices, at: path)
    }
  }

  private mutating func checkMap(
    _ value: MarkedValue, _ fields: [(String, Schema)], required: [String], at path: [String]
  ) {
    guard let entries = value.entries else {
      return faults.append(SchemaFault(message: "expected a dictionary", path: path, mark: value.mark))
    }
    for entry in entries {
      if let key = entry.key.string, let field = fields.first(where: { $0.0 == key }) {
        check(entry.value, field.1, at: path + [key])
      } else {
        faults.append(
          SchemaFault(message: "extra keys not allowed", path: path + [keyText(entry.key)], mark: entry.key.mark))
      }
    }
    for key in required where value[key] == nil {
      faults.append(SchemaFault(message: "required key not provided", path: path + [key], mark: value.mark))
    }
  }

  /// As voluptuous: the faults of the choice whose first one lies deepest.
  private mutating func checkAny(_ value: MarkedValue, _ choices: [Schema], at path: [String]) {
    var best: [SchemaFault] = []
    for choice in choices {
      var trial = SchemaChecker()
      trial.check(value, choice, at: path)
      if trial.faults.isEmpty { return }
      if best.isEmpty || trial.faults[0].path.count > best[0].path.count { best = trial.faults }
    }
    faults.append(contentsOf: best)
  }

  private func keyText(_ key: MarkedValue) -> String {
    key.string ?? JSONWriter.keyText(key.value)
  }

  func finish(_ document: MarkedValue, path: String) throws(Diagnostic) {
    if !faults.isEmpty { throw Diagnostic.validationFailed(path, faults, isMap: document.entries != nil) }
  }
}

extension Diagnostic.Code {
  package static let validationFailed = Self("validation-failed")
}

extension Diagnostic {
  fileprivate static func validationFailed(_ path: String, _ faults: [SchemaFault], isMap: Bool) -> Diagnostic {
    let shown = path.hasPrefix("/") || path.hasPrefix("..") ? path : "./" + path
    var message = "'\(shown)' validation failed"
    if faults.count > 1 { message += ": \(faults.count) errors" }
    var diagnostic: Diagnostic
    if isMap {
      diagnostic = Diagnostic(.validationFailed, message + ".", at: faults[0].mark)
      diagnostic.notes = faults.map { Note($0.text, at: $0.mark) }
    } else {
      diagnostic = Diagnostic(.validationFailed, message + ": \(faults[0].message).", at: faults[0].mark)
    }
    diagnostic.hasErrorPrefix = false
    return diagnostic
  }
}
