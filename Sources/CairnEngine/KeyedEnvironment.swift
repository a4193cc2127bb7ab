// The variables that `meta.cairn` keys a stage by: their values now, and those of the run behind a lock entry.
package import CairnCore
package import CairnLineage
import CairnSystem
package import OrderedCollections

package struct KeyedEnvironment: Sendable {
  private let secrets: EnvironmentSecrets
  private let producers: ProducerIndex
  private let records: RecordStore

  /// - Parameter makesKey: whether the key that secrets are sealed under may be made where there is none; else their
  ///   values are unknown. A mere question writes nothing.
  package init(cairnFolder: String, makesKey: Bool, producers: ProducerIndex, records: RecordStore) {
    secrets = EnvironmentSecrets(folder: cairnFolder, makesKey: makesKey)
    self.producers = producers
    self.records = records
  }

  /// Values that the stage is keyed by; a secret as its HMAC.
  package func values(of stage: Stage) -> OrderedDictionary<String, String?> {
    let settings = stage.settings
    guard settings.isKeyedByEnvironment else { return [:] }
    var values: OrderedDictionary<String, String?> = [:]
    for name in settings.env { values.updateValue(settings.envSet[name] ?? Environment.value(name), forKey: name) }
    for (name, value) in settings.envSet.sorted(by: { $0.key < $1.key }) { values.updateValue(value, forKey: name) }
    for name in settings.envSecret { values.updateValue(Environment.value(name).flatMap(secrets.seal), forKey: name) }
    return values
  }

  /// The keyed values of a record that stands behind a lock entry: of one with today's values where there is one, else
  /// of the newest; `nil` where there is none.
  ///
  /// Records that did the same work may differ here: a variable need not change what comes out. A name that is not
  /// among them was not asked for then: what it was is unknown.
  package func recorded(of stage: Stage, lock: LockEntry) -> OrderedDictionary<String, String?>? {
    guard stage.settings.isKeyedByEnvironment else { return nil }
    let wanted = values(of: stage)
    var newest: OrderedDictionary<String, String?>?
    for run in producers.runs(thatDid: WorkKey(stage, lock)).suffix(Self.recordLimit).reversed() {
      guard let record = (try? records.record(run)) ?? nil else { continue }
      let recorded = record.execution.env
      if wanted.allSatisfy({ name, value in recorded[name] == .some(value) }) { return recorded }
      newest = newest ?? recorded
    }
    return newest
  }

  /// DVC's run-cache knows no environment: what is keyed by one is restored only where a record with the same values
  /// stands behind the entry.
  package func mayRestore(_ entry: LockEntry, of stage: Stage) -> Bool {
    guard stage.settings.isKeyedByEnvironment else { return true }
    guard let recorded = recorded(of: stage, lock: entry) else { return false }
    return values(of: stage).allSatisfy { name, value in recorded[name] == .some(value) }
  }

  /// How many of the newest records are read for an answer.
  private static let recordLimit = 32
}
