// Dates and times as YAML writes them, and their text in Python's `str()`. Knows nothing of time zones' names.

/// The fields of a YAML timestamp, as written.
struct YAMLTimestamp {
  struct Time {
    var hour: Int
    var minute: Int
    var second: Int
    var fraction: [UInt8]
    /// Minutes east of Greenwich; `nil` for a local time.
    var offset: Int?
  }

  var year: Int
  var month: Int
  var day: Int
  var time: Time?

  /// `nil` when the text has not the form of a timestamp.
  init?(_ text: UnsafeBufferPointer<UInt8>) {
    var cursor = Cursor(text: text)
    guard let year = cursor.digits(4...4), cursor.take("-"), let month = cursor.digits(1...2), cursor.take("-"),
      let day = cursor.digits(1...2)
    else { return nil }
    (self.year, self.month, self.day) = (year, month, day)
    if cursor.isAtEnd { return }
    if !cursor.take("T"), !cursor.take("t") {
      guard cursor.skipBlanks() else { return nil }
    }
    guard let hour = cursor.digits(1...2), cursor.take(":"), let minute = cursor.digits(2...2), cursor.take(":"),
      let second = cursor.digits(2...2)
    else { return nil }
    var time = Time(hour: hour, minute: minute, second: second, fraction: [], offset: nil)
    if cursor.take(".") { time.fraction = cursor.allDigits() }
    if !cursor.isAtEnd {
      _ = cursor.skipBlanks()
      if cursor.take("Z") {
        time.offset = 0
      } else {
        let isWest = cursor.take("-")
        guard isWest || cursor.take("+"), let hours = cursor.digits(1...2) else { return nil }
        var minutes = 0
        if cursor.take(":") {
          guard let written = cursor.digits(2...2) else { return nil }
          minutes = written
        }
        time.offset = (hours * 60 + minutes) * (isWest ? -1 : 1)
      }
      guard cursor.isAtEnd else { return nil }
    }
    self.time = time
  }

  /// `2001-12-14` or `2001-12-14 21:59:43.100000+00:00`.
  static func canonical(_ text: UnsafeBufferPointer<UInt8>) throws(YAMLScalarFault) -> String {
    guard var stamp = YAMLTimestamp(text) else {
      throw YAMLScalarFault("failed to construct timestamp from \"\(String(decoding: text, as: UTF8.self))\"")
    }
    guard stamp.year >= 1 else { throw YAMLScalarFault("year 0 is out of range") }
    guard (1...12).contains(stamp.month) else { throw YAMLScalarFault("month must be in 1..12") }
    guard (1...stamp.daysInMonth).contains(stamp.day) else {
      throw YAMLScalarFault("day is out of range for month")
    }
    guard let time = stamp.time else { return stamp.dateText }
    guard time.hour < 24 else { throw YAMLScalarFault("hour must be in 0..23") }
    guard time.minute < 60 else { throw YAMLScalarFault("minute must be in 0..59") }
    guard time.second < 60 else { throw YAMLScalarFault("second must be in 0..59") }
    if let offset = time.offset, abs(offset) >= 24 * 60 {
      throw YAMLScalarFault("a time zone's offset must be less than 24 hours")
    }
    var micros = 0
    for index in 0..<6 { micros = micros * 10 + (index < time.fraction.count ? Int(time.fraction[index]) - 0x30 : 0) }
    if time.fraction.count > 6, time.fraction[6] > UInt8(ascii: "4") { micros += 1 }
    var seconds = (time.hour * 60 + time.minute) * 60 + time.second
    if micros > 999_999 {
      micros = 0
      seconds += 1
    }
    if seconds == 86_400 {
      seconds = 0
      stamp.advanceDay()
      guard stamp.year <= 9999 else { throw YAMLScalarFault("date value out of range") }
    }
    var result = "\(stamp.dateText) \(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    if micros > 0 { result += "." + padded(micros, 6) }
    if let offset = time.offset {
      result += "\(offset < 0 ? "-" : "+")\(two(abs(offset) / 60)):\(two(abs(offset) % 60))"
    }
    return result
  }

  private var dateText: String { "\(Self.padded(year, 4))-\(Self.two(month))-\(Self.two(day))" }

  private var daysInMonth: Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  private mutating func advanceDay() {
    day += 1
    if day > daysInMonth {
      day = 1
      month += 1
    }
    if month > 12 {
      month = 1
      year += 1
    }
  }

  private static func two(_ number: Int) -> String { padded(number, 2) }
  private static func padded(_ number: Int, _ width: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }

  private struct Cursor {
    let text: UnsafeBufferPointer<UInt8>
    var index = 0
    init(text: UnsafeBufferPointer<UInt8>) { self.text = text }

    var isAtEnd: Bool { index == text.count }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
      guard index < text.count, text[index] == UInt8(ascii: scalar) else { return false }
      index += 1
      return true
    }

    mutating func skipBlanks() -> Bool {
      let start = index
      while index < text.count, text[index] == 0x20 || text[index] == 0x09 { index += 1 }
      return index > start
    }

    mutating func allDigits() -> [UInt8] {
      let start = index
      while index < text.count, (0x30...0x39).contains(text[index]) { index += 1 }
      return Array(text[start..<index])
    }

    mutating func digits(_ width: ClosedRange<Int>) -> Int? {
      var value = 0
      var count = 0
      while index < text.count, count < width.upperBound, (0x30...0x39).contains(text[index]) {
        value = value * 10 + Int(text[index]) - 0x30
        index += 1
        count += 1
      }
      return width.contains(count) ? value : nil
    }
  }
}
