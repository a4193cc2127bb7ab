import CairnCore
import CairnSystem
import Dispatch
import Glibc
import Synchronization
import CairnTestSupport
import Testing

/// Collects a child's events and waits for its end.
final class Witness: Sendable {
  private struct State {
    var output: [UInt8] = []
    var errors: [UInt8] = []
    var exits: [ChildProcess.Exit] = []
    var chunksAfterEnd = 0
  }
  private let state = Mutex(State())
  private let done = DispatchSemaphore(value: 0)

  func take(_ event: ChildProcess.Event) {
    state.withLock { state in
      switch event {
      case .output(let bytes):
        state.output += bytes
        if !state.exits.isEmpty { state.chunksAfterEnd += 1 }
      case .error(let bytes): state.errors += bytes
      case .ended(let exit):
        state.exits.append(exit)
        done.signal()
      }
    }
  }

  func wait() throws -> ChildProcess.Exit {
    try #require(done.wait(timeout: .now() + 20) == .success, "the child's end was not told")
    return try #require(state.withLock { $0.exits.first })
  }

  var text: String { state.withLock { String(decoding: $0.output, as: UTF8.self) } }
  var errorText: String { state.withLock { String(decoding: $0.errors, as: UTF8.self) } }
  var ends: Int { state.withLock { $0.exits.count } }
  var chunksAfterEnd: Int { state.withLock { $0.chunksAfterEnd } }
}

private func start(
  _ line: String, _ change: (inout ChildProcess.Request) -> Void = { _ in }
) throws -> (ChildProcess, Witness) {
  let witness = Witness()
  var request = ChildProcess.Request(["/bin/sh", "-c", line])
  change(&request)
  return (try ChildProcess.start(request) { witness.take($0) }, witness)
}

@Suite struct ChildProcessTests {
  @Test("a child ends with its code, or the signal that killed it",
    arguments: [("true", 0), ("exit 7", 7), ("kill -9 $$", -9), ("kill -TERM $$", -15)])
  func exits(line: String, code: Int32) throws {
    let (_, witness) = try start(line)
    #expect(try witness.wait().returnCode == code)
  }

  @Test("with a pipe each, the streams stay apart, to the last byte")
  func apart() throws {
    let (_, witness) = try start("echo one; echo two >&2; seq 20000; seq 20000 >&2; printf end >&2") { $0.output = .pipes }
    #expect(try witness.wait().succeeded)
    let numbers = (1...20000).map { "\($0)\n" }.joined()
    #expect(witness.text == "one\n" + numbers)
    #expect(witness.errorText == "two\n" + numbers + "end")
  }

  @Test("both streams arrive in one order, to the last byte")
  func output() throws {
    let (_, witness) = try start("echo one; echo two >&2; echo three; printf four")
    _ = try witness.wait()
    #expect(witness.text == "one\ntwo\nthree\nfour")
  }

  @Test("much output neither blocks nor is lost")
  func muchOutput() throws {
    let (_, witness) = try start("head -c 3000000 /dev/zero | tr '\\0' x")
    #expect(try witness.wait().code == 0)
    #expect(witness.text.utf8.count == 3_000_000)
  }

  @Test("the end is the process's end, also when a daemon holds its output, which lives on")
  func daemon() throws {
    let folder = try TemporaryFolder()
    let begun = WallClock.monotonic()
    let (_, witness) = try start("(sleep 0.4; echo late; echo alive > \(folder("daemon"))) & echo now")
    #expect(try witness.wait().code == 0)
    #expect(WallClock.monotonic() - begun < 350_000_000)
    #expect(witness.text == "now\n")
    usleep(800_000)
    #expect(try folder.text("daemon") == "alive\n")
    #expect(witness.chunksAfterEnd == 0)
  }

  @Test("standard input is empty")
  func input() throws {
    let (_, witness) = try start("cat; echo end")
    _ = try witness.wait()
    #expect(witness.text == "end\n")
  }

  @Test("it runs in the folder and environment that it is given")
  func surroundings() throws {
    let folder = try TemporaryFolder()
    let environment = ChildEnvironment(["A": "1", "B": "2"]).setting([("B", "zwei"), ("C", "3"), ("A", nil)])
    let (_, witness) = try start("pwd; echo \"${A-unset} $B $C\"") {
      $0.folder = folder.path
      $0.environment = environment
    }
    _ = try witness.wait()
    #expect(witness.text == "\(folder.path)\nunset zwei 3\n")
  }

  @Test("a program or folder that is missing is named, as Python does")
  func missing() throws {
    let nowhere = #expect(throws: Diagnostic.self) {
      try ChildProcess.start(.init(["/no/such/shell", "-c", "true"])) { _ in }
    }
    #expect(nowhere?.message == "[Errno 2] No such file or directory: '/no/such/shell'")
    let homeless = #expect(throws: Diagnostic.self) {
      try ChildProcess.start(.init(["/bin/true"], folder: "/no/folder")) { _ in }
    }
    #expect(homeless?.message == "[Errno 2] No such file or directory: '/no/folder'")
  }

  @Test("a signal reaches the whole group")
  func group() throws {
    let folder = try TemporaryFolder()
    let (child, witness) = try start("sleep 77 & echo $! > \(folder("pid")); echo up; wait")
    while !witness.text.contains("up") { usleep(2000) }
    let grandchild = try pid(in: folder)
    #expect(child.signal(SIGTERM))
    #expect(try witness.wait().signal == SIGTERM)
    #expect(endsSoon(grandchild))
    #expect(!child.signal(SIGTERM), "an ended child's number may be another's by now")
  }

  @Test("a stopped stage leaves nothing of its group behind")
  func nothingBehind() throws {
    let folder = try TemporaryFolder()
    let (child, witness) = try start(
      "(trap '' TERM; sleep 78) & echo $! > \(folder("pid")); trap 'exit 3' TERM; echo up; wait")
    while !witness.text.contains("up") { usleep(2000) }
    let grandchild = try pid(in: folder)
    child.leaveNothingBehind()
    child.signal(SIGTERM)
    #expect(try witness.wait().code == 3)
    #expect(endsSoon(grandchild))
  }

  private func pid(in folder: TemporaryFolder) throws -> Int32 {
    let text = try #require(try folder.text("pid"))
    return try #require(Int32(text.dropLast()))
  }

  private func endsSoon(_ pid: Int32) -> Bool {
    for _ in 0..<200 {
      if ProcessIdentity.local(pid).liveness() == .dead { return true }
      usleep(5000)
    }
    return false
  }

  @Test("the child sees a terminal of the size that it is told, and output is passed on as written")
  func terminal() throws {
    let (_, witness) = try start("test -t 1 && test -t 2 && echo tty; stty size <&1; test -t 0 || echo no input") {
      $0.output = .terminal(columns: 91, rows: 17)
    }
    #expect(try witness.wait().code == 0)
    #expect(witness.text == "tty\n17 91\nno input\n")
  }

  @Test("with the terminal as input it can be typed to and interrupted by a key")
  func typing() throws {
    let (child, witness) = try start("trap 'echo caught; exit 4' INT; read x; echo got $x; while :; do sleep 0.05; done") {
      $0.output = .terminal(columns: 80, rows: 24)
      $0.input = .terminal
    }
    child.write(Array("word\n".utf8))
    while !witness.text.contains("got word") { usleep(2000) }
    child.write([3])
    #expect(try witness.wait().code == 4)
    #expect(witness.text.contains("caught"))
  }

  @Test("what a terminal's child wrote last is not lost", arguments: 0..<20)
  func terminalDrain(round: Int) throws {
    let (_, witness) = try start("seq 1 2000") { $0.output = .terminal(columns: 80, rows: 24) }
    _ = try witness.wait()
    #expect(witness.text.hasSuffix("\n2000\n"))
    #expect(witness.text.split(separator: "\n").count == 2000)
  }

  @Test("a child inherits no descriptor but its three")
  func descriptors() throws {
    let folder = try TemporaryFolder()
    let open = Glibc.open(try folder.write("open", ""), O_RDONLY)
    defer { close(open) }
    let (_, witness) = try start("ls /proc/self/fd")
    _ = try witness.wait()
    // ls itself opens the folder.
    #expect(witness.text == "0\n1\n2\n3\n")
  }

  @Test("a child starts with no signal blocked, and with those at their defaults that Python resets",
    arguments: [ChildProcess.Output.pipes, .terminal(columns: 80, rows: 24)])
  func signals(output: ChildProcess.Output) throws {
    let before = signal(SIGPIPE, SIG_IGN)
    defer { signal(SIGPIPE, before) }
    let (_, witness) = try start("exec cat /proc/self/status") { $0.output = output }
    #expect(try witness.wait().code == 0)
    func mask(_ name: String) throws -> UInt64 {
      let line = try #require(witness.text.split(whereSeparator: \.isNewline).first { $0.hasPrefix(name + ":") })
      return try #require(UInt64(line.split(whereSeparator: \.isWhitespace)[1], radix: 16))
    }
    #expect(try mask("SigBlk") == 0)
    #expect(try mask("SigCgt") == 0)
    for number in [SIGPIPE, SIGXFSZ, SIGCHLD] { #expect(try mask("SigIgn") >> UInt64(number - 1) & 1 == 0) }
  }

  @Test("processor time is told")
  func usage() throws {
    let (_, witness) = try start("python3 -c 'x = bytearray(60_000_000); sum(range(3_000_000))'")
    let exit = try witness.wait()
    #expect(exit.code == 0)
    #expect(exit.cpuSeconds > 0.01)
  }

  @Test("a child that takes less memory than its parent has no known peak; one that takes more has its own")
  func peak() throws {
    let (_, small) = try start("true")
    #expect(try small.wait().peakMemory.bytes == nil)
    // Above what this process has held, and what the tests beside this one may make it hold meanwhile.
    let line = try #require(try Files.readText("/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    let own = try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }) * 1024
    let size = own + 1_500_000_000
    let (_, large) = try start("python3 -c 'x = bytearray(\(size))'")
    let peak = try #require(try large.wait().peakMemory.bytes)
    #expect(peak > size && peak < size + 100_000_000)
  }

  @Test("of several children the largest has a known peak only where no other may have held more")
  func largest() {
    let small = PeakMemory(told: 30, mayBeOurs: false)
    #expect(max(small, PeakMemory(told: 20, mayBeOurs: true)).bytes == 30)
    #expect(max(small, PeakMemory(told: 30, mayBeOurs: true)).bytes == 30)
    #expect(max(small, PeakMemory(told: 40, mayBeOurs: true)).bytes == nil)
    #expect(max(small, PeakMemory(told: 50, mayBeOurs: false)).bytes == 50)
  }

  @Test("what follows from a child's end may wait for the end of another one")
  func following() throws {
    let second = Witness()
    let ended = DispatchSemaphore(value: 0)
    let child = try ChildProcess.start(ChildProcess.Request(["/bin/sh", "-c", "true"])) { event in
      guard case .ended = event else { return }
      // More than one, so that there is a thread for each, and a queue for what is left.
      for _ in 0..<20 {
        ChildWatch.shared.follow(on: .global()) {
          let request = ChildProcess.Request(["/bin/sh", "-c", "sleep 0.1; echo x"])
          guard let other = try? ChildProcess.start(request, handler: { second.take($0) }) else { return }
          while other.signal(0) { usleep(1000) }
          ended.signal()
        }
      }
    }
    _ = child
    for _ in 0..<20 { #expect(ended.wait(timeout: .now() + 20) == .success) }
    #expect(second.ends == 20)
    #expect(second.text == String(repeating: "x\n", count: 20))
  }

  @Test("many children at once each end exactly once")
  func many() throws {
    let started = try (0..<300).map { try start("echo \($0)") }
    for (index, (_, witness)) in started.enumerated() {
      #expect(try witness.wait().code == 0)
      #expect(witness.text == "\(index)\n")
      #expect(witness.ends == 1)
    }
  }
}

@Suite struct ToolTests {
  @Test("a short tool gets its input and gives both streams apart")
  func streams() throws {
    let result = try ChildProcess.run(["/bin/sh", "-c", "cat; echo oops >&2; exit 5"], input: Array("hello".utf8))
    #expect(result.text == "hello")
    #expect(result.errorText == "oops\n")
    #expect(result.exit.code == 5)
  }

  @Test("input larger than a pipe goes through while output comes back")
  func large() throws {
    let input = [UInt8](repeating: 120, count: 2_000_000)
    #expect(try ChildProcess.run(["cat"], input: input).output == input)
  }

  @Test("a tool that does not read its input does not kill us")
  func unread() throws {
    let result = try ChildProcess.run(["true"], input: [UInt8](repeating: 120, count: 2_000_000))
    #expect(result.exit.code == 0)
  }

  @Test("output beyond the limit is cut and the tool stopped")
  func limit() throws {
    let result = try ChildProcess.run(["yes"], limit: 100_000)
    #expect(result.output.count == 100_000)
    #expect(!result.exit.succeeded)
  }
}
