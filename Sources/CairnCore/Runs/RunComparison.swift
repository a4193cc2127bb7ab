// What differs between two runs, as values. Knows records; knows nothing of how it is shown.
package import OrderedCollections

package struct RunComparison: Sendable {
  /// One thing that is not the same: `nil` where a side has nothing there.
  package struct Difference: Sendable {
    package var name: String
    package var was: Value?
    package var now: Value?
  }

  package enum Section: String, Sendable, CaseIterable { case params, inputs, outputs, metrics, code, environment }

  package var a: RunID
  package var b: RunID
  package var differences: [(section: Section, items: [Difference])]

  /// - Parameter environments: the documents that the two records name, where they could be read.
  package init(
    _ a: (id: RunID, record: RunRecord), _ b: (id: RunID, record: RunRecord), environments: (Value?, Value?)
  ) {
    self.a = a.id
    self.b = b.id
    let (old, new) = (a.record, b.record)
    differences = [
      (.params, Self.differences(old.parameterLeaves, new.parameterLeaves)),
      (.inputs, Self.differences(Self.files(old.inputs), Self.files(new.inputs))),
      (.outputs, Self.differences(Self.files(old.outputs), Self.files(new.outputs))),
      (.metrics, Self.differences(old.metricLeaves, new.metricLeaves)),
      (.code, Self.differences(Self.code(old), Self.code(new))),
      (
        .environment,
        Self.differences(Self.environment(old, environments.0), Self.environment(new, environments.1))
      ),
    ]
  }

  package var isEmpty: Bool { differences.allSatisfy(\.items.isEmpty) }

  /// The document of `cairn runs diff --json`.
  package var value: Value {
    var map: ValueMap = ["schema": "cairn.runs-diff/v1", "a": .string(a.hex), "b": .string(b.hex)]
    for (section, items) in differences {
      map[.string(section.rawValue)] = Self.value(items)
    }
    return .map(map)
  }

  static func value(_ items: [Difference]) -> Value {
    .list(items.map { .map(["name": .string($0.name), "was": $0.was ?? .null, "now": $0.now ?? .null]) })
  }

  /// In the order of `a`, what only `b` has behind it. Of a name that stands twice, the first counts. NaN is NaN still.
  static func differences(_ a: [(String, Value)], _ b: [(String, Value)]) -> [Difference] {
    let old = Dictionary(a, uniquingKeysWith: { first, _ in first })
    let new = Dictionary(b, uniquingKeysWith: { first, _ in first })
    var names = a.map(\.0)
    names += b.map(\.0).filter { old[$0] == nil }
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }.compactMap { name in
      let (was, now) = (old[name], new[name])
      if let was, let now, was.isStill(now) { return nil }
      return Difference(name: name, was: was, now: now)
    }
  }

  private static func files(_ inputs: [RunRecord.Input]) -> [(String, Value)] {
    inputs.filter { $0.role != "params" }.map { ($0.path, file($0.md5, $0.size)) }
  }

  private static func files(_ outputs: [RunRecord.OutputPart]) -> [(String, Value)] {
    outputs.map { ($0.path, file($0.md5, $0.size)) }
  }

  static func file(_ md5: String?, _ size: UInt64?) -> Value {
    .map(["md5": md5.map { .string($0) } ?? .null, "size": size.map { .int(Int(clamping: $0)) } ?? .null])
  }

  static func code(_ record: RunRecord) -> [(String, Value)] {
    var code: [(String, Value)] = [("command", .list(record.stage.cmd.map { .string($0) }))]
    if let commit = record.source.commit { code.append(("commit", .string(commit))) }
    for (path, digest) in record.source.changed {
      code.append((path, digest.map { .string($0.hex) } ?? "deleted"))
    }
    return code
  }

  static func environment(_ record: RunRecord, _ document: Value?) -> [(String, Value)] {
    var leaves = record.execution.env.map { ("$" + $0.key, $0.value.map { Value.string($0) } ?? .null) }
    leaves += [("os", .string(record.execution.os)), ("host", .string(record.actor.host))]
    leaves.append(("cairn", .string(record.execution.cairn)))
    if let document {
      leaves += document.leaves().filter { $0.0 != "schema" }
    } else if let digest = record.environment {
      leaves.append(("document", .string(digest.hex)))
    }
    return leaves
  }
}

extension Value {
  /// Scalars and lists with their dotted names, in order: `{a: {b: 1}}` is `a.b 1`.
  package func leaves(below prefix: String = "") -> [(String, Value)] {
    guard case .map(let map) = self, !map.isEmpty else { return prefix.isEmpty ? [] : [(prefix, self)] }
    return map.flatMap { key, value in
      let name = key.string ?? key.scalarText
      return value.leaves(below: prefix.isEmpty ? name : prefix + "." + name)
    }
  }

  /// A scalar as people read it; lists and maps in brackets.
  package var scalarText: String {
    switch self {
    case .null: "null"
    case .bool(let flag): flag ? "true" : "false"
    case .int(let number): String(number)
    case .bigInt(let digits): digits
    case .float(let number): "\(number)"
    case .string(let text), .timestamp(let text): text
    case .list(let items): "[" + items.map(\.scalarText).joined(separator: ", ") + "]"
    case .map(let map): "{" + map.map { $0.scalarText + ": " + $1.scalarText }.joined(separator: ", ") + "}"
    }
  }
}

extension RunRecord {
  /// `train.lr`, with the file before it (`FILE:train.lr`) unless it is `params.yaml`.
  package var parameterLeaves: [(String, Value)] {
    params.flatMap { file, values in
      Self.leaves(of: values).map { (file == "params.yaml" ? $0 : file + ":" + $0, $1) }
    }
  }

  /// Of one file. A leaf that two declared keys hold (`d` and `d.p`) is there once.
  package static func leaves(of values: OrderedDictionary<String, Value>) -> [(String, Value)] {
    let leaves = values.flatMap { key, value in value.leaves(below: key) }
    if values.count < 2 { return leaves }
    var seen: Set<[UInt8]> = []
    return leaves.filter { seen.insert(Array($0.0.utf8)).inserted }
  }

  /// `auc`, with the file before it only where two files have the name.
  package var metricLeaves: [(String, Value)] {
    let leaves = metrics.flatMap { file, value in value.leaves().map { (file: file, name: $0, value: $1) } }
    let counts = Dictionary(leaves.map { ($0.name, 1) }, uniquingKeysWith: +)
    return leaves.map { ((counts[$0.name] ?? 0) > 1 ? $0.file + ":" + $0.name : $0.name, $0.value) }
  }
}
