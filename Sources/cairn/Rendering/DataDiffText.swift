// The answer of `diff` as DVC prints it: groups of paths, a table, or a document. Knows nothing of how it was found.
internal import CairnCore
internal import CairnEngine
internal import CairnFormats

struct DataDiffText {
  var diff: DataDiff
  var showsHash: Bool
  /// Without what the cache lacks.
  var hidesMissing: Bool

  private var states: [DataDiff.State] {
    DataDiff.State.allCases.filter { !hidesMissing || $0 != .notInCache }
  }

  // MARK: Document

  var json: String {
    guard let items = diff.items else { return JSONWriter.text(.emptyMap) }
    var document = ValueMap()
    // In the order of DVC's document, which is not that of its text.
    for state in [.added, .deleted, .modified, .renamed, .notInCache] as [DataDiff.State] where states.contains(state) {
      document[.string(state.rawValue)] = .list((items[state] ?? []).map { value($0, state) })
    }
    return JSONWriter.text(.map(document))
  }

  private func value(_ item: DataDiff.Item, _ state: DataDiff.State) -> Value {
    var entry: ValueMap = [
      "path": item.newPath.map { .map(["old": .string(item.path), "new": .string($0)]) } ?? .string(item.path)
    ]
    if showsHash {
      let hash = Self.value(item.hash)
      entry["hash"] = state == .modified ? .map(["old": hash, "new": Self.value(item.newHash)]) : hash
    }
    return .map(entry)
  }

  private static func value(_ hash: String?) -> Value { hash.map { .string($0) } ?? .null }

  // MARK: Table

  func markdown() throws(Diagnostic) -> String {
    var table = HeadedTable(head: showsHash ? ["Status", "Hash", "Path"] : ["Status", "Path"])
    for state in states {
      for item in diff.items?[state] ?? [] {
        let hash = showsHash ? [try digest(item, state)] : []
        table.rows.append([state.rawValue] + hash + [Self.path(item)])
      }
    }
    return table.text(.markdown)
  }

  // MARK: Text

  func write(to console: Console) throws(Diagnostic) {
    guard let items = diff.items else { return }
    var counts: [(DataDiff.State, Int)] = []
    for state in states {
      let items = items[state] ?? []
      if items.isEmpty { continue }
      let name = state.rawValue.prefix(1).uppercased() + state.rawValue.dropFirst()
      console.write(Self.color(of: state).paint(name, if: console.colorsOutput) + ":")
      for item in items {
        let hash = showsHash && (item.hash != nil || state == .modified) ? try digest(item, state) + "  " : ""
        console.write("    " + hash + Self.path(item))
      }
      console.write("")
      counts.append((state, items.count { !($0.newPath ?? $0.path).hasSuffix("/") }))
    }
    let summary = counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0.rawValue)" }
    if !summary.isEmpty { console.write("files summary: " + summary.joined(separator: ", ")) }
  }

  private static func color(of state: DataDiff.State) -> Color {
    switch state {
    case .added, .renamed: .green
    case .modified, .notInCache: .yellow
    case .deleted: .red
    }
  }

  private static func path(_ item: DataDiff.Item) -> String {
    item.newPath.map { "\(item.path) -> \($0)" } ?? item.path
  }

  /// DVC knows no way to shorten a hash that is not there.
  private func digest(_ item: DataDiff.Item, _ state: DataDiff.State) throws(Diagnostic) -> String {
    guard let old = item.hash, state != .modified || item.newHash != nil else {
      throw .unexpected(.noHash, "'NoneType' object is not subscriptable")
    }
    guard state == .modified, let new = item.newHash else { return String(old.prefix(8)) }
    return "\(old.prefix(8))..\(new.prefix(8))"
  }
}

extension Diagnostic.Code {
  fileprivate static let noHash = Diagnostic.Code("no-hash")
}
