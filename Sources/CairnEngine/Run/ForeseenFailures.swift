// Which stages of a plan will fail when they run, unless another stage mends that unsaid: for want of an input, or for an
// output that git has. A look at names, no hashing.
import CairnCore
import CairnStore
import CairnSystem

struct ForeseenFailures {
  private let context: RunContext
  /// Of each output, the place of the stage that makes it.
  private var made = PathTrie<Int>()

  init(_ context: RunContext, order: [StageID]) {
    self.context = context
    for (position, id) in order.enumerated() {
      let stage = context.pipeline[id]
      guard !stage.commands.isEmpty, !stage.isFrozen else { continue }
      for output in stage.outputs { if let path = output.location.local { made.insert(position, at: path) } }
    }
  }

  /// Of all stages of the plan, by all processors: no command starts before this is known.
  static func all(_ context: RunContext, order: [StageID]) -> Set<StageID> {
    let foreseen = ForeseenFailures(context, order: order)
    let fails = Parallel.map(order.count, chunk: 64) { foreseen.contains(order[$0], at: $0) }
    return Set(zip(order, fails).lazy.filter(\.1).map(\.0))
  }

  /// An input of the stage is not there, and no stage before it in the plan makes it (one behind it may, for a frozen
  /// stage waits for nobody); data that it should hold is not there; or
  /// git tracks what it would put into the cache.
  private func contains(_ id: StageID, at position: Int) -> Bool {
    let stage = context.pipeline[id]
    if stage.commands.isEmpty || stage.isFrozen {
      // Only looked at, so it must be there.
      if stage.outputs.contains(where: { isBroken(context.absolute($0.location)) }) { return true }
      if stage.commands.isEmpty { return false }
    }
    return stage.dependencies.contains { isMissing($0.location, at: position) }
      || context.outputs.ignores != nil
        && stage.outputs.contains { output in
          output.isCached && output.location.local.map(context.provenance.isTracked) ?? false
        }
      || stage.parameters.contains { set in
        if isMade(set.location, before: position) { return false }
        return switch context.observer.parameters(set) {
        case .missingFile, .failed: true
        case .values(let values): set.keys.contains { values[$0] == nil }
        }
      }
  }

  /// Not there; or a folder with links into a cache that no longer has the file.
  private func isBroken(_ path: String) -> Bool {
    if !Files.exists(path) { return true }
    guard context.outputs.cache.linkTypes.contains(.symlink), Files.isDirectory(path) else { return false }
    var found = false
    _ = try? DirectoryWalk.visit(path) { item in
      if !found, item.kind == .symlink { found = !Files.exists(path + "/" + item.path) }
      return found ? .skip : .enter
    }
    return found
  }

  private func isMissing(_ location: Location, at position: Int) -> Bool {
    if case .url = location { return false }
    return !isMade(location, before: position) && !Files.exists(context.absolute(location))
  }

  private func isMade(_ location: Location, before position: Int) -> Bool {
    guard let path = location.local else { return false }
    return made.firstAbove(path).map { $0 < position } ?? made.valuesBelow(path).contains { $0 < position }
  }
}
