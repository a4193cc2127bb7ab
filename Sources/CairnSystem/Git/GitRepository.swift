// Where a git repository is, and what its plain files say without starting git. Knows nothing of DVC.
package import CairnCore

package struct GitRepository: Sendable {
  /// The folder that holds `.git`.
  package let workTree: String
  /// Of this work tree alone: HEAD and the index live here.
  package let gitDirectory: String
  /// Of all linked work trees: objects, refs and config live here.
  package let commonDirectory: String

  /// The repository that `folder` lies in; `nil` when there is none. Follows the `.git` files of linked work trees and
  /// submodules. Reads names only: starts nothing.
  package static func find(from folder: String) throws(Diagnostic) -> GitRepository? {
    var folder = folder
    while true {
      if let repository = try at(folder) { return repository }
      if folder == "/" || folder.isEmpty { return nil }
      folder = Files.parent(of: folder) ?? "/"
    }
  }

  /// The repository whose work tree begins exactly at `folder`.
  package static func at(_ folder: String) throws(Diagnostic) -> GitRepository? {
    let dotGit = folder == "/" ? "/.git" : folder + "/.git"
    guard let stat = try FileStat.of(dotGit) else { return nil }
    var directory = dotGit
    if stat.isFile {
      guard let text = try Files.readText(dotGit), let target = value(of: "gitdir:", in: text) else { return nil }
      directory = resolve(target, in: folder)
    }
    guard try FileStat.of(directory + "/HEAD", followLinks: false) != nil else { return nil }
    var common = directory
    if let text = try Files.readText(directory + "/commondir"), let line = firstLine(text) {
      common = resolve(line, in: directory)
    }
    let repository = GitRepository(workTree: folder, gitDirectory: directory, commonDirectory: common)
    try repository.requirePlainFiles()
    return repository
  }

  /// A git that is started waits forever for a pipe that nobody writes to.
  private func requirePlainFiles() throws(Diagnostic) {
    let own = ["HEAD", "index", "config.worktree"].map { gitDirectory + "/" + $0 }
    let shared = ["config", "packed-refs", "shallow", "info/exclude", "info/attributes", "objects/info/alternates"]
    let named = own + shared.map { commonDirectory + "/" + $0 } + [workTree + "/.gitmodules"]
    func check(_ path: String) throws(Diagnostic) {
      // What cannot be looked at is told by whoever needs it.
      if let stat = (try? FileStat.of(path)) ?? nil, stat.kind == .other, !Self.isNothing(path) {
        throw Diagnostic.notPlain(path)
      }
    }
    for path in named { try check(path) }
    // The branch that is checked out; HEAD itself is plain by now.
    for path in (try? headFiles()) ?? [] { try check(path) }
  }

  /// A link to `/dev/null` is how some say that there is nothing.
  private static func isNothing(_ path: String) -> Bool { ((try? Files.realPath(path)) ?? nil) == "/dev/null" }

  /// The main work tree: this one, or the one that this one is linked to; `nil` for a bare repository's.
  package var mainWorkTree: String? {
    if gitDirectory.hasSameBytes(as: commonDirectory) { return workTree }
    guard commonDirectory.hasSuffix("/.git") else { return nil }
    return String(commonDirectory.dropLast(5))
  }

  /// The full name of the commit that is checked out; `nil` before the first commit.
  package func headCommit() throws(Diagnostic) -> String? {
    guard let head = try Files.readText(gitDirectory + "/HEAD").flatMap(Self.firstLine) else { return nil }
    guard let name = Self.value(of: "ref:", in: head) else { return Self.isObjectName(head) ? head : nil }
    if usesOtherRefStorage(name) { return try revision("HEAD") }
    return try commit(ofRef: name)
  }

  /// The branch that is checked out; `nil` when HEAD is detached.
  package func branch() throws(Diagnostic) -> String? {
    guard let head = try Files.readText(gitDirectory + "/HEAD").flatMap(Self.firstLine),
      let name = Self.value(of: "ref:", in: head)
    else { return nil }
    if usesOtherRefStorage(name) {
      let shown = try git(["symbolic-ref", "--quiet", "--short", "HEAD"], accepting: [0, 1])
      return Self.firstLine(shown.text)
    }
    return name.hasPrefix("refs/heads/") ? String(name.dropFirst(11)) : nil
  }

  /// The file to look at when the question is whether the commit has changed: HEAD and the branch's own file.
  package func headFiles() throws(Diagnostic) -> [String] {
    let head = gitDirectory + "/HEAD"
    guard let text = try Files.readText(head), let name = Self.value(of: "ref:", in: text) else { return [head] }
    return [head, commonDirectory + "/" + name, commonDirectory + "/packed-refs"]
  }

  /// The URL of the branch's remote, else of `origin`, else of the first one, without a password, token or user name
  /// (`git@host:path` keeps its user), nor what follows the path: tokens stand in queries, too; `nil` when there is no remote.
  package func remoteURL() throws(Diagnostic) -> String? {
    guard let text = try Files.readText(commonDirectory + "/config") else { return nil }
    let config = GitConfig(text)
    let own = try branch().flatMap { config.value("branch", $0, "remote") }
    let names = [own, "origin"].compactMap { $0 } + config.subsections(of: "remote")
    return names.lazy.compactMap { config.value("remote", $0, "url") }.first.map(Self.withoutCredentials)
  }

  /// An address that may be published: of a URL no user (but ssh's) and no password, and nothing behind `?` or `#`, where
  /// signatures stand.
  package static func withoutCredentials(_ url: String) -> String {
    guard let scheme = url.firstRange(of: "://") else { return url }
    let rest = url[scheme.upperBound...]
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let path = rest[authority.endIndex...].prefix { $0 != "?" && $0 != "#" }
    let name = url[..<scheme.lowerBound]
    guard let at = authority.lastIndex(of: "@") else { return name + "://" + authority + path }
    var user = ""
    // Of ssh the user is part of the place, a password is not.
    if name.hasSuffix("ssh"), let first = authority[..<at].split(separator: ":").first { user = first + "@" }
    return name + "://" + user + authority[authority.index(after: at)...] + path
  }

  /// Whether two addresses name one repository: by `https`, by `ssh`, with `.git` or without.
  package static func isSamePlace(_ a: String, _ b: String) -> Bool { place(of: a).hasSameBytes(as: place(of: b)) }

  private static func place(of url: String) -> String {
    var rest = url[...]
    if let scheme = rest.firstRange(of: "://") {
      rest = rest[scheme.upperBound...]
    } else if let colon = rest.firstIndex(of: ":"), !rest[..<colon].contains("/") {
      rest = rest[..<colon] + "/" + rest[rest.index(after: colon)...].drop { $0 == "/" }
    }
    let host = rest.prefix { $0 != "/" }
    if let at = host.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
    while rest.hasSuffix("/") { rest.removeLast() }
    if rest.hasSuffix(".git") { rest.removeLast(4) }
    return String(rest)
  }

  /// The places of the submodules that a `.gitmodules` file names: what else is a repository in a repository no clone
  /// fetches.
  package static func submodules(in bytes: [UInt8]) -> Set<RepoPath> {
    let config = GitConfig(String(decoding: bytes, as: UTF8.self))
    return Set(
      config.subsections(of: "submodule").compactMap { config.value("submodule", $0, "path").flatMap { RepoPath($0) } })
  }

  /// Contents may be missing here that its remote has.
  package var isPartial: Bool {
    guard let text = (try? Files.readText(commonDirectory + "/config")) ?? nil else { return false }
    let config = GitConfig(text)
    return config.subsections(of: "remote").contains { config.value("remote", $0, "promisor") == "true" }
  }

  private func commit(ofRef name: String, depth: Int = 0) throws(Diagnostic) -> String? {
    for folder in [gitDirectory, commonDirectory] {
      guard let line = try Files.readText("\(folder)/\(name)").flatMap(Self.firstLine) else { continue }
      if let next = Self.value(of: "ref:", in: line) {
        return depth < 5 ? try commit(ofRef: next, depth: depth + 1) : nil
      }
      if Self.isObjectName(line) { return line }
    }
    guard let packed = try Files.readText(commonDirectory + "/packed-refs") else { return nil }
    for line in packed.split(separator: "\n") {
      let fields = line.split(separator: " ", maxSplits: 1)
      if fields.count == 2, String(fields[1]).hasSameBytes(as: name) { return String(fields[0]) }
    }
    return nil
  }

  /// A repository that keeps its refs in a reftable puts a name into HEAD that no branch can have.
  private func usesOtherRefStorage(_ name: String) -> Bool { name == "refs/heads/.invalid" }

  private static func value(of key: String, in text: String) -> String? {
    guard text.hasPrefix(key), let line = firstLine(text) else { return nil }
    let value = line.dropFirst(key.count).trimmingWhitespace()
    return value.isEmpty ? nil : value
  }

  static func firstLine(_ text: String) -> String? {
    let line = text.prefix { $0 != "\n" && $0 != "\r\n" }.trimmingWhitespace()
    return line.isEmpty ? nil : line
  }

  package static func isObjectName(_ text: String) -> Bool {
    (text.utf8.count == 40 || text.utf8.count == 64)
      && text.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
  }

  /// `target` as seen from `folder`, with `..` taken out by the text alone.
  private static func resolve(_ target: String, in folder: String) -> String {
    let whole = target.hasPrefix("/") ? target : folder + "/" + target
    var parts: [Substring] = []
    for part in whole.split(separator: "/") where part != "." {
      if part == "..", !parts.isEmpty { parts.removeLast() } else if part != ".." { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }
}

/// As much of git's configuration files as the remote's address needs: sections, quoted subsections, plain values.
struct GitConfig {
  private var values: [(section: String, subsection: String, key: String, value: String)] = []

  init(_ text: String) {
    var section = ""
    var subsection = ""
    for raw in text.split(whereSeparator: \.isNewline) {
      var line = raw.trimmingWhitespace()
      if line.hasPrefix("["), let end = line.lastIndex(of: "]") {
        let header = line[line.index(after: line.startIndex)..<end]
        let parts = header.split(separator: "\"", maxSplits: 1, omittingEmptySubsequences: false)
        section = parts[0].trimmingWhitespace().lowercased()
        subsection = parts.count > 1 ? Self.unquoted(parts[1].dropLast()) : ""
        line = line[line.index(after: end)...].trimmingWhitespace()
      }
      if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { continue }
      values.append((section, subsection, parts[0].trimmingWhitespace().lowercased(), Self.value(parts[1])))
    }
  }

  /// The last one counts.
  func value(_ section: String, _ subsection: String, _ key: String) -> String? {
    values.last { $0.section == section && $0.subsection.hasSameBytes(as: subsection) && $0.key == key }?.value
  }

  func subsections(of section: String) -> [String] { values.filter { $0.section == section }.map(\.subsection) }

  private static func value(_ text: Substring) -> String {
    var value = ""
    var isQuoted = false
    var isEscaped = false
    for character in text.trimmingWhitespace() {
      if isEscaped {
        value.append(character == "n" ? "\n" : character == "t" ? "\t" : character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        isQuoted.toggle()
      } else if !isQuoted, character == "#" || character == ";" {
        break
      } else {
        value.append(character)
      }
    }
    return value.trimmingWhitespace()
  }

  private static func unquoted(_ text: Substring) -> String {
    var result = ""
    var isEscaped = false
    for character in text {
      if !isEscaped, character == "\\" {
        isEscaped = true
        continue
      }
      result.append(character)
      isEscaped = false
    }
    return result
  }
}
