// Real folders for tests, outside of any project. Knows nothing of what lies in them.
import Foundation

/// Deleted with the value that names it.
package final class TemporaryFolder: Sendable {
  package let path: String

  package init(_ prefix: String = "cairn-test-") throws { path = try makeTemporaryFolder(prefix) }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  package func callAsFunction(_ name: String) -> String { path + "/" + name }

  /// Makes the folders on the way.
  @discardableResult
  package func write(_ name: String, _ text: String) throws -> String {
    let path = self(name)
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8)) else {
      throw TestSupportError("cannot write \(path)")
    }
    return path
  }

  /// `nil` when it is not there.
  package func text(_ name: String) throws -> String? {
    FileManager.default.contents(atPath: self(name)).map { String(decoding: $0, as: UTF8.self) }
  }
}

/// Makes a new folder under the system's temporary one; its path has no symbolic link in it.
package func makeTemporaryFolder(_ prefix: String) throws -> String {
  let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
  var template = Array((base + "/" + prefix + "XXXXXX").utf8CString)
  guard mkdtemp(&template) != nil else { throw TestSupportError("cannot make a folder in \(base)") }
  let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  guard let real = realpath(path, nil) else { return path }
  defer { free(real) }
  return String(cString: real)
}
