// A real folder that goes with the test.
import CairnSystem
import Testing

final class TemporaryFolder {
  let path: String

  init() throws {
    path = "/tmp/cairn-system-\(Identifier.ulid())"
    try Files.makeDirectories(path)
  }

  deinit { _ = try? Files.removeTree(path) }

  func callAsFunction(_ name: String) -> String { path + "/" + name }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let path = self(name)
    if let slash = path.lastIndex(of: "/") { try Files.makeDirectories(String(path[..<slash])) }
    try Files.write(text, to: path)
    return path
  }

  func text(_ name: String) throws -> String? { try Files.readText(self(name)) }
}
