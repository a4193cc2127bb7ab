// DVC's tables of changed parameters and metrics. Knows nothing of how the changes were found.
internal import CairnCore
internal import CairnEngine

struct ComparisonTable {
  /// `Param` or `Metric`.
  var title: String
  var old: String
  var new: String
  var showsPath = true
  /// The column of differences.
  var showsChange = true
  var precision: Int?

  func table(_ comparison: ValueComparison) -> HeadedTable {
    // What is not named is the default.
    let (old, new) = (old.isEmpty ? "HEAD" : old, new.isEmpty ? "workspace" : new)
    var table = HeadedTable(head: columns("Path", title, old, new, "Change"))
    for (path, changes) in comparison.files {
      for (key, change) in changes {
        table.rows.append(
          columns(path, key, field(change.old), field(change.new), change.difference.map(field) ?? "-"))
      }
    }
    return table
  }

  private func columns(_ path: String, _ key: String, _ old: String, _ new: String, _ change: String) -> [String] {
    (showsPath ? [path] : []) + [key, old, new] + (showsChange ? [change] : [])
  }

  private func field(_ value: Value) -> String { value.isNull ? "-" : ValueText.field(value, precision: precision) }
}

/// Metrics as they are, one file a line.
enum MetricsTable {
  static func table(
    _ readings: StateReadings, showsRevision: Bool, precision: Int
  ) throws(Diagnostic) -> HeadedTable {
    var rows: [(revision: String, path: String, values: NamedValues)] = []
    for (revision, reading) in readings {
      guard case .files(let files) = reading else { continue }
      for (path, result) in files {
        let value = ValueTree.listsAsText((try? result.get()) ?? .emptyMap)
        rows.append((revision, path, value.map == nil ? ["": value] : try ValueTree.flattened(value)))
      }
    }
    let keys = Set(rows.flatMap(\.values.keys)).sorted { $0.precedesInBytes($1) }
    var table = HeadedTable(head: (showsRevision ? ["Revision"] : []) + ["Path"] + keys)
    for row in rows {
      table.rows.append(
        (showsRevision ? [row.revision] : []) + [row.path]
          + keys.map { row.values[$0].map { ValueText.field($0, precision: precision) } ?? "-" })
    }
    return table
  }
}
