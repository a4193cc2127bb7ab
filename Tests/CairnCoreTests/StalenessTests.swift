// Every reason and note, from values alone.
import CairnCore
import OrderedCollections
import Testing

/// A stage as declared, its lock entry and what is seen now: fresh until a case changes one of them.
private struct Scene {
  var stage: Stage
  var lock: LockEntry?
  var now: StageSnapshot
  var hasRunBefore = false
  var recorded: OrderedDictionary<String, String?>?
  var strict = false

  init() {
    stage = Stage(address: StageAddress(file: RepoPath(unchecked: "dvc.yaml"), name: "train"), kind: .pipeline)
    stage.commands = ["python train.py"]
    stage.dependencies = ["train.py", "data"].map { Dependency(declared: $0, location: .local(RepoPath(unchecked: $0))) }
    stage.outputs = ["model", "metrics.json"].map { Output(declared: $0, location: .local(RepoPath(unchecked: $0))) }
    stage.outputs[1].isCached = false
    stage.parameters = [
      ParameterSet(declared: "params.yaml", location: .local(RepoPath(unchecked: "params.yaml")), keys: ["lr", "seed"])
    ]
    lock = LockEntry(
      command: "python train.py", deps: [Self.locked("train.py", 1), Self.locked("data", 2)],
      params: ["params.yaml": ["lr": .float(0.1), "seed": 7]], outs: [Self.locked("model", 3), Self.locked("metrics.json", 4)])
    now = StageSnapshot(
      dependencies: [Self.file(1), Self.file(2)], parameters: [.values(["lr": .float(0.1), "seed": 7])],
      outputs: [
        OutputReading(content: Self.file(3), isInCache: true), OutputReading(content: Self.file(4), isInCache: nil),
      ])
  }

  static func hash(_ number: UInt64) -> ContentHash { ContentHash(.md5, Digest16(high: 0, low: number)) }

  static func locked(_ path: String, _ number: UInt64) -> LockedFile {
    LockedFile(path: path, hashName: "md5", hashText: hash(number).text, size: number)
  }

  static func file(_ number: UInt64) -> Content {
    .file(
      FileContent(
        hash: hash(number), sha256: nil, size: number, isExecutable: false,
        fingerprint: FileFingerprint(size: number, modified: 0, inode: 0, device: 0)))
  }

  mutating func output(_ index: Int, _ content: Content, isInCache: Bool?) {
    now.outputs?[index] = OutputReading(content: content, isInCache: isInCache)
  }

  mutating func parameters(
    _ keys: [String], was: OrderedDictionary<String, Value>, now: OrderedDictionary<String, Value>
  ) {
    stage.parameters[0].keys = keys
    lock?.params["params.yaml"] = was
    self.now.parameters[0] = .values(now)
  }

  func judge() -> Staleness {
    Staleness.judge(
      stage, lock: lock, now: now, hasRunBefore: hasRunBefore, recordedEnvironment: recorded, strict: strict)
  }
}

private struct ReasonCase: Sendable, CustomTestStringConvertible {
  var title: String
  /// `kind path key`, each.
  var expected: [String]
  var change: @Sendable (inout Scene) -> Void

  init(_ title: String, _ expected: String..., change: @escaping @Sendable (inout Scene) -> Void) {
    self.title = title
    self.expected = expected
    self.change = change
  }

  var testDescription: String { title }

  static let all: [ReasonCase] = [
    ReasonCase("nothing") { _ in },
    ReasonCase("no lock, no record", "never-run") { $0.lock = nil },
    ReasonCase("no lock, but a record", "no-record") {
      $0.lock = nil
      $0.hasRunBefore = true
    },
    ReasonCase("another command", "command-changed") { $0.stage.commands = ["python train.py --fast"] },
    ReasonCase("a list of one instead of a text", "command-changed") { $0.stage.commandIsList = true },
    ReasonCase("another dependency content", "dependency-changed data") { $0.now.dependencies[1] = Scene.file(9) },
    ReasonCase("a missing dependency", "dependency-missing train.py") { $0.now.dependencies[0] = .missing },
    ReasonCase("a dependency that the lock lacks", "dependency-added data") { $0.lock?.deps.removeLast() },
    ReasonCase("another value", "parameter-changed params.yaml lr") {
      $0.now.parameters[0] = .values(["lr": .float(0.2), "seed": 7])
    },
    ReasonCase("1 and 1.0 are one value") {
      $0.lock?.params["params.yaml"]?["seed"] = 1
      $0.now.parameters[0] = .values(["lr": .float(0.1), "seed": .float(1)])
    },
    ReasonCase("1 and \"1\" are two", "parameter-changed params.yaml seed") {
      $0.now.parameters[0] = .values(["lr": .float(0.1), "seed": "7"])
    },
    ReasonCase("a key that the lock lacks", "parameter-added params.yaml seed") {
      $0.lock?.params["params.yaml"]?["seed"] = nil
    },
    ReasonCase("a file that the lock lacks", "parameter-added params.yaml lr", "parameter-added params.yaml seed") {
      $0.lock?.params = [:]
    },
    ReasonCase("a key that is gone", "parameter-missing params.yaml seed") {
      $0.now.parameters[0] = .values(["lr": .float(0.1)])
    },
    ReasonCase("a parameter file that is gone", "parameter-missing params.yaml") { $0.now.parameters[0] = .missingFile },
    ReasonCase("a whole parameter file, a new key", "parameter-added params.yaml epochs") {
      $0.stage.parameters[0].keys = []
      $0.now.parameters[0] = .values(["lr": .float(0.1), "seed": 7, "epochs": 3])
    },
    ReasonCase("a whole parameter file, a key gone", "parameter-missing params.yaml seed") {
      $0.stage.parameters[0].keys = []
      $0.now.parameters[0] = .values(["lr": .float(0.1)])
    },
    ReasonCase("a leaf of two declared keys, the outer one first", "parameter-changed params.yaml d.p") {
      $0.parameters(["d", "d.p"], was: ["d": .map(["p": 1, "q": 1]), "d.p": 1], now: ["d": .map(["p": 2, "q": 1]), "d.p": 2])
    },
    ReasonCase("a leaf of two declared keys, the inner one first", "parameter-changed params.yaml d.p") {
      $0.parameters(["d.p", "d"], was: ["d": .map(["p": 1]), "d.p": 1], now: ["d": .map(["p": 2]), "d.p": 2])
    },
    ReasonCase("leaves of two declared keys that are gone and new", "parameter-added params.yaml d.n",
      "parameter-missing params.yaml d.p") {
      $0.parameters(["d", "d.p"], was: ["d": .map(["p": 1]), "d.p": 1], now: ["d": .map(["n": 1])])
    },
    ReasonCase("a subtree that is gone, and a key of it", "parameter-missing params.yaml d") {
      $0.parameters(["d.p", "d"], was: ["d": .map(["p": 1]), "d.p": 1], now: [:])
    },
    ReasonCase("a subtree that is a value now, and a key of it", "parameter-changed params.yaml d") {
      $0.parameters(["d", "d.p"], was: ["d": .map(["p": 1]), "d.p": 1], now: ["d": 3])
    },
    ReasonCase("a leaf that changed, newly declared for itself too", "parameter-changed params.yaml d.p") {
      $0.parameters(["d.p", "d"], was: ["d": .map(["p": 1])], now: ["d": .map(["p": 2]), "d.p": 2])
    },
    ReasonCase("a leaf that changed, its subtree newly declared", "parameter-added params.yaml d",
      "parameter-changed params.yaml d.p") {
      $0.parameters(["d", "d.p"], was: ["d.p": 1], now: ["d": .map(["p": 2]), "d.p": 2])
    },
    ReasonCase("a file that the lock lacks, and two keys for one leaf", "parameter-added params.yaml d") {
      $0.parameters(["d", "d.p"], was: [:], now: ["d": .map(["p": 2]), "d.p": 2])
      $0.lock?.params = [:]
    },
    ReasonCase("an edited output", "output-changed metrics.json") { $0.output(1, Scene.file(9), isInCache: nil) },
    ReasonCase("a missing output", "output-missing model") { $0.output(0, .missing, isInCache: true) },
    ReasonCase("an output that only the cache lacks", "output-missing model") { $0.output(0, Scene.file(3), isInCache: false) },
    ReasonCase("a missing output whose object is gone", "output-missing model") { $0.output(0, .missing, isInCache: false) },
    ReasonCase("an output that the lock lacks", "output-added metrics.json") { $0.lock?.outs.removeLast() },
    ReasonCase("outputs that were not looked at") { $0.now.outputs = nil },
    ReasonCase("always changed", "always-changed") { $0.stage.isAlwaysChanged = true },
    ReasonCase("another value of a keyed variable", "environment-changed MODE") {
      $0.now.environment = ["MODE": "b"]
      $0.recorded = ["MODE": "a"]
    },
    ReasonCase("a keyed variable that is unset now", "environment-changed MODE") {
      $0.now.environment.updateValue(nil, forKey: "MODE")
      $0.recorded = ["MODE": "a"]
    },
    ReasonCase("a keyed variable that was and is unset") {
      $0.now.environment.updateValue(nil, forKey: "MODE")
      $0.recorded = [:]
    },
    ReasonCase("a keyed variable, and no record") { $0.now.environment = ["MODE": "b"] },
    ReasonCase("frozen: inputs do not count") {
      $0.stage.isFrozen = true
      $0.now.dependencies = [.missing, Scene.file(9)]
      $0.now.parameters = [.missingFile]
      $0.stage.isAlwaysChanged = true
      $0.now.environment = ["MODE": "b"]
      $0.recorded = ["MODE": "a"]
    },
    ReasonCase("frozen: command and outputs do", "command-changed", "output-missing model") {
      $0.stage.isFrozen = true
      $0.stage.commands = ["other"]
      $0.output(0, .missing, isInCache: true)
    },
    ReasonCase("several at once, in the order of the declaration", "command-changed", "dependency-missing train.py",
      "dependency-changed data", "parameter-changed params.yaml lr", "output-missing model") {
      $0.stage.commands = ["other"]
      $0.now.dependencies = [.missing, Scene.file(9)]
      $0.now.parameters[0] = .values(["lr": 1, "seed": 7])
      $0.output(0, .missing, isInCache: true)
    },
    ReasonCase("a dependency that cannot be read is no reason") {
      $0.now.dependencies[0] = .unknown(Diagnostic(.io, "unreadable"))
    },
  ]
}

@Suite("staleness")
struct StalenessTests {
  @Test("each difference is one reason, and nothing else is", arguments: ReasonCase.all)
  private func reasons(test: ReasonCase) {
    var scene = Scene()
    test.change(&scene)
    let staleness = scene.judge()
    let found = staleness.reasons.map { reason in
      [reason.kind.rawValue, reason.path, reason.key].compactMap { $0 }.joined(separator: " ")
    }
    #expect(found == test.expected)
    #expect(staleness.isStale == !test.expected.isEmpty)
  }

  @Test("a reason has what was and what is")
  func evidence() {
    var scene = Scene()
    scene.now.dependencies[1] = Scene.file(9)
    scene.now.parameters[0] = .values(["lr": .float(0.2), "seed": 7])
    let reasons = scene.judge().reasons
    #expect(reasons[0].was == .content(hash: Scene.hash(2).text, size: 2))
    #expect(reasons[0].now == .content(hash: Scene.hash(9).text, size: 9))
    #expect(reasons[1].was == .value(.float(0.1)))
    #expect(reasons[1].now == .value(.float(0.2)))
  }

  @Test("what was taken out of the declaration is a note, under strict a reason", arguments: [false, true])
  func declaration(strict: Bool) {
    var scene = Scene()
    scene.strict = strict
    scene.stage.dependencies.removeLast()
    scene.now.dependencies.removeLast()
    scene.stage.parameters[0].keys = ["lr"]
    scene.stage.outputs.removeLast()
    scene.now.outputs?.removeLast()
    let staleness = scene.judge()
    #expect(staleness.notes.map(\.kind) == [.declarationDiffers])
    #expect(staleness.notes.first?.removed == ["data", "metrics.json", "params.yaml:seed"])
    #expect(staleness.isStale == strict)
  }

  @Test("what cannot be read makes the verdict unknown, unless something else is surely stale")
  func unknown() {
    var scene = Scene()
    scene.now.dependencies[0] = .unknown(Diagnostic(.io, "unreadable"))
    #expect(scene.judge().unknown?.message == "unreadable")
    scene.now.dependencies[1] = Scene.file(9)
    let staleness = scene.judge()
    #expect(staleness.isStale && staleness.unknown != nil)
  }

  @Test("the words of dvc status come from the same comparison")
  func statusWords() {
    var scene = Scene()
    scene.now.dependencies = [.missing, Scene.file(9)]
    scene.now.parameters[0] = .values(["lr": .float(0.2)])
    scene.output(0, Scene.file(3), isInCache: false)
    scene.output(1, .missing, isInCache: nil)
    let staleness = scene.judge()
    #expect(staleness.dependencies.map(\.status) == [.deleted, .modified])
    #expect(staleness.outputs.map(\.status) == [.notInCache, .deleted])
    guard case .keys(let keys)? = staleness.parameters.first?.status else {
      Issue.record("parameters differ by key")
      return
    }
    #expect(keys.map { "\($0.key) \($0.status.rawValue)" } == ["lr modified", "seed deleted"])
  }
}
