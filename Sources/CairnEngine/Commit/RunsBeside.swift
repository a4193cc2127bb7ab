// What runs that go on beside this one have ended, and where it belongs in the serial order.
import CairnCore
import CairnSystem
import Synchronization

final class RunsBeside: Sendable {
  private let repository: Repository
  /// The path of this run's journal, once there is one.
  private let own: @Sendable () -> String?
  private let state: Mutex<State>

  private struct State {
    /// One went on when this run began: what it left is still to be ordered when it has ended.
    var hasBeen: Bool
    var known = UnfinishedRun()
    /// When it is asked for again: to read a long journal may cost more than what is learnt by it.
    var until: Nanoseconds = 0
  }

  init(_ repository: Repository, own: @escaping @Sendable () -> String?) {
    self.repository = repository
    self.own = own
    state = Mutex(State(hasBeen: !Self.journals(repository, but: nil).isEmpty))
  }

  /// Their lines for `.gitignore` files; empty where this run is alone.
  func additions() -> UnfinishedRun {
    state.withLock { state in
      let now = WallClock.monotonic()
      if now < state.until { return state.known }
      let journals = Self.journals(repository, but: own())
      guard state.hasBeen || !journals.isEmpty else { return UnfinishedRun() }
      state.hasBeen = true
      var run = UnfinishedRun.load(repository)
      for path in journals {
        guard let entries = try? Journal.read(path) else { continue }
        let content = JournalContent(entries)
        run.merge(content.continued)
        for end in content.ends { for output in end.ignored { run.addLine(for: output, position: end.position) } }
      }
      state.known = run
      state.until = now + 20 * (WallClock.monotonic() - now)
      return run
    }
  }

  private static func journals(_ repository: Repository, but own: String?) -> [String] {
    ((try? Journal.paths(in: CairnFolder.journals(of: repository))) ?? []).filter { $0 != own }
  }
}
