// Runs a stage's commands on this machine: one shell after the other, in a process group of its own.
import CairnCore
import CairnSystem
import Dispatch
import Glibc
import Synchronization

package struct LocalExecutor: StageExecutor {
  private let environment: ChildEnvironment
  private let shell = ShellCommand.shell()

  /// The environment is this process's, as it is now.
  package init() { environment = ChildEnvironment() }

  package func start(_ job: Job, events: any JobEvents) -> any RunningJob {
    let running = LocalJob(job, environment: environment, shell: shell, events: events)
    running.startNextLine()
    return running
  }
}

/// The lines of one job, in order. A line starts when the one before it has ended well.
private final class LocalJob: RunningJob {
  private let job: Job
  private let environment: ChildEnvironment
  private let shell: String
  private let events: any JobEvents
  private let started = WallClock.now()
  private let state = Mutex(State())

  private struct State {
    /// How many lines have been started, and how many have ended.
    var next = 0
    var ended = 0
    var child: ChildProcess?
    /// Keys and window sizes of our terminal, while a child has them.
    var relay: TerminalRelay?
    var cpuSeconds = 0.0
    var peakMemory: PeakMemory?
    /// The signal that told the job to stop: no further line starts, and lines that are left make it no success.
    var stopped: Int32?
    var hasTimedOut = false
    var isFinished = false
  }

  init(_ job: Job, environment: ChildEnvironment, shell: String, events: any JobEvents) {
    self.job = job
    self.shell = shell
    self.environment = environment.setting(job.environment.map { ($0.name, $0.value) })
    self.events = events
    if let timeout = job.timeout { watch(timeout) }
  }

  func startNextLine() {
    let (number, stopped) = state.withLock { state -> (Int?, Int32?) in
      guard state.next < job.lines.count else { return (nil, nil) }
      state.next += 1
      return (state.next, state.stopped)
    }
    guard let number else { return finish(.exited(0), line: nil) }
    let line = job.lines[number - 1]
    // Stopped between two lines: what is left was not done, so it is no success.
    if stopped != nil { return finish(hasTimedOut ? .timedOut : .notStarted("the run was stopped"), line: line) }
    events.began(line: line)
    var request = ChildProcess.Request(
      ShellCommand.argv(for: line, shell: shell), folder: job.workingDirectory, environment: environment,
      output: .pipes)
    if case .pipes(input: true) = job.output { request.input = .inherit }
    if case .terminal(let input) = job.output {
      let size = Terminal.size() ?? (columns: 80, rows: 24)
      request.output = .terminal(columns: size.columns, rows: size.rows)
      request.input =
        switch input {
        case .empty: .null
        case .ours: .inherit
        case .keys: .terminal
        }
    }
    do throws(Diagnostic) {
      let child = try ChildProcess.start(request) { [self] event in
        switch event {
        case .output(let bytes): events.wrote(.standardOutput, bytes)
        case .error(let bytes): events.wrote(.standardError, bytes)
        case .ended(let exit): ended(exit, line: line)
        }
      }
      let stopped = state.withLock { state -> Int32? in
        // It may have ended meanwhile, and the next line have a child of its own.
        guard state.ended < number else { return nil }
        state.child = child
        // Under the lock: the next line's must not be made before this one has given the terminal its state back.
        if case .terminal(input: .keys) = job.output { state.relay = TerminalRelay(to: child, on: Self.keys) }
        return state.stopped
      }
      if let stopped { stop(child, stopped) }
    } catch {
      finish(.notStarted(error.fullMessage), line: line)
    }
  }

  private func ended(_ exit: ChildProcess.Exit, line: String) {
    let (isLast, hasTimedOut) = state.withLock { state -> (Bool, Bool) in
      state.ended += 1
      state.child = nil
      state.relay?.stop()
      state.relay = nil
      state.cpuSeconds += exit.cpuSeconds
      state.peakMemory = max(state.peakMemory ?? exit.peakMemory, exit.peakMemory)
      return (state.next >= job.lines.count, state.hasTimedOut)
    }
    if hasTimedOut { return finish(.timedOut, line: line) }
    if let signal = exit.signal { return finish(.signalled(signal), line: line) }
    let code = exit.code ?? 0
    if code != 0 || isLast { return finish(.exited(code), line: code == 0 ? nil : line) }
    startNextLine()
  }

  private static let keys = DispatchQueue(label: "cairn.keys")

  private func finish(_ end: Observation.End, line: String?) {
    let (cpu, peak) = state.withLock { state in
      state.isFinished = true
      return (state.cpuSeconds, state.peakMemory?.bytes)
    }
    events.finished(
      Observation(
        end: end, failedLine: line, started: started, finished: WallClock.now(), cpuSeconds: cpu, peakMemory: peak))
  }

  func signal(_ number: Int32) {
    let child = state.withLock { state in
      state.stopped = number
      return state.child
    }
    if let child { stop(child, number) }
  }

  private func stop(_ child: ChildProcess, _ number: Int32) {
    // Whoever is told to stop leaves nobody of its group behind.
    child.leaveNothingBehind()
    child.signal(number)
  }

  private var hasTimedOut: Bool { state.withLock { $0.hasTimedOut } }

  /// SIGTERM to the group when the time is over, SIGKILL when `grace` has passed too.
  private func watch(_ timeout: Double) {
    let queue = DispatchQueue.global()
    queue.asyncAfter(deadline: .now() + timeout) { [weak self] in
      guard let self, state.withLock({ $0.isFinished }) == false else { return }
      state.withLock { $0.hasTimedOut = true }
      signal(SIGTERM)
      queue.asyncAfter(deadline: .now() + job.grace) { [self] in signal(SIGKILL) }
    }
  }
}

extension Job.OutputMode {
  /// What a command gets from this process. `output`: its output goes to a terminal; `mayRead`: no other command runs
  /// beside it that could read too.
  package static func ofThisProcess(output isTerminal: Bool, mayRead: Bool) -> Job.OutputMode {
    let hasKeys = Terminal.isTerminal(STDIN_FILENO)
    // From a terminal that is not its own a command may not read.
    guard isTerminal else { return .pipes(input: mayRead && !hasKeys) }
    return .terminal(input: !mayRead ? .empty : hasKeys ? .keys : .ours)
  }
}
