// A listing as DVC prints it: names, columns, a tree, or a document. Knows nothing of where the entries come from.
internal import CairnCore
internal import CairnEngine
internal import CairnFormats
internal import Glibc

struct ListingTable {
  var showsSize: Bool
  var showsHash: Bool
  /// `nil`: without colours.
  var colors: LsColors?

  /// Whether anything but names is shown.
  var hasColumns: Bool { showsSize || showsHash }

  func text(_ entries: [(path: String, entry: ListedEntry)]) -> String {
    if !hasColumns { return entries.map { painted($0.path, $0.entry) }.joined(separator: "\n") }
    return PlainTable.text(
      entries.map { row($0.entry, painted($0.path, $0.entry)) }, rightAligned: showsSize ? [0] : [])
  }

  func text(_ tree: RepositoryListing.Branch) -> String {
    var rows: [[String]] = []
    add(tree, edge: "", inner: "", to: &rows)
    return PlainTable.text(rows, rightAligned: showsSize ? [0] : [], keepsSpace: true)
  }

  /// - Parameters:
  ///   - edge: what stands in front of the name.
  ///   - inner: what stands in front of all below it.
  private func add(_ branch: RepositoryListing.Branch, edge: String, inner: String, to rows: inout [[String]]) {
    rows.append(row(branch.entry, edge + painted(branch.name, branch.entry)))
    for (number, next) in branch.branches.enumerated() {
      let isLast = number == branch.branches.count - 1
      add(
        next, edge: inner + (isLast ? "└── " : "├── "), inner: inner + (isLast ? "    " : "│   "), to: &rows)
    }
  }

  private func row(_ entry: ListedEntry, _ name: String) -> [String] {
    var row: [String] = []
    if showsSize { row.append(entry.size.map { $0 == 0 && entry.isDirectory ? "" : Self.size($0) } ?? "") }
    if showsHash { row.append(entry.md5 ?? "-") }
    return row + [name]
  }

  private func painted(_ name: String, _ entry: ListedEntry) -> String { colors?.paint(name, entry) ?? name }

  /// Three digits that count, and the power of 1024.
  static func size(_ bytes: UInt64) -> String {
    if bytes < 1024 { return String(bytes) }
    var value = Double(bytes)
    for unit in ["", "k", "M", "G", "T", "P", "E"] {
      if value < 999.5 {
        let digits: Int32 = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
        var text = [CChar](repeating: 0, count: 40)
        _ = withVaList([digits, value]) { vsnprintf(&text, text.count, "%.*f", $0) }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) + unit
      }
      value /= 1024
    }
    return String(bytes)
  }

  static func json(_ entries: [(path: String, entry: ListedEntry)]) -> String {
    JSONWriter.text(
      .list(
        entries.map { path, entry in
          .map([
            "isout": .bool(entry.isOutput), "isdir": .bool(entry.isDirectory), "isexec": .bool(entry.isExecutable),
            "size": entry.size.map { .int(Int(clamping: $0)) } ?? .null,
            "md5": entry.md5.map { .string($0) } ?? .null, "path": .string(path),
          ])
        }))
  }
}

/// The colours of `ls`, by `LS_COLORS`; `out` is DVC's own, for data.
struct LsColors {
  private var codes: [String: String] = [:]
  private var extensions: [String: String] = [:]

  init(_ text: String? = getenv("LS_COLORS").map { String(cString: $0) }) {
    let items = text.flatMap { $0.isEmpty ? nil : $0 } ?? "rs=0:di=01;34:ex=01;32"
    for item in items.split(separator: ":") {
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2 else { continue }
      if parts[0].hasPrefix("*.") {
        extensions[String(parts[0].dropFirst())] = parts[1]
      } else {
        codes[parts[0]] = parts[1]
      }
    }
  }

  func paint(_ name: String, _ entry: ListedEntry) -> String {
    var code: String?
    if entry.isOutput, let color = codes["out"] {
      code = color
    } else if entry.isDirectory {
      code = codes["di"]
    } else if entry.isExecutable {
      code = codes["ex"]
    } else {
      code = extensions[Self.suffix(of: name)]
    }
    guard let code, !code.isEmpty else { return name }
    return "\u{1B}[\(code)m\(name)\u{1B}[\(codes["rs"] ?? "0")m"
  }

  /// From the last dot of the last name on; all of a name that begins with its only dot.
  private static func suffix(of path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: ".") else { return "" }
    let isHidden = name[..<dot].allSatisfy { $0 == "." }
    if isHidden { return path.hasPrefix(".") ? path : "" }
    return String(name[dot...])
  }
}
