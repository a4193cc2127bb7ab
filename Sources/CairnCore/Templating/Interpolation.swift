// Resolves `${…}` in texts and trees against a context. Knows nothing of stages.
internal import Synchronization

/// `parsing.*` of DVC's configuration: how a map is unpacked into a command.
package struct UnpackingOptions: Sendable, Hashable {
  /// `parsing.bool = boolean_optional`: false gives `--no-KEY` instead of nothing.
  package var negatesFalse = false
  /// `parsing.list = append`: `--KEY` before every item instead of once.
  package var repeatsKeyForLists = false
  package init() {}
}

/// How much text the templates of one file may make together: a few lines can ask for more than a machine has.
package final class TemplateBudget: Sendable {
  /// Bytes: of one text, and of all. No command may be half as long as the first.
  static let text = 4 << 20
  static let all = 1 << 30

  private let used = Atomic(0)

  package init() {}

  fileprivate func take(_ count: Int) throws(TemplateFault) {
    let total = used.add(count, ordering: .relaxed).newValue
    if count > Self.text || total > Self.all {
      throw TemplateFault(.parse, "its templates make more text than can be used")
    }
  }
}

package struct Interpolation: Sendable {
  package var unpacking: UnpackingOptions
  private let budget = TemplateBudget()

  package init(unpacking: UnpackingOptions = UnpackingOptions()) { self.unpacking = unpacking }

  /// One `${…}`: its bytes in the text, and what stands inside.
  private struct Match {
    var range: Range<Int>
    var inner: String
  }

  /// The interpolations of a text; `\${` is none, and neither is one with a line break inside.
  private static func matches(in text: String) -> [Match] {
    var found: [Match] = []
    var text = text
    text.withUTF8 { bytes in
      var index = 0
      while index + 1 < bytes.count {
        guard bytes[index] == UInt8(ascii: "$"), bytes[index + 1] == UInt8(ascii: "{"),
          index == 0 || bytes[index - 1] != UInt8(ascii: "\\")
        else {
          index += 1
          continue
        }
        var end = index + 2
        while end < bytes.count, bytes[end] != UInt8(ascii: "}"), bytes[end] != UInt8(ascii: "\n") { end += 1 }
        if end < bytes.count, bytes[end] == UInt8(ascii: "}") {
          let inner = String(decoding: UnsafeBufferPointer(rebasing: bytes[(index + 2)..<end]), as: UTF8.self)
          found.append(Match(range: index..<(end + 1), inner: inner))
          index = end + 1
        } else {
          // None of this line's further openings is closed either: to look again from each would be quadratic.
          index = end
        }
      }
    }
    return found
  }

  package static func isInterpolated(_ text: String) -> Bool {
    text.utf8.contains(UInt8(ascii: "$")) && !matches(in: text).isEmpty
  }

  /// Throws where an expression somewhere in `value` is malformed.
  package static func checkSyntax(_ value: MarkedValue) throws(TemplateFault) {
    switch value.node {
    case .scalar(.string(let text)):
      guard text.utf8.contains(UInt8(ascii: "$")) else { return }
      for match in matches(in: text) {
        do throws(TemplateFault) { _ = try TemplateExpression.parse(match.inner) } catch {
          throw TemplateFault(error.kind, error.message, mark: error.mark ?? value.mark)
        }
      }
    case .scalar: return
    case .list(let items): for item in items { try checkSyntax(item) }
    case .map(let entries):
      for entry in entries {
        try checkSyntax(entry.key)
        try checkSyntax(entry.value)
      }
    }
  }

  /// The first interpolated text in `value`, where none is allowed.
  package static func firstInterpolated(in value: MarkedValue?) -> MarkedValue? {
    switch value?.node {
    case .scalar(.string(let text)): isInterpolated(text) ? value : nil
    case nil, .scalar: nil
    case .list(let items): items.lazy.compactMap { firstInterpolated(in: $0) }.first
    case .map(let entries):
      entries.lazy.compactMap { firstInterpolated(in: $0.key) ?? firstInterpolated(in: $0.value) }.first
    }
  }

  /// `value` with every text in it resolved, keys too; places stay those of the template.
  ///
  /// `key`: the field of the stage that it stands in, which decides whether lists and maps may be put in;
  /// `nil`: they may.
  package func resolve(
    _ value: MarkedValue, in context: TemplateContext, key: String?
  ) throws(TemplateFault) -> MarkedValue {
    switch value.node {
    case .scalar(.string(let text)):
      guard text.utf8.contains(UInt8(ascii: "$")) else { return value }
      do throws(TemplateFault) {
        return MarkedValue(try resolve(text, in: context, key: key), at: value.mark)
      } catch {
        throw TemplateFault(error.kind, error.message, mark: error.mark ?? value.mark)
      }
    case .scalar: return value
    case .list(let items):
      var resolved: [MarkedValue] = []
      resolved.reserveCapacity(items.count)
      for item in items { resolved.append(try resolve(item, in: context, key: key)) }
      return MarkedValue(.list(resolved), at: value.mark)
    case .map(let entries):
      var resolved: [MarkedValue.MarkedEntry] = []
      resolved.reserveCapacity(entries.count)
      // Only where a template made a key: no two of a file are the same.
      var places: [String: Int]?
      for entry in entries {
        let name = try resolve(entry.key, in: context, key: key)
        let value = try resolve(entry.value, in: context, key: key)
        if places == nil, name.string != entry.key.string { places = Self.places(of: resolved) }
        if let text = name.string, let place = places?[text] {
          resolved[place].value = value
        } else {
          if let text = name.string { places?[text] = resolved.count }
          resolved.append(MarkedValue.MarkedEntry(key: name, value: value))
        }
      }
      return MarkedValue(.map(resolved), at: value.mark)
    }
  }

  private static func places(of entries: [MarkedValue.MarkedEntry]) -> [String: Int] {
    var places: [String: Int] = [:]
    for (place, entry) in entries.enumerated() {
      if let text = entry.key.string { places[text] = place }
    }
    return places
  }

  /// A text that is one interpolation gives its value as it is; others give a text.
  package func resolve(_ text: String, in context: TemplateContext, key: String?) throws(TemplateFault) -> Value {
    let matches = Self.matches(in: text)
    if matches.count == 1, matches[0].range == 0..<text.utf8.count {
      let node = try context.select(try TemplateExpression.parse(matches[0].inner))
      try check(node, key)
      return node.value
    }
    var out: [UInt8] = []
    let bytes = Array(text.utf8)
    var index = 0
    for match in matches {
      let node = try context.select(try TemplateExpression.parse(match.inner))
      try check(node, key)
      out += bytes[index..<match.range.lowerBound]
      out += Array(try self.text(of: node.value).utf8)
      if out.count > TemplateBudget.text { try budget.take(out.count) }
      index = match.range.upperBound
    }
    out += bytes[index...]
    try budget.take(out.count)
    return .string(String(decoding: out, as: UTF8.self).replacing("\\${", with: "${"))
  }

  /// One piece of a text that templates are put into.
  package enum Piece: Sendable {
    case literal(String)
    /// A value; `isWhole` where it is all of the text, and so keeps its type.
    case value(TemplateNode, isWhole: Bool)
  }

  /// What a text is made of.
  package func pieces(of text: String, in context: TemplateContext) throws(TemplateFault) -> [Piece] {
    let matches = Self.matches(in: text)
    let bytes = Array(text.utf8)
    var pieces: [Piece] = []
    func add(_ range: Range<Int>) {
      if range.isEmpty { return }
      pieces.append(.literal(String(decoding: bytes[range], as: UTF8.self).replacing("\\${", with: "${")))
    }
    var index = 0
    for match in matches {
      add(index..<match.range.lowerBound)
      let node = try context.select(try TemplateExpression.parse(match.inner))
      pieces.append(.value(node, isWhole: match.range == 0..<bytes.count))
      index = match.range.upperBound
    }
    add(index..<bytes.count)
    return pieces
  }

  /// The node that a text naming exactly one value stands for; `nil` when it is other text.
  package func node(of text: String, in context: TemplateContext) throws(TemplateFault) -> TemplateNode? {
    let matches = Self.matches(in: text)
    guard matches.count == 1, matches[0].range == 0..<text.utf8.count else { return nil }
    return try context.select(try TemplateExpression.parse(matches[0].inner))
  }

  private func check(_ node: TemplateNode, _ key: String?) throws(TemplateFault) {
    guard node.isContainer, let key, !key.contains("foreach") else { return }
    if case .map = node.kind, key == "cmd" { return }
    throw TemplateFault(.parse, "Cannot interpolate data of type '\(PythonText.typeName(node.value))'")
  }

  /// How a value looks inside a text; a map becomes command-line options.
  package func text(of value: Value) throws(TemplateFault) -> String {
    switch value {
    case .bool(let flag): return flag ? "true" : "false"
    case .map(let map):
      var words: [String] = []
      try options(map, prefix: "", into: &words)
      return words.joined(separator: " ")
    default: return PythonText.str(value)
    }
  }

  private func options(_ map: ValueMap, prefix: String, into words: inout [String]) throws(TemplateFault) {
    for (key, value) in map {
      let name = prefix + PythonText.str(key)
      switch value {
      case .map(let inner): try options(inner, prefix: name + ".", into: &words)
      case .bool(true): words.append("--\(name)")
      case .bool(false): if unpacking.negatesFalse { words.append("--no-\(name)") }
      case .string(let text): words += ["--\(name)", ShellQuoting.quote(text)]
      case .list(let items):
        for (index, item) in items.enumerated() {
          let text: String
          switch item {
          case .string(let word): text = ShellQuoting.quote(word)
          case .list, .map: throw TemplateFault(.parse, "Cannot interpolate nested iterable in '\(name)'")
          default: text = PythonText.str(item)
          }
          if unpacking.repeatsKeyForLists || index == 0 { words.append("--\(name)") }
          words.append(text)
        }
      default: words += ["--\(name)", PythonText.str(value)]
      }
    }
  }
}

/// What stands between `${` and `}`: words joined by `.` or in `[]`.
enum TemplateExpression {
  /// The dotted form (`a.0.b` for `a[0].b`). The words of a fault are those of DVC's parser.
  static func parse(_ text: String) throws(TemplateFault) -> String {
    let bytes = Array(text.utf8)
    let isPlain = !bytes.isEmpty && !bytes.contains { isSpecial($0) }
    if isPlain { return text }
    guard let first = word(bytes, 0) else { throw fault(text, bytes, 0, "!W:(.[])") }
    var parts = [bytes[0..<first]]
    var index = first
    while index < bytes.count {
      var next = index
      while next < bytes.count, isSpace(bytes[next]) { next += 1 }
      guard next < bytes.count else { break }
      if bytes[next] == UInt8(ascii: "."), let end = word(bytes, next + 1) {
        parts.append(bytes[(next + 1)..<end])
        index = end
      } else if bytes[next] == UInt8(ascii: "["), let end = word(bytes, next + 1), end < bytes.count,
        bytes[end] == UInt8(ascii: "]")
      {
        parts.append(bytes[(next + 1)..<end])
        index = end + 1
      } else {
        break
      }
    }
    if index < bytes.count { throw fault(text, bytes, index, "end of text") }
    return parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
  }

  private static func isSpecial(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ".") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]")
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

  /// The end of the word that begins at `start`; `nil` when none does.
  private static func word(_ bytes: [UInt8], _ start: Int) -> Int? {
    var end = start
    while end < bytes.count, !isSpecial(bytes[end]) { end += 1 }
    return end > start ? end : nil
  }

  private static func fault(_ text: String, _ bytes: [UInt8], _ index: Int, _ expected: String) -> TemplateFault {
    let before = String(decoding: bytes[..<index], as: UTF8.self)
    let found = String(decoding: bytes[index...], as: UTF8.self).unicodeScalars.first.map { String($0) } ?? "}"
    let place = before.unicodeScalars.count + 2
    return TemplateFault(
      .parse,
      "${\(text)}\n" + String(repeating: " ", count: place) + "^\n"
        + "ParseException: Expected \(expected), found '\(found)'  (at char \(place)), (line:1, col:\(place + 1))")
  }
}
