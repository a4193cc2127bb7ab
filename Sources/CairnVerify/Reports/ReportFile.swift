// Puts a finished report where a person or a CI system wants it. Knows no format.
package import CairnCore
import CairnSystem

package enum ReportFile {
  /// Replaces the file as a whole; what is no file (a pipe, `/dev/stderr`) is written to. Whether it may be replaced is
  /// `ReportPlaces`' to say.
  package static func write(_ bytes: [UInt8], to path: String) throws(Diagnostic) {
    do throws(Diagnostic) {
      if let there = try FileStat.of(path), there.kind != .file {
        try Files.write(bytes, to: path)
      } else {
        try AtomicFile.writeKeepingMode(bytes, to: path, sync: false)
      }
    } catch {
      throw .report(path).because(of: error)
    }
  }

  /// The same for a page of Markdown, which is added where `path` is `summary`, that of a job of GitHub's: other steps
  /// write to that file, too.
  ///
  /// - Parameter summary: what the variable `GITHUB_STEP_SUMMARY` says.
  package static func write(markdown: String, to path: String, summary: String?) throws(Diagnostic) {
    guard path == summary else { return try write(Array(markdown.utf8), to: path) }
    do throws(Diagnostic) {
      try AppendFile(path).append(Array(markdown.utf8))
    } catch {
      throw .report(path).because(of: error)
    }
  }
}

extension Diagnostic.Code {
  /// A report could not be written.
  package static let report = Diagnostic.Code("report")
}

extension Diagnostic {
  static func report(_ path: String) -> Diagnostic {
    Diagnostic(.report, "cannot write the report '\(path)'")
  }
}
