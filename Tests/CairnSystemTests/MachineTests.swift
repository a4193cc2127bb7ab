import CairnCore
@testable import CairnSystem
import Glibc
import CairnTestSupport
import Testing

@Suite struct MachineTests {
  @Test("quotas of containers count, rounded or not, on any level", arguments: [
    (["proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "max 100000\n", "sys/fs/cgroup/a/cpu.max": "150000 100000\n"], 1.5),
    (["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"], 0.5),
    (["proc/self/cgroup": "3:cpu,cpuacct:/docker/x\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000\n",
      "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"], 4),
    (["proc/self/cgroup": "3:cpu:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"], nil),
    ([:], nil),
  ] as [([String: String], Double?)])
  func quota(files: [String: String], expected: Double?) throws {
    let folder = try TemporaryFolder()
    for (name, text) in files { try folder.write(name, text) }
    #expect(ControlGroups(root: folder.path + "/").processorQuota() == expected)
  }

  @Test("memory of containers: the smallest limit, and what is left without droppable pages")
  func memory() throws {
    let folder = try TemporaryFolder()
    try folder.write("proc/self/cgroup", "0::/a/b\n")
    try folder.write("sys/fs/cgroup/a/memory.max", "1000000\n")
    try folder.write("sys/fs/cgroup/a/memory.current", "600000\n")
    try folder.write("sys/fs/cgroup/a/memory.stat", "anon 5\ninactive_file 200000\nfile 9\n")
    try folder.write("sys/fs/cgroup/a/b/memory.max", "max\n")
    let memory = try #require(ControlGroups(root: folder.path + "/").memory())
    #expect(memory.limit == 1_000_000 && memory.available == 600_000)
  }

  @Test("this machine has processors, memory, a name and a user")
  func here() {
    #expect(Machine.processorCount() >= 1)
    #expect(Machine.memoryTotal() > 100_000_000)
    #expect(Machine.memoryAvailable() <= Machine.memoryTotal())
    #expect(!Machine.hostName().isEmpty && !Machine.userName().isEmpty)
    #expect(Machine.bootID().utf8.count == 36)
    #expect(Machine.operatingSystem().hasPrefix("Linux-"))
    #expect(!Machine.isNetworkFileSystem("/tmp/no/such/folder"))
  }

  @Test("a process is known again by its start, its boot and its host")
  func identity() throws {
    let own = ProcessIdentity.local()
    #expect(own.liveness() == .alive)
    var other = own
    other.startTime = 1
    #expect(other.liveness() == .dead)
    other = own
    other.bootID = "another"
    #expect(other.liveness() == .dead)
    other = own
    other.host = "elsewhere.example.org"
    #expect(other.liveness() == .unknown)
    let child = try ChildProcess.run(["/bin/sh", "-c", "echo $$"])
    let pid = try #require(Int32(child.text.dropLast()))
    #expect(ProcessIdentity.local(pid).liveness() == .dead)
  }

  @Test("GPUs are those that the caller allows", arguments: [
    ("0,2", ["0", "2"]), ("", []), ("-1", []), ("1, 3,-1,4", ["1", "3"]), ("GPU-ab12,GPU-cd", ["GPU-ab12", "GPU-cd"]),
    ("0,0,1", ["0", "1"]), ("NoDevFiles", []),
  ])
  func gpus(variable: String, expected: [String]) {
    #expect(GraphicsProcessors.visible(variable: variable, root: "/") == expected)
  }

  @Test("else those that the driver shows")
  func installedGPUs() throws {
    let folder = try TemporaryFolder()
    for name in ["nvidia0", "nvidia5", "nvidiactl", "nvidia-uvm", "null"] { try folder.write("dev/" + name, "") }
    #expect(GraphicsProcessors.visible(variable: nil, root: folder.path + "/") == ["0", "1"])
    for name in ["0000:01:00.0", "0000:02:00.0", "0000:03:00.0"] {
      try Files.makeDirectories(folder("proc/driver/nvidia/gpus/" + name))
    }
    #expect(GraphicsProcessors.visible(variable: nil, root: folder.path + "/") == ["0", "1", "2"])
  }

  @Test("colour needs a terminal that can and a user who wants", arguments: [
    (true, [:], true), (false, [:], false), (true, ["TERM": "dumb"], false), (true, ["NO_COLOR": "1"], false),
    (true, ["NO_COLOR": ""], true), (true, ["CAIRN_NO_COLOR": "1"], false),
  ] as [(Bool, [String: String], Bool)])
  func color(isTerminal: Bool, variables: [String: String], expected: Bool) {
    #expect(Terminal.allowsColor(isTerminal: isTerminal) { variables[$0] } == expected)
  }

  @Test("times as text and back", arguments: [
    ("1970-01-01T00:00:00.000000Z", 0), ("2026-05-12T14:02:03.123456Z", 1_778_594_523_123_456_000),
    ("1969-12-31T23:59:59.999999Z", -1000),
  ] as [(String, Nanoseconds)])
  func times(text: String, time: Nanoseconds) {
    #expect(WallClock.text(time) == text)
    #expect(WallClock.parse(text) == time)
  }

  @Test("other ways to write a time", arguments: [
    ("2026-05-12T14:02:03Z", 1_778_594_523_000_000_000), ("2026-05-12 16:02:03.5+02:00", 1_778_594_523_500_000_000),
    ("2026-05-12", nil), ("2026-13-12T14:02:03Z", nil), ("2026-05-12T14:02:03", nil),
  ] as [(String, Nanoseconds?)])
  func otherTimes(text: String, time: Nanoseconds?) { #expect(WallClock.parse(text) == time) }
}

@Suite struct IdentifierTests {
  @Test("SHA-1 as the standard's examples", arguments: [
    ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
    (String(repeating: "a", count: 1_000_000), "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
    (String(repeating: "a", count: 55), "c1c8bbdc22796e28c0e15163d20899b65621d65a"),
    (String(repeating: "a", count: 64), "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
  ])
  func sha1(text: String, expected: String) {
    let digits = SHA1.digest(Array(text.utf8)).map { byte in
      let text = String(byte, radix: 16)
      return text.utf8.count == 1 ? "0" + text : text
    }
    #expect(digits.joined() == expected)
  }

  @Test("UUIDs of names are those of Python's uuid5")
  func uuid5() {
    #expect(Identifier.uuid(namespace: Identifier.dnsNamespace, name: "python.org") == "886313e1-3b8a-5372-9b90-0c9aee199e5d")
    #expect(Identifier.uuid(namespace: "no", name: "x") == nil)
  }

  @Test("UUIDs of chance have their version and variant, and differ")
  func uuid4() {
    let some = (0..<100).map { _ in Array(Identifier.uuid()) }
    #expect(some.allSatisfy { $0.count == 36 && $0[14] == "4" && "89ab".contains($0[19]) })
    #expect(Set(some).count == 100)
  }

  @Test("ULIDs ascend, differ, and begin with the time")
  func ulid() {
    let some = (0..<5000).map { _ in Identifier.ulid() }
    #expect(some == some.sorted() && Set(some).count == 5000)
    #expect(some.allSatisfy { $0.utf8.count == 26 })
    // The specification's example of a time.
    #expect(Identifier.ulid(time: 1_469_918_176_385, high: 0, low: 0) == "01ARYZ6S410000000000000000")
    #expect(Identifier.ulid(time: 0, high: 0xFFFF, low: .max) == "0000000000ZZZZZZZZZZZZZZZZ")
    #expect(Identifier.ulid(time: 0, high: 1, low: 1) == "0000000000000G000000000001")
  }
}

@Suite struct ShellCommandTests {
  @Test("each shell is kept from its start-up files", arguments: [
    ("/bin/sh", ["/bin/sh", "-c", "x"]), ("/bin/bash", ["/bin/bash", "--noprofile", "--norc", "-c", "x"]),
    ("/usr/bin/zsh", ["/usr/bin/zsh", "--no-rcs", "-c", "x"]), ("/opt/BASH", ["/opt/BASH", "--noprofile", "--norc", "-c", "x"]),
    ("/bin/dash", ["/bin/dash", "-c", "x"]), ("/no/such/fish", ["/no/such/fish", "-c", "x"]),
  ])
  func argv(shell: String, expected: [String]) { #expect(ShellCommand.argv(for: "x", shell: shell) == expected) }

  @Test("fish is asked for its version")
  func fish() throws {
    let folder = try TemporaryFolder()
    for (version, flags) in [("3.3.0", ["--no-config"]), ("3.2.9", []), ("4.0", ["--no-config"])] {
      let path = try folder.write("\(version)/fish", "#!/bin/sh\necho fish, version \(version)\n")
      try Files.chmod(path, 0o755)
      #expect(ShellCommand.argv(for: "x", shell: path) == [path] + flags + ["-c", "x"])
      #expect((ShellCommand.warning(shell: path) == nil) == !flags.isEmpty)
    }
  }

  @Test("lines end where Python's splitlines ends them", arguments: [
    ("a", ["a"]), ("a\nb\n", ["a", "b"]), ("a\r\nb\rc", ["a", "b", "c"]), ("\n\na", ["", "", "a"]), ("", []),
    ("a\u{0B}b\u{0C}c\u{1C}d\u{1D}e\u{1E}f\u{85}g\u{2028}h\u{2029}i", ["a", "b", "c", "d", "e", "f", "g", "h", "i"]),
    ("a\u{1F}b", ["a\u{1F}b"]), ("a\n\r\nb", ["a", "", "b"]), ("e\u{301}\u{2028}", ["e\u{301}"]),
  ])
  func lines(text: String, expected: [String]) { #expect(PythonLines.split(text) == expected) }

  @Test("a child's environment replaces, adds and takes away, and keeps the rest in order")
  func environment() {
    let base = ChildEnvironment(["A": "1"]).setting([("AB", "2"), ("C", "3")])
    #expect(base.setting([("A", "x"), ("C", nil)]).all == ["AB=2", "A=x"])
    #expect(base.all == ["A=1", "AB=2", "C=3"])
    #expect(base.value("AB") == "2" && base.value("B") == nil)
  }
}
