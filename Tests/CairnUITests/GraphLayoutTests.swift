// The layout of graphs: columns, no box over another, circles, and what it costs.
import Testing

@testable import CairnUI

@Suite struct GraphLayoutTests {
  private func layout(_ boxes: Int, _ edges: [(Int, Int)]) -> GraphLayout {
    GraphLayout(boxes: boxes, edges: edges.map { (from: $0.0, to: $0.1) })
  }

  private func expectApart(_ layout: GraphLayout) {
    let height = layout.measures.boxHeight
    for (_, column) in Dictionary(grouping: layout.centers.indices, by: { layout.columns[$0] }) {
      let heights = column.map { layout.centers[$0].y }.sorted()
      for (a, b) in zip(heights, heights.dropFirst()) { #expect(b - a >= height) }
    }
    for center in layout.centers {
      #expect(center.y >= height / 2 - 0.01 && center.y <= layout.height - height / 2 + 0.01)
      #expect(center.x > 0 && center.x < layout.width)
    }
  }

  @Test("data flows to the right, and a source stands beside its first reader")
  func columns() {
    // raw → a → x → b → y; script → b
    let graph = layout(6, [(0, 1), (1, 2), (2, 3), (3, 4), (5, 3)])
    #expect(graph.columns == [0, 1, 2, 3, 4, 2])
    #expect(graph.isReversed.allSatisfy { !$0 })
    expectApart(graph)
  }

  @Test("an edge over several columns has a bend in each between")
  func bends() {
    let graph = layout(4, [(0, 1), (1, 2), (2, 3), (0, 3)])
    #expect(graph.bends.map(\.count) == [0, 0, 0, 2])
    expectApart(graph)
  }

  @Test("a circle ends, and the edge that leads back is told")
  func circle() {
    let graph = layout(3, [(0, 1), (1, 2), (2, 1), (2, 2)])
    #expect(graph.columns == [0, 1, 2])
    #expect(graph.isReversed == [false, false, true, false])
  }

  @Test("nothing, and one box alone, are drawn")
  func small() {
    #expect(layout(0, []).width == 0)
    #expect(layout(1, []).centers == [GraphLayout.Point(x: 106, y: 21)])
  }

  @Test("two chains do not cross")
  func crossings() {
    let graph = layout(6, [(0, 2), (1, 3), (2, 5), (3, 4)])
    let y = graph.centers.map(\.y)
    #expect((y[0] < y[1]) == (y[2] < y[3]) && (y[2] < y[3]) == (y[5] < y[4]))
  }

  @Test("a chain of 20,000 that all read one file has no more bends than edges times the longest route")
  func size() {
    let count = 20_000
    let edges = (1..<count).map { ($0, $0 + 1) } + (1...count).map { (0, $0) }
    let graph = layout(count + 1, edges)
    #expect(graph.columns.max() == count)
    #expect(graph.bends.map(\.count).reduce(0, +) <= edges.count * GraphLayout.longestRouted)
  }
}
