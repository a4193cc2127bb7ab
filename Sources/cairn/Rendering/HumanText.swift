// Times, sizes, durations and short names as people say them.
internal import CairnCore
internal import CairnSystem

enum HumanText {
  static func size(_ bytes: UInt64?) -> String? { AmountText.size(bytes) }

  static func duration(_ seconds: Double?) -> String { AmountText.duration(seconds) }

  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// `14:02` today, `12 May` this year, `12 May 2024` before; in this machine's zone.
  static func moment(_ time: Nanoseconds, withTime: Bool = false) -> String {
    let then = WallClock.local(time)
    let now = WallClock.local(WallClock.now())
    let clock = pad(then.hour) + ":" + pad(then.minute)
    if then.year == now.year, then.month == now.month, then.day == now.day { return clock }
    var date = "\(then.day) \(months[max(0, min(11, then.month - 1))])"
    if then.year != now.year { date += " \(then.year)" }
    return withTime ? date + " " + clock : date
  }

  /// `just now`, `4 minutes ago`, `3 hours ago`, `2 days ago`; `on 12 May` beyond a month.
  static func ago(_ time: Nanoseconds) -> String {
    let seconds = (WallClock.now() - time) / 1_000_000_000
    // By a clock that is ahead of this one.
    if seconds < -60 {
      let then = moment(time, withTime: true)
      return (then.contains(" ") ? "on " : "at ") + then
    }
    if seconds < 45 { return "just now" }
    let minutes = max(1, (seconds + 30) / 60)
    if minutes < 60 { return count(Int(minutes), "minute") + " ago" }
    let hours = (minutes + 30) / 60
    if hours < 24 { return count(Int(hours), "hour") + " ago" }
    let days = (hours + 12) / 24
    return days <= 31 ? count(Int(days), "day") + " ago" : "on " + moment(time)
  }

  /// `1 stage`, `3 stages`.
  static func count(_ number: Int, _ word: String) -> String { "\(number) \(word)" + (number == 1 ? "" : "s") }

  private static func pad(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }

  /// A value in a line: a long one is cut.
  static func value(_ value: Value) -> String {
    let text = PrintableText.line(value.scalarText)
    return text.count > 60 ? text.prefix(59) + "…" : text
  }
}

extension RunRecord {
  /// Of the command; `nil` while it is not known to have ended.
  var seconds: Double? {
    execution.finished.map { Double($0 - execution.started) / 1e9 }
  }
}
