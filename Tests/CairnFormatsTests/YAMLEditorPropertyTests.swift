// Random documents in random layouts, random edits: the meaning is the one asked for, the rest of the text stays.
import CairnCore
import CairnFormats
import Testing

struct YAMLEditorPropertyTests {
  @Test("an edit of any document means what was asked and leaves the other lines alone", arguments: 0..<60)
  func anyEdit(seed: Int) throws {
    var random = Random(state: UInt64(seed) &* 7919 &+ 17)
    for _ in 0..<25 {
      let document = RandomDocument(&random)
      let path = document.randomPath(&random)
      let isRemoval = random.chance(0.4) && !path.isEmpty
      let new = isRemoval ? nil : RandomDocument.value(&random, depth: 2)
      let target = isRemoval || random.chance(0.6) ? path : path + [.key("brand_new")]
      check(document, target, new)
    }
  }

  private func check(_ document: RandomDocument, _ path: [PathStep], _ new: Value?) {
    let before = document.text
    let about = Comment(rawValue: "\(path) := \(new.map { "\($0)" } ?? "removed")\n--- before\n\(before)")
    do throws(Diagnostic) {
      let original = try YAMLReader.parse(SourceText(path: "x", bytes: Array(before.utf8))).value
      guard let wanted = Edit.apply(original, path[...], new) else { return }
      var editor = try YAMLEditor(SourceText(path: "x", bytes: Array(before.utf8)))
      if let new { try editor.set(path, to: new) } else { try editor.remove(path) }
      let result = try YAMLReader.parse(SourceText(path: "x", bytes: Array(editor.text.utf8))).value
      #expect(Edit.isSame(result, wanted), "\(about.rawValue)\n--- after\n\(editor.text)")
      if before.contains("\r\n") { #expect(editor.text.utf8.count { $0 == 0x0A } == editor.text.utf8.count { $0 == 0x0D }, about) }
      // Lines with neither the edited value nor its parents' keys stay, in order.
      let untouched = document.untouchedLines(path)
      #expect(isSubsequence(untouched, lines(editor.text)), "\(about.rawValue)\n--- after\n\(editor.text)")
    } catch {
      Issue.record("\(error.fullMessage)\n\(about.rawValue)")
    }
  }

  private func lines(_ text: String) -> [String] {
    text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map {
      String(Substring($0.last == 0x0D ? $0.dropLast() : $0))
    }
  }

  private func isSubsequence(_ part: [String], _ whole: [String]) -> Bool {
    var index = 0
    // What was below the first key of a list's item may have moved up to the dash.
    func bare(_ line: String) -> Substring { line.drop { $0 == " " || $0 == "-" } }
    for line in whole where index < part.count && bare(line) == bare(part[index]) { index += 1 }
    return index == part.count
  }
}

struct Random: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }
  mutating func pick<T>(_ items: [T]) -> T { items[Int.random(in: 0..<items.count, using: &self)] }
}

/// The edits on values, written anew so that the test does not share the code's mistakes.
enum Edit {
  static func apply(_ value: Value, _ path: ArraySlice<PathStep>, _ new: Value?) -> Value? {
    guard let step = path.first else { return new }
    let rest = path.dropFirst()
    switch (step, value) {
    case (.key(let key), .map(var map)):
      let inner = apply(map[.string(key)] ?? .null, rest, new)
      if inner == nil, !rest.isEmpty { return nil }
      map[.string(key)] = inner
      return .map(map)
    case (.key(let key), .null): return apply(.null, rest, new).map { .map([.string(key): $0]) }
    case (.index(let index), .list(var items)):
      let inner = apply(items[index], rest, new)
      if inner == nil, !rest.isEmpty { return nil }
      if let inner { items[index] = inner } else { items.remove(at: index) }
      return .list(items)
    default: return nil
    }
  }

  static func isSame(_ a: Value, _ b: Value) -> Bool { a == b || "\(a)" == "\(b)" }
}

/// A document with comments, in one of many layouts, that remembers which line belongs to which path.
struct RandomDocument {
  struct Line {
    var text: String
    var path: [PathStep]
    var isComment = false
  }

  var lines: [Line] = []
  var value: Value
  private var ending = "\n"
  private var hasFinalBreak = true
  private var step = 2
  private var offset = 0

  var text: String {
    lines.map(\.text).joined(separator: ending) + (hasFinalBreak ? ending : "")
  }

  init(_ random: inout Random) {
    step = random.pick([2, 2, 4, 3])
    offset = random.pick([0, 0, 2])
    ending = random.pick(["\n", "\n", "\n", "\r\n"])
    hasFinalBreak = random.chance(0.85)
    var map = ValueMap()
    for key in ["stages", "vars", "plots", "k1"].shuffled(using: &random).prefix(random.pick([1, 2, 3])) {
      map[.string(key)] = Self.value(&random, depth: 3)
    }
    value = .map(map)
    write(value, indent: 0, first: "", path: [], &random)
    if random.chance(0.2) { lines.append(Line(text: "# the end", path: [], isComment: true)) }
  }

  static func value(_ random: inout Random, depth: Int) -> Value {
    if depth == 0 || random.chance(0.3) {
      return random.pick([
        1, "text", "python train.py --lr 0.1", true, .null, 0.5, "yes", "a: b", "it's", "#x", "two\nlines\n", "",
        .emptyMap, .list([]), "ünï", "a, b", "{x}", .string(String(repeating: "long words ", count: 12) + "end"),
      ])
    }
    let keys = ["cmd", "deps", "outs", "a", "b b", "ключ", "1x"].shuffled(using: &random).prefix(random.pick([1, 2, 3]))
    if random.chance(0.6) {
      var map = ValueMap()
      for key in keys { map[.string(key)] = value(&random, depth: depth - 1) }
      return .map(map)
    }
    return .list((0..<random.pick([1, 2, 3])).map { _ in value(&random, depth: depth - 1) })
  }

  func randomPath(_ random: inout Random) -> [PathStep] {
    var path: [PathStep] = []
    var node = value
    while true {
      switch node {
      case .map(let map) where !map.isEmpty:
        let key = random.pick(Array(map.keys))
        path.append(.key(key.string ?? ""))
        node = map[key] ?? .null
      case .list(let items) where !items.isEmpty:
        let index = Int.random(in: 0..<items.count, using: &random)
        path.append(.index(index))
        node = items[index]
      default: return path
      }
      if random.chance(0.35) { return path }
    }
  }

  /// Lines that neither hold the path nor stand below it, nor lead to it.
  func untouchedLines(_ path: [PathStep]) -> [String] {
    lines.filter { line in
      if line.isComment { return !line.path.starts(with: path) || path.count > line.path.count }
      return !line.path.starts(with: path) && !path.starts(with: line.path)
    }.map(\.text)
  }

  private mutating func write(
    _ value: Value, indent: Int, first: String, path: [PathStep], _ random: inout Random
  ) {
    let blanks = String(repeating: " ", count: indent)
    var prefix = first.isEmpty ? blanks : first
    switch value {
    case .map(let map):
      for (key, inner) in map {
        let here = path + [.key(key.string ?? "")]
        if prefix == blanks, random.chance(0.15) {
          lines.append(Line(text: "\(blanks)# above \(lines.count)", path: path, isComment: true))
        }
        if prefix == blanks, random.chance(0.1) { lines.append(Line(text: "", path: path)) }
        child(inner, "\(prefix)\(quoted(key, &random)):", indent, here, isKey: true, &random)
        prefix = blanks
      }
    case .list(let items):
      for (index, inner) in items.enumerated() {
        if prefix == blanks, random.chance(0.1) {
          lines.append(Line(text: "\(blanks)# item \(lines.count)", path: path, isComment: true))
        }
        child(inner, "\(prefix)-", indent, path + [.index(index)], isKey: false, &random)
        prefix = blanks
      }
    default: break
    }
  }

  private mutating func child(
    _ value: Value, _ head: String, _ indent: Int, _ path: [PathStep], isKey: Bool, _ random: inout Random
  ) {
    let isBlock =
      switch value {
      case .map(let map): !map.isEmpty && random.chance(0.85)
      case .list(let items): !items.isEmpty && random.chance(0.8)
      default: false
      }
    let comment = random.chance(0.1) ? "  # beside" : ""
    guard isBlock else {
      if case .string("two\nlines\n") = value, random.chance(0.7) {
        let inner = String(repeating: " ", count: indent + 2)
        for text in ["\(head) |", "\(inner)two", "\(inner)lines"] { lines.append(Line(text: text, path: path)) }
        return
      }
      let text = flow(value, &random)
      lines.append(Line(text: "\(head)\(text.isEmpty ? "" : " ")\(text)\(comment)", path: path))
      return
    }
    if isKey {
      lines.append(Line(text: head + (random.chance(0.1) ? " # head" : ""), path: path))
      let inner = if case .list = value { indent + offset } else { indent + step }
      write(value, indent: inner, first: "", path: path, &random)
    } else {
      write(value, indent: indent + 2, first: head + " ", path: path, &random)
    }
  }

  private func quoted(_ value: Value, _ random: inout Random) -> String {
    let text = value.string ?? ""
    return random.chance(0.1) ? "\"\(text)\"" : text
  }

  private func flow(_ value: Value, _ random: inout Random) -> String {
    switch value {
    case .map(let map):
      let space = random.chance(0.3) ? " " : ""
      let comma = !map.isEmpty && random.chance(0.1) ? "," : ""
      return "{\(space)" + map.map { "\(quoted($0, &random)): \(flowItem($1, &random))" }.joined(separator: ", ") + "\(comma)\(space)}"
    case .list(let items):
      return "[" + items.map { flowItem($0, &random) }.joined(separator: random.chance(0.2) ? " , " : ", ") + "]"
    default: return value.isNull && random.chance(0.5) ? "" : flowItem(value, &random)
    }
  }

  private func flowItem(_ value: Value, _ random: inout Random) -> String {
    switch value {
    case .string("text"): return random.pick(["text", "'text'", "\"text\""])
    case .string(let text): return "\"" + text.replacing("\n", with: "\\n") + "\""
    case .map, .list: return flow(value, &random)
    case .null: return random.pick(["null", "~"])
    case .bool(let flag): return flag ? "true" : "False"
    case .int(let number): return "\(number)"
    case .float(let number): return "\(number)"
    default: return "x"
    }
  }
}
