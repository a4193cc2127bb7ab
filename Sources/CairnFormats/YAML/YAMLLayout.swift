// Where in a YAML text an edit goes, and in which indentation. Knows nothing of whether it means the right thing.
import CairnCore

/// Plans splices on one tree. Each function gives `nil` where the place is not written in this text
/// (it comes from an alias or a merged map).
struct YAMLLayout {
  private let tree: YAMLTree
  private let mapStep: Int
  private let listOffset: Int

  init(_ tree: YAMLTree) {
    self.tree = tree
    (mapStep, listOffset) = Self.indentation(tree)
  }

  /// What the text does itself, by its first map in a map and its first list under a key; DVC's 2 and 0 otherwise.
  private static func indentation(_ tree: YAMLTree) -> (Int, Int) {
    var step: Int?
    var offset: Int?
    var queue: [YAMLNode] = tree.root.map { [$0] } ?? []
    var next = 0
    while next < queue.count, step == nil || offset == nil, next < 10_000 {
      let node = queue[next]
      next += 1
      for entry in node.entries {
        let value = entry.value
        if value.isBlockCollection, !node.isFlow {
          let distance = tree.column(firstColumnOffset(tree, value)) - tree.column(entry.key.start)
          if value.kind == .map, step == nil, distance > 0 { step = distance }
          if value.kind == .list, offset == nil, distance >= 0 { offset = distance }
        }
        if !value.isFlow { queue.append(value) }
      }
      queue += node.items.filter { !$0.isFlow }
    }
    return (step ?? 2, offset ?? 0)
  }

  /// Where the first key or dash of a block collection stands.
  private static func firstColumnOffset(_ tree: YAMLTree, _ node: YAMLNode) -> Int {
    guard node.kind == .list, let item = node.items.first else { return node.firstStart }
    var dash = item.start
    while dash > 0, tree.bytes[dash] != UInt8(ascii: "-") || dash == item.start && !item.isAbsent {
      dash -= 1
    }
    return dash
  }

  private func blockStart(_ node: YAMLNode) -> Int { Self.firstColumnOffset(tree, node) }

  // MARK: The two edits

  func set(_ path: [PathStep], to new: Value) throws(Diagnostic) -> [YAMLSplice]? {
    guard let root = tree.root else { return [append(Self.nested(path[...], new))] }
    var node = root
    var parents: [(node: YAMLNode, step: PathStep)] = []
    for (depth, step) in path.enumerated() {
      if node.kind == .alias { return nil }
      if let next = child(node, step) {
        parents.append((node, step))
        node = next
        continue
      }
      let inner = Self.nested(path[(depth + 1)...], new)
      let isEmpty = node.isAbsent || node.isEmptyCollection || node.kind == .scalar
      if isEmpty { return replace(node, under: parents, with: Self.nested(path[depth...], new)) }
      switch step {
      case .key(let key): return [add(.string(key), inner, to: node)]
      case .index: return [add(nil, inner, to: node)]
      }
    }
    return replace(node, under: parents, with: new)
  }

  func remove(_ path: [PathStep]) throws(Diagnostic) -> [YAMLSplice]? {
    guard var node = tree.root, let last = path.last else { return nil }
    var parents: [(node: YAMLNode, step: PathStep)] = []
    for step in path.dropLast() {
      guard node.kind != .alias, let next = child(node, step) else { return nil }
      parents.append((node, step))
      node = next
    }
    guard node.kind != .alias, let index = position(node, last) else { return nil }
    let count = node.kind == .map ? node.entries.count : node.items.count
    if count == 1 { return replace(node, under: parents, with: node.kind == .map ? .emptyMap : .list([])) }
    return [node.isFlow ? removeFlow(index, of: node) : removeBlock(index, of: node)]
  }

  private static func nested(_ path: ArraySlice<PathStep>, _ value: Value) -> Value {
    path.reversed().reduce(value) { inner, step in
      switch step {
      case .key(let key): .map([.string(key): inner])
      case .index: .list([inner])
      }
    }
  }

  private func position(_ node: YAMLNode, _ step: PathStep) -> Int? {
    switch step {
    case .key(let key):
      return node.entries.firstIndex { $0.key.text.map { $0.utf8.elementsEqual(key.utf8) } ?? false }
    case .index(let index): return node.items.indices.contains(index) ? index : nil
    }
  }

  private func child(_ node: YAMLNode, _ step: PathStep) -> YAMLNode? {
    guard let index = position(node, step) else { return nil }
    return node.kind == .map ? node.entries[index].value : node.items[index]
  }

  // MARK: Adding

  private func append(_ value: Value) -> YAMLSplice {
    let needsBreak = tree.bytes.last.map { $0 != 0x0A } ?? false
    let end = tree.bytes.count
    return YAMLSplice(range: end..<end, bytes: (needsBreak ? [0x0A] : []) + block(value, at: 0) + [0x0A])
  }

  private func add(_ key: Value?, _ value: Value, to node: YAMLNode) -> YAMLSplice {
    if node.isFlow { return addFlow(key, value, to: node) }
    let column = tree.column(blockStart(node))
    let last = node.entries.last?.value ?? node.items.last ?? node
    let lines: [UInt8] =
      if let key { block(.map([key: value]), at: column) } else { block(.list([value]), at: column) }
    let place = tree.afterNode(last, commentsFrom: max(column, 0))
    let needsBreak = place > 0 && tree.bytes[place - 1] != 0x0A
    return YAMLSplice(
      range: place..<place,
      bytes: (needsBreak ? [0x0A] : []) + [UInt8](repeating: 0x20, count: column) + lines + [0x0A])
  }

  private func addFlow(_ key: Value?, _ value: Value, to node: YAMLNode) -> YAMLSplice {
    var text: [UInt8] = []
    if let key {
      text = YAMLFlow.text(key)
      text += Array(": ".utf8)
    }
    text += YAMLFlow.text(value)
    let last = node.entries.last?.value ?? node.items.last ?? node
    // A comma may already stand after the last one.
    if let comma = comma(from: last.end, to: node.end - 1) {
      return YAMLSplice(range: (comma + 1)..<(comma + 1), bytes: [0x20] + text)
    }
    return YAMLSplice(range: last.end..<last.end, bytes: Array(", ".utf8) + text)
  }

  private func comma(from start: Int, to end: Int) -> Int? {
    var index = start
    while index < end {
      if tree.bytes[index] == UInt8(ascii: ",") { return index }
      if tree.bytes[index] == UInt8(ascii: "#") { index = tree.nextLine(index) } else { index += 1 }
    }
    return nil
  }

  // MARK: Replacing

  private func replace(
    _ node: YAMLNode, under parents: [(node: YAMLNode, step: PathStep)], with new: Value
  ) -> [YAMLSplice] {
    guard let parent = parents.last?.node else { return replaceRoot(node, with: new) }
    if parent.isFlow {
      let gap: [UInt8] = node.isAbsent && tree.bytes[node.start - 1] != 0x20 ? [0x20] : []
      let colon: [UInt8] = node.isAbsent && parent.kind == .map && !hasColon(before: node.start) ? Array(":".utf8) : []
      return [YAMLSplice(range: node.contentStart..<node.end, bytes: colon + gap + YAMLFlow.text(new))]
    }
    let column = tree.column(blockStart(parent))
    let isItem = parent.kind == .list
    if !Self.isBlock(new) { return replaceInline(node, indent: column + (isItem ? 2 : mapStep), with: new) }

    // A list or map in a list starts on the line of its dash; one under a key on the next line.
    if isItem, node.isAbsent || tree.lineStart(node.contentStart) == tree.lineStart(blockStart(parent)) || !node.isBlockCollection {
      let start = node.isAbsent ? node.start : node.contentStart
      let gap: [UInt8] = node.isAbsent ? [0x20] : []
      return [YAMLSplice(range: start..<node.end, bytes: gap + block(new, at: tree.column(start) + gap.count))]
    }
    if node.isBlockCollection {
      let start = blockStart(node)
      guard tree.isFirstOnLine(start) else {
        return [YAMLSplice(range: start..<node.end, bytes: block(new, at: tree.column(start)))]
      }
      let inner = indentation(of: new, under: column)
      return [
        YAMLSplice(
          range: tree.lineStart(start)..<node.end,
          bytes: [UInt8](repeating: 0x20, count: inner) + block(new, at: inner))
      ]
    }
    let inner = indentation(of: new, under: column)
    var start = node.contentStart
    while start > 0, YAMLTree.isBlank(tree.bytes[start - 1]) { start -= 1 }
    let lines = [UInt8](repeating: 0x20, count: inner) + block(new, at: inner)
    let lineEnd = tree.nextLine(node.end)
    if lineEnd > node.end, tree.bytes[lineEnd - 1] == 0x0A {
      return [
        YAMLSplice(range: start..<node.end, bytes: []),
        YAMLSplice(range: lineEnd..<lineEnd, bytes: lines + [0x0A]),
      ]
    }
    // The text ends here, perhaps after a comment.
    return [
      YAMLSplice(range: start..<node.end, bytes: []),
      YAMLSplice(range: tree.bytes.count..<tree.bytes.count, bytes: [0x0A] + lines + [0x0A]),
    ]
  }

  private func hasColon(before offset: Int) -> Bool {
    var index = offset
    while index > 0, YAMLTree.isBlank(tree.bytes[index - 1]) { index -= 1 }
    return index > 0 && tree.bytes[index - 1] == UInt8(ascii: ":")
  }

  private func indentation(of value: Value, under column: Int) -> Int {
    if case .list = value { column + listOffset } else { column + mapStep }
  }

  private static func isBlock(_ value: Value) -> Bool {
    switch value {
    case .map(let map): !map.isEmpty
    case .list(let items): !items.isEmpty
    default: false
    }
  }

  private func replaceRoot(_ node: YAMLNode, with new: Value) -> [YAMLSplice] {
    if node.isAbsent { return Self.isBlock(new) ? [append(new)] : [] }
    let text = Self.isBlock(new) ? block(new, at: 0) : inline(new, column: 0, indent: 0)
    let start = node.isBlockCollection ? blockStart(node) : node.contentStart
    return [YAMLSplice(range: start..<node.end, bytes: text)]
  }

  private func replaceInline(_ node: YAMLNode, indent: Int, with new: Value) -> [YAMLSplice] {
    if node.isAbsent {
      let text = inline(new, column: tree.column(node.start) + 1, indent: indent)
      return text.isEmpty ? [] : [YAMLSplice(range: node.start..<node.start, bytes: [0x20] + text)]
    }
    let start = node.isBlockCollection ? blockStart(node) : node.contentStart
    if node.isBlockCollection, tree.isFirstOnLine(start) {
      // Behind the colon (or the anchor) goes the new value, the lines below go away.
      var colon = tree.lineStart(start)
      if node.contentStart < colon, node.contentStart > node.start {
        colon = node.contentStart
      } else {
        colon = endOfHolder(before: tree.lineStart(start))
      }
      var splices = [YAMLSplice(range: tree.lineStart(start)..<tree.nextLine(node.end), bytes: [])]
      splices.append(
        YAMLSplice(
          range: colon..<colon, bytes: [0x20] + inline(new, column: tree.column(colon) + 1, indent: indent)))
      return splices
    }
    let text = inline(new, column: tree.column(start), indent: indent)
    var from = start
    if text.isEmpty { while from > 0, YAMLTree.isBlank(tree.bytes[from - 1]) { from -= 1 } }
    return [YAMLSplice(range: from..<node.end, bytes: text)]
  }

  /// The end of the `key:` or `-` that holds what starts on the line at `offset`; comments may stand between.
  private func endOfHolder(before offset: Int) -> Int {
    var line = offset
    while line > 0 {
      line = tree.lineStart(line - 1)
      if tree.trivia(line) == nil { break }
    }
    let lineEnd = tree.nextLine(line)
    var end = line
    var quote: UInt8?
    var index = line
    while index < lineEnd {
      let byte = tree.bytes[index]
      if let open = quote {
        if byte == open { quote = nil } else if byte == UInt8(ascii: "\\"), open == UInt8(ascii: "\"") { index += 1 }
      } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'"), index == line || !isWord(tree.bytes[index - 1]) {
        quote = byte
      } else if byte == UInt8(ascii: "#"), index == line || YAMLTree.isBlank(tree.bytes[index - 1]) {
        break
      }
      index += 1
      if !YAMLTree.isBlank(byte), !YAMLTree.isBreak(byte) { end = index }
    }
    return end
  }

  private func isWord(_ byte: UInt8) -> Bool { !YAMLTree.isBlank(byte) && byte != UInt8(ascii: "-") }

  // MARK: Removing

  private func removeFlow(_ index: Int, of node: YAMLNode) -> YAMLSplice {
    let nodes = node.kind == .map ? node.entries.map { ($0.key, $0.value) } : node.items.map { ($0, $0) }
    if index + 1 < nodes.count {
      return YAMLSplice(range: nodes[index].0.start..<nodes[index + 1].0.start, bytes: [])
    }
    return YAMLSplice(range: nodes[index - 1].1.end..<nodes[index].1.end, bytes: [])
  }

  private func removeBlock(_ index: Int, of node: YAMLNode) -> YAMLSplice {
    let value = node.kind == .map ? node.entries[index].value : node.items[index]
    let start = node.kind == .map ? node.entries[index].key.start : dash(before: value)
    let column = tree.column(start)
    if !tree.isFirstOnLine(start) {
      // The first key of a map in a list, on the line of the dash: what follows moves up to it.
      var next = tree.afterNode(value, commentsFrom: column + 1)
      while next < tree.bytes.count, YAMLTree.isBlank(tree.bytes[next]) || YAMLTree.isBreak(tree.bytes[next]) { next += 1 }
      return YAMLSplice(range: start..<next, bytes: [])
    }
    let from = tree.lineStart(start)
    var to = tree.afterNode(value, commentsFrom: column + 1)
    // One blank line between two others is enough.
    let hasBlankBefore = from == 0 || isBlankLine(before: from)
    while hasBlankBefore, to < tree.bytes.count, case .blank? = tree.trivia(to) { to = tree.nextLine(to) }
    return YAMLSplice(range: from..<to, bytes: [])
  }

  private func isBlankLine(before lineStart: Int) -> Bool {
    if case .blank? = tree.trivia(tree.lineStart(lineStart - 1)) { return true }
    return false
  }

  private func dash(before item: YAMLNode) -> Int {
    var index = item.start - 1
    while index > 0, tree.bytes[index] != UInt8(ascii: "-") { index -= 1 }
    return index
  }

  // MARK: Text

  /// A list or map in block style whose first character stands at `column`; no newline at its end.
  private func block(_ value: Value, at column: Int) -> [UInt8] {
    var emitter = emitter(column: column, indent: column)
    switch value {
    case .map(let map) where !map.isEmpty: for (key, value) in map { emitter.entry(key, value) }
    case .list(let items) where !items.isEmpty: for item in items { emitter.listItem(item) }
    default: return inline(value, column: column, indent: column + mapStep)
    }
    while emitter.out.last == 0x0A { emitter.out.removeLast() }
    return emitter.out
  }

  private func inline(_ value: Value, column: Int, indent: Int) -> [UInt8] {
    switch value {
    case .string(let text):
      var emitter = emitter(column: column, indent: indent)
      emitter.stringScalar(text)
      return emitter.out
    case .null: return []
    default: return YAMLFlow.text(value)
    }
  }

  private func emitter(column: Int, indent: Int) -> YAMLEmitter {
    var emitter = YAMLEmitter(out: [])
    emitter.mapStep = mapStep
    emitter.listOffset = listOffset
    emitter.resume(column: column, indent: indent, afterBlank: true)
    emitter.indention = true
    return emitter
  }
}

/// Values inside brackets, on one line.
enum YAMLFlow {
  static func text(_ value: Value) -> [UInt8] {
    switch value {
    case .map(let map):
      var out: [UInt8] = [UInt8(ascii: "{")]
      for (key, value) in map {
        if out.count > 1 { out += Array(", ".utf8) }
        out += text(key)
        out += Array(": ".utf8)
        out += text(value)
      }
      return out + [UInt8(ascii: "}")]
    case .list(let items):
      return [UInt8(ascii: "[")] + items.map(text).joined(separator: Array(", ".utf8)) + [UInt8(ascii: "]")]
    case .null: return Array("null".utf8)
    case .string(let string):
      var emitter = YAMLEmitter(out: [])
      emitter.width = .max
      emitter.resume(column: 0, indent: 0, afterBlank: true)
      emitter.stringScalar(string)
      // What is plain outside of brackets may not be inside.
      let isPlain = emitter.out.first.map { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "'") } ?? false
      if isPlain, emitter.out.contains(where: { ",[]{}:?".utf8.contains($0) }) {
        let quote = emitter.out.contains(UInt8(ascii: "'")) ? "\"" : "'"
        let escaped = quote == "\"" ? emitter.out.flatMap { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") ? [UInt8(ascii: "\\"), $0] : [$0] } : emitter.out
        return Array(quote.utf8) + escaped + Array(quote.utf8)
      }
      return emitter.out
    default:
      var emitter = YAMLEmitter(out: [])
      emitter.width = .max
      emitter.resume(column: 0, indent: 0, afterBlank: true)
      emitter.node(value, .map)
      return emitter.out
    }
  }
}
