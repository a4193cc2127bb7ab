// A map from paths to values that also answers what lies above and below a path. Knows nothing of files.

/// Keys are `/`-separated, relative and normalised. Below a node, children come in the order in which they
/// were added, and a node comes before its children: the order in which DVC meets overlapping outputs.
package struct PathTrie<Value: Sendable>: Sendable {
  private struct Node: Sendable {
    var hash: UInt64
    /// The path is the first `length` bytes of this text.
    var text: String
    var length: Int
    var value: Value?
    var firstChild: Int32 = -1
    var lastChild: Int32 = -1
    var nextSibling: Int32 = -1
  }

  private var nodes: [Node]
  /// Open addressing over node indices; -1 is free. A power of two, at most half full.
  private var table: [Int32]

  package init() {
    nodes = [Node(hash: 0, text: "", length: 0, value: nil)]
    table = Array(repeating: -1, count: 64)
  }

  package subscript(path: RepoPath) -> Value? { find(path).flatMap { nodes[$0].value } }

  package mutating func insert(_ value: Value, at path: RepoPath) {
    var parent = 0
    Self.walk(path.text) { bytes, length, hash in
      if let node = lookup(bytes, length, hash) {
        parent = node
        return true
      }
      let node = nodes.count
      nodes.append(Node(hash: hash, text: path.text, length: length, value: nil))
      if nodes[parent].lastChild >= 0 {
        nodes[Int(nodes[parent].lastChild)].nextSibling = Int32(node)
      } else {
        nodes[parent].firstChild = Int32(node)
      }
      nodes[parent].lastChild = Int32(node)
      remember(node)
      parent = node
      return true
    }
    nodes[parent].value = value
  }

  /// The values at `path` and at the folders above it, outermost first.
  package func valuesAbove(_ path: RepoPath) -> [Value] {
    var found: [Value] = []
    if let value = nodes[0].value { found.append(value) }
    Self.walk(path.text) { bytes, length, hash in
      guard let node = lookup(bytes, length, hash) else { return false }
      if let value = nodes[node].value { found.append(value) }
      return true
    }
    return found
  }

  /// The outermost value at `path` or above it.
  package func firstAbove(_ path: RepoPath) -> Value? {
    if let value = nodes[0].value { return value }
    var found: Value?
    Self.walk(path.text) { bytes, length, hash in
      guard let node = lookup(bytes, length, hash) else { return false }
      if let value = nodes[node].value {
        found = value
        return false
      }
      return true
    }
    return found
  }

  /// The values strictly below `path`.
  package func valuesBelow(_ path: RepoPath) -> [Value] {
    guard let top = find(path), nodes[top].firstChild >= 0 else { return [] }
    var found: [Value] = []
    var stack: [Int32] = [nodes[top].firstChild]
    while let next = stack.popLast() {
      let node = nodes[Int(next)]
      if let value = node.value { found.append(value) }
      if node.nextSibling >= 0 { stack.append(node.nextSibling) }
      if node.firstChild >= 0 { stack.append(node.firstChild) }
    }
    return found
  }

  private func find(_ path: RepoPath) -> Int? {
    if path.isRoot { return 0 }
    var text = path.text
    return text.withUTF8 { lookup($0, $0.count, Self.hash($0)) }
  }

  private func lookup(_ bytes: UnsafeBufferPointer<UInt8>, _ length: Int, _ hash: UInt64) -> Int? {
    let mask = table.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while table[slot] >= 0 {
      let index = Int(table[slot])
      if nodes[index].hash == hash, nodes[index].length == length, Self.begins(nodes[index].text, bytes, length) {
        return index
      }
      slot = (slot + 1) & mask
    }
    return nil
  }

  private mutating func remember(_ node: Int) {
    if nodes.count * 2 > table.count {
      table = Array(repeating: -1, count: table.count * 2)
      for index in 1..<nodes.count { place(index) }
    } else {
      place(node)
    }
  }

  private mutating func place(_ node: Int) {
    let mask = table.count - 1
    var slot = Int(truncatingIfNeeded: nodes[node].hash) & mask
    while table[slot] >= 0 { slot = (slot + 1) & mask }
    table[slot] = Int32(node)
  }

  // FNV-1a, spread once more: one pass over the bytes gives the hash of every folder on the way.
  private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return spread(hash)
  }

  private static func spread(_ hash: UInt64) -> UInt64 { hash ^ (hash >> 29) }

  private static func begins(_ text: String, _ bytes: UnsafeBufferPointer<UInt8>, _ length: Int) -> Bool {
    var text = text
    return text.withUTF8 { $0.prefix(length).elementsEqual(bytes.prefix(length)) }
  }

  /// Every folder on the way to the path, then the path, each as the first `length` bytes, until `body` says no.
  private static func walk(
    _ text: String, _ body: (_ bytes: UnsafeBufferPointer<UInt8>, _ length: Int, _ hash: UInt64) -> Bool
  ) {
    if text.isEmpty { return }
    var text = text
    text.withUTF8 { bytes in
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for (length, byte) in bytes.enumerated() {
        if byte == UInt8(ascii: "/"), !body(bytes, length, spread(hash)) { return }
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
      }
      _ = body(bytes, bytes.count, spread(hash))
    }
  }
}
