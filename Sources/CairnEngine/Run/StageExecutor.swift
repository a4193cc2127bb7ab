// The door to wherever a stage's commands run. The local machine is one side of it; job services come later.
package import CairnCore

/// Everything that an executor needs to know of one execution.
package struct Job: Sendable {
  package var stage: StageAddress
  /// One shell line each, run one after the other; the first failure ends the job.
  package var lines: [String]
  /// Absolute.
  package var workingDirectory: String
  /// Beside the process's own environment.
  package var environment: [(name: String, value: String)]
  package var output: OutputMode
  /// Seconds; the whole process group ends when they have passed.
  package var timeout: Double?
  package var grace: Double
  /// For whoever tells others of it.
  package var run: StartingRun?

  package enum OutputMode: Sendable {
    /// Output comes in pieces; `input`: standard input is ours, which is no terminal. Else it is empty.
    case pipes(input: Bool)
    /// A pseudo-terminal for output.
    case terminal(input: TerminalInput)
  }

  package enum TerminalInput: Sendable {
    case empty
    /// Ours, which is no terminal.
    case ours
    /// The pseudo-terminal, to which our terminal's keys go.
    case keys
  }

  package init(
    stage: StageAddress, lines: [String], workingDirectory: String, environment: [(name: String, value: String)],
    output: OutputMode, timeout: Double?, grace: Double
  ) {
    self.stage = stage
    self.lines = lines
    self.workingDirectory = workingDirectory
    self.environment = environment
    self.output = output
    self.timeout = timeout
    self.grace = grace
  }
}

/// How a job ended, as it was observed where it ran.
package struct Observation: Sendable {
  package enum End: Sendable, Hashable {
    case exited(Int32)
    case signalled(Int32)
    case timedOut
    case notStarted(String)
  }
  package var end: End
  /// The line that failed.
  package var failedLine: String?
  package var started: Nanoseconds
  package var finished: Nanoseconds
  package var cpuSeconds: Double
  /// Bytes; `nil` where it is not known.
  package var peakMemory: UInt64?

  package init(
    end: End, failedLine: String?, started: Nanoseconds, finished: Nanoseconds, cpuSeconds: Double, peakMemory: UInt64?
  ) {
    self.end = end
    self.failedLine = failedLine
    self.started = started
    self.finished = finished
    self.cpuSeconds = cpuSeconds
    self.peakMemory = peakMemory
  }

  package var isSuccess: Bool { end == .exited(0) }
}

package protocol JobEvents: Sendable {
  func began(line: String)
  func wrote(_ stream: OutputStream, _ bytes: [UInt8])
  /// Called exactly once, after the last of the others.
  func finished(_ observation: Observation)
}

package protocol RunningJob: Sendable {
  /// To the whole process group.
  func signal(_ number: Int32)
}

package protocol StageExecutor: Sendable {
  /// A job will come soon, or not: what takes long at the first time may be begun. Returns at once.
  func prepare()
  /// Starts `job` and returns at once.
  ///
  /// `events.finished` MUST be called exactly once, also when the job is cancelled, on any thread. Output MUST NOT
  /// follow it.
  func start(_ job: Job, events: any JobEvents) -> any RunningJob
}

extension StageExecutor {
  package func prepare() {}
}
