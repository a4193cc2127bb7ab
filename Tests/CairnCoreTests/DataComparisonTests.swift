import CairnCore
import Testing

/// Trees in a line each: `d/=A` a folder with the list A, `f=1` a file, `d/` a folder without a hash.
struct DataComparisonTests {
  private static let lists: [String: [(String, UInt64)]] = [
    "A": [("x", 1), ("s/y", 2)], "B": [("x", 3), ("s/y", 2)], "C": [("s/y", 2), ("s/z", 1)],
    "E": [("a-b/x", 1), ("a/x", 1)], "F": [("b-b/x", 1), ("b/x", 1)],
  ]

  private static func hash(_ name: String) -> ContentHash {
    if let number = UInt64(name) { return ContentHash(.md5, Digest16(high: 0, low: number)) }
    return ContentHash(.md5, Digest16(high: 1, low: UInt64(name.utf8.first ?? 0)), isDirectory: true)
  }

  private func tree(_ text: String, without lost: String = "") -> DataTree {
    let tree = DataTree { hash throws(Diagnostic) in
      let name = String(UnicodeScalar(UInt8(hash.digest.low)))
      guard !lost.contains(name), let files = Self.lists[name] else { throw Diagnostic(.io, "no \(name)") }
      return DirectoryManifest(files.map { .init(path: $0.0, md5: Self.hash("\($0.1)").digest) })
    }
    for item in text.split(separator: " ") {
      let parts = item.split(separator: "=").map(String.init)
      let isFolder = parts[0].hasSuffix("/")
      let path = RepoPath(unchecked: isFolder ? String(parts[0].dropLast()) : parts[0])
      let entry = DataTree.Entry(isDirectory: isFolder, hash: parts.count > 1 ? .content(Self.hash(parts[1])) : nil)
      tree.insert(entry, at: path, .listed)
    }
    return tree
  }

  private func told(_ changes: [DataChange]) -> String {
    changes.map { change in
      let sign =
        switch change.kind {
        case .added: "+"
        case .deleted: "-"
        case .modified: "~"
        case .renamed: ">"
        case .unchanged: "="
        case .unknown: "?"
        }
      if change.kind == .renamed { return sign + (change.old?.text ?? "") + ":" + (change.new?.text ?? "") }
      return sign + (change.old?.text ?? change.new?.text ?? "")
    }.joined(separator: " ")
  }

  private func told(
    _ rule: DataComparison, _ old: String, _ new: String, without lost: String = "", roots: [String] = [""]
  ) throws -> String {
    told(
      try rule.changes(
        from: DataView(tree(old, without: lost)), to: DataView(tree(new, without: lost)),
        roots: roots.map(RepoPath.init(unchecked:))))
  }

  @Test(
    "what came, went, changed and moved, of folders file by file",
    arguments: [
      ("f=1", "f=1", ""), ("f=1", "f=2", "~f"), ("", "f=1", "+f"), ("f=1", "", "-f"), ("f=1", "g=1", ">f:g"),
      ("d/=A", "d/=B", "~d/ ~d/x"), ("d/=A", "d/=A", ""), ("d/=A", "d/=C", "~d/ >d/x:d/s/z"),
      ("d/=A", "e/=A", "-d/s/ +e/s/ >d/:e/ >d/s/y:e/s/y >d/x:e/x"), ("p/q/f=1", "p/q/f=2", "~p/q/f"),
    ])
  func changes(old: String, new: String, expected: String) throws {
    #expect(
      try told(DataComparison(.hashesAndKinds), old, new).split(separator: " ").sorted()
        == expected.split(separator: " ").sorted())
  }

  @Test("what is added takes the hash of the first that went, in the order of parts; the rest goes from its end")
  func renames() throws {
    #expect(try told(DataComparison(.hashes), "a=1 b=1 c=1 d=2", "x=1 y=3") == ">a:x +y -c -b -d")
    #expect(try told(DataComparison(.hashes), "d/=E", "d/=F") == "~d/ >d/a/x:d/b/x >d/a-b/x:d/b-b/x")
  }

  @Test("below a folder whose list is lost nothing is known, on either side")
  func lostLists() throws {
    let rule = DataComparison(.hashes, keepsUnchanged: true)
    #expect(try told(rule, "d/=A", "d/=B", without: "A") == "~d/ ?d/s/ ?d/x ?d/s/y")
    #expect(try told(rule, "d/=A", "d/=B", without: "B") == "~d/ ?d/s/ ?d/x ?d/s/y")
    #expect(try told(rule, "d/=A", "d/=B", without: "AB") == "~d/")
    #expect(throws: Diagnostic.self) { try told(rule, "d/=A", "d/x=1", without: "A", roots: ["d/x"]) }
  }

  @Test("a shallow comparison does not look into what has a hash")
  func shallow() throws {
    let rule = DataComparison(.hashes, isShallow: true, keepsUnchanged: true)
    #expect(try told(rule, "d/=A f=1", "d/=B f=1") == "~d/ =f")
    #expect(try told(rule, "d/=A", "d/s/y=2") == "=d/s/ +d/s/y -d/")
  }

  @Test("a path below two roots is told twice, as DVC does")
  func roots() throws {
    let rule = DataComparison(.hashesAndKinds)
    #expect(try told(rule, "d/=A", "d/=B", roots: ["d", "d/x"]) == "~d/ ~d/x ~d/x")
  }

  @Test("of what counts only a part is looked at")
  func view() throws {
    let isShown: (RepoPath) -> Bool = { $0.text == "d" || $0.text.hasPrefix("d/s") }
    let changes = try DataComparison(.hashes, keepsUnchanged: true).changes(
      from: DataView(tree("d/=A f=1"), isShown: isShown), to: DataView(tree("d/=B"), isShown: isShown), roots: [.root])
    #expect(told(changes) == "~d/ =d/s/ =d/s/y")
  }

  @Test("a link that leads nowhere is there, and a folder without a file too")
  func oddEntries() throws {
    let tree = DataTree()
    var listing = DataTree.Listing(DirectoryManifest([.init(path: "x", md5: Self.hash("1").digest)]), .md5)
    listing.emptyFolders = ["e/f"]
    listing.deadLinks = ["s"]
    tree.insert(.init(isDirectory: true, hash: .content(Self.hash("A"))), at: RepoPath(unchecked: "d"), .known(listing))
    let changes = try DataComparison(.hashesAndKinds).changes(
      from: DataView(tree), to: DataView(DataTree()), roots: [RepoPath(unchecked: "d")])
    #expect(told(changes).split(separator: " ").sorted() == ["-d/", "-d/e/", "-d/e/f/", "-d/s", "-d/x"])
  }
}
