// Checks the shape of a parsed document and words what is wrong as DVC's schema does. Knows no particular document.

/// The shape of a value. Like DVC's `voluptuous`: the first alternative that fits counts; where none does,
/// the fault that lies deepest is told.
indirect enum Schema: Sendable {
  case anything
  case text, flag, integer, anyList, anyMap
  case none
  case anyOf([Schema])
  case list(of: Schema)
  case map([Field], others: Schema? = nil)
  /// Says what is wrong, or nothing.
  case check(@Sendable (Value) -> String?)
  /// Decides by the value which schema counts.
  case choose(@Sendable (MarkedValue) -> Schema)

  struct Field: Sendable {
    var name: String
    var isRequired = false
    var schema: Schema

    init(_ name: String, _ schema: Schema, required: Bool = false) {
      self.name = name
      self.schema = schema
      isRequired = required
    }
  }

  struct Fault: Sendable {
    var message: String
    var path: [String]
    var mark: SourceMark?
    var hint: String?
  }

  /// All faults; empty when the value fits.
  func faults(in value: MarkedValue) -> [Fault] {
    var path: [String] = []
    return faults(in: value, at: &path)
  }

  /// `path` is the same afterwards: one list serves the whole walk.
  private func faults(in value: MarkedValue, at path: inout [String]) -> [Fault] {
    let here = path.count
    defer { path.removeLast(path.count - here) }
    func wrong(_ message: String, _ path: [String]) -> [Fault] { [Fault(message: message, path: path, mark: value.mark)] }
    switch self {
    case .anything: return []
    case .text: return value.string == nil ? wrong("expected str", path) : []
    case .flag: return value.bool == nil ? wrong("expected bool", path) : []
    case .integer:
      switch value.scalar {
      case .int, .bigInt, .bool: return []
      default: return wrong("expected int", path)
      }
    case .anyList: return value.items == nil ? wrong("expected list", path) : []
    case .anyMap: return value.entries == nil ? wrong("expected dict", path) : []
    case .none: return value.isNull ? [] : wrong("not a valid value", path)
    case .check(let check): return check(value.value).map { wrong($0, path) } ?? []
    case .choose(let choose): return choose(value).faults(in: value, at: &path)
    case .anyOf(let schemas):
      var worst: [Fault] = []
      for schema in schemas {
        let found = schema.faults(in: value, at: &path)
        if found.isEmpty { return [] }
        if worst.isEmpty || found[0].path.count > worst[0].path.count { worst = found }
      }
      return worst
    case .list(let schema):
      guard let items = value.items else { return wrong("expected a list", path) }
      var faults: [Fault] = []
      for (index, item) in items.enumerated() {
        path.append(String(index))
        let found = schema.faults(in: item, at: &path)
        // A fault inside an item ends the search, as it does in DVC.
        if let first = found.first, first.path.count > path.count { return found }
        path.removeLast()
        faults += found
      }
      return faults
    case .map(let fields, let others): return faults(of: fields, others, in: value, at: &path)
    }
  }

  private func faults(
    of fields: [Field], _ others: Schema?, in value: MarkedValue, at path: inout [String]
  ) -> [Fault] {
    guard let entries = value.entries else {
      return [Fault(message: "expected a dictionary", path: path, mark: value.mark)]
    }
    var faults: [Fault] = []
    for entry in entries {
      let key = entry.key.string
      let name = key ?? PythonText.str(entry.key.value)
      path.append(name)
      defer { path.removeLast() }
      if key != nil, let field = fields.first(where: { $0.name == name }) {
        faults += field.schema.faults(in: entry.value, at: &path)
      } else if let others {
        if key == nil {
          faults.append(Fault(message: "expected str", path: path, mark: entry.key.mark))
        } else {
          faults += others.faults(in: entry.value, at: &path)
        }
      } else {
        faults.append(
          Fault(
            message: "extra keys not allowed", path: path, mark: entry.key.mark,
            hint: Suggestion.hint(
              for: name,
              among: fields.map(\.name).filter { field in !entries.contains { $0.key.string == field } })))
      }
    }
    for field in fields where field.isRequired && !entries.contains(where: { $0.key.string == field.name }) {
      faults.append(
        Fault(message: "required key not provided", path: path + [field.name], mark: value.mark))
    }
    return faults
  }

  /// Throws `'./dvc.yaml' validation failed.` with each fault and its place. `shown`: how the file is called.
  func validate(_ document: MarkedValue, shown: String) throws(Diagnostic) {
    let faults = faults(in: document)
    guard let first = faults.first else { return }
    let name = shown.hasPrefix("..") || shown.hasPrefix("/") ? shown : "./" + shown
    let count = faults.count > 1 ? ": \(faults.count) errors" : ""
    let detail = first.path.isEmpty ? ": \(first.message)." : "\(count).\n\n\(first.words)"
    var diagnostic = Diagnostic(
      .schema, "'\(name)' validation failed\(detail)", at: first.mark, hint: first.hint)
    diagnostic.hasErrorPrefix = false
    for fault in faults.dropFirst() { diagnostic = diagnostic.noting(fault.words, at: fault.mark) }
    throw diagnostic
  }
}

extension Schema.Fault {
  /// DVC's line: what is wrong, where in the document, and where in the file.
  fileprivate var words: String {
    var words = message
    if !path.isEmpty { words += ", in " + path.joined(separator: " -> ") }
    if let mark { words += ", line \(mark.line), column \(mark.column)" }
    return words
  }
}

extension Diagnostic.Code {
  /// A `dvc.yaml`, `dvc.lock` or `.dvc` file of the wrong shape.
  package static let schema = Diagnostic.Code("schema")
}
