// Where the program under test, the package's sources and the real DVC are. Knows nothing of what they do.
import Foundation

package enum CairnBinary {
  /// `CAIRN_BIN`, or the `cairn` that was built with the tests.
  package static func path() throws -> String {
    if let named = ProcessInfo.processInfo.environment["CAIRN_BIN"], !named.isEmpty {
      return named.hasPrefix("/") ? named : FileManager.default.currentDirectoryPath + "/" + named
    }
    // The test bundle lies beside the program.
    let this = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    for folder in [this, CommandLine.arguments[0]].map({ $0.split(separator: "/").dropLast().joined(separator: "/") }) {
      let candidate = "/" + folder + "/cairn"
      if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
    }
    throw TestSupportError("no cairn beside \(this): set CAIRN_BIN")
  }
}

package enum PackageFiles {
  /// The package's root.
  package static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

  package static func path(_ name: String) -> String { root + "/" + name }

  package static func text(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }
}

package enum DVCOracle {
  /// The real DVC 3.67.1: `CAIRN_DVC`, else the one that `scripts/test` installs; nil when there is neither.
  package static let path: String? = {
    let named = ProcessInfo.processInfo.environment["CAIRN_DVC"]
    let candidates = [named, PackageFiles.path(".venv/bin/dvc")].compactMap { $0 }
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  package static var isAvailable: Bool { path != nil }
}
