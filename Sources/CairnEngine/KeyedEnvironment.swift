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

  /// The keyed values of the record behind a lock entry; `nil` when no record stands behind it.
  package func recorded(of stage: Stage, lock: LockEntry) -> OrderedDictionary<String, String?>? {
    guard stage.settings.isKeyedByEnvironment, let record = record(behind: lock, of: stage) else { return nil }
    return OrderedDictionary(uniqueKeysWithValues: record.execution.env.map { ($0.key, Optional($0.value)) })
  }

  /// DVC's run-cache knows no environment: what is keyed by one is restored only where a record with the same values
  /// stands behind the entry.
  package func mayRestore(_ entry: LockEntry, of stage: Stage) -> Bool {
    guard stage.settings.isKeyedByEnvironment else { return true }
    guard let recorded = recorded(of: stage, lock: entry) else { return false }
    return values(of: stage).allSatisfy { name, value in (recorded[name] ?? nil) == value }
  }

  private func record(behind lock: LockEntry, of stage: Stage) -> RunRecord? {
    let work = WorkKey(stage, lock)
    guard let run = producers.run(behind: work, of: stage.address.text()) ?? producers.runs(thatDid: work).first
    else { return nil }
    return (try? records.record(run)) ?? nil
  }
}
