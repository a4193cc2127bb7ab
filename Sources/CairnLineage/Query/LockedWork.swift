// What a lock says of a stage, for a walk that finds no record of it.
package import CairnCore

/// An entry of a `dvc.lock`, whoever ran the stage: what it read and made, as records name it.
package struct LockedWork: Sendable {
  /// The stage's address.
  package var stage: String
  package var key: WorkKey
  package var read: [LineageArtifact]
  package var made: [LineageArtifact]

  package init(stage: String, key: WorkKey, read: [LineageArtifact], made: [LineageArtifact]) {
    self.stage = stage
    self.key = key
    self.read = read
    self.made = made
  }
}
