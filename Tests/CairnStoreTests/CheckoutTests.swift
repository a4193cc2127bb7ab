import CairnCore
import CairnStore
import Testing

@Suite struct CheckoutTests {
  /// `d` with a, s/b and s/c, and `f`, in the cache.
  private func saved(_ types: [LinkType] = LinkType.defaults) throws -> (Scratch, d: ContentHash, f: ContentHash) {
    let scratch = try Scratch()
    try scratch.sh("mkdir -p d/s; echo a>d/a; echo b>d/s/b; echo c>d/s/c; echo f>f")
    let writer = scratch.writer(types)
    let d = try #require(try writer.save(repoPath("d")).hash)
    let f = try #require(try writer.save(repoPath("f")).hash)
    return (scratch, d, f)
  }

  private func target(_ path: String, _ hash: ContentHash?, part: String? = nil) -> CheckoutTarget {
    CheckoutTarget(path: repoPath(path), hash: hash, part: part)
  }

  @Test("only what differs is changed, and counted as DVC counts", arguments: [
    ("true", nil, CheckoutCounts()),
    ("rm -r d", CheckoutChange.added, CheckoutCounts(added: 3)),
    ("rm d/a", .modified, CheckoutCounts(added: 1)),
    ("cp f d/a", .modified, CheckoutCounts(modified: 1)),
    ("cp f d/new", .modified, CheckoutCounts(deleted: 1)),
    ("mkdir d/n; cp f d/n/x", .modified, CheckoutCounts(deleted: 2)),
    ("rm d/s/b; mkdir d/s/b; cp f d/s/b/x", .modified, CheckoutCounts(modified: 1, deleted: 1)),
    ("mkdir d/none", .modified, CheckoutCounts(deleted: 1)),
    ("rm -r d/s; cp f d/s", .modified, CheckoutCounts(added: 2)),
    ("rm -r d/*", .modified, CheckoutCounts(added: 3)),
    ("chmod +x d/a", .modified, CheckoutCounts(modified: 1)),
    ("rm -r d; cp f d", .modified, CheckoutCounts(added: 3)),
  ] as [(String, CheckoutChange?, CheckoutCounts)])
  func folders(script: String, change: CheckoutChange?, counts: CheckoutCounts) throws {
    let (scratch, d, _) = try saved()
    try scratch.sh(script)
    let checkout = scratch.checkout()
    let plan = try checkout.plan(target("d", d))
    #expect(plan.change == change)
    #expect(plan.counts == counts)
    #expect(plan.unsaved == [])
    #expect(try checkout.apply(plan))
    #expect(checkout.snapshotter.observe(repoPath("d")).hash == d)
    #expect(try scratch.sh("find d -type d | sort") == "d\nd/s\n")
    #expect(try scratch.sh("find . -name '*.tmp'") == "")
  }

  @Test("a folder at a file's place goes, and is counted as DVC counts", arguments: [
    ("rm f; mkdir f", CheckoutCounts(modified: 1)),
    ("rm f; mkdir f; cp d/a f/x", CheckoutCounts(modified: 1, deleted: 1)),
    ("rm f; mkdir -p f/y; cp d/a f/y/x", CheckoutCounts(modified: 1, deleted: 2)),
  ])
  func folderAtFile(script: String, counts: CheckoutCounts) throws {
    let (scratch, _, f) = try saved()
    try scratch.sh(script)
    let checkout = scratch.checkout()
    let plan = try checkout.plan(target("f", f))
    #expect(plan.change == .modified)
    #expect(plan.counts == counts)
    #expect(try checkout.apply(plan))
    #expect(try scratch.sh("cat f") == "f\n")
  }

  @Test("files that no cache holds are named before they are lost", arguments: [
    ("echo mine > d/a", ["d/a"]), ("echo mine > d/new; echo mine2 > d/s/c", ["d/new", "d/s/c"]),
    ("rm -r d; echo mine > d", ["d"]),
  ])
  func unsaved(script: String, lost: [String]) throws {
    let (scratch, d, _) = try saved()
    try scratch.sh(script)
    let checkout = scratch.checkout()
    #expect(try checkout.plan(target("d", d)).unsaved == lost.map(scratch.path))
    let before = try scratch.sh("find d -type f -exec md5sum {} + | sort")
    #expect(throws: Diagnostic.self) { try checkout.materialise(target("d", d), force: false) }
    #expect(try scratch.sh("find d -type f -exec md5sum {} + | sort") == before)
    _ = try checkout.materialise(target("d", d), force: true)
    #expect(checkout.snapshotter.observe(repoPath("d")).hash == d)
  }

  @Test("the words are DVC's")
  func words() {
    #expect(
      Diagnostic.confirmRemove("/x/f").message == "unable to remove '/x/f' without a confirmation. Use `-f` to force.")
    #expect(Diagnostic.checkoutFailed(["d", "f"]).message == """
      Checkout failed for following targets:
      d
      f
      Is your cache up to date?
      <https://error.dvc.org/missing-files>
      """)
  }

  @Test("each link type gives the link that DVC makes", arguments: [
    ([LinkType.reflink, .copy], "644 1 f"), ([.copy], "644 1 f"), ([.hardlink], "444 2 f"), ([.symlink], "777 1 l"),
  ])
  func linkTypes(types: [LinkType], expected: String) throws {
    let (scratch, d, f) = try saved()
    try scratch.sh("rm -r d f")
    let checkout = scratch.checkout(types)
    _ = try checkout.materialise(target("d", d), force: false)
    _ = try checkout.materialise(target("f", f), force: false)
    #expect(try scratch.listing("d/a f") == "\(expected) d/a\n\(expected) f\n")
    #expect(try scratch.sh("cat f d/s/b") == "f\nb\n")
  }

  @Test("relink makes unchanged files anew by another type")
  func relink() throws {
    let (scratch, d, _) = try saved()
    let checkout = scratch.checkout([.symlink])
    let plan = try checkout.plan(target("d", d), relink: true)
    #expect(plan.change == nil)
    #expect(try checkout.apply(plan, relink: true))
    #expect(try scratch.listing("d") == "777 1 l d/a\n777 1 l d/s/b\n777 1 l d/s/c\n")
  }

  @Test("an executable file is executable again")
  func executable() throws {
    let (scratch, _, f) = try saved()
    let checkout = scratch.checkout()
    for script in ["rm f", "chmod 644 f", "true"] {
      try scratch.sh(script)
      _ = try checkout.materialise(CheckoutTarget(path: repoPath("f"), hash: f, isExecutable: true), force: false)
      #expect(try scratch.listing("f") == "744 1 f f\n")
    }
  }

  @Test("an altered object is never given out, protected or not", arguments: [
    "chmod u+w O; echo bad > O; chmod 444 O", "chmod u+w O; echo bad > O", "rm O",
  ])
  func corrupt(script: String) throws {
    let (scratch, d, f) = try saved()
    let object = scratch.cache().current.path(of: f)
    try scratch.sh("rm f; " + script.replacing("O", with: object))
    let checkout = scratch.checkout()
    #expect(throws: Diagnostic.self) { try checkout.materialise(target("f", f), force: false) }
    #expect(try scratch.sh("ls f \(object) 2>/dev/null || true") == "")
    let manifest = scratch.cache().current.path(of: d)
    try scratch.sh("rm -r d; " + script.replacing("O", with: manifest))
    #expect(throws: Diagnostic.self) { try checkout.materialise(target("d", d), force: false) }
    #expect(try scratch.sh("ls d 2>/dev/null || true") == "")
  }

  @Test("a failed checkout leaves the only copies alone")
  func failureKeepsOnlyCopies() throws {
    let (scratch, d, _) = try saved()
    let store = scratch.cache().current
    for text in ["a\n", "b\n"] {
      try scratch.sh("rm \(store.path(of: ContentHash(.md5, ContentHasher.md5(of: Array(text.utf8)))))")
    }
    try scratch.sh("rm d/s/b")
    let checkout = scratch.checkout()
    #expect(try !checkout.apply(try checkout.plan(target("d", d))))
    #expect(try scratch.sh("find d -type f") == "d/a\n")
  }

  @Test("a part of a folder alone is brought back")
  func part() throws {
    let (scratch, d, _) = try saved()
    try scratch.sh("rm -r d")
    let checkout = scratch.checkout()
    _ = try checkout.materialise(target("d", d, part: "s/b"), force: false)
    #expect(try scratch.sh("find d -type f") == "d/s/b\n")
    _ = try checkout.materialise(target("d", d, part: "s"), force: false)
    #expect(try scratch.sh("find d -type f | sort") == "d/s/b\nd/s/c\n")
  }

  @Test("nothing recorded: what is there goes, once it is saved")
  func nothing() throws {
    let (scratch, _, _) = try saved()
    let checkout = scratch.checkout()
    let plan = try checkout.plan(target("d", nil))
    #expect(plan.change == .deleted)
    #expect(try checkout.apply(plan))
    #expect(try scratch.sh("ls") == "f\n")
  }
}
