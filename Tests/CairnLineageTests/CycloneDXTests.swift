// Bills of materials: the golden one, and that every id in any of them is defined exactly once. CycloneDX's own validator is
// given the golden file by Tests/Conformance/exports; it looks at no reference.
import CairnCore
import CairnFormats
import CairnLineage
import CairnTestSupport
import Testing

@Suite struct CycloneDXTests {
  private func document(
    _ path: String, _ md5: String, _ place: TemporaryStore, _ options: LineageQuery.Options = .init()
  ) throws -> Value {
    let index = try place.index
    let artifact = try #require(try index.artifacts(path: path).first { $0.md5 == md5 })
    let graph = try LineageQuery.graph(of: [artifact], in: index, options)
    return try CycloneDX(artifact.id, in: graph, measurements: try index.measurements(of: artifact), version: "1.0.0").value
  }

  /// What defines ids, and what only names them.
  private func references(_ value: Value) -> (defined: [String], used: [String]) {
    var (defined, used): ([String], [String]) = ([], [])
    func walk(_ value: Value) {
      switch value {
      case .list(let items): items.forEach(walk)
      case .map(let map):
        for (key, item) in map {
          switch (key.string, item) {
          case ("bom-ref", .string(let id)): defined.append(id)
          case ("ref", .string(let id)): used.append(id)
          case ("dependsOn", .list(let ids)): used += ids.compactMap(\.string)
          case ("dependencies", .list(let ids)) where ids.allSatisfy { $0.string != nil }: used += ids.compactMap(\.string)
          default: walk(item)
          }
        }
      default: break
      }
    }
    walk(value)
    return (defined, used)
  }

  private func expectWhole(_ document: Value, _ place: SourceLocation = #_sourceLocation) {
    let (defined, used) = references(document)
    #expect(Set(defined).count == defined.count, "defined twice", sourceLocation: place)
    #expect(Set(used).subtracting(defined) == [], "never defined", sourceLocation: place)
    #expect(!used.isEmpty, sourceLocation: place)
    for entry in document["dependencies"]?.list ?? [] {
      #expect(entry["dependsOn"]?.list?.contains(entry["ref"] ?? .null) == false, sourceLocation: place)
    }
  }

  private func names(_ document: Value, _ type: String) -> [String] {
    (document["components"]?.list ?? []).filter { $0["type"]?.string == type }.compactMap { $0["name"]?.string }.sorted()
  }

  @Test("a model with all that went into it and what was measured of it is the golden file's")
  func golden() throws {
    let place = TemporaryStore()
    _ = try ExportStory.write(place)
    let document = try document("model.pkl", "e105731de5428f4101d64e2755476d8f", place)
    expectWhole(document)
    #expect(names(document, "data") == ["data/raw.csv", "metrics.json", "prepared.csv"])
    #expect(names(document, "file") == ["src/evaluate.py", "src/prepare.py", "src/train.py"])
    #expect(document["metadata"]?["component"]?["modelCard"]?["quantitativeAnalysis"]?["performanceMetrics"]
      == .list([.map(["type": "auc", "value": "0.93"])]))
    let text = String(decoding: ExportJSON.document(document), as: UTF8.self)
    #expect(Golden.difference(text, from: "Exports/model.cdx.json") == nil)
  }

  @Test("equal bytes at two places, folders, what came from the cache and what is missing leave no id open")
  func odd() throws {
    let place = TemporaryStore()
    let bytes = "75686325fc1eeb7a446be9d181ccca5d"
    let gone = try #require(RunID(hex: String(repeating: "9", count: 64)))
    let make = ExportStory.run(
      "make", from: 0, to: 1,
      [
        ExportStory.input("a.csv", bytes, size: 100, origin: .dvcFile), ExportStory.input("b.csv", bytes, size: 100, origin: .none),
        ExportStory.input("lost.csv", "1" + bytes.dropFirst(), size: 3, from: gone), ExportStory.input("a.csv", bytes, size: 100),
      ], [ExportStory.output("parts", bytes + ".dir", size: 200)])
    let made = try place.store.write(make)
    var restored = ExportStory.run("make", from: 5, to: 6, make.inputs, make.outputs, result: .restored)
    restored.restoredFrom = made
    let again = try place.store.write(restored)
    var train = ExportStory.run(
      "train", from: 9, to: 20,
      [
        ExportStory.input("parts", bytes + ".dir", size: 200, from: again),
        ExportStory.input("m\u{10FFFF}<b>", bytes, size: 100, origin: .importURL),
        // It goes on from what it made before.
        ExportStory.input("model", "2" + bytes.dropFirst(), size: 9),
      ], [ExportStory.output("model", "2" + bytes.dropFirst(), size: 9)])
    train.inputs[1].origin.url = "https://ann:s3cret@data.example.org/m file.csv?X-Amz-Signature=s3cret"
    _ = try place.store.write(train)
    let document = try document("model", "2" + bytes.dropFirst(), place)
    expectWhole(document)
    let text = ExportJSON.line(document)
    #expect(!text.contains("s3cret") && text.contains("https://data.example.org/m%20file.csv"))
    #expect(text.contains("m\\\\xff<b>"))
    let folder = document["components"]?.list?.first { $0["name"]?.string == "parts" }
    #expect(folder?["hashes"] == nil && folder?["version"]?.string == "md5:" + bytes + ".dir")
    let tasks = document["formulation"]?.list?.first?["workflows"]?.list?.flatMap { $0["tasks"]?.list ?? [] } ?? []
    #expect(tasks.compactMap { $0["name"]?.string } == ["make", "train"], "what came from the cache ran nothing")
    #expect(document["compositions"]?.list?.compactMap { $0["aggregate"]?.string } == ["unknown", "incomplete"])
  }

  @Test("the number of a bill is the same for the same story, and another once the model was measured")
  func serial() throws {
    let place = TemporaryStore()
    let model = "e105731de5428f4101d64e2755476d8f"
    _ = try place.store.write(ExportStory.run("train", from: 0, to: 1, [ExportStory.input("x", "1", size: 1)], [ExportStory.output("m", model, size: 1)]))
    let first = try document("m", model, place)["serialNumber"]
    #expect(try document("m", model, place)["serialNumber"] == first)
    var measured = ExportStory.run("evaluate", from: 2, to: 3, [ExportStory.input("m", model, size: 1)], [])
    measured.metrics = ["metrics.json": .map(["auc": 1])]
    _ = try place.store.write(measured)
    let second = try document("m", model, place)
    #expect(second["serialNumber"] != first)
    expectWhole(second)
  }

  @Test("of what nobody is known to have made there is no bill, and that is no fault of the command line")
  func unmade() throws {
    let place = TemporaryStore()
    _ = try ExportStory.write(place)
    let error = #expect(throws: Diagnostic.self) {
      try document("data/raw.csv", "75686325fc1eeb7a446be9d181ccca5d", place)
    }
    #expect(error?.code == .export && error?.exitCode == 2)
    #expect(error?.message == "no run is known that made 'data/raw.csv', so there is no bill of materials for it")
  }
}
