// Loads real pipelines and compares every stage with what DVC made of it. The corpus is data of others and stands
// outside of this repository: without it nothing is played, and the test says so.
import CairnCore
import CairnEngine
import CairnFormats
import CairnSystem
import Foundation
import Testing

enum Corpus {
  /// `CAIRN_CORPUS`, else `../shared/conformance/corpus` beside this repository.
  static var folder: String? {
    let beside = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "../shared/conformance/corpus").standardized.path
    let candidates = [ProcessInfo.processInfo.environment["CAIRN_CORPUS"], beside].compactMap { $0 }
    return candidates.first { FileManager.default.fileExists(atPath: $0 + "/cases") }
  }

  static var cases: [String] {
    guard let folder else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/cases")) ?? []
    return names.filter { FileManager.default.fileExists(atPath: "\(folder)/cases/\($0)/expected.json") }.sorted()
  }
}

@Suite("real pipelines mean what they mean to DVC", .enabled(if: Corpus.folder != nil, "the corpus is not at hand"))
struct CorpusTests {
  @Test("every stage, its order and its edges", arguments: Corpus.cases)
  func stages(name: String) throws {
    let folder = try #require(Corpus.folder)
    let bytes = try #require(try Files.read("\(folder)/cases/\(name)/expected.json"))
    let expected = try JSONReader.parse(SourceText(path: "expected.json", bytes: bytes)).value
    let root = FileManager.default.temporaryDirectory.appending(path: "corpus-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: root) }
    let files = "\(folder)/cases/\(name)/files"
    if FileManager.default.fileExists(atPath: files) {
      try FileManager.default.copyItem(atPath: files, toPath: root)
    }
    try FileManager.default.createDirectory(atPath: root + "/.dvc", withIntermediateDirectories: true)

    let loader = PipelineLoader(root: root, folder: .root, gitRoot: root)
    let project = loader.loadKeepingFailures()
    #expect(project.failures.isEmpty == expected["loads"]?.bool, "\(project.failures.map(\.diagnostic.fullMessage))")

    let stages = project.sound.pipeline.stages
    var found: [String: [Value]] = [:]
    for stage in stages {
      found[stage.address.file.text, default: []].append(try describe(stage, loader))
    }
    var wanted: [String: [Value]] = [:]
    for stage in expected["stages"]?.list ?? [] {
      wanted[stage["file"]?.string ?? "", default: []].append(reduced(stage))
    }
    #expect(Set(found.keys) == Set(wanted.keys))
    for (file, stages) in wanted {
      let mine = found[file] ?? []
      #expect(mine.count == stages.count, "\(file)")
      for (a, b) in zip(mine, stages) where !a.isEqualInPython(to: b) {
        Issue.record("\(file): \(JSONWriter.text(a))\nexpected: \(JSONWriter.text(b))")
      }
    }

    guard expected["loads"]?.bool == true, let edges = expected["graph"]?["edges"]?.list else { return }
    let graph = try project.graph()
    var pairs: [String] = []
    for id in project.pipeline.ids {
      for other in graph.producers(of: id) {
        pairs.append(project.pipeline[id].address.text() + " → " + project.pipeline[other].address.text())
      }
    }
    #expect(pairs.sorted() == edges.compactMap { $0.list?.compactMap(\.string).joined(separator: " → ") }.sorted())
    if wanted.count == 1 {
      let order = graph.order.map { project.pipeline[$0].address.text() }
      #expect(order == expected["order"]?.list?.compactMap(\.string))
    }
  }

  /// The corpus is JSON: its keys are texts.
  private func named(_ value: Value) -> Value {
    switch value {
    case .list(let items): .list(items.map(named))
    case .map(let map): .map(ValueMap(map.map { (.string(PythonText.str($0)), named($1)) }, uniquingKeysWith: { $1 }))
    default: value
    }
  }

  private func place(_ location: Location, _ declared: String) -> Value {
    location.local.map { .string($0.text) } ?? .string(declared)
  }

  private func describe(_ stage: Stage, _ loader: PipelineLoader) throws -> Value {
    var map: ValueMap = [:]
    map["address"] = .string(stage.address.text())
    map["cmd"] = stage.commands.isEmpty && stage.kind == .tracked ? .null : stage.commandValue
    map["wdir"] = .string(stage.wdir.local?.description ?? "")
    map["frozen"] = .bool(stage.isFrozen)
    map["always_changed"] = .bool(stage.isAlwaysChanged)
    map["desc"] = stage.description.map { .string($0) } ?? .null
    map["meta"] = stage.meta?.value ?? .null
    map["deps"] = .list(stage.dependencies.map { place($0.location, $0.declared) })
    map["params"] = .list(
      try stage.parameters.map { set in
        var values: ValueMap = [:]
        if case .values(let read) = try loader.parameters.reading(of: set, from: .root) {
          for (key, value) in read { values[.string(key)] = named(value.value) }
        }
        return .list([place(set.location, set.declared), .list(set.keys.map { .string($0) }), .map(values)])
      })
    map["outs"] = .list(
      stage.outputs.map { output in
        .list([
          place(output.location, output.declared), .bool(output.isCached), .bool(output.role == .metric),
          .bool(output.role == .plot), .bool(output.isPersistent), .bool(output.isPushed),
          output.remote.map { .string($0) } ?? .null,
        ])
      })
    return .map(map)
  }

  private func reduced(_ stage: Value) -> Value {
    var map: ValueMap = [:]
    for key in ["address", "cmd", "wdir", "frozen", "always_changed", "desc", "meta"] {
      map[.string(key)] = stage[key] ?? .null
    }
    map["deps"] = .list((stage["deps"]?.list ?? []).map { $0["path"] ?? .null })
    map["params"] = .list(
      (stage["params"]?.list ?? []).map { .list([$0["file"] ?? .null, $0["keys"] ?? .null, $0["values"] ?? .emptyMap]) })
    map["outs"] = .list(
      (stage["outs"]?.list ?? []).map { output in
        .list([
          output["path"] ?? .null, output["cache"] ?? .null, output["metric"] ?? .null,
          .bool(output["plot"]?.isTruthy ?? false || output["plot"]?.map != nil), output["persist"] ?? .null,
          output["push"] ?? .null, output["remote"] ?? .null,
        ])
      })
    return .map(map)
  }
}
