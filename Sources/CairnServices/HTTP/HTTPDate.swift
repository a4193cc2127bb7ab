// The dates of HTTP's headers.
package import CairnCore
import CairnSystem

package enum HTTPDate {
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// `Sun, 06 Nov 1994 08:49:37 GMT`, in nanoseconds since 1970; `nil` for another form.
  package static func parse(_ text: String) -> Nanoseconds? {
    let words = text.split(separator: " ").map(String.init)
    guard words.count == 6, let day = Int(words[1]), let month = months.firstIndex(of: words[2]) else { return nil }
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return WallClock.parse("\(words[3])-\(two(month + 1))-\(two(day))T\(words[4])Z")
  }
}
