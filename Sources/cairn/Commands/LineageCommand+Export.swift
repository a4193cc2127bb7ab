// `cairn lineage --format` and `--html`: the graph in formats of others, and as a page.
internal import CairnCore
internal import CairnEngine
internal import CairnLineage
internal import CairnSystem
internal import CairnUI

extension LineageCommand {
  func export(
    _ graph: LineageGraph, as format: ExportFormat, _ context: HistoryContext, _ index: LineageIndex, _ console: Console
  ) throws {
    let exports = Exports(context, index)
    let bytes =
      switch format {
      case .openlineage: try exports.openLineage(of: graph).bytes
      case .cyclonedx: try exports.billOfMaterials(of: graph)
      }
    try Exports.write(bytes, to: nil, context.repository, console)
  }

  func writePage(of graph: LineageGraph, to path: String, _ context: HistoryContext, _ console: Console) throws {
    let page = LineagePage(graph, of: subject + (rev.map { " in " + $0 } ?? ""), isDown: down, written: WallClock.now())
    try Exports.write(page.bytes, to: path, context.repository, console)
  }
}
