// Compares text with a file under Tests/Fixtures, or rewrites the file. Knows nothing of what the text means.
import Foundation

package enum Golden {
  /// How `text` differs from `Tests/Fixtures/NAME`; nil when it does not.
  ///
  /// `#expect(Golden.difference(help, from: "EndToEnd/help.txt") == nil)`. With `CAIRN_UPDATE_GOLDEN=1` the file
  /// is written instead, and the diff is to be read before it is committed.
  package static func difference(_ text: String, from name: String) -> String? {
    let path = PackageFiles.path("Tests/Fixtures/" + name)
    if ProcessInfo.processInfo.environment["CAIRN_UPDATE_GOLDEN"] == "1" {
      let folder = path.split(separator: "/").dropLast().joined(separator: "/")
      try? FileManager.default.createDirectory(atPath: "/" + folder, withIntermediateDirectories: true)
      guard (try? text.write(toFile: path, atomically: true, encoding: .utf8)) != nil else {
        return "cannot write \(path)"
      }
      return nil
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      return "Tests/Fixtures/\(name) is not there: run with CAIRN_UPDATE_GOLDEN=1 to write it"
    }
    if Array(data) == Array(text.utf8) { return nil }
    return difference(text, String(decoding: data, as: UTF8.self), name: name)
  }

  /// The first lines that differ, told as a person would.
  private static func difference(_ text: String, _ golden: String, name: String) -> String {
    let now = text.split(separator: "\n", omittingEmptySubsequences: false)
    let was = golden.split(separator: "\n", omittingEmptySubsequences: false)
    let at = zip(now, was).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(now.count, was.count)
    return """
      Tests/Fixtures/\(name):\(at + 1) differs
      golden: \(at < was.count ? String(was[at]) : "(the end)")
      now:    \(at < now.count ? String(now[at]) : "(the end)")
      """
  }
}
