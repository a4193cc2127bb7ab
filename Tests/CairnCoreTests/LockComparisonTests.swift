// What differs between two lock entries of a stage, from values alone.
import CairnCore
import Testing

private let paths = PathResolver(root: "/project", workTree: nil)

private func stage(wdir: String = "") -> Stage {
  var stage = Stage(address: StageAddress(file: RepoPath(unchecked: "dvc.yaml"), name: "train"), kind: .pipeline)
  stage.wdir = .local(RepoPath(unchecked: wdir))
  return stage
}

private func file(_ path: String, _ number: UInt64) -> LockedFile {
  let hash = ContentHash(.md5, Digest16(high: 0, low: number))
  return LockedFile(path: path, hashName: "md5", hashText: hash.text, size: number)
}

private let entry = LockEntry(
  command: "python train.py", deps: [file("train.py", 1), file("data", 2)],
  params: ["params.yaml": ["lr": .float(0.1), "seed": 7]], outs: [file("model", 3), file("metrics.json", 4)])

private struct Case: Sendable, CustomTestStringConvertible {
  var title: String
  /// `kind path key` of inputs, then of outputs.
  var expected: [String]
  var incomparable: [String] = []
  var change: @Sendable (inout LockEntry) -> Void

  var testDescription: String { title }

  static let all: [Case] = [
    Case(title: "nothing", expected: []) { _ in },
    Case(title: "a number of another type", expected: []) { $0.params["params.yaml"]?["seed"] = .float(7) },
    Case(title: "a value", expected: ["parameter-changed params.yaml lr"]) {
      $0.params["params.yaml"]?["lr"] = .float(1)
    },
    Case(title: "a value more", expected: ["parameter-added params.yaml new"]) { $0.params["params.yaml"]?["new"] = 1 },
    Case(title: "a value less", expected: ["parameter-missing params.yaml seed"]) {
      $0.params["params.yaml"]?["seed"] = nil
    },
    Case(
      title: "a file of values less",
      expected: ["parameter-missing params.yaml lr", "parameter-missing params.yaml seed"]
    ) { $0.params = [:] },
    Case(title: "the command", expected: ["command-changed"]) { $0.command = "python3 train.py" },
    Case(title: "a command that is a list now", expected: ["command-changed"]) {
      $0.command = .list(["python train.py"])
    },
    Case(title: "a dependency", expected: ["dependency-changed data"]) { $0.deps[1] = file("data", 9) },
    Case(title: "a dependency more", expected: ["dependency-added more"]) { $0.deps.append(file("more", 9)) },
    Case(title: "a dependency less", expected: ["dependency-missing data"]) { $0.deps.removeLast() },
    Case(title: "a result", expected: ["output-changed model"]) { $0.outs[0] = file("model", 9) },
    Case(title: "a result more, and one less", expected: ["output-added plot", "output-missing metrics.json"]) {
      $0.outs[1] = file("plot", 4)
    },
    Case(title: "the kind of a hash with the same digits", expected: []) { $0.deps[1].hasHashField = false },
    Case(title: "the kind of a hash with others", expected: [], incomparable: ["data"]) {
      $0.deps[1] = file("data", 9)
      $0.deps[1].hasHashField = false
    },
    Case(title: "a hash that is not there", expected: [], incomparable: ["model"]) { $0.outs[0].hashText = nil },
    Case(title: "an ETag for a hash", expected: ["dependency-changed data"]) {
      $0.deps[1].hashName = "etag"
      $0.deps[1].hashText = "abc"
    },
  ]
}

struct LockComparisonTests {
  @Test("each difference is told by its kind, and what only the former entry has is missing", arguments: Case.all)
  fileprivate func differences(_ item: Case) {
    var now = entry
    item.change(&now)
    let comparison = LockComparison(
      stage().address, was: PlacedEntry(entry, of: stage(), paths: paths),
      now: PlacedEntry(now, of: stage(), paths: paths))
    let found = (comparison.reasons + comparison.outputs).map { reason in
      [reason.kind.rawValue, reason.path, reason.key].compactMap { $0 }.joined(separator: " ")
    }
    #expect(found == item.expected)
    #expect(comparison.incomparable == item.incomparable)
  }

  @Test("an entry that was written in another folder is compared by where its paths lie")
  func folders() {
    var moved = entry
    moved.deps = [file("../train.py", 1), file("../data", 2)]
    moved.params = ["../params.yaml": ["lr": .float(0.1), "seed": 7]]
    moved.outs = [file("../model", 3), file("../metrics.json", 4)]
    let comparison = LockComparison(
      stage().address, was: PlacedEntry(entry, of: stage(), paths: paths),
      now: PlacedEntry(moved, of: stage(wdir: "sub"), paths: paths))
    #expect(comparison.reasons.isEmpty && comparison.outputs.isEmpty)
    #expect(comparison.unchangedDependencies == 2 && comparison.unchangedParameters == 2)
    #expect(comparison.isCommandUnchanged && comparison.unchangedOutputs == ["model", "metrics.json"])
  }

  @Test("what has no MD5 is told by what stands for one")
  func identities() {
    func entry(_ etag: String) -> PlacedEntry {
      let dep = LockedFile(path: "s3://b/k", hashName: "etag", hashText: etag)
      return PlacedEntry(LockEntry(command: "c", deps: [dep]), of: stage(), paths: paths)
    }
    let same = LockComparison(stage().address, was: entry("a"), now: entry("a"))
    #expect(same.reasons.isEmpty)
    let other = LockComparison(stage().address, was: entry("a"), now: entry("b"))
    #expect(other.reasons == [
      Reason(.dependencyChanged, path: "s3://b/k", was: .value(.map(["etag": "a"])), now: .value(.map(["etag": "b"])))
    ])
  }
}
