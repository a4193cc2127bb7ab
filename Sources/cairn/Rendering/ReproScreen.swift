// `repro` with several jobs on a terminal: a block for each short stage, long ones line by line, one live line below.
internal import CairnCore
internal import CairnEngine
internal import CairnLineage
internal import CairnSystem
@preconcurrency internal import Dispatch
internal import Glibc
internal import Synchronization

final class ReproScreen: ReproPrinter {
  /// Seconds after which a stage is shown line by line.
  private static let long = 3.0

  private let console: Console
  private let reproduction: Reproduction
  private let forecast: Forecast
  private let state = Mutex(State())
  private let ticks: any DispatchSourceTimer
  private let began = ReproScreen.now()

  private struct State {
    var running: [(id: StageID, stage: LiveStage)] = []
    var done: Set<StageID> = []
    var outcomes: [StageID: Outcome] = [:]
    var held: [String: Int] = [:]
    var openReasons: [StageID: Reason] = [:]
    var isLineShown = false
    var isOver = false
  }

  init(console: Console, reproduction: Reproduction) {
    self.console = console
    self.reproduction = reproduction
    forecast = Forecast(reproduction)
    ticks = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "cairn.screen"))
    ticks.schedule(deadline: .now() + 1, repeating: 1)
    ticks.setEventHandler { [weak self] in self?.tick() }
    if !forecast.mayRun.isEmpty { console.info(header) }
    ticks.activate()
  }

  deinit { ticks.cancel() }

  private static func now() -> Double { Double(WallClock.monotonic()) / 1e9 }
  private func stage(_ id: StageID) -> Stage { reproduction.workspace.project.pipeline[id] }
  private func name(_ id: StageID) -> String { stage(id).address.text(from: reproduction.workspace.folder) }

  /// `14 of 40 stages may run, 4 at once · ≈ 38–52 min`.
  private var header: String {
    let count = reproduction.order.count
    var text = "\(forecast.mayRun.count) of \(count) stage\(count == 1 ? "" : "s") may run"
    text += ", \(reproduction.request.jobs) at once"
    if let left = forecast.left(done: [], running: [:]), left.upperBound >= 1 { text += " · " + ScreenText.range(left) }
    return Color.bold.paint(text, if: console.colorsOutput)
  }

  // MARK: Events

  func take(_ event: RunEvent) {
    state.withLock { state in
      guard !state.isOver else { return }
      clearLine(&state)
      show(event, &state)
      console.flush()
      drawLine(&state)
    }
  }

  private func show(_ event: RunEvent, _ state: inout State) {
    switch event {
    case .considered(let id, let isFrozen):
      if isFrozen { console.warning("stage: '\(name(id))' is frozen. Its dependencies are not going to be reproduced.") }
    case .fresh(let id):
      state.done.insert(id)
      // Where much is to be done, what is not is no news.
      if forecast.mayRun.isEmpty {
        console.info("\(stage(id).isPlainFile ? "" : "Stage ")'\(name(id))' didn't change, skipping")
      }
    case .started(let id, let reasons, let attempt):
      if attempt == 1 { state.openReasons[id] = reasons.first }
      state.running.removeAll { $0.id == id }
      state.running.append((id, LiveStage(since: Self.now())))
    case .assigned(let id, let devices): change(id, &state) { $0.devices = devices }
    case .held(let held): state.held = held
    case .command(let id, let line):
      change(id, &state) { $0.commands.append(line) }
      if isStreamed(id, state) { console.info(prefix(id) + "> \(line)") } else { change(id, &state) { $0.write(Array("> \(line)\n".utf8)) } }
    case .output(let id, _, let bytes):
      change(id, &state) { $0.write(bytes) }
      if isStreamed(id, state) { showLines(id, &state) }
    case .pulling(let id): console.info("Pulling data for stage: '\(name(id))'")
    case .pulled(let id): state.done.insert(id)
    case .pullFailed(let id): console.info("Unable to pull data for stage: '\(name(id))'")
    case .verifying(let id):
      let what = stage(id).isFrozen ? "outputs in frozen stage" : "data sources in stage"
      console.info("Verifying \(what): '\(name(id))'")
    case .importing(_, let source, let target): console.info("Importing '\(source)' -> '\(target)'")
    case .restoring(let id):
      console.info("Stage '\(name(id))' is cached - skipping run, checking out outputs")
    case .warning(_, let text): console.warning(text)
    case .inputEdited(let id, let path):
      console.warning(WaitingText.edited(name(id), path))
    case .waiting(let id, let path, let pid, let command):
      console.note(WaitingText.line(name(id), path, pid, command))
    case .retrying(let id, let error, let attempt):
      finishOutput(id, &state)
      console.warning("\(name(id)): \(error.fullMessage); try \(attempt) of \(stage(id).settings.retries + 1)")
    case .lockChanged, .ended: break
    case .finished(let id, let outcome): finished(id, outcome, &state)
    case .skipped(let ids, _):
      state.done.formUnion(ids)
      let names = ReproConsole.join(ids.map { "'\(name($0))'" })
      console.warning("Stage\(ids.count > 1 ? "s" : "") \(names) will be skipped due to this failure")
    }
  }

  private func finished(_ id: StageID, _ outcome: Outcome, _ state: inout State) {
    let lastLines = state.running.first { $0.id == id }?.stage.lastLines(6) ?? []
    let wasLong = isStreamed(id, state)
    finishOutput(id, &state)
    state.running.removeAll { $0.id == id }
    state.done.insert(id)
    state.outcomes[id] = outcome
    guard let error = outcome.error else {
      if wasLong { console.info(prefix(id) + Color.grey.paint("done, \(HumanText.duration(outcome.seconds))", if: console.colorsOutput)) }
      return
    }
    var block = FailureBlock(stage: name(id), error: error)
    block.lastLines = lastLines.suffix(4).filter { !$0.hasPrefix("> ") }
    block.hasLog = outcome.run != nil && !block.lastLines.isEmpty
    if reproduction.request.policy == .stop {
      let now = Self.now()
      block.stillFinishing = state.running.map { running in
        guard let usual = forecast.seconds(of: running.id) else { return name(running.id) }
        return "\(name(running.id)) (≈ \(HumanText.duration(max(1, usual - (now - running.stage.since)))))"
      }
      let busy = Set(state.running.map(\.id))
      block.notStarted = reproduction.order.filter {
        forecast.mayRun.contains($0) && !state.done.contains($0) && !busy.contains($0)
      }.map(name)
    }
    block.keptCount = state.outcomes.values.count { $0.error == nil }
    console.note(block.text(usesColor: console.colorsErrors))
    if reproduction.request.policy == .ignore { console.warning("the failure of '\(name(id))' is ignored") }
  }

  func fail(_ summary: RunSummary) {
    guard reproduction.request.policy == .keepGoing else { return }
    let names = ReproConsole.join(summary.failures.map { "'\(name($0.stage))'" })
    console.error("failed to reproduce\(summary.failures.count > 1 ? " stages:" : "") \(names)")
  }

  /// The last lines of the screen; nothing live is drawn from here on.
  func settle(_ summary: RunSummary) {
    ticks.cancel()
    state.withLock { state in
      clearLine(&state)
      for running in state.running { finishOutput(running.id, &state) }
      state.isOver = true
    }
    if !forecast.mayRun.isEmpty, !reproduction.request.dry { console.info(finalLine(summary)) }
    console.flush()
  }

  func end(_ summary: RunSummary, _ status: ExitStatus) {}

  // MARK: Output of stages

  private func change(_ id: StageID, _ state: inout State, _ body: (inout LiveStage) -> Void) {
    guard let index = state.running.firstIndex(where: { $0.id == id }) else { return }
    body(&state.running[index].stage)
  }

  private func isStreamed(_ id: StageID, _ state: State) -> Bool {
    state.running.first { $0.id == id }?.stage.isStreamed ?? false
  }

  private func prefix(_ id: StageID) -> String {
    // One of six colours by place, so that neighbours differ.
    let colors: [Color] = [.cyan, .yellow, .green, .blue, .bold, .grey]
    return colors[id.index % colors.count].paint(name(id), if: console.colorsOutput) + " | "
  }

  private func showLines(_ id: StageID, _ state: inout State) {
    change(id, &state) { stage in
      for line in stage.takeLines() { console.info(prefix(id) + line) }
    }
  }

  /// Why it runs, and that it does.
  private func announce(_ id: StageID, _ state: inout State) {
    if let reason = state.openReasons.removeValue(forKey: id) {
      let text = PrintableText.line("\(name(id))  STALE  because \(ReasonText.short(reason))")
      console.info(Color.grey.paint(text, if: console.colorsOutput))
    }
    console.info("Running stage '\(name(id))':")
  }

  /// What was not shown yet: a short stage's block, a long one's last line.
  private func finishOutput(_ id: StageID, _ state: inout State) {
    guard let index = state.running.firstIndex(where: { $0.id == id }) else { return }
    if state.running[index].stage.isStreamed {
      showLines(id, &state)
      if let line = state.running[index].stage.takeUnfinishedLine() { console.info(prefix(id) + line) }
      return
    }
    announce(id, &state)
    let block = state.running[index].stage.takeRest()
    console.writeRaw(block)
    if let last = block.last, last != 0x0A { console.writeRaw([0x0A]) }
  }

  // MARK: The live line

  private func tick() {
    state.withLock { state in
      guard !state.isOver else { return }
      let now = Self.now()
      let isNew = state.running.contains { !$0.stage.isStreamed && now - $0.stage.since >= Self.long }
      if isNew { clearLine(&state) }
      for index in state.running.indices
      where !state.running[index].stage.isStreamed && now - state.running[index].stage.since >= Self.long {
        let id = state.running[index].id
        announce(id, &state)
        state.running[index].stage.stream()
        showLines(id, &state)
      }
      drawLine(&state)
    }
  }

  private func clearLine(_ state: inout State) {
    guard state.isLineShown else { return }
    console.writeRaw(Array("\r\u{1B}[K".utf8))
    state.isLineShown = false
  }

  /// `[11/14] train 3:12 GPU 0 · tune@b 1:40 GPU 1 · 2 wait for a GPU · ≈ 21–26 min left`
  private func drawLine(_ state: inout State) {
    guard !state.running.isEmpty, !console.isQuiet, !reproduction.request.dry else { return }
    let now = Self.now()
    var parts = state.running.map { running in
      "\(name(running.id)) \(ScreenText.clock(now - running.stage.since))"
        + (running.stage.devices.isEmpty ? "" : " GPU " + running.stage.devices.joined(separator: ","))
    }
    parts += state.held.sorted { $0.key < $1.key }.map { name, count in
      "\(count) wait\(count == 1 ? "s" : "") for " + (name == "gpu" ? "a GPU" : name)
    }
    let running = Dictionary(
      state.running.map { ($0.id, now - $0.stage.since) }, uniquingKeysWith: { first, _ in first })
    if forecast.mayRun.count <= 5000, let left = forecast.left(done: state.done, running: running), left.upperBound >= 1 {
      parts.append(ScreenText.range(left) + " left")
    }
    let done = state.done.count { forecast.mayRun.contains($0) }
    let text = PrintableText.line("[\(done)/\(forecast.mayRun.count)] " + parts.joined(separator: " · "))
    let width = max(20, Terminal.size()?.columns ?? 80) - 1
    let line = text.count > width ? text.prefix(width - 1) + "…" : text[...]
    console.writeRaw(Array(("\r\u{1B}[K" + Color.grey.paint(String(line), if: console.colorsOutput)).utf8))
    console.flush()
    state.isLineShown = true
  }

  // MARK: The end

  /// `14 done: 11 ran, 2 from cache, 1 unchanged · 49 min · auc 0.931 → 0.936   (cairn runs diff @last:train)`
  private func finalLine(_ summary: RunSummary) -> String {
    let outcomes = summary.outcomes.map(\.outcome)
    let counts: [(Int, String)] = [
      (outcomes.count { $0.result == .ran && !$0.isUnchanged }, "ran"),
      (outcomes.count { $0.result == .restored }, "from cache"),
      (outcomes.count { $0.result == .ran && $0.isUnchanged }, "unchanged"),
      (outcomes.count { $0.error != nil }, "failed"),
      (summary.notStarted.count + summary.skipped.count, "not started"),
    ]
    let done = outcomes.count { $0.error == nil && $0.result != .fresh }
    var parts = ["\(done) done"]
    let told = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    if !told.isEmpty { parts[0] += ": " + told.joined(separator: ", ") }
    parts.append(HumanText.duration(Self.now() - began))
    if let metric = changedMetric(summary) { parts.append(metric) }
    return parts.joined(separator: " · ")
  }

  /// Of the last stage whose metrics differ from those of the run before: the first that does.
  private func changedMetric(_ summary: RunSummary) -> String? {
    let records = reproduction.workspace.records
    for (id, outcome) in summary.outcomes.reversed() {
      guard let before = forecast.runsBefore[id], let run = outcome.run, run != before,
        let old = (try? records.record(before)) ?? nil, let new = (try? records.record(run)) ?? nil
      else { continue }
      let was = Dictionary(old.metricLeaves, uniquingKeysWith: { first, _ in first })
      for (name, value) in new.metricLeaves {
        guard let previous = was[name], !previous.isEqualInPython(to: value) else { continue }
        let change = "\(name) \(HumanText.value(previous)) → \(HumanText.value(value))"
        return PrintableText.line(change + "   (cairn runs diff @last:\(self.name(id)))")
      }
    }
    return nil
  }
}

/// Times as the live line has them.
enum ScreenText {
  /// `0:07`, `3:12`, `1:02:03`.
  static func clock(_ seconds: Double) -> String {
    let whole = max(0, Int(seconds))
    func pad(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
    if whole < 3600 { return "\(whole / 60):" + pad(whole % 60) }
    return "\(whole / 3600):" + pad(whole / 60 % 60) + ":" + pad(whole % 60)
  }

  /// `≈ 38–52 min`; `≈ 38 min` where both ends read the same.
  static func range(_ seconds: ClosedRange<Double>) -> String {
    let high = HumanText.duration(max(10, seconds.upperBound).rounded())
    let low = HumanText.duration(max(10, seconds.lowerBound).rounded())
    if seconds.upperBound < 10 { return "≈ \(max(1, Int(seconds.upperBound.rounded()))) s" }
    if low == high || seconds.lowerBound >= seconds.upperBound { return "≈ " + high }
    let units = (low.split(separator: " ").dropFirst().first, high.split(separator: " ").dropFirst().first)
    if units.0 == units.1, seconds.upperBound < 3600 { return "≈ \(low.split(separator: " ")[0])–" + high }
    return "≈ \(low)–" + high
  }
}
