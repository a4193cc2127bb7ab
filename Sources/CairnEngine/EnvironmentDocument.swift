// What surrounds a command and is not declared: interpreter, installed packages, C library, machine (`cairn.environment/v1`).
// Reads names of folders and a few files; runs nothing.
package import CairnCore
import CairnFormats
package import CairnLineage
import CairnSystem
import Glibc
import Synchronization

/// Makes the document of each environment once in a process, and writes it where it is new.
///
/// A later stage costs a few `stat` calls: the document holds as long as the interpreter and the folders of packages
/// have their fingerprints. May be used from any thread.
package final class EnvironmentDocument: Sendable {
  private let store: RecordStore
  private struct Known {
    var fingerprints: [FileFingerprint?]
    var folders: [String]
    var digest: Digest32
  }
  private struct State {
    var known: [String: Known] = [:]
    var machine: ValueMap?
  }
  private let state = Mutex(State())

  package init(store: RecordStore) { self.store = store }

  /// The document's name for the command's first line; `path` is the `PATH` that the command sees.
  package func digest(of command: [String], path: String) throws(Diagnostic) -> Digest32 {
    let program = Self.program(of: command.first ?? "", path: path)
    let result: Result<Digest32, Diagnostic> = state.withLock { state in
      let key = program ?? ""
      if let known = state.known[key], known.fingerprints == known.folders.map(Self.fingerprint) {
        return .success(known.digest)
      }
      let machine = state.machine ?? Self.machine()
      state.machine = machine
      var map = machine
      map["schema"] = "cairn.environment/v1"
      // Which interpreter a script starts in the end, as a shim does, is not seen.
      let interpreter = program.flatMap { Self.isScript($0) ? nil : $0 }
      let python = interpreter.flatMap(PythonInstallation.init)
      map["interpreter"] =
        interpreter.map { path in
          .map(["path": .string(path), "version": (python?.version).map { .string($0) } ?? .null])
        } ?? .null
      map["packages"] =
        (python?.packages).map { packages in
          .map(ValueMap(packages.map { (.string($0.name), .string($0.version)) }, uniquingKeysWith: { $1 }))
        } ?? .null
      do throws(Diagnostic) {
        let digest = try store.put(document: CanonicalJSON.encode(.map(map)))
        let folders = [program].compactMap { $0 } + (python?.folders ?? [])
        state.known[key] = Known(fingerprints: folders.map(Self.fingerprint), folders: folders, digest: digest)
        return .success(digest)
      } catch { return .failure(error) }
    }
    return try result.get()
  }

  private static func fingerprint(_ path: String) -> FileFingerprint? { ((try? FileStat.of(path)) ?? nil)?.fingerprint }

  /// What every shell does by itself: a file of that name is not what runs.
  private static let builtins: Set<String> = [
    ":", "[", "cd", "echo", "exit", "export", "false", "printf", "set", "test", "true",
  ]

  /// The first word that assigns no variable. What comes after it, which may be long, is not looked at.
  private static func firstWord(of line: String) -> String? {
    // The shell's blanks are these bytes alone.
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0D ~= byte }
    var rest = line.utf8.drop(while: isBlank)
    while let first = rest.first {
      let word = rest.prefix { !isBlank($0) }
      let isAssignment =
        first != UInt8(ascii: "-") && first != UInt8(ascii: "/") && word.contains(UInt8(ascii: "="))
      if !isAssignment { return String(word) }
      rest = rest[word.endIndex...].drop(while: isBlank)
    }
    return nil
  }

  /// The file behind the first word of a command, links unfollowed: a virtual environment is told by its own path.
  private static func program(of line: String, path: String) -> String? {
    guard let word = firstWord(of: line), !builtins.contains(word) else { return nil }
    if word.utf8.contains(UInt8(ascii: "/")) { return word.hasPrefix("/") && Files.exists(word) ? word : nil }
    for folder in path.split(separator: ":") where folder.hasPrefix("/") {
      let candidate = folder + "/" + word
      if access(candidate, X_OK) == 0, !Files.isDirectory(candidate) { return candidate }
    }
    return nil
  }

  private static func isScript(_ program: String) -> Bool {
    let descriptor = open(program, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { return false }
    defer { close(descriptor) }
    var start: (UInt8, UInt8) = (0, 0)
    return read(descriptor, &start, 2) == 2 && start == (UInt8(ascii: "#"), UInt8(ascii: "!"))
  }

  // MARK: The machine

  private static func machine() -> ValueMap {
    [
      "libc": .string(libraryVersion()),
      "os": text("/etc/os-release", after: "PRETTY_NAME=").map { .string($0) } ?? .null,
      "kernel": .string(Machine.operatingSystem()),
      "cpu": text("/proc/cpuinfo", after: "model name").map { .string($0) } ?? .null,
      "gpus": .list(graphics().map { .string($0) }),
      "driver": driver().map { .string($0) } ?? .null,
      "container": container().map { .string($0) } ?? .null,
    ]
  }

  /// `glibc 2.36`.
  private static func libraryVersion() -> String {
    // _CS_GNU_LIBC_VERSION, which is a macro of itself.
    let name: Int32 = 2
    var text = [UInt8](repeating: 0, count: 64)
    _ = text.withUnsafeMutableBytes { confstr(name, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count) }
    return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// The rest of the first line that begins so, without `:`, `=` and quotes.
  private static func text(_ path: String, after key: String) -> String? {
    guard let text = (try? Files.readText(path)) ?? nil else { return nil }
    for line in text.split(separator: "\n") where line.hasPrefix(key) {
      let rest = line.dropFirst(key.count).drop { $0.isWhitespace || $0 == ":" || $0 == "=" || $0 == "\"" }
      return String(rest.prefix { $0 != "\"" })
    }
    return nil
  }

  private static func graphics() -> [String] {
    let folder = "/proc/driver/nvidia/gpus"
    let entries = (try? Files.list(folder)) ?? nil
    return (entries ?? []).map(\.name).sorted { $0.precedesInBytes($1) }.compactMap {
      text(folder + "/" + $0 + "/information", after: "Model")
    }
  }

  private static func driver() -> String? {
    let words = text("/proc/driver/nvidia/version", after: "NVRM version")?.split(whereSeparator: \.isWhitespace) ?? []
    return words.first { $0.first?.isNumber ?? false && $0.contains(".") }.map { "nvidia " + $0 }
  }

  /// The image where the container tells it, else what kind of container it is; `nil` outside of one.
  private static func container() -> String? {
    if let image = text("/run/.containerenv", after: "image") { return image }
    if Files.exists("/run/.containerenv") { return "podman" }
    return Files.exists("/.dockerenv") ? "docker" : nil
  }
}

/// A Python by the file that is called, and the packages that it would find.
private struct PythonInstallation {
  /// `nil`: the file's name does not tell.
  var version: String?
  /// Their fingerprints change when a package comes or goes.
  var folders: [String]
  /// `nil`: none of the folders that it looks into is known.
  var packages: [(name: String, version: String)]?

  init?(_ program: String) {
    let name = program.split(separator: "/").last ?? ""
    guard name.hasPrefix("python") else { return nil }
    let real = ((try? Files.realPath(program)) ?? nil) ?? program
    let prefix = Repository.parent(Repository.parent(program))
    let base = Repository.parent(Repository.parent(real))
    let isVirtual = Files.exists(prefix + "/pyvenv.cfg")
    // `python3` is a link to `python3.11`: the real name tells.
    let digits = (real.split(separator: "/").last ?? "").drop { !$0.isNumber }
    var candidates: [String] = []
    if isVirtual { candidates += Self.libraries(prefix).map { $0 + "/site-packages" } }
    if !isVirtual || Self.seesSystem(prefix) {
      // The system's own alone looks into these.
      let isSystem = real.hasPrefix("/usr/bin/python3")
      for top in [base] + (isSystem ? ["/usr/local"] : []) where !digits.isEmpty {
        candidates += ["\(top)/lib/python\(digits)/site-packages", "\(top)/lib/python\(digits)/dist-packages"]
      }
      if isSystem { candidates.append("/usr/lib/python3/dist-packages") }
    }
    folders = candidates.filter { Files.isDirectory($0) }
    version = digits.isEmpty ? nil : String(digits)
    if folders.isEmpty { return }
    var found: [String: String] = [:]
    for folder in folders {
      for entry in ((try? Files.list(folder)) ?? nil) ?? [] {
        guard let package = Self.package(entry.name), found[package.name] == nil else { continue }
        found[package.name] = package.version
      }
    }
    packages = found.map { ($0.key, $0.value) }.sorted { $0.name.precedesInBytes($1.name) }
  }

  private static func libraries(_ prefix: String) -> [String] {
    let entries = ((try? Files.list(prefix + "/lib")) ?? nil) ?? []
    return entries.map(\.name).filter { $0.hasPrefix("python") }.sorted { $0.precedesInBytes($1) }
      .map { prefix + "/lib/" + $0 }
  }

  private static func seesSystem(_ prefix: String) -> Bool {
    let text = ((try? Files.readText(prefix + "/pyvenv.cfg")) ?? nil) ?? ""
    return text.lowercased().contains("include-system-site-packages = true")
  }

  /// `numpy-2.1.0.dist-info` → numpy 2.1.0.
  private static func package(_ folder: String) -> (name: String, version: String)? {
    for suffix in [".dist-info", ".egg-info"] where folder.hasSuffix(suffix) {
      let parts = folder.dropLast(suffix.count).split(separator: "-", maxSplits: 2)
      guard parts.count >= 2 else { return nil }
      return (String(parts[0]), String(parts[1]))
    }
    return nil
  }
}
