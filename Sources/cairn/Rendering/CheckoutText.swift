// What a checkout changed, in DVC's words.
internal import CairnEngine
internal import CairnStore

struct CheckoutText {
  private let console: Console

  init(_ console: Console) { self.console = console }

  /// A line for each path.
  func show(_ outcome: CheckoutData.Outcome) {
    show("M", outcome.modified, .yellow)
    show("A", outcome.added, .green)
    show("D", outcome.deleted, .red)
  }

  private func show(_ letter: String, _ paths: [String], _ color: Color) {
    for path in paths {
      for line in TextLayout.wrapped("\(letter)\t\(path)", width: TextLayout.outputWidth) {
        console.write(line.hasPrefix(letter) && console.colorsOutput ? color.paint(letter) + line.dropFirst() : line)
      }
    }
  }

  static func counts(_ counts: CheckoutCounts) -> [(Int, String)] {
    [(counts.modified, "modified"), (counts.added, "added"), (counts.deleted, "deleted")]
  }

  /// "3 files fetched and 1 file added"; empty when nothing was counted.
  static func summary(_ counts: [(Int, String)]) -> String {
    let parts = counts.filter { $0.0 > 0 }.map { "\($0.0) file\($0.0 == 1 ? "" : "s") \($0.1)" }
    return parts.count < 2 ? parts.joined() : parts.dropLast().joined(separator: ", ") + " and " + parts[parts.count - 1]
  }
}
