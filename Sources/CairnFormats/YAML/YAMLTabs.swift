// Finds tabs where DVC's parser takes none, though libyaml does. Knows nothing of values.
import CairnCore

/// Tabs stand in quotes, in block scalars, in comments and between brackets; anywhere else DVC refuses the file,
/// so that a text which Cairn alone could read would fail whoever shares the repository.
enum YAMLTabs {
  static func check(_ source: SourceText) throws(Diagnostic) {
    guard source.bytes.contains(tab) else { return }
    let tree = try YAMLTree(source)
    guard let place = firstRefused(in: tree) else { return }
    let start = tree.lineStart(place)
    let line = tree.bytes[..<start].count { $0 == 0x0A } + 1
    let column = String(decoding: tree.bytes[start..<place], as: UTF8.self).unicodeScalars.count + 1
    throw YAMLFault.invalid(
      source, "found character '\\t' that cannot start any token",
      at: SourceMark(source: source, line: line, column: column, length: 1), context: "while scanning for the next token")
  }

  private static let tab: UInt8 = 0x09

  private static func firstRefused(in tree: YAMLTree) -> Int? {
    var allowed: [Range<Int>] = []
    var plain: [Range<Int>] = []
    if let root = tree.root { collect(root, tree, &allowed, &plain) }
    // A flow list holds the scalars inside it, which are looked at on their own.
    let inPlain = plain.lazy.compactMap { range in tree.bytes[range].firstIndex(of: tab) }.min()
    allowed.sort { $0.lowerBound < $1.lowerBound }
    var index = 0
    var next = 0
    while index < tree.bytes.count {
      while next < allowed.count, allowed[next].lowerBound < index { next += 1 }
      if next < allowed.count, allowed[next].lowerBound == index, !allowed[next].isEmpty {
        index = allowed[next].upperBound
        continue
      }
      let byte = tree.bytes[index]
      if byte == tab { return min(index, inPlain ?? index) }
      if byte == UInt8(ascii: "#"), index == 0 || tree.bytes[index - 1] == 0x20 || YAMLTree.isBreak(tree.bytes[index - 1]) {
        index = tree.nextLine(index)
      } else {
        index += 1
      }
    }
    return inPlain
  }

  private static func collect(
    _ root: YAMLNode, _ tree: YAMLTree, _ allowed: inout [Range<Int>], _ plain: inout [Range<Int>]
  ) {
    var queue: [(node: YAMLNode, isInFlow: Bool)] = [(root, false)]
    while let (node, isInFlow) = queue.popLast() {
      if node.kind == .scalar, node.contentStart < node.end {
        let first = tree.bytes[node.contentStart]
        if node.isBlockScalar {
          // Not the line of the `|`.
          let body = tree.nextLine(node.contentStart)
          if body < node.end { allowed.append(body..<node.end) }
        } else if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
          if !isInFlow { allowed.append(node.contentStart..<node.end) }
        } else {
          plain.append(node.contentStart..<node.end)
        }
      } else if node.isFlow, !isInFlow {
        allowed.append(node.contentStart..<node.end)
      }
      let isInFlow = isInFlow || node.isFlow
      for entry in node.entries { queue += [(entry.key, isInFlow), (entry.value, isInFlow)] }
      for item in node.items { queue.append((item, isInFlow)) }
    }
  }
}
