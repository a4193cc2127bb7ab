// Places the boxes of a directed graph in columns, so that edges lead to the right and seldom cross. Knows numbers alone:
// nothing of what a box shows, nothing of drawing.

/// A layered layout: columns by longest path, order within a column by the mean of the neighbours, heights by regression.
/// Every step is linear in boxes and edges, but for sorting.
struct GraphLayout {
  struct Point: Equatable {
    var x: Double
    var y: Double
  }

  struct Measures {
    var boxWidth = 212.0
    var boxHeight = 42.0
    var columnGap = 72.0
    var rowGap = 12.0
    /// The height that an edge takes where it passes a column.
    var lane = 10.0
  }

  let measures: Measures
  /// Column of each box.
  private(set) var columns: [Int]
  /// The middle of each box.
  private(set) var centers: [Point]
  /// For each edge the columns' middles that it passes between its two boxes, from left to right.
  private(set) var bends: [[Point]]
  /// Edges that lead back, and are drawn against the flow.
  private(set) var isReversed: [Bool]
  private(set) var width = 0.0
  private(set) var height = 0.0

  /// An edge over more columns than this passes behind the boxes between: a chain of thousands that all read one file
  /// would else have millions of bends.
  static let longestRouted = 10

  init(boxes: Int, edges: [(from: Int, to: Int)], measures: Measures = Measures()) {
    self.measures = measures
    let order = Self.order(boxes, edges)
    isReversed = edges.map { order[$0.from] > order[$0.to] }
    columns = Self.columns(boxes, edges, order)
    centers = Array(repeating: Point(x: 0, y: 0), count: boxes)
    bends = Array(repeating: [], count: edges.count)
    if boxes == 0 { return }
    var grid = Grid(columns: columns, order: order)
    var routes: [[Int]] = []
    for (number, edge) in edges.enumerated() {
      let (left, right) = isReversed[number] ? (edge.to, edge.from) : (edge.from, edge.to)
      routes.append(edge.from == edge.to ? [] : grid.connect(left, right))
    }
    grid.sort()
    let heights = grid.place(boxes: boxes, measures)
    let step = measures.boxWidth + measures.columnGap
    func point(_ node: Int) -> Point {
      Point(x: Double(grid.columnOf[node]) * step + measures.boxWidth / 2, y: heights[node])
    }
    centers = (0..<boxes).map(point)
    bends = routes.map { $0.map(point) }
    width = Double((columns.max() ?? 0) + 1) * step - measures.columnGap
    height = (centers.map(\.y).max() ?? 0) + measures.boxHeight / 2
  }

  /// The place of each box in an order that edges follow. Where they lead in a circle, the one that came first begins.
  private static func order(_ boxes: Int, _ edges: [(from: Int, to: Int)]) -> [Int] {
    var waits = Array(repeating: 0, count: boxes)
    var next: [[Int]] = Array(repeating: [], count: boxes)
    for edge in edges where edge.from != edge.to {
      waits[edge.to] += 1
      next[edge.from].append(edge.to)
    }
    var ready = (0..<boxes).filter { waits[$0] == 0 }
    var place = Array(repeating: -1, count: boxes)
    var (taken, count, unplaced) = (0, 0, 0)
    while count < boxes {
      while taken < ready.count {
        let box = ready[taken]
        taken += 1
        if place[box] >= 0 { continue }
        place[box] = count
        count += 1
        for other in next[box] {
          waits[other] -= 1
          if waits[other] == 0, place[other] < 0 { ready.append(other) }
        }
      }
      while unplaced < boxes, place[unplaced] >= 0 { unplaced += 1 }
      if unplaced < boxes { ready.append(unplaced) }
    }
    return place
  }

  private static func columns(_ boxes: Int, _ edges: [(from: Int, to: Int)], _ order: [Int]) -> [Int] {
    var next: [[Int]] = Array(repeating: [], count: boxes)
    var hasInput = Array(repeating: false, count: boxes)
    for edge in edges where edge.from != edge.to {
      let (left, right) = order[edge.from] < order[edge.to] ? (edge.from, edge.to) : (edge.to, edge.from)
      next[left].append(right)
      hasInput[right] = true
    }
    var column = Array(repeating: 0, count: boxes)
    let sorted = (0..<boxes).sorted { order[$0] < order[$1] }
    for box in sorted { for other in next[box] { column[other] = max(column[other], column[box] + 1) } }
    // What nothing leads to stands beside its first reader, not at the far left.
    for box in sorted where !hasInput[box] {
      if let first = next[box].map({ column[$0] }).min() { column[box] = first - 1 }
    }
    return column
  }
}

/// Boxes and, between them, the places where long edges pass a column.
private struct Grid {
  private(set) var columnOf: [Int]
  private var rows: [[Int]]
  /// Neighbours to the left and to the right.
  private var before: [[Int]]
  private var after: [[Int]]
  private var rank: [Double]

  init(columns: [Int], order: [Int]) {
    columnOf = columns
    rows = Array(repeating: [], count: (columns.max() ?? 0) + 1)
    before = Array(repeating: [], count: columns.count)
    after = before
    rank = Array(repeating: 0, count: columns.count)
    for box in (0..<columns.count).sorted(by: { order[$0] < order[$1] }) { rows[columns[box]].append(box) }
  }

  /// Joins two boxes; gives the places between them.
  mutating func connect(_ left: Int, _ right: Int) -> [Int] {
    var places: [Int] = []
    var last = left
    if columnOf[right] - columnOf[left] <= GraphLayout.longestRouted, columnOf[right] > columnOf[left] {
      for column in columnOf[left] + 1..<columnOf[right] {
        let place = columnOf.count
        columnOf.append(column)
        rows[column].append(place)
        before.append([])
        after.append([])
        rank.append(0)
        join(last, place)
        places.append(place)
        last = place
      }
    }
    join(last, right)
    return places
  }

  private mutating func join(_ left: Int, _ right: Int) {
    after[left].append(right)
    before[right].append(left)
  }

  /// Sweeps to the right and back, each column ordered by the mean rank of what it is joined to.
  mutating func sort() {
    for row in rows { for (number, node) in row.enumerated() { rank[node] = Double(number) / Double(max(1, row.count)) } }
    for sweep in 0..<10 {
      let isForward = sweep % 2 == 0
      for column in isForward ? Array(rows.indices) : rows.indices.reversed() {
        let keys = rows[column].enumerated().map { number, node in
          let neighbours = isForward ? before[node] : after[node]
          let key = neighbours.isEmpty ? rank[node] : neighbours.reduce(0) { $0 + rank[$1] } / Double(neighbours.count)
          return (key: key, number: number, node: node)
        }
        rows[column] = keys.sorted { ($0.key, $0.number) < ($1.key, $1.number) }.map(\.node)
        let count = Double(max(1, rows[column].count))
        for (number, node) in rows[column].enumerated() { rank[node] = (Double(number) + 0.5) / count }
      }
    }
  }

  /// The height of each node's middle: near its neighbours, in its column's order, none over another.
  func place(boxes: Int, _ measures: GraphLayout.Measures) -> [Double] {
    func extent(_ node: Int) -> Double { node < boxes ? measures.boxHeight + measures.rowGap : measures.lane }
    var heights = Array(repeating: 0.0, count: columnOf.count)
    let total = rows.map { $0.reduce(0) { $0 + extent($1) } }
    let tallest = total.max() ?? 0
    for (column, row) in rows.enumerated() {
      var at = (tallest - total[column]) / 2
      for node in row {
        heights[node] = at + extent(node) / 2
        at += extent(node)
      }
    }
    for sweep in 0..<12 {
      let isForward = sweep % 2 == 0
      for column in isForward ? Array(rows.indices) : rows.indices.reversed() {
        let row = rows[column]
        let wanted = row.map { node in
          var neighbours = isForward ? before[node] : after[node]
          if neighbours.isEmpty { neighbours = isForward ? after[node] : before[node] }
          return neighbours.isEmpty ? heights[node] : neighbours.reduce(0) { $0 + heights[$1] } / Double(neighbours.count)
        }
        for (node, height) in zip(row, Self.spread(wanted, row.map(extent))) { heights[node] = height }
      }
    }
    let top = heights.prefix(boxes).min().map { $0 - measures.boxHeight / 2 } ?? 0
    return heights.map { $0 - top }
  }

  /// The heights nearest to those wanted (least squares) at which each stands below the one before it.
  ///
  /// Pool adjacent violators: linear.
  private static func spread(_ wanted: [Double], _ extents: [Double]) -> [Double] {
    var offsets: [Double] = []
    var at = 0.0
    for extent in extents {
      offsets.append(at + extent / 2)
      at += extent
    }
    var pools: [(sum: Double, count: Int)] = []
    for (wish, offset) in zip(wanted, offsets) {
      pools.append((wish - offset, 1))
      while pools.count > 1, pools[pools.count - 2].sum / Double(pools[pools.count - 2].count) > pools[pools.count - 1].sum / Double(pools[pools.count - 1].count) {
        let last = pools.removeLast()
        pools[pools.count - 1].sum += last.sum
        pools[pools.count - 1].count += last.count
      }
    }
    return zip(pools.flatMap { Array(repeating: $0.sum / Double($0.count), count: $0.count) }, offsets).map { $0 + $1 }
  }
}
