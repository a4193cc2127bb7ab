// Sections of Markdown on a page of limited size. Knows nothing of what they say.

/// A heading and items under it, of which any number may be left out at the end.
struct MarkdownSection {
  /// What one item is, and several are.
  var noun: String
  var plural: String
  /// Lines before the items: the head of a table.
  var head: [String]
  /// Each is shown whole or not at all.
  var items: [[String]]
  /// Longer ones are read by nobody.
  var most: Int
  /// Behind a line to click on.
  var isFolded: Bool
  /// The heading says how many.
  var isCounted: Bool

  init(
    _ noun: String, many: String? = nil, head: [String] = [], items: [[String]], most: Int, isFolded: Bool = false,
    isCounted: Bool = true
  ) {
    self.noun = noun
    plural = many ?? noun + "s"
    self.head = head
    self.items = items
    self.most = most
    self.isFolded = isFolded
    self.isCounted = isCounted
  }

  func name(of count: Int) -> String { isCounted ? "\(count) \(count == 1 ? noun : plural)" : "the \(noun)" }

  var title: String {
    let name = isCounted ? name(of: items.count) : noun
    return name.prefix(1).uppercased() + name.dropFirst()
  }

  /// The lines with the first `count` items; balanced whatever the count.
  func lines(_ count: Int) -> [String] {
    var lines = isFolded ? ["<details><summary>\(title)</summary>", ""] : ["#### " + title, ""]
    lines += head
    lines += items.prefix(count).joined()
    if count < items.count { lines += ["", "… and \(name(of: items.count - count)) more."] }
    return lines + (isFolded ? ["", "</details>", ""] : [""])
  }
}

/// A page that takes sections as long as there is room.
struct MarkdownPage {
  private var lines: [String]
  private var room: Int
  /// Sections of which nothing is shown.
  private var missing: [String] = []
  /// For the line that says what is missing.
  private static let reserve = 1_000

  init(head: [String], limit: Int) {
    lines = head
    room = limit - Self.reserve - Self.size(head)
  }

  /// As many items as there is room for; none, and a word at the end of the page, where not even one fits.
  mutating func add(_ section: MarkdownSection) {
    var count = min(section.most, section.items.count)
    var added = section.lines(count)
    while count > 0, Self.size(added) > room {
      // At least one item less, and as many as make up for what is too much.
      var excess = Self.size(added) - room
      repeat {
        count -= 1
        excess -= Self.size(section.items[count])
      } while count > 0 && excess > 0
      added = section.lines(count)
    }
    if count == 0 { return missing.append(section.name(of: section.items.count)) }
    lines += added
    room -= Self.size(added)
  }

  var text: String {
    let end =
      missing.isEmpty
      ? [] : ["_Left out for want of room: \(missing.joined(separator: ", ")). `cairn verify` tells all of it._", ""]
    return (lines + end).joined(separator: "\n")
  }

  private static func size(_ lines: [String]) -> Int { lines.reduce(0) { $0 + $1.utf8.count + 1 } }
}
