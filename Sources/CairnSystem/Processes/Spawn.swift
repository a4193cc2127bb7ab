// Turns a request into the arguments of one `posix_spawn`. Knows descriptors; knows nothing of how the child is watched.
import CSystem
import CairnCore
import Glibc

/// Descriptors that a child gets as its 0, 1 and 2; below 0 it keeps the parent's.
struct ChildDescriptors {
  var input: Int32 = -1
  var output: Int32 = -1
  var error: Int32 = -1
  /// The pseudo-terminal that becomes its standard input and its session's terminal.
  var terminal: String?
}

enum Spawn {
  /// As Python restores them; SIGCHLD too, since a child that ignored it could not wait for its own. What we handle is
  /// at its default in a new program by itself, and what our caller ignores the child shall ignore.
  private static let defaults = [SIGPIPE, SIGXFSZ, SIGCHLD].reduce(UInt64(0)) { $0 | 1 << UInt64($1 - 1) }

  /// Starts it and gives its pid.
  static func start(
    _ argv: [String], folder: String?, environment: ChildEnvironment?, descriptors: ChildDescriptors, ownGroup: Bool
  ) throws(Diagnostic) -> Int32 {
    let environment = environment ?? ChildEnvironment()
    var pid: pid_t = 0
    let result = withArguments(argv) { arguments in
      optionalPath(folder) { folder in
        optionalPath(descriptors.terminal) { terminal in
          var request = cairn_spawn()
          request.argv = arguments
          request.environment = UnsafePointer(environment.entries)
          request.folder = folder
          request.input = descriptors.input
          request.output = descriptors.output
          request.error = descriptors.error
          request.terminal = terminal
          request.new_group = ownGroup ? 1 : 0
          request.default_signals = defaults
          return cairn_spawn(&request, &pid)
        }
      }
    }
    if result == 0 { return pid }
    // As Python tells it: the folder is named when that is what is missing.
    if result == -ENOENT || result == -ENOTDIR || result == -EACCES, let folder, !Files.isDirectory(folder) {
      throw Diagnostic.system(-result, "enter the folder", folder)
    }
    throw Diagnostic.system(-result, "start it", argv.first ?? "")
  }

  private static func optionalPath(_ path: String?, _ body: (UnsafePointer<CChar>?) -> Int32) -> Int32 {
    guard let path else { return body(nil) }
    return path.asSystemPath(body)
  }

  private static func withArguments(
    _ argv: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Int32
  ) -> Int32 {
    // One buffer for all words: this is done for each of ten thousand stages.
    var bytes: [CChar] = []
    var starts: [Int] = []
    for word in argv {
      starts.append(bytes.count)
      let words = FileName.needsEscape(word) ? FileName.bytes(word) : Array(word.utf8)
      if words.contains(0) { return -EINVAL }
      words.withUnsafeBytes { bytes.append(contentsOf: $0.bindMemory(to: CChar.self)) }
      bytes.append(0)
    }
    return bytes.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return -EINVAL }
      let pointers = starts.map { base + $0 } as [UnsafeMutablePointer<CChar>?] + [nil]
      return pointers.withUnsafeBufferPointer { $0.baseAddress.map(body) ?? -EINVAL }
    }
  }
}
