// What a record names by hash: other records, documents, objects. Knows nothing of where they lie.
package import CairnCore

/// A hash that a document names, and what stands behind it.
package struct NamedHash: Hashable, Sendable {
  package var hash: Digest32
  /// What it is for the document: `producer`, `environment`, `log`, `previous`, …
  package var role: String
  /// A record in its own right, which is looked for by itself; else a part of the one that names it.
  package var isRecord: Bool
}

extension RunRecord {
  package var named: [NamedHash] {
    var names: [NamedHash] = []
    func add(_ digest: Digest32?, _ role: String, isRecord: Bool = false) {
      if let digest { names.append(NamedHash(hash: digest, role: role, isRecord: isRecord)) }
    }
    for input in inputs {
      add(input.producer?.digest, "producer", isRecord: true)
      if input.md5?.hasSuffix(".dir") == true { add(input.sha256, "directory") }
    }
    for output in outputs where output.md5?.hasSuffix(".dir") == true { add(output.sha256, "directory") }
    add(environment, "environment")
    add(log?.sha256, "log")
    add(source.patch, "patch")
    add(restoredFrom?.digest, "restored_from", isRecord: true)
    add(accepts?.digest, "accepts", isRecord: true)
    add(execution.previousAttempt?.digest, "previous_attempt", isRecord: true)
    return names
  }
}

extension InvocationRecord {
  package var named: [NamedHash] {
    previous.map { NamedHash(hash: $0, role: "previous", isRecord: true) }
      + stages.compactMap { stage in stage.run.map { NamedHash(hash: $0.digest, role: "run", isRecord: true) } }
  }
}
