package import Foundation

/// Scripts of `Tests/Oracle`: each prints cases with what Python makes of them, one JSON document a line.
package enum PythonOracle {
  /// - Parameters:
  ///   - python: the path of the program.
  ///   - script: of `Tests/Oracle`.
  package static func lines(_ python: String, _ script: String, _ arguments: [String]) throws -> [Data] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [PackageFiles.path("Tests/Oracle/" + script)] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw TestSupportError("\(script) ended with \(process.terminationStatus)") }
    return output.split(separator: 0x0A).map { Data($0) }
  }
}
