// Sizes and durations as people say them. Knows no zone and no language but English.

package enum AmountText {
  /// `18.3 MB`, decimal units.
  package static func size(_ bytes: UInt64?) -> String? {
    guard let bytes else { return nil }
    if bytes < 1000 { return "\(bytes) B" }
    var value = Double(bytes)
    var unit = ""
    for next in ["kB", "MB", "GB", "TB", "PB"] where value >= 999.95 || unit.isEmpty {
      value /= 1000
      unit = next
    }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(unit)"
  }

  /// `0.4 s`, `12 s`, `38 min`, `2 h 05`.
  package static func duration(_ seconds: Double?) -> String {
    guard let seconds else { return "" }
    if seconds < 9.95 { return "\(Int(seconds * 10 + 0.5) / 10).\(Int(seconds * 10 + 0.5) % 10) s" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\((whole + 30) / 60) min" }
    let minutes = whole / 60 % 60
    return "\(whole / 3600) h " + (minutes < 10 ? "0" : "") + "\(minutes)"
  }
}
