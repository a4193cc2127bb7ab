// `cairn dag`: the graph of stages or outputs, drawn or in the language of a drawing tool.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine

struct DagCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "dag", abstract: "Visualize the project's graph",
    discussion: """
      With a target: what it is made from; with --full the whole pipeline that it belongs to.

      cairn dag
      cairn dag --mermaid train
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(name: .long, help: "Print the graph in .dot format.") var dot = false
  @Flag(name: .long, help: "Print the graph in mermaid format.") var mermaid = false
  @Flag(name: .customLong("md"), help: "Print the graph in mermaid format wrapped in a Markdown block.")
  var markdown = false
  @Flag(name: .long, help: "Collapse stages from each foreach/matrix definition into a single node.")
  var collapseForeachMatrix = false
  @Flag(name: .long, help: "Show the full graph that the target belongs to, instead of its ancestors only.")
  var full = false
  @Flag(name: .shortAndLong, help: "Print output files instead of stages.") var outs = false
  @Argument(help: "Stage name or output to show the pipeline of; all stages by default.", completion: Completions.stages) var target: String?

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    if outs, collapseForeachMatrix {
      throw Diagnostic(.usage, "`--outs` and `--collapse-foreach-matrix` are mutually exclusive")
    }
    let repository = try Repository.findRoot()
    let loader = PipelineLoader(repository, try Settings.load(repository))
    let project = loader.loadKeepingFailures()
    for warning in project.warnings { invocation.console.warning(warning) }
    if let failure = project.failures.first {
      // A target that is not there is told of first.
      if let target { _ = try TargetResolution(project, loader: loader).selections(target) }
      throw failure.diagnostic
    }
    var graph = try self.graph(of: project, loader)
    if collapseForeachMatrix { graph = graph.collapsingGroups() }
    let text: String
    if dot {
      text = graph.dot
    } else if mermaid || markdown {
      text = markdown ? "```mermaid\n\(graph.mermaid)\n```" : graph.mermaid
    } else {
      text = DagDrawing.text(graph)
    }
    invocation.console.write(text)
    return .success
  }

  private func graph(of project: LoadedProject, _ loader: PipelineLoader) throws -> NamedGraph {
    let stages = try project.graph()
    let targets = try target.map { try TargetResolution(project, loader: loader).selections($0) } ?? []
    if outs { return try outputGraph(of: project, targets) }
    let pipeline = project.pipeline
    let graph = NamedGraph(
      names: pipeline.stages.map { $0.address.text(from: project.folder) },
      needs: pipeline.ids.map { stages.producers(of: $0).map(\.index) })
    return graph.narrowed(to: targets.map(\.stage.index), full: full)
  }

  private func outputGraph(of project: LoadedProject, _ targets: [StageSelection]) throws -> NamedGraph {
    let pipeline = project.pipeline
    let outputs = try OutputGraph(pipeline, root: project.root)
    let graph = NamedGraph(
      names: outputs.nodes.map { pipeline[$0.stage].outputs[$0.index].text(from: project.folder) },
      needs: outputs.needs)
    let wanted = outputs.nodes.indices.filter { index in
      let node = outputs.nodes[index]
      return targets.contains { target in
        guard target.stage == node.stage else { return false }
        guard let path = target.path?.local else { return true }
        return pipeline[node.stage].outputs[node.index].location.local.map { path.overlaps($0) } ?? false
      }
    }
    return graph.narrowed(to: wanted, full: full)
  }
}
