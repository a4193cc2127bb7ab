// The values that `${…}` may name, each with the file that it came from. Knows nothing of dvc.yaml.
package import OrderedCollections

/// Gives the parsed files that templates and parameters refer to.
package protocol ParameterSource: Sendable {
  /// The content of the parameter file at `location`; `nil` when nothing is there.
  func parameters(at location: Location) throws(Diagnostic) -> ParameterContent?
}

package enum ParameterContent: Sendable {
  case document(MarkedValue)
  case directory
}

/// A value with its origin.
package struct TemplateNode: Sendable {
  package indirect enum Kind: Sendable {
    case scalar(Value)
    case list([TemplateNode])
    /// Only keys that are text: others cannot be named.
    case map(OrderedDictionary<String, TemplateNode>)
  }

  package var kind: Kind
  /// The file's name as shown, or `vars[0]`; `nil` for what iteration inserts.
  package var source: String?
  /// Where it stands in its source, dotted.
  package var path: String
  /// Not from a file: not a parameter.
  package var isLocal: Bool
  /// Where the value stands; `nil` for what iteration makes.
  package var mark: SourceMark?

  package init(
    _ kind: Kind, source: String? = nil, path: String = "", isLocal: Bool = true, mark: SourceMark? = nil
  ) {
    self.kind = kind
    self.source = source
    self.path = path
    self.isLocal = isLocal
    self.mark = mark
  }

  /// The node of `value` and of all below it.
  package init(_ value: MarkedValue, source: String?, path: String = "", isLocal: Bool) throws(TemplateFault) {
    func below(_ key: String) -> String { path.isEmpty ? key : path + "." + key }
    switch value.node {
    case .scalar(let scalar):
      if case .timestamp = scalar {
        throw TemplateFault(
          .unsupported,
          "Unsupported value of type '\(PythonText.typeName(scalar))' in '\(source ?? "<local>"):\(path)'",
          mark: value.mark)
      }
      self.init(.scalar(scalar), source: source, path: path, isLocal: isLocal, mark: value.mark)
    case .list(let items):
      var nodes: [TemplateNode] = []
      nodes.reserveCapacity(items.count)
      for (index, item) in items.enumerated() {
        nodes.append(try TemplateNode(item, source: source, path: below(String(index)), isLocal: isLocal))
      }
      self.init(.list(nodes), source: source, path: path, isLocal: isLocal, mark: value.mark)
    case .map(let entries):
      var nodes: OrderedDictionary<String, TemplateNode> = [:]
      for entry in entries {
        guard let key = entry.key.string else { continue }
        nodes[key] = try TemplateNode(entry.value, source: source, path: below(key), isLocal: isLocal)
      }
      self.init(.map(nodes), source: source, path: path, isLocal: isLocal, mark: value.mark)
    }
  }

  package var value: Value {
    switch kind {
    case .scalar(let value): value
    case .list(let items): .list(items.map(\.value))
    case .map(let map): .map(ValueMap(map.map { (.string($0), $1.value) }, uniquingKeysWith: { $1 }))
    }
  }

  var isContainer: Bool { if case .scalar = kind { false } else { true } }
}

/// What went wrong inside a template; the stage and key around it are added by whoever knows them.
package struct TemplateFault: Error, Sendable {
  package enum Kind: Sendable {
    case parse, merge, alreadyLoaded, notFound, reserved, load, unsupported
    /// From below: a file that cannot be read or parsed.
    case other(Diagnostic)
  }

  package var kind: Kind
  package var message: String
  package var mark: SourceMark?

  package init(_ kind: Kind, _ message: String, mark: SourceMark? = nil) {
    self.kind = kind
    self.message = message
    self.mark = mark
  }

  /// DVC's sentence: `failed to parse WHERE in 'dvc.yaml': …`.
  package func diagnostic(_ place: String, in file: String, at mark: SourceMark?) -> Diagnostic {
    let spacing: String
    switch kind {
    case .other(let diagnostic): return diagnostic
    case .unsupported:
      return Diagnostic.unexpected(.template, message, at: self.mark ?? mark)
    case .parse, .merge, .alreadyLoaded: spacing = "\n"
    case .notFound, .reserved, .load: spacing = " "
    }
    return Diagnostic(.template, "failed to parse \(place) in '\(file)':\(spacing)\(message)", at: self.mark ?? mark)
  }
}

extension Diagnostic.Code {
  package static let template = Diagnostic.Code("template")
}

/// All values that a template sees.
package struct TemplateContext: Sendable {
  package private(set) var values: OrderedDictionary<String, TemplateNode> = [:]
  /// `item` and `key` while a `foreach` or `matrix` is unrolled: they hide `values` and may not be redefined.
  package var iteration: OrderedDictionary<String, TemplateNode> = [:]
  /// Files that were loaded: the keys taken, `nil` for all.
  private var imports: [String: [String]?] = [:]
  /// Told of every value that is named, where somebody wants to know.
  package var uses: TemplateUses?

  package init() {}

  package func contains(_ key: String) -> Bool { values[key] != nil }

  /// What a dotted expression (`a.b.0`) names.
  package func select(_ expression: String) throws(TemplateFault) -> TemplateNode {
    var node: TemplateNode?
    var isFirst = true
    let normalized = expression.replacing("[", with: ".").replacing("]", with: "")
    for part in normalized.split(separator: ".", omittingEmptySubsequences: false) {
      let key = Self.stripped(part)
      if isFirst {
        node = iteration[key] ?? values[key]
        isFirst = false
      } else {
        node = node.flatMap { Self.child(of: $0, key) }
      }
      if node == nil { break }
    }
    guard let node else { throw TemplateFault(.notFound, "Could not find '\(expression)'") }
    uses?.note(node)
    return node
  }

  private static func child(of node: TemplateNode, _ key: String) -> TemplateNode? {
    switch node.kind {
    case .scalar: return nil
    case .map(let map): return map[key]
    case .list(let items):
      guard let index = Int(key) else { return nil }
      let place = index < 0 ? index + items.count : index
      return items.indices.contains(place) ? items[place] : nil
    }
  }

  private static func stripped(_ text: Substring) -> String {
    var text = text
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }

  /// Loads `vars:`. `stage` is the stage whose vars they are; `locate` finds a file and how it is shown.
  package mutating func load(
    vars: MarkedValue?, ofStage stage: String?, from source: any ParameterSource,
    locate: (String) -> (location: Location, shown: String)
  ) throws(TemplateFault) {
    for (index, item) in (vars?.items ?? []).enumerated() {
      do throws(TemplateFault) {
        if let text = item.string {
          try load(file: text, from: source, locate: locate)
        } else {
          let name = (stage.map { $0 + "." } ?? "") + "vars[\(index)]"
          let node = try TemplateNode(item, source: name, isLocal: true)
          try merge(node, importing: nil)
        }
      } catch {
        var fault = error
        if fault.mark == nil { fault.mark = item.mark }
        throw fault
      }
    }
  }

  /// Loads `path` or `path:key,key`.
  package mutating func load(
    file item: String, from source: any ParameterSource, locate: (String) -> (location: Location, shown: String)
  ) throws(TemplateFault) {
    let parts = item.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let (location, shown) = locate(String(parts[0]))
    uses?.note(file: shown)
    var keys: [String]?
    if parts.count > 1, !parts[1].isEmpty {
      keys = parts[1].split(separator: ",").map(String.init)
    }
    if let loaded = imports[shown] {
      if keys == nil, loaded == nil { return }
      try checkLoaded(loaded, item, keys)
    }
    let content: ParameterContent?
    do throws(Diagnostic) {
      content = try source.parameters(at: location)
    } catch {
      throw TemplateFault(.other(error), error.fullMessage, mark: error.mark)
    }
    switch content {
    case nil: throw TemplateFault(.load, "'\(shown)' does not exist")
    case .directory: throw TemplateFault(.load, "'\(shown)' is a directory")
    case .document(let document):
      guard let entries = document.entries else {
        let type = PythonText.typeName(document.value)
        throw TemplateFault(.load, "expected a dictionary, got '\(type)' in file '\(shown)'", mark: document.mark)
      }
      var wanted = entries
      if let keys, !keys.isEmpty {
        wanted = []
        for key in keys {
          guard let entry = document.entry(key) else {
            throw TemplateFault(.load, "could not find '\(key)' in '\(shown)'")
          }
          wanted.append(entry)
        }
      }
      let node = try TemplateNode(
        MarkedValue(.map(wanted), at: document.mark), source: shown, isLocal: false)
      try merge(node, importing: item)
    }
    if let loaded = imports[shown] {
      if let keys { imports[shown] = .some((loaded ?? []) + keys) }
    } else {
      imports[shown] = .some(keys)
    }
  }

  private func checkLoaded(_ loaded: [String]?, _ item: String, _ keys: [String]?) throws(TemplateFault) {
    guard let keys, !keys.isEmpty else {
      if loaded != nil {
        throw TemplateFault(.alreadyLoaded, "cannot load '\(item)' as it's partially loaded already")
      }
      return
    }
    guard let loaded else {
      throw TemplateFault(.alreadyLoaded, "cannot partially load '\(item)' as it's already loaded.")
    }
    if !Set(loaded).isDisjoint(with: keys) {
      throw TemplateFault(.alreadyLoaded, "cannot load '\(item)' as it's partially loaded already")
    }
  }

  private mutating func merge(_ node: TemplateNode, importing item: String?) throws(TemplateFault) {
    guard case .map(let map) = node.kind else { return }
    let reserved = Array(iteration.keys).filter { map[$0] != nil }
    if !reserved.isEmpty {
      throw TemplateFault(
        .reserved,
        "attempted to modify reserved key\(reserved.count > 1 ? "s" : "") \(Self.joined(reserved))"
          + (item.map { " in '\($0)'" } ?? ""))
    }
    try Self.merge(map, into: &values)
  }

  private static func merge(
    _ update: OrderedDictionary<String, TemplateNode>, into values: inout OrderedDictionary<String, TemplateNode>
  ) throws(TemplateFault) {
    for (key, new) in update {
      guard let old = values[key] else {
        values[key] = new
        continue
      }
      guard case .map(var inner) = old.kind, case .map(let added) = new.kind else {
        throw TemplateFault(
          .merge,
          "cannot redefine '\(new.path)' from '\(new.source ?? "None")' as it already exists in '\(old.source ?? "None")'")
      }
      values[key]?.kind = .scalar(.null)  // so that the inner map is changed in place
      try merge(added, into: &inner)
      values[key]?.kind = .map(inner)
    }
  }

  /// DVC's enumeration: "a", "a and b", "a, b and c".
  private static func joined(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " and " + last
  }
}
