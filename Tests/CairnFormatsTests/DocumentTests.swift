import CairnCore
import Testing

@testable import CairnFormats

private func text(_ bytes: [UInt8]?) -> String { String(decoding: bytes ?? [], as: UTF8.self) }

private func digest(_ byte: UInt8) -> Digest32 { Digest32(bytes: Array(repeating: byte, count: 32)) }

struct DocumentTests {
  private let md5 = Digest16(high: 0x0cc9_cd4d_d26c_5137, low: 0xb675_a0d8_19cb_9ab0)

  @Test("A .dir object is DVC's to the byte, ordered by code points")
  func manifest() throws {
    let names = ["é", "b/c", "a b", "b-c", "\u{1F600}", "\u{FFFD}", "q\"'\\", "x" + FileName.escape([0xFF])]
    let bytes = ManifestJSON.encode(DirectoryManifest(names.map { .init(path: $0, md5: md5) }))
    let hash = "0cc9cd4dd26c5137b675a0d819cb9ab0"
    let order = [#"a b"#, #"b-c"#, #"b/c"#, #"q\"'\\"#, #"x\udcff"#, #"\u00e9"#, #"\ufffd"#, #"\ud83d\ude00"#]
    #expect(text(bytes) == "[" + order.map { #"{"md5": "\#(hash)", "relpath": "\#($0)"}"# }.joined(separator: ", ") + "]")
    #expect(try ManifestJSON.decode(bytes).entries.map(\.path) == DirectoryManifest(names.map { .init(path: $0, md5: md5) }).entries.map(\.path))
    #expect(text(ManifestJSON.encode(DirectoryManifest([]))) == "[]")
    #expect(try ManifestJSON.decode(Array("[]".utf8)).entries.isEmpty)
  }

  @Test("The fast way through a .dir object finds what the slow one finds")
  func fastManifest() throws {
    let manifest = DirectoryManifest((0..<100).map { .init(path: "d\($0 % 7)/f\($0)", md5: Digest16(high: UInt64($0), low: 7)) })
    let bytes = ManifestJSON.encode(manifest)
    #expect(try ManifestJSON.decode(bytes) == manifest)
    #expect(try ManifestJSON.decode([0x20] + bytes) == manifest)
    #expect(throws: Diagnostic.self) { try ManifestJSON.decode(Array(bytes.dropLast(9))) }
    #expect(throws: Diagnostic.self) { try ManifestJSON.decode(Array(#"{"a": 1}"#.utf8)) }
    for path in ["../a", "a/../b", "/a", "", ".", "..", "a//b", "a/", "./a", "a\u{0}b"] {
      let entry = DirectoryManifest.Entry(path: path, md5: Digest16(high: 1, low: 2))
      #expect(throws: Diagnostic.self, "\(path)") { try ManifestJSON.decode(ManifestJSON.encode(DirectoryManifest([entry]))) }
    }
    for path in ["...", "a/.b", "..a", "a..", "a/...x/b"] { #expect(DirectoryManifest.staysInside(path), "\(path)") }
  }

  @Test("A cairn.dir document names every file by both hashes, or is none")
  func directory() throws {
    let odd = FileName.escape([0xFF])
    let manifest = DirectoryManifest([
      .init(path: "b", md5: md5, size: 2, sha256: digest(1), isExecutable: true),
      .init(path: odd, md5: md5, size: 1, sha256: digest(2)),
    ])
    let bytes = try #require(DirectoryDocument.encode(manifest))
    #expect(
      text(bytes)
        == #"{"files":[{"executable":true,"md5":"\#(md5.hex)","path":"b","sha256":"\#(digest(1).hex)","size":2},"#
        + #"{"executable":false,"md5":"\#(md5.hex)","path":{"$bytes":"/w=="},"sha256":"\#(digest(2).hex)","size":1}],"schema":"cairn.dir/v1"}"#
        + "\n")
    #expect(DirectoryDocument.encode(try DirectoryDocument.decode(bytes)) == bytes)
    #expect(DirectoryDocument.encode(DirectoryManifest([.init(path: "a", md5: md5, size: 1)])) == nil)
  }

  @Test(
    "Moments have six decimals and read back",
    arguments: [
      (Nanoseconds(0), "1970-01-01T00:00:00.000000Z"), (1_700_000_000_123_456_789, "2023-11-14T22:13:20.123456Z"),
      (-1, "1969-12-31T23:59:59.999999Z"), (951_782_400_000_000_000, "2000-02-29T00:00:00.000000Z"),
    ])
  func moments(_ moment: Nanoseconds, _ expected: String) {
    #expect(Timestamp.text(moment) == expected)
    #expect(Timestamp.parse(expected).map(Timestamp.text) == expected)
    #expect(Timestamp.parse(String(expected.dropLast())) == nil)
  }

  private var record: RunRecord {
    var record = RunRecord(
      stage: .init(address: "train", file: "dvc.yaml", wdir: ".", cmd: ["python train.py"]), invocation: "01J",
      actor: .init(name: "ann", host: "gpu1"),
      source: .init(commit: "c0", branch: "main", repository: nil, dirty: true, changed: ["b.py": digest(1), "a.py": nil]),
      execution: .init(started: 1_700_000_000_000_000_000, cairn: "0.1", os: "Linux"), result: .succeeded)
    record.reasons = [ReasonJSON.value(Reason(.parameterChanged, path: "params.yaml", key: "lr", was: .value(0.1), now: .value(0.01)))]
    var input = RunRecord.Input(
      path: "x.csv", md5: "aa", sha256: digest(3), size: 5, producer: RunID(digest(4)), origin: .init(.stage))
    input.appeared = ["__pycache__/x.pyc"]
    input.after = ("bb", nil, 6)
    record.inputs = [input]
    record.params = ["params.yaml": ["z": 1, "a": .map(["x": .null])]]
    record.outputs = [
      .init(path: "m.pkl", role: "out", md5: "cc", sha256: nil, size: nil, annotations: ["type": "model"])
    ]
    record.metrics = ["m.json": .map(["auc": 0.93])]
    record.log = .init(sha256: digest(5), size: 1, dropped: 0)
    return record
  }

  @Test("A run record is canonical JSON with all keys, and reads back")
  func run() throws {
    var record = record
    let bytes = RecordJSON.encode(record)
    #expect(CanonicalJSON.encode(try CanonicalJSON.decode(bytes, name: "r")) == bytes)
    #expect(RecordJSON.encode(try RecordJSON.decode(bytes)) == bytes)
    let keys = try CanonicalJSON.decode(bytes, name: "r").map?.keys.compactMap(\.string)
    #expect(
      keys == [
        "accepts", "actor", "claims", "environment", "error", "execution", "inputs", "invocation", "log", "metrics",
        "outputs", "params", "reasons", "restored_from", "result", "schema", "source", "stage",
      ])
    #expect(text(bytes).contains(#""source":{"branch":"main","changed":{"a.py":null,"b.py":"\#(digest(1).hex)"},"commit":"c0","dirty":true,"patch":null,"repository":null}"#))
    #expect(text(bytes).contains(#""reasons":[{"key":"lr","kind":"parameter-changed","now":0.01,"path":"params.yaml","was":0.1}]"#))
    record.unknown = ["later": .list([1]), "aa": true]
    let extended = RecordJSON.encode(record)
    #expect(text(extended).hasPrefix(#"{"aa":true,"accepts":null"#))
    #expect(RecordJSON.encode(try RecordJSON.decode(extended)) == extended)
  }

  @Test("An invocation record reads back")
  func invocation() throws {
    let record = InvocationRecord(
      invocation: "01J", actor: .init(name: "ann", host: "h"), started: 1, finished: 2_000, arguments: ["repro"],
      commit: nil, stages: [.init(stage: "a", state: .ran, run: RunID(digest(1))), .init(stage: "b", state: .fresh, run: nil)],
      store: "u", previous: [digest(2)], exit: 0)
    let bytes = RecordJSON.encode(record)
    #expect(CanonicalJSON.encode(try CanonicalJSON.decode(bytes, name: "r")) == bytes)
    #expect(RecordJSON.encode(try RecordJSON.decodeInvocation(bytes)) == bytes)
    #expect(throws: Diagnostic.self) { try RecordJSON.decode(bytes) }
  }
}
