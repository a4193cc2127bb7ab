import CairnCore
import OrderedCollections
import Testing

@testable import CairnFormats

private func lock(_ text: String) throws -> LockFile {
  try LockYAML.parse(try YAMLReader.parse(SourceText(path: "dvc.lock", bytes: Array(text.utf8))))
}

struct LockTests {
  @Test("A map that is named whole and by a key of its own gets an anchor, as in DVC's lock")
  func sharedParameters() {
    let opt: Value = .map(["kind": "sgd", "beta": 0.9])
    let entry = LockEntry(
      command: "true",
      params: [
        "params.yaml": [
          "items": .list(["d", .list([])]), "items.1": .list([]), "lr": 0.1,
          "train": .map(["epochs": 6, "opt": opt]), "train.epochs": 6, "train.opt": opt,
        ]
      ])
    let expected = """
      a:
          cmd: true
          params:
            params.yaml:
              items:
              - d
              - &id001 []
              items.1: *id001
              lr: 0.1
              train:
                epochs: 6
                opt: &id002
                  kind: sgd
                  beta: 0.9
              train.epochs: 6
              train.opt: *id002

      """
    let document = LockYAML.document(of: "a", entry)
    let text = String(decoding: document.bytes, as: UTF8.self)
    #expect(text.replacing("'true'", with: "true") == "schema: '2.0'\nstages:\n  " + expected)
    // Its anchors hang on what stands before it.
    #expect(!document.isPlain)
  }

  @Test("anchors are counted through the whole lock, and anew in an entry of the run-cache")
  func countedAnchors() {
    let opt: Value = .map(["kind": "sgd"])
    let entry = LockEntry(command: "x", params: ["p.json": ["opt": .map(["a": opt]), "opt.a": opt]])
    let text = String(decoding: LockYAML.encode(LockFile(entries: ["a": entry, "b": entry])), as: UTF8.self)
    #expect(text.split(separator: "\n").filter { $0.contains("opt.a") } == ["        opt.a: *id001", "        opt.a: *id002"])
    #expect(String(decoding: LockYAML.encodeAlone(entry), as: UTF8.self).contains("opt.a: *id001"))
  }

  @Test("a lock has the same bytes whether or not the lines of an entry are at hand")
  func knownEntries() {
    let opt: Value = .map(["kind": "sgd"])
    let entries: [(String, LockEntry)] = [
      ("a", LockEntry(command: "x y", deps: [LockedFile(path: "d")], outs: [LockedFile(path: "o", size: 3)])),
      ("b", LockEntry(command: "x", params: ["p.json": ["opt": .map(["a": opt]), "opt.a": opt]])),
      ("c", LockEntry(command: "yes", params: ["p.json": ["opt": .map(["a": opt]), "opt.a": opt]])),
    ]
    let lock = LockFile(entries: OrderedDictionary(uniqueKeysWithValues: entries))
    let known = Dictionary(uniqueKeysWithValues: entries.map { ($0, LockYAML.document(of: $0, $1)) })
    #expect(known["a"]?.isPlain == true && known["b"]?.isPlain == false)
    #expect(LockYAML.encode(lock) { known[$0] } == LockYAML.encode(lock))
    #expect(known["a"]?.bytes == LockYAML.encode(LockFile(entries: ["a": entries[0].1])))
  }

  @Test(
    "a short word is written as the general writer writes it, as a stage's name and as its command",
    arguments: [
      "x", "eval", "train", "y", "n", "N", "no", "on", "oN", "yes", "off", "OFF", "null", "Null", "true", "TRUE", "False",
      "t_1", "e1", "e", "nan", "inf", "_", "~", "a.b", "off.",
    ])
  func words(_ word: String) {
    let entry = LockEntry(command: .string(word), outs: [LockedFile(path: word, hasHashField: false)])
    let document: Value = .map(["schema": "2.0", "stages": .map([.string(word): LockYAML.value(entry)])])
    #expect(LockYAML.encode(LockFile(entries: [word: entry])) == YAMLWriter.bytes(document))
    #expect(LockYAML.encodeAlone(entry) == YAMLWriter.bytes(LockYAML.value(entry)))
  }

  @Test(
    "A lock that DVC wrote is written back to the byte",
    arguments: [
      """
      schema: '2.0'
      stages:
        prepare@0:
          cmd: python src/prepare.py data/raw.csv
          deps:
          - path: ../data/raw.csv
            hash: md5
            md5: a304afb96060aad90176268345e10355
            size: 37891850
          - path: src
            hash: md5
            md5: f09ea0c15980b43010257ccb9f0055e2.dir
            size: 1576
            nfiles: 3
            isexec: true
          params:
            params.yaml:
              lr: 0.1
              n: 3
              name: yes
              off:
              seed: true
          outs:
          - path: old
            md5: 12e45678901234567890123456789012
            size: 3

      """,
      """
      schema: '2.0'
      datasets:
      - name: one
        url: ../src
        type: dvc
        rev_lock: abc
      stages:
        a:
          cmd: echo
          deps:
          - path: ds://one
            dataset:
              name: one
              url: ../src
              type: dvc
              rev_lock: abc

      """,
      """
      stages:
        a:
          cmd: echo
      datasets: []
      schema: '2.0'

      """,
      """
      schema: '2.0'
      stages:
        b:
          cmd:
          - echo 
            aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            > p
          - "two\\nlines"
          outs:
          - path: 'a: b'
            hash: md5
            md5: '12345678901234567890123456789012'
            size: 3

      """,
      "schema: '2.0'\nstages: {}\n",
    ])
  func roundTrip(_ text: String) throws {
    let text = text.replacing("md5: 12e45", with: "md5: '12e45").replacing("9012\n      size: 3\n", with: "9012'\n      size: 3\n")
      .replacing("''", with: "'")
    #expect(String(decoding: LockYAML.encode(try lock(text)), as: UTF8.self) == text)
  }

  @Test(
    "Faults are told in DVC's words, each at its place",
    arguments: [
      ("", ["required key not provided, in schema"]), ("schema: 2.0\n", ["invalid schema version, in schema"]),
      ("schema: '2.0'\nstages:\n", ["expected a dictionary, in stages"]),
      ("a:\n  cmd: x\n", ["extra keys not allowed, in a", "required key not provided, in schema"]),
      (
        "schema: '2.0'\nstages:\n  a: {cmd: 3, foo: 1, outs: [{path: o, size: x}], params: [1]}\n  b: {}\n",
        [
          "expected str, in stages -> a -> cmd", "extra keys not allowed, in stages -> a -> foo",
          "expected int, in stages -> a -> outs -> 0 -> size", "expected a dictionary, in stages -> a -> params",
          "required key not provided, in stages -> b -> cmd",
        ]
      ),
    ])
  func faults(_ text: String, _ expected: [String]) {
    let error = #expect(throws: Diagnostic.self) { try lock(text) }
    #expect(error?.notes.map(\.message) == expected)
    let count = expected.count > 1 ? ": \(expected.count) errors." : "."
    #expect(error?.message == "'./dvc.lock' validation failed" + count)
    #expect(error?.hasErrorPrefix == false)
  }

  @Test("A .dvc file with several faults has them all told")
  func dataFileFaults() throws {
    let text = "deps:\n- {path: 1, db: {query: 2}}\nouts:\n- {md5: 1.5, zz: 1}\n"
    let document = try YAMLReader.parse(SourceText(path: "d.dvc", bytes: Array(text.utf8)))
    let error = #expect(throws: Diagnostic.self) { try DataFiles.validate(document) }
    #expect(
      error?.notes.map(\.message) == [
        "expected str, in deps -> 0 -> path", "expected str, in deps -> 0 -> db -> query",
        "not a valid value, in outs -> 0 -> md5", "extra keys not allowed, in outs -> 0 -> zz",
      ])
  }

  @Test("A new .dvc document has DVC's order of keys")
  func dataFile() throws {
    var file = LockedFile(path: "d", hashName: "md5", hashText: "50f1f37b282c6270f981abe2600184ef.dir", size: 55, fileCount: 15)
    file.isExecutable = true
    let document = DataFiles.document(
      outputs: [.init(file, annotations: ["type": "t", "desc": "x"], isCached: false, remote: "r", isPushed: false)],
      md5: "abc", wdir: "..", isFrozen: true, meta: .map(["a": 1]))
    let text = YAMLWriter.dump(document)
    #expect(
      text == """
        md5: abc
        wdir: ..
        frozen: true
        outs:
        - md5: 50f1f37b282c6270f981abe2600184ef.dir
          size: 55
          nfiles: 15
          isexec: true
          hash: md5
          path: d
          desc: x
          type: t
          cache: false
          remote: r
          push: false
        meta:
          a: 1

        """)
    let parsed = try YAMLReader.parse(SourceText(path: "d.dvc", bytes: Array(text.utf8)))
    try DataFiles.validate(parsed)
    #expect(DataFiles.outputs(parsed) == [file])
  }
}

struct LockScanTests {
  private static let values: [Value] = [
    .int(3), .bool(true), .string("text"), .float(0.1), .null, .string("1"), .string("true"), .list([1, 2]),
    .map(["a": 1]), .string("long " + String(repeating: "word ", count: 30)), .string("ünï"), .string("a: b"), .string(""),
  ]
  private static let texts = [
    "echo 1 > a", "python train.py --lr 0.1", "echo 'a: b' # c", "true", "12", String(repeating: "long words ", count: 20),
    "a\nb\n", "{x}", "ünï", "- dash", "x: y", "",
  ]

  private func entry(_ number: Int) -> LockEntry {
    func text(_ seed: Int) -> String { Self.texts[(number * 7 + seed * 5) % Self.texts.count] }
    var entry = LockEntry(
      command: number % 5 == 0 ? .list([.string(text(1)), .string(text(2))]) : .string(text(1)))
    let hash = String(repeating: "0123456789abcdef", count: 2)
    entry.deps = (0..<(number % 3)).map {
      LockedFile(path: "d\($0)", hashName: "md5", hashText: hash + ($0 == 1 ? ".dir" : ""), hasHashField: number % 2 == 0, size: 5, fileCount: $0 == 1 ? 3 : nil)
    }
    if number % 4 > 1 {
      entry.params["params.yaml"] = ["k": Self.values[number % Self.values.count], "l.m": Self.values[(number * 3) % Self.values.count]]
    }
    entry.outs = (0..<(number % 2)).map { LockedFile(path: text($0 + 3), hashName: "md5", hashText: hash, size: 1, isExecutable: number % 3 == 0) }
    return entry
  }

  @Test("what is read line by line is what YAML says, and what is not as DVC writes it is YAML's")
  func same() throws {
    var scanned = 0
    for size in [0, 1, 2, 40] {
      for start in 0..<60 {
        var lock = LockFile()
        for number in start..<(start + size) { lock.entries["stage\(number)"] = entry(number) }
        let bytes = LockYAML.encode(lock)
        let parsed = try LockYAML.parse(YAMLReader.parse(SourceText(path: "dvc.lock", bytes: bytes)))
        if let found = LockYAML.scan(bytes) {
          scanned += 1
          #expect(found.entries == parsed.entries && found.keys == parsed.keys && found.datasets == parsed.datasets)
        }
      }
    }
    #expect(scanned > 60)
  }

  @Test(
    "an edit by hand is never read otherwise than as YAML",
    arguments: [
      "schema: '2.0'\nstages:\n", "schema: '2.0'\nstages:\n  a:\n    cmd: yes\n", "schema: '2.0'\nstages:\n  a:\n    cmd: echo # c\n",
      "schema: '2.0'\nstages:\n  a:\n    cmd: x\n  a:\n    cmd: y\n", "schema: '2.0'\nstages:\n  a:\n    cmd: \"x\n  b:\n    cmd: y\"\n",
      "schema: '2.0'\nstages:\n  a:\n    cmd: x\n      y\n", "schema: '2.0'\nstages:\n  a: {cmd: x}\n",
      "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    deps:\n    - path: p\n      size: 007\n",
      "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    params:\n      p.yaml:\n        k: 1e3\n        l: 0x1F\n",
      "schema: '2.0'\nstages:\n  a:\n    cmd: &c x\n  b:\n    cmd: *c\n", "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    cmd: y\n",
      "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    outs:\n    - path: p\n      md5: 12345678901234567890123456789012\n",
      "schema: '2.0'\nstages:\n  1:\n    cmd: x\n", "schema: '2.0'\nstages:\n  a:\n    cmd: x\n...\n", "schema: '2.0'\nstages:\n  a:\n    cmd: x",
    ])
  func edited(text: String) {
    let source = SourceText(path: "dvc.lock", bytes: Array(text.utf8))
    let parsed = try? LockYAML.parse(YAMLReader.parse(source))
    let read = try? LockYAML.read(source)
    #expect(parsed?.entries == read?.entries)
  }
}
