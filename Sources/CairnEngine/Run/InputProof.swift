// The proof that a command's inputs are still what was hashed before it started.
import CairnCore
import OrderedCollections

struct InputProof {
  struct Change {
    var path: String
    /// Set for a parameter.
    var key: String?
    /// "was edited", "is gone", …
    var what: String
    var message: String { key.map { "\(path): \($0) \(what)" } ?? "\(path) \(what)" }
  }

  /// Of dependencies by their index: files that appeared inside a directory while the command ran, or are Python's
  /// bytecode and were written anew.
  var appeared: [Int: [String]] = [:]
  /// Of dependencies named in `rewrites`: what they held when the command had ended.
  var rewritten: [Int: Content] = [:]
  var changes: [Change] = []
  /// What the lock gets: DVC's hashes, taken afterwards, where nothing but appearances and rewrites differ.
  var snapshot: StageSnapshot

  var firstChange: Change? { changes.first }

  /// Compares the disk with `before`; reads only what its fingerprint does not vouch for.
  static func check(
    _ stage: Stage, _ before: StageSnapshot, _ context: RunContext
  ) throws(Diagnostic) -> InputProof {
    var proof = InputProof(snapshot: before)
    for (index, dependency) in stage.dependencies.enumerated() {
      let content = before.dependencies[index]
      if content.hash == nil {
        // Only a forced stage starts without an input that can be read; whether there is one now is for the caller.
        proof.snapshot.dependencies[index] = context.observer.content(at: dependency.location, sha256: true)
        continue
      }
      if context.observer.isUnchanged(content, at: dependency.location) { continue }
      let algorithm = content.hash?.algorithm ?? .md5
      let now = context.observer.content(at: dependency.location, algorithm: algorithm, sha256: true)
      let shown = context.shown(dependency.location, declared: dependency.declared)
      if stage.settings.rewrites.contains(dependency.declared) {
        if case .unknown(let diagnostic) = now { throw diagnostic }
        let kept = context.observer.content(now, at: dependency.location, keeping: content.hash, sha256: true)
        proof.rewritten[index] = kept
        proof.snapshot.dependencies[index] = kept
        continue
      }
      switch (content, now) {
      case (_, .unknown(let diagnostic)): throw diagnostic
      case (_, .missing): proof.changes.append(Change(path: shown, what: "is gone"))
      case (.file(let was), .file(let new)):
        if was.hash != new.hash { proof.changes.append(Change(path: shown, what: "was edited")) }
        else { proof.snapshot.dependencies[index] = now }
      case (.directory(let was), .directory(let new)):
        let difference = compare(was, new)
        if let first = difference.changed.first {
          proof.changes.append(Change(path: shown + "/" + first.path, what: first.what))
        } else {
          if !difference.appeared.isEmpty { proof.appeared[index] = difference.appeared }
          proof.snapshot.dependencies[index] = context.observer.content(
            now, at: dependency.location, keeping: content.hash, sha256: true)
        }
      default: proof.changes.append(Change(path: shown, what: "was replaced"))
      }
    }
    for (index, set) in stage.parameters.enumerated() {
      let reading = context.observer.parameters(set)
      guard case .values(let was) = before.parameters[index], set.keys.allSatisfy({ was[$0] != nil }) else {
        proof.snapshot.parameters[index] = reading
        continue
      }
      let shown = context.shown(set.location, declared: set.declared)
      guard case .values(let now) = reading else {
        proof.changes.append(Change(path: shown, what: "is gone"))
        continue
      }
      for (key, value) in was {
        guard let new = now[key] else {
          proof.changes.append(Change(path: shown, key: key, what: "is gone"))
          continue
        }
        if !new.isStill(value) { proof.changes.append(Change(path: shown, key: key, what: "was edited")) }
      }
    }
    return proof
  }

  private static func compare(
    _ was: DirectoryContent, _ now: DirectoryContent
  ) -> (changed: [(path: String, what: String)], appeared: [String]) {
    var changed: [(path: String, what: String)] = []
    var appeared: [String] = []
    let old = was.manifest.entries
    let new = now.manifest.entries
    var (i, j) = (0, 0)
    while i < old.count || j < new.count {
      if j == new.count || (i < old.count && old[i].path.precedesInBytes(new[j].path)) {
        if !isBytecode(old[i].path) { changed.append((old[i].path, "is gone")) }
        i += 1
      } else if i == old.count || new[j].path.precedesInBytes(old[i].path) {
        appeared.append(new[j].path)
        j += 1
      } else {
        if old[i].md5 != new[j].md5 {
          if isBytecode(new[j].path) { appeared.append(new[j].path) } else { changed.append((old[i].path, "was edited")) }
        }
        i += 1
        j += 1
      }
    }
    return (changed, appeared)
  }

  /// Python writes it anew for each module that was edited, and takes none that does not belong to its module: no
  /// command fails for that.
  private static func isBytecode(_ path: String) -> Bool { path.split(separator: "/").dropLast().contains("__pycache__") }
}

extension RunRecord {
  mutating func describe(_ proof: InputProof) {
    for (index, names) in proof.appeared where index < inputs.count {
      inputs[index].appeared = names
      // The lock has the later hash: whoever looks for the record behind it must find it here.
      let content = proof.snapshot.dependencies[index]
      inputs[index].after = (content.hash?.text ?? "", content.sha256, content.size ?? 0)
    }
    for (index, content) in proof.rewritten where index < inputs.count {
      inputs[index].after = (content.hash?.text ?? "", content.sha256, content.size ?? 0)
    }
  }
}
