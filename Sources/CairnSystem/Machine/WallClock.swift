// The time of day, and as text. Knows nothing of durations: those are measured with ContinuousClock.
package import CairnCore
import Glibc

package enum WallClock {
  /// Nanoseconds since 1970. It can jump.
  package static func now() -> Nanoseconds {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Nanoseconds(time.tv_sec) * 1_000_000_000 + Nanoseconds(time.tv_nsec)
  }

  /// What the kernel stamps files with: it moves with the tick, so it may be some milliseconds behind `now`.
  package static func fileTime() -> Nanoseconds {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME_COARSE, &time)
    return Nanoseconds(time.tv_sec) * 1_000_000_000 + Nanoseconds(time.tv_nsec)
  }

  /// Nanoseconds since an arbitrary start, never going back.
  package static func monotonic() -> Nanoseconds {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Nanoseconds(time.tv_sec) * 1_000_000_000 + Nanoseconds(time.tv_nsec)
  }

  /// `2026-05-12T14:02:03.123456Z`: UTC, with microseconds.
  package static func text(_ time: Nanoseconds) -> String {
    let fields = utc(time)
    let rest = ((time % 1_000_000_000) + 1_000_000_000) % 1_000_000_000 / 1_000
    return "\(digits(Int(fields.tm_year) + 1900, 4))-\(digits(Int(fields.tm_mon) + 1, 2))-\(digits(Int(fields.tm_mday), 2))"
      + "T\(digits(Int(fields.tm_hour), 2)):\(digits(Int(fields.tm_min), 2)):\(digits(Int(fields.tm_sec), 2))"
      + ".\(digits(Int(rest), 6))Z"
  }

  /// Reads what `text` writes; also without a fraction, with any number of its digits, and with `+hh:mm` for `Z`.
  package static func parse(_ text: String) -> Nanoseconds? {
    var rest = Substring(text)
    guard let year = number(&rest, 4), skip(&rest, "-"), let month = number(&rest, 2), skip(&rest, "-"),
      let day = number(&rest, 2), skip(&rest, "T") || skip(&rest, " "), let hour = number(&rest, 2), skip(&rest, ":"),
      let minute = number(&rest, 2), skip(&rest, ":"), let second = number(&rest, 2)
    else { return nil }
    guard 1...12 ~= month, 1...31 ~= day, hour < 24, minute < 60, second <= 60 else { return nil }
    var fraction: Nanoseconds = 0
    if skip(&rest, ".") {
      let part = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(part.count)
      guard !part.isEmpty, let value = Int64(part.prefix(9)) else { return nil }
      fraction = (0..<max(0, 9 - part.count)).reduce(value) { value, _ in value * 10 }
    }
    var offset = 0
    if !skip(&rest, "Z") {
      let sign = skip(&rest, "+") ? 1 : skip(&rest, "-") ? -1 : 0
      guard sign != 0, let hours = number(&rest, 2) else { return nil }
      _ = skip(&rest, ":")
      guard let minutes = number(&rest, 2) else { return nil }
      offset = sign * (hours * 3600 + minutes * 60)
    }
    guard rest.isEmpty else { return nil }
    var fields = tm()
    fields.tm_year = Int32(year - 1900)
    fields.tm_mon = Int32(month - 1)
    fields.tm_mday = Int32(day)
    fields.tm_hour = Int32(hour)
    fields.tm_min = Int32(minute)
    fields.tm_sec = Int32(second)
    return Nanoseconds(timegm(&fields) - offset) * 1_000_000_000 + fraction
  }

  /// The fields of a time in this machine's zone, for people.
  package static func local(
    _ time: Nanoseconds
  ) -> (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
    var seconds = seconds(time)
    var fields = tm()
    localtime_r(&seconds, &fields)
    return (
      Int(fields.tm_year) + 1900, Int(fields.tm_mon) + 1, Int(fields.tm_mday), Int(fields.tm_hour),
      Int(fields.tm_min), Int(fields.tm_sec)
    )
  }

  private static func seconds(_ time: Nanoseconds) -> Int {
    let (seconds, rest) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
    return Int(rest < 0 ? seconds - 1 : seconds)
  }

  private static func utc(_ time: Nanoseconds) -> tm {
    var seconds = seconds(time)
    var fields = tm()
    gmtime_r(&seconds, &fields)
    return fields
  }

  private static func digits(_ value: Int, _ width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
  }

  private static func number(_ rest: inout Substring, _ width: Int) -> Int? {
    let part = rest.prefix(width)
    guard part.utf8.count == width, part.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
    rest = rest.dropFirst(width)
    return Int(part)
  }

  private static func skip(_ rest: inout Substring, _ mark: Character) -> Bool {
    guard rest.first == mark else { return false }
    rest = rest.dropFirst()
    return true
  }
}
