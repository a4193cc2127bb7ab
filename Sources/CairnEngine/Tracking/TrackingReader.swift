// What a tracking server says of runs and models, held against their records. Knows no server.
package import CairnCore

package enum TrackingAnswer: Sendable, Hashable {
  case same
  /// The server knows nothing of it.
  case absent
  /// In words, each a difference.
  case differs([String])
}

/// All functions throw where the server does not answer: then nothing is known.
package protocol TrackingReader: Sendable {
  /// The server, as messages name it.
  var place: String { get }
  func compare(_ run: RunID, _ record: RunRecord) throws(Diagnostic) -> TrackingAnswer
  /// - Parameter text: `models:/NAME/VERSION` or `models:/NAME@ALIAS`.
  /// - Throws: also where there is no such version, or it is none of Cairn's.
  func model(_ text: String) throws(Diagnostic) -> RegisteredModel
  /// The version, held against the record of the run that it names.
  func compare(_ model: RegisteredModel, _ record: RunRecord) throws(Diagnostic) -> TrackingAnswer
  /// Versions that were made from an output of the run.
  func models(_ name: String, of run: RunID, path: String) throws(Diagnostic) -> [RegisteredModel]
  /// Versions that were made from any of these outputs, under whatever name: by model and version.
  func models(of outputs: [(run: RunID, path: String)]) throws(Diagnostic) -> [RegisteredModel]
  /// Versions whose tags say that they are one of these files, or were made from one.
  func models(naming files: [(path: String, md5: String)]) throws(Diagnostic) -> [RegisteredModel]
}
