// A graph of names, and its text for graphviz and mermaid. Knows nothing of stages.

struct NamedGraph: Sendable {
  var names: [String]
  /// For each node those that it needs.
  var needs: [[Int]]

  /// What `targets` need, with them; `full`: all that hangs together with them. No targets: everything.
  func narrowed(to targets: [Int], full: Bool) -> NamedGraph {
    if targets.isEmpty { return self }
    var kept = Array(repeating: false, count: names.count)
    var stack = targets
    let neededBy = full ? consumers : []
    while let node = stack.popLast() {
      if kept[node] { continue }
      kept[node] = true
      stack += needs[node]
      if full { stack += neededBy[node] }
    }
    return keeping(names.indices.filter { kept[$0] })
  }

  private func keeping(_ nodes: [Int]) -> NamedGraph {
    var place: [Int: Int] = [:]
    for (new, old) in nodes.enumerated() { place[old] = new }
    return NamedGraph(
      names: nodes.map { names[$0] }, needs: nodes.map { needs[$0].compactMap { place[$0] } })
  }

  var consumers: [[Int]] {
    var consumers: [[Int]] = Array(repeating: [], count: names.count)
    for (node, needed) in needs.enumerated() { for other in needed { consumers[other].append(node) } }
    return consumers
  }

  /// One node for all stages of a `foreach` or `matrix`; such nodes come last.
  func collapsingGroups() -> NamedGraph {
    func group(_ name: String) -> String? {
      guard !name.hasSuffix(".dvc"), let at = name.firstIndex(of: "@") else { return nil }
      return String(name[..<at])
    }
    var names: [String] = []
    var place: [String: Int] = [:]
    for pass in [false, true] {
      for name in self.names where (group(name) != nil) == pass {
        let shown = group(name) ?? name
        if place[shown] == nil {
          place[shown] = names.count
          names.append(shown)
        }
      }
    }
    var needs: [[Int]] = Array(repeating: [], count: names.count)
    for (node, name) in self.names.enumerated() {
      guard let from = place[group(name) ?? name] else { continue }
      for other in self.needs[node] {
        guard let to = place[group(self.names[other]) ?? self.names[other]] else { continue }
        if !needs[from].contains(to) { needs[from].append(to) }
      }
    }
    return NamedGraph(names: names, needs: needs)
  }

  /// The weakly connected parts, in the order of their first nodes.
  var parts: [NamedGraph] {
    let consumers = consumers
    var part = Array(repeating: -1, count: names.count)
    var members: [[Int]] = []
    for start in names.indices where part[start] < 0 {
      var stack = [start]
      var found: [Int] = []
      while let node = stack.popLast() {
        if part[node] >= 0 { continue }
        part[node] = members.count
        found.append(node)
        stack += needs[node] + consumers[node]
      }
      members.append(found.sorted())
    }
    return members.map(keeping)
  }

  /// As DVC prints it: nodes in order, then edges from what is needed to who needs it, both in the order of nodes.
  var dot: String {
    let labels = names.map { $0.first == "\"" || $0.last == "\"" ? $0 : "\"\($0)\"" }
    var lines = ["strict digraph {"]
    lines += labels.map { $0 + ";" }
    for (node, consumers) in consumers.enumerated() {
      for consumer in consumers { lines.append("\(labels[node]) -> \(labels[consumer]);") }
    }
    return lines.joined(separator: "\n") + "\n}\n"
  }

  /// As DVC prints it: part by part, nodes and edges in the order of their names.
  var mermaid: String {
    var text = "flowchart TD"
    var count = 0
    for part in parts {
      let order = part.names.indices.sorted { part.names[$0].isBefore(part.names[$1]) }
      var number = Array(repeating: 0, count: order.count)
      for (position, node) in order.enumerated() {
        count += 1
        number[node] = count
        text += "\n\tnode\(count)[\"\(part.names[order[position]])\"]"
      }
      var edges: [(Int, Int)] = []
      for (node, needed) in part.needs.enumerated() { for other in needed { edges.append((number[other], number[node])) } }
      // Numbers rise with names inside a part.
      for (from, to) in edges.sorted(by: { $0 < $1 }) { text += "\n\tnode\(from)-->node\(to)" }
    }
    return text
  }
}

extension String {
  fileprivate func isBefore(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
