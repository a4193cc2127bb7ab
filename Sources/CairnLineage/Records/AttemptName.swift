// The name of an execution before its record exists: what OpenLineage and MLflow are told at the start.
import CairnSystem

package enum AttemptName {
  /// UUIDv5 of `urn:cairn:openlineage` in the name space of URLs.
  package static let namespace = "34bcd504-cce7-551f-a1a1-ad7ea6730b46"

  /// UUIDv5 of `INVOCATION/ADDRESS`, with `/N` behind it for the N-th try from the second on.
  package static func uuid(invocation: String, address: String, attempt: Int) -> String {
    uuid(invocation + "/" + address + (attempt > 1 ? "/\(attempt)" : ""))
  }

  /// UUIDv5 of the invocation itself, the parent of its executions.
  package static func uuid(invocation: String) -> String { uuid(invocation) }

  private static func uuid(_ name: String) -> String { Identifier.uuid(namespace: namespace, name: name) ?? "" }
}
