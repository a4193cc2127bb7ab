// A lineage graph for programs: JSON (`cairn.lineage/v1`), Graphviz and Mermaid. Knows nothing of terminals.

extension LineageGraph {
  /// The document of `cairn lineage --json`.
  package var value: Value {
    let nodes = nodes.map { value($0.key, $0.value) }
    let edges = edges.map(value)
    let unknown = unknown.map(\.value)
    return .map([
      "schema": "cairn.lineage/v1", "root": roots.first.map(text) ?? .null, "roots": .list(roots.map(text)),
      "nodes": .list(nodes), "edges": .list(edges), "unknown": .list(unknown),
    ])
  }

  private func text(_ id: LineageNodeID) -> Value { .string(id.description) }

  /// With who ran the run at its one end, when, and at which commit.
  private func value(_ edge: LineageEdge) -> Value {
    var map: ValueMap = ["from": text(edge.from), "to": text(edge.to), "type": .string(edge.kind.rawValue)]
    let record = [edge.to, edge.from].lazy.compactMap { id in
      if case .run(let record)? = nodes[id] { record } else { nil }
    }.first
    map["commit"] = Self.optional(record?.source.commit)
    map["author"] = Self.optional(record?.actor.name)
    map["date"] = Self.optional(record.map { Timestamp.text($0.execution.started) })
    return .map(map)
  }

  private func value(_ reuse: Reuse) -> Value {
    .map([
      "state": .string(reuse.state), "times": .int(reuse.times), "invocation": .string(reuse.invocation),
      "date": .string(Timestamp.text(reuse.started)), "author": .string(reuse.actor),
      "commit": Self.optional(reuse.commit),
    ])
  }

  private func value(_ id: LineageNodeID, _ node: Node) -> Value {
    let optional = Self.optional
    let name = Value.string(id.description)
    switch node {
    case .artifact(let artifact):
      return .map([
        "id": name, "type": "artifact", "path": .string(artifact.path), "md5": optional(artifact.md5),
        "sha256": optional(artifact.sha256?.hex), "size": artifact.size.map { .int(Int(clamping: $0)) } ?? .null,
        "repository": artifact.repository.isEmpty ? .null : .string(artifact.repository),
      ])
    case .run(let record):
      let params = record.params.map { file, values in
        (Value.string(file), Value.map(ValueMap(uniqueKeysWithValues: values.map { (.string($0.key), $0.value) })))
      }
      return .map([
        "id": name, "type": "run", "stage": .string(record.stage.address), "result": .string(record.result.rawValue),
        "commit": optional(record.source.commit), "dirty": record.source.isDirty.map { .bool($0) } ?? .null,
        "actor": .map(["name": .string(record.actor.name), "host": .string(record.actor.host)]),
        "author": .string(record.actor.name), "date": .string(Timestamp.text(record.execution.started)),
        "params": .map(ValueMap(uniqueKeysWithValues: params)),
        "restored_from": optional(record.restoredFrom?.hex), "accepts": optional(record.accepts?.hex),
        "reconstructed": record.reconstructed.map {
          .map(["commit": .string($0.commit), "lock": .string($0.lock)])
        } ?? .null, "reused": .list((reuses[id] ?? []).map(value)),
      ])
    case .commit(let repository):
      let facts = commits[id.bare]
      return .map([
        "id": name, "type": "commit", "commit": .string(id.bare), "repository": optional(repository),
        "author": optional(facts?.author), "date": optional(facts.map { Timestamp.text($0.date) }),
        "subject": optional(facts?.subject),
      ])
    case .external: return .map(["id": name, "type": "external", "url": .string(id.bare)])
    case .model(let model):
      return .map([
        "id": name, "type": "model-version", "name": .string(model.name), "version": .string(model.version),
        "aliases": .list(model.aliases.map { .string($0) }), "server": .string(model.server),
        "source": .string(model.source), "run": .string("r:" + model.run.hex), "path": .string(model.path),
        "md5": optional(model.md5),
      ])
    }
  }

  private static func optional(_ text: String?) -> Value { text.map { .string($0) } ?? .null }

  // MARK: Drawings

  /// A directed graph for Graphviz: artifacts as ellipses, runs as boxes.
  package var dot: String {
    var lines = ["digraph lineage {", "  rankdir=LR;"]
    for (id, node) in nodes {
      let shape = switch node {
      case .artifact: "ellipse"
      case .run: "box"
      case .commit, .external: "note"
      case .model: "component"
      }
      lines.append("  \(Self.quoted(id.description)) [label=\(Self.quoted(label(id, node))), shape=\(shape)];")
    }
    for edge in edges {
      let style = edge.kind == .sameBytes ? " [style=dashed]" : ""
      lines.append("  \(Self.quoted(edge.from.description)) -> \(Self.quoted(edge.to.description))\(style);")
    }
    return lines.joined(separator: "\n") + "\n}"
  }

  /// A flowchart for Mermaid.
  package var mermaid: String {
    let names = Dictionary(uniqueKeysWithValues: nodes.keys.enumerated().map { ($1, "n\($0 + 1)") })
    var lines = ["flowchart LR"]
    for (id, node) in nodes {
      let label = "\"" + Self.mermaidText(label(id, node)) + "\""
      let box = switch node {
      case .artifact: "([\(label)])"
      case .run: "[\(label)]"
      case .commit, .external: "[/\(label)/]"
      case .model: "[[\(label)]]"
      }
      lines.append("  \(names[id] ?? "")\(box)")
    }
    for edge in edges {
      let arrow = edge.kind == .sameBytes ? "-.-" : "-->"
      lines.append("  \(names[edge.from] ?? "") \(arrow) \(names[edge.to] ?? "")")
    }
    return lines.joined(separator: "\n")
  }

  private func label(_ id: LineageNodeID, _ node: Node) -> String {
    switch node {
    case .artifact(let artifact): artifact.path
    case .run(let record): record.stage.address
    case .commit: "commit " + id.bare.prefix(7)
    case .external: id.bare
    case .model(let model): model.text
    }
  }

  /// What Mermaid would take for its own, or for HTML, as entities.
  private static func mermaidText(_ text: String) -> String {
    var escaped = ""
    for character in text {
      switch character {
      case "#": escaped += "#35;"
      case "&": escaped += "#amp;"
      case "<": escaped += "#lt;"
      case ">": escaped += "#gt;"
      case "\"": escaped += "#quot;"
      default: escaped.append(character)
      }
    }
    return escaped
  }

  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
  }
}

extension LineageNodeID {
  /// Without the letter before it.
  package var bare: String { String(description.dropFirst(2)) }
}

extension LineageGraph.Unknown {
  var value: Value {
    .map([
      "node": .string(node.description), "what": .string(what.rawValue), "why": why.map { .string($0) } ?? .null,
    ])
  }
}
