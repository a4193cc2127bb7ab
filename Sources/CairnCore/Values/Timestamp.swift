// Moments as Cairn's documents write them. Knows nothing of clocks or time zones.

package enum Timestamp {
  /// `2026-05-12T14:02:07.123456Z`: UTC, always six decimals (the rest is cut off).
  package static func text(_ moment: Nanoseconds) -> String {
    let (days, inDay) = floorDivide(floorDivide(moment, by: 1000).quotient, by: 86_400_000_000)
    let (year, month, day) = civil(fromDays: days)
    let seconds = inDay / 1_000_000
    // Several for each stage of a run, so without the texts of the parts. All years in 64 bits have four digits.
    return String(unsafeUninitializedCapacity: 27) { buffer in
      var at = 0
      func put(_ number: Int64, _ width: Int, _ mark: StaticString) {
        var rest = number
        for place in stride(from: at + width - 1, through: at, by: -1) {
          buffer[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
          rest /= 10
        }
        buffer[at + width] = mark.utf8Start.pointee
        at += width + 1
      }
      put(year, 4, "-")
      put(month, 2, "-")
      put(day, 2, "T")
      put(seconds / 3600, 2, ":")
      put(seconds / 60 % 60, 2, ":")
      put(seconds % 60, 2, ".")
      put(inDay % 1_000_000, 6, "Z")
      return at
    }
  }

  /// Reads what `text` writes, with any number of decimals or none; `nil` for anything else.
  package static func parse(_ text: String) -> Nanoseconds? {
    let bytes = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int64? {
      guard range.upperBound <= bytes.count, bytes[range].allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
      return bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
      let minute = number(14..<16), let second = number(17..<19), bytes.count > 19, bytes.last == UInt8(ascii: "Z"),
      bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), bytes[10] == UInt8(ascii: "T"),
      bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"), 1...12 ~= month, 1...31 ~= day,
      hour < 24, minute < 60, second < 61
    else { return nil }
    var fraction: Int64 = 0
    if bytes.count > 20 {
      guard bytes[19] == UInt8(ascii: ".") else { return nil }
      var scale: Int64 = 100_000_000
      for byte in bytes[20..<(bytes.count - 1)] {
        guard 0x30...0x39 ~= byte else { return nil }
        fraction += Int64(byte - 0x30) * scale
        scale /= 10
      }
    }
    let days = daysFromCivil(year: year, month: month, day: day)
    let (seconds, overflow) = (days * 86400 + hour * 3600 + minute * 60 + second)
      .multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? nil : seconds + fraction
  }

  private static func floorDivide(_ a: Int64, by b: Int64) -> (quotient: Int64, remainder: Int64) {
    let quotient = a / b - (a % b < 0 ? 1 : 0)
    return (quotient, a - quotient * b)
  }

  /// The Gregorian date of a day counted from 1970-01-01, by way of eras of 400 years that begin in March.
  private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = floorDivide(days + 719_468, by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
  }

  private static func daysFromCivil(year: Int64, month: Int64, day: Int64) -> Int64 {
    let (era, yearOfEra) = floorDivide(month <= 2 ? year - 1 : year, by: 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
