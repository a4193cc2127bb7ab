// Looks at every record: is it what its name says, and is what it names there too?
package import CairnCore
import CairnFormats

/// The result of `cairn runs check`.
package struct StoreCheck: Sendable {
  /// What a record names and the store does not have as it should be.
  package struct Fault: Sendable {
    package enum Kind: String, Sendable { case altered, unreadable, missing, erased }
    package var kind: Kind
    package var hash: Digest32
    /// What it is for the record that names it: `producer`, `environment`, `log`, `previous`, …; `document` for itself;
    /// `head` for a newest invocation.
    package var role: String
    /// The document that names it; `nil` for a fault of the document itself, and for a head.
    package var namedBy: Digest32?
  }

  package private(set) var runs = 0
  /// Of the runs, those of our own store that no remote is known to have; `nil` where that was not asked.
  package private(set) var unpushed: Int?
  package private(set) var invocations = 0
  package private(set) var otherDocuments = 0
  package private(set) var edges = 0
  package private(set) var faults: [Fault] = []

  /// Reads and hashes all of it.
  ///
  /// - Parameters:
  ///   - pending: records that a journal still holds, whole, and the store will.
  ///   - pushed: documents that are known to be on a remote; `nil`: nobody counts the others.
  package init(
    _ store: RecordStore, pending: Set<Digest32> = [], pushed: Set<Digest32>? = nil
  ) throws(Diagnostic) {
    if pushed != nil { unpushed = 0 }
    var presence = Dictionary(uniqueKeysWithValues: pending.map { ($0, Presence.present) })
    var names: [(Digest32, role: String, by: Digest32?)] = store.heads().map { ($0, "head", nil) }
    let heads = names.count
    for digest in try store.documents() {
      let bytes: [UInt8]
      do throws(Diagnostic) {
        guard let found = try store.document(digest) else { continue }
        bytes = found
      } catch {
        guard error.code == .recordAltered else { throw error }
        presence[digest] = .altered
        faults.append(Fault(kind: .altered, hash: digest, role: "document"))
        continue
      }
      presence[digest] = .present
      do throws(Diagnostic) {
        switch LineageIndex.schema(of: bytes) {
        case RecordJSON.runSchema:
          runs += 1
          names += try RecordJSON.decode(bytes).named.map { ($0.hash, $0.role, digest) }
          if let pushed, !pushed.contains(digest), store.isOwn(RunID(digest)) { unpushed = (unpushed ?? 0) + 1 }
        case RecordJSON.invocationSchema:
          invocations += 1
          names += try RecordJSON.decodeInvocation(bytes).named.map { ($0.hash, $0.role, digest) }
        default: otherDocuments += 1
        }
      } catch {
        faults.append(Fault(kind: .unreadable, hash: digest, role: "document"))
      }
    }
    edges = names.count - heads
    for (digest, role, by) in names {
      if presence[digest] == nil { presence[digest] = try store.presence(of: digest) }
      switch presence[digest] {
      case .present, nil: break
      case .altered:
        // A document of its own was told already.
        if !faults.contains(where: { $0.hash == digest && $0.namedBy == nil }) {
          faults.append(Fault(kind: .altered, hash: digest, role: role, namedBy: by))
        }
      case .missing: faults.append(Fault(kind: .missing, hash: digest, role: role, namedBy: by))
      case .erased: faults.append(Fault(kind: .erased, hash: digest, role: role, namedBy: by))
      }
    }
  }

  /// Nothing but erasures, which are told by their tombstones.
  package var isWhole: Bool { faults.allSatisfy { $0.kind == .erased } }

  /// The document of `cairn runs check --json`.
  package var value: Value {
    .map([
      "schema": "cairn.runs-check/v1", "runs": .int(runs), "invocations": .int(invocations),
      "documents": .int(otherDocuments), "edges": .int(edges), "unpushed": unpushed.map { .int($0) } ?? .null,
      "faults": .list(
        faults.map {
          .map([
            "kind": .string($0.kind.rawValue), "hash": .string($0.hash.hex), "role": .string($0.role),
            "named_by": $0.namedBy.map { .string($0.hex) } ?? .null,
          ])
        }),
    ])
  }
}
