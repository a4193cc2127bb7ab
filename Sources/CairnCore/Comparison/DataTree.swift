// All data that one state of a project has, as a tree of paths with hashes. Lists of folders are read when somebody
// looks into them. Knows nothing of where states and lists come from.

/// What DVC calls a data index. One tree is for one command, and for one thread.
package final class DataTree {
  package struct Entry: Hashable, Sendable {
    /// Something is known of it; false for a link that leads nowhere.
    package var isKnown = true
    package var isDirectory: Bool
    package var hash: DataHash?
    package var size: UInt64?
    package var isExecutable = false
    /// False for what was imported without its bytes: no cache has it under its hash.
    package var isStored = true
    /// Seen where it was imported from, which tells what it is, and of its size no more than is written here.
    package var isAtOrigin = false

    package init(isDirectory: Bool, hash: DataHash? = nil, size: UInt64? = nil) {
      self.isDirectory = isDirectory
      self.hash = hash
      self.size = size
    }

    /// A folder that holds data and is none itself.
    package static let folder = Entry(isDirectory: true)
  }

  /// What lies below a path, beside what was inserted there.
  package enum Contents {
    case nothing
    /// As the list behind the entry's hash says.
    case listed
    case known(Listing)
    /// As the list behind the entry's hash says, where that is to be had; else as what it was imported from.
    case imported(Origin)
  }

  /// What an import is of, in another repository. Asked when somebody wants to know, and not before.
  package struct Origin {
    /// Whether it is a folder; `nil` where there is nothing.
    package var isFolder: () throws(Diagnostic) -> Bool?
    /// All that is below it, folders too, by their paths from there.
    package var entries: () throws(Diagnostic) -> [(path: String, entry: Entry)]

    package init(
      isFolder: @escaping () throws(Diagnostic) -> Bool?,
      entries: @escaping () throws(Diagnostic) -> [(path: String, entry: Entry)]
    ) {
      self.isFolder = isFolder
      self.entries = entries
    }
  }

  /// The files below a folder.
  package struct Listing {
    package var files: DirectoryManifest
    package var algorithm: ContentHash.Algorithm
    /// Those that hold no file; the others go without saying.
    package var emptyFolders: [String] = []
    /// Links that lead nowhere.
    package var deadLinks: [String] = []

    package init(_ files: DirectoryManifest, _ algorithm: ContentHash.Algorithm) {
      self.files = files
      self.algorithm = algorithm
    }
  }

  /// One path of a tree.
  package struct Node {
    package var path: RepoPath
    /// `nil` for what only leads to others.
    package var entry: Entry?
    fileprivate var place: Place

    package var isDirectory: Bool { entry?.isDirectory ?? true }
  }

  package enum Children {
    /// By the bytes of their names.
    case known([Node])
    /// The list of the folder is not to be had.
    case unknown
  }

  fileprivate enum Place {
    case branch(Branch)
    /// Below a folder that has a list.
    case listed(Listing, inner: String)
  }

  fileprivate final class Branch {
    var entry: Entry?
    var contents = Contents.nothing
    /// By single names, told apart by their bytes.
    var branches: [RepoPath: Branch] = [:]
    /// Of `.listed` and `.imported`, once it was looked for.
    var list: List?

    /// An import of which nothing is recorded, and that nobody has asked its origin about.
    var unseen: Origin? {
      guard case .imported(let origin) = contents, let entry, entry.hash == nil, entry.isKnown, !entry.isAtOrigin
      else { return nil }
      return origin
    }
  }

  /// The list of a folder.
  fileprivate enum List {
    case known(Listing)
    /// There should be one; why it is not to be had.
    case lost(Diagnostic)
    case none
  }

  private let root = Branch()
  private let manifest: (ContentHash) throws(Diagnostic) -> DirectoryManifest

  /// - Parameter manifest: the list behind the hash of a folder; throws where it is not to be had.
  package init(manifest: @escaping (ContentHash) throws(Diagnostic) -> DirectoryManifest) { self.manifest = manifest }

  /// A tree of what is known whole.
  package convenience init() {
    self.init { hash throws(Diagnostic) in throw Diagnostic(.noFolderList, hash.text) }
  }

  /// Puts an entry at a path. The folders above it become entries of their own.
  package func insert(_ entry: Entry, at path: RepoPath, _ contents: Contents = .nothing) {
    var branch = root
    let parts = path.components.map { RepoPath(unchecked: String($0)) }
    for (number, part) in parts.enumerated() {
      if let next = branch.branches[part] {
        branch = next
      } else {
        let next = Branch()
        branch.branches[part] = next
        branch = next
      }
      if number < parts.count - 1, branch.entry == nil { branch.entry = .folder }
    }
    branch.entry = entry
    branch.contents = contents
    branch.list = nil
  }

  package var isEmpty: Bool { root.branches.isEmpty && root.entry == nil }

  /// - Returns: `nil` when nothing is there.
  /// - Throws: when it lies in a folder whose list is not to be had; what hinders a look at where it was imported from.
  package func node(at path: RepoPath) throws(Diagnostic) -> Node? {
    var branch = root
    var rest = path.components.map { RepoPath(unchecked: String($0)) }[...]
    var here = RepoPath.root
    while let part = rest.first, let next = branch.branches[part] {
      rest.removeFirst()
      branch = next
      here = here.appending(part.text)
    }
    if rest.isEmpty {
      try see(branch)
      return Node(path: path, entry: branch.entry, place: .branch(branch))
    }
    let isListed = branch.list != nil
    let list = list(of: branch)
    // It came with the list.
    if !isListed, branch.branches[rest[rest.startIndex]] != nil { return try node(at: path) }
    switch list {
    case .lost(let why): throw .noFolderList(here).because(of: why)
    case .none: return nil
    case .known(let listing): return listing.node(at: rest.map(\.text).joined(separator: "/"), path)
    }
  }

  /// - Parameter isShown: what of them counts; of the others nothing is looked for.
  /// - Throws: what hinders a look at where one of them was imported from.
  package func children(
    of node: Node, where isShown: (RepoPath) -> Bool = { _ in true }
  ) throws(Diagnostic) -> Children {
    switch node.place {
    case .listed(let listing, let inner):
      return .known(listing.children(of: inner, node.path).filter { isShown($0.path) })
    case .branch(let branch):
      var listed: [Node] = []
      switch list(of: branch) {
      case .lost: return .unknown
      case .none: break
      case .known(let listing): listed = listing.children(of: "", node.path).filter { isShown($0.path) }
      }
      if branch.branches.isEmpty { return .known(listed) }
      var nodes = Dictionary(listed.map { ($0.path, $0) }, uniquingKeysWith: { $1 })
      for (name, child) in branch.branches {
        let path = node.path.appending(name.text)
        guard isShown(path) else { continue }
        try see(child)
        nodes[path] = Node(path: path, entry: child.entry, place: .branch(child))
      }
      return .known(nodes.values.sorted { $0.path < $1.path })
    }
  }

  /// Why what is in a folder is unknown, in DVC's words.
  package func fault(of node: Node) -> Diagnostic {
    guard case .branch(let branch) = node.place, case .lost(let why) = list(of: branch) else {
      return .noFolderList(node.path)
    }
    return .noFolderList(node.path).because(of: why)
  }

  /// The list behind a folder whose whole content both trees have from it: there is nothing to compare below.
  func wholeList(of node: Node) -> DataHash? {
    guard case .branch(let branch) = node.place, branch.branches.isEmpty, case .listed = branch.contents,
      case .known = list(of: branch)
    else { return nil }
    return branch.entry?.hash
  }

  private func list(of branch: Branch) -> List {
    switch branch.contents {
    case .nothing: return .none
    case .known(let listing): return .known(listing)
    case .listed:
      if let known = branch.list { return known }
      guard let hash = branch.entry?.hash, hash.isDirectory else { return .none }
      let list: List
      do throws(Diagnostic) { list = .known(try listing(hash)) } catch { list = .lost(error) }
      branch.list = list
      return list
    case .imported(let origin):
      if let known = branch.list { return known }
      guard let entry = branch.entry, entry.hash?.isDirectory ?? entry.isDirectory else { return .none }
      let list: List
      do throws(Diagnostic) {
        if let hash = entry.hash, let listing = try? listing(hash) {
          list = .known(listing)
        } else {
          try insert(origin.entries(), below: branch)
          list = .none
        }
      } catch {
        list = .lost(error)
      }
      branch.list = list
      return list
    }
  }

  private func listing(_ hash: DataHash) throws(Diagnostic) -> Listing {
    // Of another kind of hash nothing is known.
    guard let content = hash.content else { throw Diagnostic(.noFolderList, hash.text) }
    return Listing(try manifest(content), content.algorithm)
  }

  private func insert(_ entries: [(path: String, entry: Entry)], below folder: Branch) {
    for (path, entry) in entries {
      var branch = folder
      for part in path.split(separator: "/").map({ RepoPath(unchecked: String($0)) }) {
        let next = branch.branches[part] ?? Branch()
        branch.branches[part] = next
        branch = next
      }
      branch.entry = entry
    }
  }

  /// Asks the origin of an import what it is.
  private func see(_ branch: Branch) throws(Diagnostic) {
    guard let origin = branch.unseen else { return }
    if let isFolder = try origin.isFolder() {
      branch.entry?.isDirectory = isFolder
      branch.entry?.isAtOrigin = true
    } else {
      branch.entry?.isKnown = false
    }
  }
}

extension DataTree.Listing {
  fileprivate func node(at inner: String, _ path: RepoPath) -> DataTree.Node? {
    let name = RepoPath(unchecked: inner)
    if let file = files.entry(at: inner) { return node(file, path, inner) }
    if deadLinks.contains(where: inner.hasSameBytes) { return deadLink(path, inner) }
    let isFolder =
      !files.entries(below: inner).isEmpty
      || (emptyFolders + deadLinks).contains { RepoPath(unchecked: $0).isInside(name) }
    return isFolder ? DataTree.Node(path: path, entry: .folder, place: .listed(self, inner: inner)) : nil
  }

  private func node(_ file: DirectoryManifest.Entry, _ path: RepoPath, _ inner: String) -> DataTree.Node {
    var entry = DataTree.Entry(isDirectory: false, hash: .content(ContentHash(algorithm, file.md5)), size: file.size)
    entry.isExecutable = file.isExecutable ?? false
    return DataTree.Node(path: path, entry: entry, place: .listed(self, inner: inner))
  }

  private func deadLink(_ path: RepoPath, _ inner: String) -> DataTree.Node {
    var entry = DataTree.Entry(isDirectory: false)
    entry.isKnown = false
    return DataTree.Node(path: path, entry: entry, place: .listed(self, inner: inner))
  }

  fileprivate func children(of inner: String, _ folder: RepoPath) -> [DataTree.Node] {
    var nodes: [DataTree.Node] = []
    let below = inner.isEmpty ? files.entries[...] : files.entries(below: inner)
    let skipped = inner.isEmpty ? 0 : inner.utf8.count + 1
    var last: Substring.UTF8View?
    for file in below {
      let rest = file.path.utf8.dropFirst(skipped)
      guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else {
        nodes.append(node(file, folder.appending(String(Substring(rest))), file.path))
        continue
      }
      let name = rest[..<slash]
      // The files of one folder lie beside each other.
      if let last, last.elementsEqual(name) { continue }
      last = name
      nodes.append(subfolder(String(Substring(name)), inner, folder))
    }
    if emptyFolders.isEmpty && deadLinks.isEmpty { return nodes }
    var names = Set(nodes.map(\.path))
    for path in emptyFolders + deadLinks {
      guard let rest = Self.path(path, below: inner) else { continue }
      let name = String(rest.prefix { $0 != "/" })
      guard names.insert(folder.appending(name)).inserted else { continue }
      if rest == name, deadLinks.contains(path) {
        nodes.append(deadLink(folder.appending(name), path))
      } else {
        nodes.append(subfolder(name, inner, folder))
      }
    }
    return nodes.sorted { $0.path < $1.path }
  }

  private func subfolder(_ name: String, _ inner: String, _ folder: RepoPath) -> DataTree.Node {
    DataTree.Node(
      path: folder.appending(name), entry: .folder,
      place: .listed(self, inner: inner.isEmpty ? name : inner + "/" + name))
  }

  private static func path(_ path: String, below folder: String) -> Substring? {
    if folder.isEmpty { return path[...] }
    guard path.utf8.starts(with: (folder + "/").utf8) else { return nil }
    return Substring(path.utf8.dropFirst(folder.utf8.count + 1))
  }
}

extension Diagnostic.Code {
  package static let noFolderList = Diagnostic.Code("no-folder-list")
}

extension Diagnostic {
  /// In DVC's words: the key of its index, as Python shows a tuple.
  package static func noFolderList(_ folder: RepoPath) -> Diagnostic {
    let parts = folder.components.map { PythonText.repr(.string(String($0))) }
    return Diagnostic(
      .noFolderList, "failed to load directory (\(parts.joined(separator: ", "))\(parts.count == 1 ? "," : ""))")
  }
}
