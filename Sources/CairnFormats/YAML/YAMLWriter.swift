// Writes values as YAML in DVC's layout, to the byte. Knows nothing of which document they make.
package import CairnCore

package enum YAMLWriter {
  /// The text that DVC's `dump_yaml` gives for plain data: block style, two blanks of indentation, lists not
  /// indented under their key, text folded at 80 columns, nothing for null, a final newline.
  package static func dump(_ value: Value) -> String {
    String(decoding: bytes(value), as: UTF8.self)
  }

  package static func bytes(_ value: Value) -> [UInt8] {
    var emitter = YAMLEmitter(out: [])
    emitter.document(value)
    return emitter.out
  }

  /// As `bytes(_:)`, with anchors and aliases at some of the values.
  static func bytes(_ value: Value, sharing: YAMLSharing) -> [UInt8] {
    var emitter = YAMLEmitter(out: [])
    if !sharing.isEmpty { emitter.sharing = sharing }
    emitter.document(value)
    return emitter.out
  }

  /// Appends `key:` and the value as an entry of a map that is indented by `indent`, with its final newline.
  ///
  /// The text so far must end with a newline, or stand at the column `indent` as after `- `.
  package static func appendEntry(_ key: Value, _ value: Value, indent: Int, to out: inout [UInt8]) {
    var emitter = YAMLEmitter(out: [])
    swap(&emitter.out, &out)
    let atLineStart = emitter.out.last == nil || emitter.out.last == UInt8(ascii: "\n")
    emitter.resume(column: atLineStart ? 0 : indent, indent: indent, afterBlank: true)
    emitter.entry(key, value)
    emitter.finishLine()
    swap(&emitter.out, &out)
  }
}

/// The state of a text being written: the same few flags as ruamel's emitter has, because its odd cases (a blank
/// before a broken line, a long word on a line of its own) follow from them.
struct YAMLEmitter {
  /// What holds the node that is written next.
  enum Context { case root, list, map, key }

  /// Text goes to the next line beyond this column; `Int.max` never.
  var width = 80
  /// Blanks by which a map is indented in a map, and the dash of a list under its key.
  var mapStep = 2
  var listOffset = 0

  var out: [UInt8]
  var column = 0
  /// The last character written was white space, or nothing was written.
  var whitespace = true
  /// Only indentation, `-`, `?` or `:` was written on this line.
  var indention = true
  /// The column that a new line starts at; `nil` at the root.
  var indent: Int?
  /// The root is a plain scalar, which wants `...` after it.
  private var isOpenEnded = false
  /// The indentation outside each open list or map, and whether it is a list.
  private var enclosing: [(indent: Int?, isList: Bool)] = []
  /// `nil`, as for nearly every document: the way to a node is not followed then.
  var sharing: YAMLSharing?
  private var way: [PathStep] = []

  init(out: [UInt8]) { self.out = out }

  mutating func resume(column: Int, indent: Int, afterBlank: Bool) {
    self.column = column
    self.indent = indent
    whitespace = afterBlank
    indention = column == 0
  }

  mutating func document(_ value: Value) {
    if value.isNull {
      scalar("null", context: .root)
    } else {
      node(value, .root)
    }
    writeIndent()
    if isOpenEnded { out += Array("...\n".utf8) }
  }

  mutating func finishLine() { if column > 0 { lineBreak() } }

  /// How far what stands inside the open list or map is indented.
  private var step: Int { enclosing.last?.isList == true ? 2 : mapStep }

  // MARK: Nodes

  mutating func node(_ value: Value, _ context: Context) {
    if let sharing, context != .key, let mark = sharing[way] {
      switch mark {
      case .alias(let name): return indicator("*" + name, needsBlank: true)
      case .anchor(let name): indicator("&" + name, needsBlank: true)
      }
    }
    switch value {
    case .map(let map):
      if map.isEmpty { return emptyFlow("{}") }
      let outer = indent
      indent = outer.map { $0 + step } ?? 0
      enclosing.append((outer, false))
      for (key, value) in map { entry(key, value) }
      indent = outer
      enclosing.removeLast()
    case .list(let items):
      if items.isEmpty { return emptyFlow("[]") }
      let outer = indent
      // Directly after `key:` a list is not indented.
      let isIndentless = context == .map && !indention
      enclosing.append((outer, true))
      if let outer { indent = isIndentless ? outer + listOffset : outer + 2 } else { indent = 0 }
      for (index, value) in items.enumerated() {
        if sharing != nil { way.append(.index(index)) }
        item(value)
        if sharing != nil { way.removeLast() }
      }
      indent = outer
      enclosing.removeLast()
    case .string(let text): string(text, context)
    case .null: scalar(context == .key ? "null" : "", context: context)
    case .bool(let flag): scalar(flag ? "true" : "false", context: context)
    case .int(let number): scalar(String(number), context: context)
    case .bigInt(let digits): scalar(digits, context: context)
    case .float(let number): scalar(Self.float(number), context: context)
    case .timestamp(let text): scalar(text, context: context)
    }
  }

  mutating func entry(_ key: Value, _ value: Value) {
    if sharing != nil { way.append(.key(key.string ?? "")) }
    defer { if sharing != nil { way.removeLast() } }
    writeIndent()
    if isSimpleKey(key) {
      node(key, .key)
      indicator(":", needsBlank: false)
      node(value, .map)
    } else {
      indicator("?", needsBlank: true, isIndention: true)
      node(key, .map)
      writeIndent()
      indicator(":", needsBlank: true, isIndention: true)
      node(value, .map)
    }
  }

  /// An item of a list whose dashes stand at the present indentation, which the caller opened.
  mutating func listItem(_ value: Value) {
    enclosing.append((indent, true))
    item(value)
    enclosing.removeLast()
  }

  mutating func item(_ value: Value) {
    writeIndent()
    indicator("-", needsBlank: true, isIndention: true)
    node(value, .list)
  }

  /// `[]` or `{}`; aligned as ruamel aligns a flow collection in a list.
  private mutating func emptyFlow(_ brackets: String) {
    var align = 0
    if enclosing.count >= 2, let last = enclosing.last, last.isList { align = (last.indent ?? 0) + 2 - column - 1 }
    let opening = String(repeating: " ", count: max(0, align)) + brackets.prefix(1)
    indicator(opening, needsBlank: true, isWhitespace: true)
    indicator(String(brackets.suffix(1)), needsBlank: false)
    // Also where it is a key, whose colon then starts the next line: ruamel reads it back so.
    lineBreak()
  }

  static func float(_ number: Double) -> String {
    if number.isNaN { return ".nan" }
    if number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
    return YAMLFloat.repr(number)
  }

  /// Whether a key stands before its colon on one line: short, and without line breaks. Tags count, unseen as they are.
  private func isSimpleKey(_ key: Value) -> Bool {
    let limit = 128
    switch key {
    case .string(let text):
      if text.utf8.count < limit - 5 { return !YAMLScalarText.hasLineBreak(text) }
      return text.unicodeScalars.count < limit - 5 && !YAMLScalarText.hasLineBreak(text)
    case .list(let items): return items.isEmpty
    case .map(let map): return map.isEmpty
    case .bigInt(let digits): return digits.utf8.count < limit - 5
    default: return true
    }
  }

  // MARK: Scalars

  /// A scalar that is always plain.
  private mutating func scalar(_ text: String, context: Context) {
    let outer = beginScalar(context)
    var text = text
    text.withUTF8 { if !$0.isEmpty { writePlain($0, folds: context != .key) } }
    if context == .root { isOpenEnded = true }
    indent = outer
  }

  private mutating func string(_ text: String, _ context: Context) {
    let outer = beginScalar(context)
    let isPlain = writeString(text, isKey: context == .key)
    if context == .root { isOpenEnded = isPlain }
    indent = outer
  }

  /// Text at a place that the caller has set up.
  mutating func stringScalar(_ text: String) { _ = writeString(text, isKey: false) }

  /// Sets the indentation of further lines and returns the one to go back to.
  private mutating func beginScalar(_ context: Context) -> Int? {
    let outer = indent
    if let outer { indent = outer + step }
    if context == .list { writeIndent() }
    return outer
  }

  // MARK: Characters

  mutating func indicator(
    _ text: String, needsBlank: Bool, isWhitespace: Bool = false, isIndention: Bool = false
  ) {
    if !whitespace && needsBlank {
      out.append(0x20)
      column += 1
    }
    whitespace = isWhitespace
    indention = indention && isIndention
    column += text.utf8.count
    out.append(contentsOf: text.utf8)
    isOpenEnded = false
  }

  mutating func writeIndent() {
    let indent = indent ?? 0
    if !indention || column > indent || (column == indent && !whitespace) { lineBreak() }
    if column < indent {
      whitespace = true
      out.append(contentsOf: repeatElement(0x20, count: indent - column))
      column = indent
    }
  }

  mutating func lineBreak() {
    whitespace = true
    indention = true
    column = 0
    out.append(0x0A)
  }
}
