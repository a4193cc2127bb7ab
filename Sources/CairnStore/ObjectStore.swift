// What a place that holds objects by their names can do. Knows nothing of workspaces.
package import CairnCore

/// Implementations MUST never show an object that is not whole, and writing an object that is there already MUST do
/// no harm, also when two processes do it at once.
package protocol ObjectStore: Sendable {
  func contains(_ hash: ContentHash) throws(Diagnostic) -> Bool
  /// `nil` when it is not there.
  func read(_ hash: ContentHash) throws(Diagnostic) -> [UInt8]?
  /// The caller vouches that `bytes` are those that `hash` names.
  func write(_ bytes: [UInt8], as hash: ContentHash) throws(Diagnostic)
}
