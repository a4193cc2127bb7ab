// The graph of stages: edges, orders and the faults that it refuses.
import CairnCore
import Testing

/// `a: x -> y z` is a stage `a` that needs `x` and makes `y` and `z`.
private func pipeline(_ lines: String...) -> Pipeline {
  let stages = lines.map { line -> Stage in
    let halves = line.split(separator: ":", maxSplits: 1)
    let sides = halves[1].split(separator: ">", maxSplits: 1, omittingEmptySubsequences: false)
    func words(_ text: Substring) -> [String] { text.split(separator: " ").map(String.init).filter { $0 != "-" } }
    var stage = Stage(
      address: StageAddress(file: RepoPath(unchecked: "dvc.yaml"), name: String(halves[0].filter { $0 != "*" })),
      kind: .pipeline)
    stage.isFrozen = halves[0].hasSuffix("*")
    let needs = words(sides[0].hasSuffix("-") ? sides[0].dropLast() : sides[0])
    stage.dependencies = needs.map { Dependency(declared: $0, location: .local(RepoPath(unchecked: $0))) }
    stage.outputs = (sides.count > 1 ? words(sides[1]) : []).map {
      Output(declared: $0, location: .local(RepoPath(unchecked: $0)))
    }
    return stage
  }
  return Pipeline(stages: stages, files: [])
}

private func names(_ ids: [StageID], _ pipeline: Pipeline) -> String {
  ids.compactMap { pipeline[$0].address.name }.joined(separator: " ")
}

@Suite("the graph of stages")
struct StageGraphTests {
  @Test("a stage comes after all that it needs, in DVC's order")
  func order() throws {
    let all = pipeline("d: c b -> d", "b: a -> b", "c: a -> c", "e: -> e", "a: -> a")
    let graph = try StageGraph(all, root: "/r")
    #expect(names(graph.order, all) == "a c b d e")
    #expect(names(graph.producers(of: StageID(0)), all) == "c b")
    #expect(names(graph.consumers(of: StageID(4)), all) == "b c")
  }

  @Test("a dependency is met by an output at, above or below it")
  func containment() throws {
    let all = pipeline("x: d/e/f -> x", "y: d -> y", "z: q -> z", "p: -> d/e", "q: -> q/1 q/2")
    let graph = try StageGraph(all, root: "/r")
    #expect(names(graph.producers(of: StageID(0)), all) == "p")
    #expect(names(graph.producers(of: StageID(1)), all) == "p")
    #expect(names(graph.producers(of: StageID(2)), all) == "q")
  }

  @Test("a frozen stage is cut from what it needs, where stages are run")
  func frozen() throws {
    let all = pipeline("c: b -> c", "b*: a -> b", "a: -> a")
    let graph = try StageGraph(all, root: "/r")
    #expect(names(graph.reproduction(of: [StageID(0)]), all) == "b c")
    #expect(names(graph.ancestry(of: StageID(0)), all) == "a b c")
    #expect(graph.activeProducers(of: StageID(1)).isEmpty)
    #expect(names(graph.cutProducers(of: StageID(1)), all) == "a")
    #expect(graph.cutProducers(of: StageID(0)).isEmpty)
  }

  @Test("targets, their pipelines and what is downstream of them")
  func subsets() throws {
    let all = pipeline("a: -> a", "b: a -> b", "c: b -> c", "x: -> x", "y: x -> y")
    let graph = try StageGraph(all, root: "/r")
    #expect(names(graph.reproduction(of: [StageID(1)]), all) == "a b")
    #expect(names(graph.reproduction(of: [StageID(1)], pipeline: true), all) == "a b c")
    #expect(names(graph.reproduction(of: [StageID(1)], downstream: true), all) == "b c")
    let mixed = pipeline("a: -> a", "f*: a -> f", "b: a -> b")
    let parts = try StageGraph(mixed, root: "/r")
    #expect(names(parts.reproduction(of: (0..<3).map { StageID($0) }, pipeline: true), mixed) == "a b f")
    #expect(names(parts.reproduction(of: [StageID(1), StageID(2)], pipeline: true), mixed) == "f a b")
    #expect(graph.pipelines.map { names($0, all) } == ["a b c", "x y"])
  }

  @Test(
    "a pipeline that contradicts itself is refused in DVC's words",
    arguments: [
      (["a: -> x", "b: -> x"], "output 'x' is specified in:\n\t- b\n\t- a\nUse `dvc remove` with any of the above"),
      (["a: -> x x"], "output 'x' is already specified in stage: 'a'.\nUse `dvc remove a` to stop tracking"),
      (["a: -> d", "b: -> d/f"], "The output paths:\n'd'('a')\n'd/f'('b')\noverlap and are thus in the same"),
      (["a: -> d/f", "b: -> d"], "The output paths:\n'd'('b')\n'd/f'('a')\noverlap"),
      (["a: y -> x", "b: x -> y"], "Same item(s) are defined as both a dependency and an output in stages: a, b."),
      (["a: x -> x"], "Same item(s) are defined as both a dependency and an output in stage: a."),
    ])
  func faults(lines: [String], message: String) {
    var all = Pipeline(stages: [], files: [])
    for line in lines { all = Pipeline(stages: all.stages + pipeline(line).stages, files: []) }
    let fault = #expect(throws: Diagnostic.self) { try StageGraph(all, root: "/r") }
    #expect(fault?.message.hasPrefix(message) ?? false, "\(fault?.message ?? "")")
  }

  @Test("ten thousand stages are no trouble")
  func size() throws {
    let stages = (0..<10_000).map { index -> Stage in
      var stage = Stage(
        address: StageAddress(file: RepoPath(unchecked: "dvc.yaml"), name: "s\(index)"), kind: .pipeline)
      for other in [index - 100, index - 99] where other >= 0 {
        let path = "out/\(other)"
        stage.dependencies.append(Dependency(declared: path, location: .local(RepoPath(unchecked: path))))
      }
      stage.outputs = [Output(declared: "out/\(index)", location: .local(RepoPath(unchecked: "out/\(index)")))]
      return stage
    }
    let graph = try StageGraph(Pipeline(stages: stages, files: []), root: "/r")
    #expect(graph.order.count == 10_000)
  }
}
