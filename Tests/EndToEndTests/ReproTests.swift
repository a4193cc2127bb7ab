// What `repro` does where a stage is not the ordinary one: each case was once done otherwise than DVC does it.
import CairnTestSupport
import Foundation
import Testing

struct ReproTests {
  private func project(_ pipeline: String) throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", pipeline)
    return repository
  }

  @Test("a command that no system takes fails in DVC's words, and the hint says what to do")
  func tooLong() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages: {a: {cmd: 'echo \(String(repeating: "x", count: 200_000)) > a'}}\n")
    let result = try repository.cairn("repro")
    #expect(result.status == 255)
    #expect(result.errors.hasPrefix("ERROR: failed to reproduce 'a': [Errno 7] Argument list too long: '/bin/"))
    #expect(result.errors.hasSuffix("hint: Linux takes no command of 128 kiB or more: put it into a script\n"))
    #expect(try repository.cairn("runs").output.count < 200)
  }

  @Test("a parameter that is not a number lets its stage run; it is stale again each time, as with DVC", arguments: ["1", "2"])
  func notANumber(jobs: String) throws {
    let repository = try project(
      "stages: {a: {cmd: date +%N > a, params: [a, l], outs: [a]}, b: {cmd: cat a > b, params: [a], deps: [a], outs: [b]}}\n")
    try repository.write("params.yaml", "a: .nan\nl: [1, {x: .nan}]\n")
    for word in ["Running stage 'a'", "Stage 'a' is cached"] {
      let result = try repository.cairn("repro", "-j", jobs)
      #expect(result.status == 0 && result.output.contains(word), "\(result)")
    }
  }

  @Test("what a command prints into a pipe is shown whole and in order, and is not held in memory until it ends")
  func longOutput() throws {
    // 96 MB, the lines numbered; then cairn's own peak, in KiB.
    let repository = try project(
      """
      stages:
        a:
          cmd:
          - seq -f '%015.0f' 6000000; echo err >&2; seq -f '%015.0f' 3
          - sleep 0.2; grep VmHWM /proc/$PPID/status | tr -dc 0-9 > peak
          outs: [peak]

      """)
    try repository.cairn("config", "cairn.runs.log_limit", "100000")
    let result = try repository.cairn("repro", "-j", "2")
    #expect(result.status == 0)
    let peak = try #require(repository.read("peak").flatMap { Int($0) })
    #expect(peak < 90_000, "\(peak) KiB")
    let lines = result.output.split(separator: "\n")
    let first = try #require(lines.firstIndex(of: "000000000000001"))
    #expect(lines[first + 5_999_999] == "000000006000000" && lines[first + 3_000_000] == "000000003000001")
    #expect(lines[first + 6_000_000] == "000000000000001" && lines[first + 6_000_002] == "000000000000003")
    #expect(result.errors.hasPrefix("err\n"))
  }

  @Test("a folder that outputs lie in is read with the .gitignore that they get, as DVC reads it", arguments: ["1", "4"])
  func folderWithOutputs(jobs: String) throws {
    func project() throws -> TestRepository {
      let repository = try TestRepository()
      for name in ["d/s", "r1", "r2"] { try repository.write(name, name + "\n") }
      try repository.write(
        "dvc.yaml",
        """
        stages:
          x: {cmd: cat r1 > d/x, deps: [r1], outs: [d/x]}
          y: {cmd: mkdir -p d/sub && cat r2 > d/sub/y, deps: [r2], outs: [d/sub/y]}
          c: {cmd: cat d/x d/sub/y d/s > c, deps: [d], outs: [c]}

        """)
      return repository
    }
    let repository = try project()
    #expect(try repository.cairn("repro", "-j", jobs).status == 0)
    #expect(try repository.cairn("status").output == "Data and pipelines are up to date.\n")
    guard let program = DVCOracle.path else { return }
    let reference = try project()
    #expect(try reference.run([program, "repro"]).status == 0)
    #expect(repository.read("dvc.lock") == reference.read("dvc.lock"))
  }

  @Test("what a failure means for others stands behind the stage that failed", arguments: ["1", "4"])
  func failureInPlace(jobs: String) throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a: {cmd: echo a > a, outs: [a]}
        b: {cmd: exit 3, deps: [a], outs: [b]}
        c: {cmd: cat b > c, deps: [b], outs: [c]}

      """)
    let lines = try repository.shell("\(CairnBinary.path()) repro -k -j \(jobs) 2>&1; true").output.split(separator: "\n")
    let places = ["Running stage 'a':", "Running stage 'b':", "WARNING: failed to run: exit 3", "WARNING: Stage 'c' will be skipped"]
      .map { text in lines.firstIndex { $0.hasPrefix(text) } ?? -1 }
    #expect(places[0] >= 0 && places == places.sorted(), "\(lines)")
  }

  @Test("what has ended, and what begins under -j 1, is shown in a pipe at once", arguments: ["1", "2"])
  func shownAtOnce(jobs: String) throws {
    let repository = try project(
      """
      stages:
        a: {cmd: echo a > a, outs: [a]}
        b: {cmd: 'while ! test -e go; do sleep 0.05; done; echo b > b', deps: [a], outs: [b]}

      """)
    let running = try repository.start([CairnBinary.path(), "repro", "-j", jobs])
    let wanted = jobs == "1" ? "Running stage 'b':\n" : "Running stage 'a':\n"
    var shown = ""
    for _ in 0..<200 where !shown.contains(wanted) {
      usleep(50_000)
      shown = running.outputSoFar()
    }
    #expect(shown.contains(wanted), "\(shown)")
    try repository.write("go", "")
    #expect(running.wait().status == 0)
  }

  @Test("with -j 1 a command reads what cairn was given on standard input, with more jobs nothing")
  func standardInput() throws {
    for (jobs, wanted) in [("1", "got hello\n"), ("2", "got\n")] {
      let repository = try project("stages: {a: {cmd: 'read x; echo got $x > a', outs: [a]}}\n")
      let result = try repository.shell("echo hello | \(CairnBinary.path()) repro -j \(jobs)")
      #expect(repository.read("a") == wanted, "\(result)")
    }
  }

  @Test("a stage with neither inputs nor outputs runs every time")
  func callback() throws {
    let repository = try project("stages: {a: {cmd: echo hello}}\n")
    for _ in 0..<2 { #expect(try repository.cairn("repro").output.contains("Running stage 'a':")) }
  }

  @Test("a whole parameter file that holds no mapping is refused before the command runs; an empty one is not")
  func parametersWithoutKeys() throws {
    let repository = try project("stages: {a: {cmd: touch o, params: [{p.yaml: }], outs: [o]}}\n")
    for (text, type) in [("just text", "str"), ("[1, 2]", "list"), ("1.5", "float")] {
      try repository.write("p.yaml", text)
      let failed = try repository.cairn("repro")
      #expect(failed.status == 255)
      #expect(failed.errors.contains("ERROR: failed to reproduce 'a': '\(type)' object has no attribute 'keys'\n"))
      #expect(repository.read("o") == nil)
      let status = try repository.cairn("status")
      #expect(status.status == 0)
      #expect(status.output.contains("new:                p.yaml"))
      let commit = try repository.cairn("commit", "-f")
      #expect(commit.status == 255)
      #expect(commit.errors.hasPrefix("ERROR: unexpected error - '\(type)' object has no attribute 'keys'\n"))
    }
    for text in ["", "0", "[]"] {
      try repository.write("p.yaml", text)
      #expect(try repository.cairn("repro").status == 0)
    }
    #expect(repository.read("dvc.lock")?.contains("p.yaml: {}") == true)
  }

  @Test("a frozen stage that makes nothing is fresh although it never ran; one without its input fails")
  func frozen() throws {
    let repository = try project(
      """
      stages:
        a: {frozen: true, cmd: echo 1, deps: [nope]}
        b: {frozen: true, cmd: touch o, deps: [nope], outs: [o]}

      """)
    #expect(try repository.cairn("repro", "a").output.hasPrefix("Stage 'a' didn't change, skipping\n"))
    try repository.write("o", "")
    let failed = try repository.cairn("repro", "b")
    #expect(failed.status == 255)
    #expect(failed.errors.contains("ERROR: failed to reproduce 'b': dependency 'nope' does not exist"))
    #expect(try repository.cairn("repro", "--dry", "b").status == 0)
  }

  @Test("a frozen stage that is recorded beside its producer is recorded after it, also when that fails")
  func frozenBesideProducer() throws {
    let repository = try project(
      """
      stages:
        up: {cmd: sleep 0.3 && cat p > u, deps: [p], outs: [u]}
        down: {frozen: true, cmd: touch d, deps: [u], outs: [d]}

      """)
    for name in ["p", "u", "d"] { try repository.write(name, name) }
    #expect(try repository.cairn("repro", "-j", "4").status == 0)
    // Both have the hash of what `up` made.
    #expect(repository.read("dvc.lock")?.split(separator: "83878c91171338902e0fe0fb97a8c47a").count == 4)
    try repository.remove("p")
    try repository.write("d", "mine")
    let failed = try repository.cairn("repro", "-k", "-j", "4")
    #expect(failed.output.contains("Verifying outputs in frozen stage: 'down'"))
    #expect(failed.errors.contains("ERROR: failed to reproduce stages: 'up' and 'down'"))
  }

  @Test("under --force a command runs without its input, and fails for it afterwards")
  func forced() throws {
    let repository = try project("stages: {a: {cmd: touch o, deps: [nope], outs: [o]}}\n")
    #expect(try repository.cairn("repro").status == 255)
    #expect(!repository.exists("o"))
    let forced = try repository.cairn("repro", "-f")
    #expect(forced.status == 255)
    #expect(forced.errors.contains("dependency 'nope' does not exist"))
    #expect(repository.exists("o"))
    #expect(try repository.cairn("repro", "--dry").status == 255)
    #expect(try repository.cairn("repro", "--dry", "-f").status == 0)
  }

  @Test("a pipeline that is edited while it runs is read again by the next command")
  func editedMeanwhile() throws {
    let repository = try project(
      """
      stages:
        a:
          cmd: test -f mark || sed -i 's/first$/second/' dvc.yaml; touch mark; cp in out; printf >> out first
          outs: [out]
          deps: [in]

      """)
    try repository.write("in", "")
    #expect(try repository.cairn("repro").status == 0)
    #expect(repository.read("out") == "first")
    let again = try repository.cairn("repro")
    #expect(again.output.contains("Running stage 'a':"))
    #expect(repository.read("out") == "second")
    #expect(try repository.cairn("repro").output.contains("Stage 'a' didn't change, skipping"))
  }

  @Test("a pipeline file that appears while others run is found by the next command")
  func appearedMeanwhile() throws {
    let repository = try project(
      """
      stages:
        a:
          cmd: |
            mkdir -p sub/deep && echo 'stages: {b: {cmd: touch c, outs: [c]}}' > sub/deep/dvc.yaml && touch out
          outs: [out]
          deps: [in]

      """)
    try repository.write("in", "")
    #expect(try repository.cairn("repro", "-P").status == 0)
    #expect(try repository.cairn("repro", "-P").output.contains("Running stage 'sub/deep/dvc.yaml:b':"))
  }

  @Test("names that only Unicode takes for the same are watched each by its bytes")
  func twins() throws {
    let (composed, decomposed) = ("\u{e9}", "e\u{301}")
    let repository = try project(
      "stages: {a: {cmd: 'cat \(composed) \(decomposed) > out', outs: [out], deps: [\(composed), \(decomposed)]}}\n")
    try repository.write(composed, "1\n")
    try repository.write(decomposed, "1\n")
    usleep(50_000)
    #expect(try repository.cairn("repro").status == 0)
    #expect(try repository.cairn("repro").output.contains("Stage 'a' didn't change, skipping"))
    try repository.write(decomposed, "2\n")
    #expect(try repository.cairn("repro").output.contains("Running stage 'a':"))
    #expect(repository.read("out") == "1\n2\n")
  }

  @Test("commands run with the niceness that Cairn was started with")
  func niceness() throws {
    let repository = try project("stages: {a: {cmd: nice > out, outs: [out]}}\n")
    let binary = try CairnBinary.path()
    for more in [0, 4, 9] {
      #expect(try repository.shell("nice -n \(more) '\(binary)' repro -f").status == 0)
      #expect(repository.read("out") == (try repository.shell("nice -n \(more) nice").output))
    }
  }

  @Test("a run leaves an answer for the next one, which then reads no pipeline")
  func answeredByStamps() throws {
    let repository = try project("stages: {a: {cmd: cp in out, outs: [out], deps: [in]}}\n")
    try repository.write("in", "")
    try repository.write("other/file", "")
    // What was written just before is told from what comes later only after a tick of the clock.
    usleep(50_000)
    #expect(try repository.cairn("repro").status == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: repository.root + "/.cairn/fresh").count == 1)
  }

  @Test("single items run in the order in which they are named")
  func singleItems() throws {
    let repository = try project(
      """
      stages:
        late: {cmd: sleep 0.3 && echo 1 > a, outs: [a]}
        reader: {cmd: cat a > b, deps: [a], outs: [b]}

      """)
    #expect(try repository.cairn("repro", "-s", "late", "reader", "-j", "4").status == 0)
  }

  @Test("an output that git tracks is refused before anything is stored")
  func tracked() throws {
    let repository = try project("stages: {a: {cmd: echo 1 > x && echo 2 > y, outs: [x, y]}}\n")
    try repository.write("y", "old\n")
    try repository.commit()
    let result = try repository.cairn("repro")
    #expect(result.errors.contains("output 'y' is already tracked by SCM (e.g. Git)."))
    #expect(repository.list(".dvc/cache/files/md5").isEmpty)
  }

  @Test("--pull brings what is merely missing from a folder, and nothing that is not what its name says")
  func pull() throws {
    let repository = try project("stages: {a: {cmd: cat in > out, deps: [in], outs: [out]}}\n")
    try repository.write("in", "data\n")
    #expect(try repository.cairn("repro").status == 0)
    _ = try repository.shell("mv .dvc/cache remote && rm out && cp -r remote damaged && chmod -R u+w damaged")
    _ = try repository.shell("echo bad > $(find damaged/files -type f)")
    try repository.write(".dvc/config", "[core]\n    remote = r\n['remote \"r\"']\n    url = ../damaged\n")
    #expect(try repository.cairn("repro", "--pull", "--dry").output.contains("Unable to pull data for stage: 'a'"))
    try repository.write(".dvc/config", "[core]\n    remote = r\n['remote \"r\"']\n    url = ../remote\n")
    let pulled = try repository.cairn("repro", "--pull")
    #expect(pulled.output == "Pulling data for stage: 'a'\nData and pipelines are up to date.\n")
    #expect(repository.read("out") == "data\n")
  }

  @Test("what --pull finds nowhere is told in its place, and the second time by name", arguments: ["1", "2"])
  func pullFindsNothing(jobs: String) throws {
    let repository = try project(
      """
      stages:
        file: {cmd: (cat in; echo 1) > one.txt, deps: [in], outs: [one.txt]}
        folder: {cmd: mkdir -p d && (cat in; echo 2) > d/two.txt, deps: [in, one.txt], outs: [d]}

      """)
    try repository.write("in", "data\n")
    #expect(try repository.cairn("repro").status == 0)
    try repository.write(".dvc/config", "[core]\n    remote = r\n['remote \"r\"']\n    url = ../../remote\n")
    _ = try repository.shell("mkdir ../remote; rm -rf one.txt d; find .dvc/cache/files -type f ! -name '*.dir' -delete")
    let told = try repository.shell("\(CairnBinary.path()) repro --pull -j \(jobs) 2>&1")
    let nowhere = "WARNING: Some of the cache files do not exist neither locally nor on remote. Missing cache files:\n"
    let one = try repository.shell("(cat in; echo 1) | md5sum | cut -c1-32").output
    let two = try repository.shell("(cat in; echo 2) | md5sum | cut -c1-32").output
    #expect(
      told.output.hasPrefix(
        """
        Pulling data for stage: 'file'
        \(nowhere)md5: \(one)Unable to pull data for stage: 'file'
        \(nowhere)name: one.txt, md5: \(one)Running stage 'file':
        > (cat in; echo 1) > one.txt

        Pulling data for stage: 'folder'
        \(nowhere)md5: \(two)Unable to pull data for stage: 'folder'
        \(nowhere)name: d/two.txt, md5: \(two)Running stage 'folder':

        """), "\(told)")
    _ = try repository.shell("rm -rf d .dvc/cache/files; mkdir .dvc/cache/files")
    let list = try #require(repository.read("dvc.lock")?.split(separator: "\n").first { $0.hasSuffix(".dir") })
    #expect(
      try repository.cairn("repro", "--pull", "-s", "folder").errors.hasSuffix(
        nowhere + "name: None, " + list.drop { $0 == " " || $0 == "-" } + "\n"))
    _ = try repository.shell("rm -rf d one.txt .dvc/cache/files; mkdir .dvc/cache/files; echo 2 >> in")
    let alone = try repository.cairn("repro", "--pull", "-s", "folder")
    #expect(alone.errors.contains("'folder': Checkout failed for following targets:\none.txt\nIs your cache up to date?"))
  }

  @Test("an import of a local file that has changed is copied anew; frozen, its input is recorded with its data")
  func imported() throws {
    let repository = try project("stages: {a: {cmd: cp far.txt o, deps: [far.txt], outs: [o]}}\n")
    let file = """
      md5: b1ce903aacf1ff946a4c6f136cef8110
      deps:
      - md5: 5bbf5a52328e7439ae6e719dfe712200
        size: 4
        hash: md5
        path: ../far.txt
      outs:
      - md5: 5bbf5a52328e7439ae6e719dfe712200
        size: 4
        hash: md5
        path: far.txt

      """
    for name in ["far.txt", "../far.txt"] { try repository.write(name, "one\n") }
    try repository.write("far.txt.dvc", file)
    try repository.write(".gitignore", "/far.txt\n")
    #expect(try repository.cairn("repro").status == 0)
    try repository.write("../far.txt", "other\n")
    let source = repository.root.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/far.txt"
    #expect(try repository.cairn("repro", "--dry", "far.txt.dvc").output.hasPrefix("Importing '\(source)' -> 'far.txt'\n"))
    #expect(repository.read("far.txt") == "one\n")
    let result = try repository.cairn("repro")
    #expect(result.output.hasPrefix("Importing '\(source)' -> 'far.txt'\n\nRunning stage 'a':"), "\(result)")
    #expect(repository.read("o") == "other\n")
    let changed = file.replacing("5bbf5a52328e7439ae6e719dfe712200", with: "ba7790b1708b71cb2b61b1a30d824712")
      .replacing("size: 4", with: "size: 6")
    #expect(repository.read("far.txt.dvc")?.split(separator: "\n").dropFirst() == changed.split(separator: "\n").dropFirst())
    #expect(try repository.cairn("status").output == "Data and pipelines are up to date.\n")
    #expect(try repository.cairn("freeze", "far.txt.dvc").status == 0)
    _ = try repository.shell("chmod u+w far.txt; echo mine > far.txt; echo last > ../far.txt")
    #expect(try repository.cairn("repro", "far.txt.dvc").output.contains("Verifying outputs in frozen stage"))
    #expect(try !repository.cairn("status", "far.txt.dvc").output.contains("changed checksum"))
    try repository.remove("../far.txt")
    _ = try repository.cairn("unfreeze", "far.txt.dvc")
    let gone = try repository.cairn("repro", "far.txt.dvc")
    #expect(gone.errors.contains("failed to reproduce 'far.txt.dvc': dependency '\(source)' does not exist"), "\(gone)")
  }

  @Test("outputs that the lock names and the cache has lost are not taken from another run")
  func lostOutputs() throws {
    let repository = try project("stages: {a: {cmd: date +%N > o, deps: [in], outs: [o]}}\n")
    try repository.write("in", "")
    #expect(try repository.cairn("repro").status == 0)
    let first = repository.read("o")
    #expect(try repository.cairn("repro", "-f").status == 0)
    let lost = try repository.shell("h=$(md5sum < o); rm -f o .dvc/cache/files/md5/${h%${h#??}}/$(echo $h | cut -c3-32); grep -rl $(echo $h | cut -c1-32) .dvc/cache/runs | xargs touch -d '1 hour ago'")
    #expect(lost.status == 0)
    #expect(try repository.cairn("repro").output.contains("Running stage 'a':"))
    #expect(repository.read("o") != first)
  }

  @Test("an empty line follows each stage that did something")
  func emptyLines() throws {
    let repository = try project("stages: {a: {cmd: echo 1}, b: {cmd: echo 2}}\n")
    #expect(
      try repository.cairn("repro", "-j", "1").output.hasPrefix(
        """
        Running stage 'a':
        > echo 1
        1
        Generating lock file 'dvc.lock'
        Updating lock file 'dvc.lock'

        Running stage 'b':
        > echo 2
        2
        Updating lock file 'dvc.lock'

        To track the changes with git, run:
        """))
  }

  @Test("parameters and metrics are compared with a commit, its tree never checked out")
  func comparison() throws {
    let repository = try project(
      "vars: [extra.yaml]\nstages: {a: {cmd: 'echo ${n}', params: [lr], metrics: [m.json: {cache: false}]}}\n")
    try repository.write("extra.yaml", "n: 1\n")
    try repository.write("params.yaml", "lr: 0.1\n")
    try repository.write("m.json", #"{"acc": 0.25, "name": "x"}"#)
    try repository.commit()
    try repository.write("extra.yaml", "n: 2\n")
    try repository.write("params.yaml", "lr: 0.5\n")
    try repository.write("m.json", #"{"acc": 0.5, "name": "x"}"#)
    #expect(
      try repository.cairn("params", "diff").output == """
        Path         Param    HEAD    workspace
        params.yaml  lr       0.1     0.5
        extra.yaml   n        1       2

        """)
    #expect(
      try repository.cairn("metrics", "diff", "--md").output == """
        | Path   | Metric   | HEAD   | workspace   | Change   |
        |--------|----------|--------|-------------|----------|
        | m.json | acc      | 0.25   | 0.5         | 0.25     |


        """)
    #expect(
      try repository.cairn("metrics", "show", "-A", "--json").output.contains(
        #"{"workspace": {"data": {"m.json": {"data": {"acc": 0.5, "name": "x"}}}}, "#))
  }

  @Test(
    "with more than one job a failed run leaves what a serial one leaves: all before the failure, nothing behind it",
    arguments: ["{cmd: touch bad, deps: [nope], outs: [bad]}", "{cmd: touch bad, params: [nope], outs: [bad]}",
      "{cmd: echo 1 > kept, outs: [kept]}"])
  func failedBesideOthers(bad: String) throws {
    let repository = try project(
      """
      stages:
        slow: {cmd: sleep 0.2 && echo 1 > a, outs: [a]}
        next: {cmd: cat a > b, deps: [a], outs: [b]}
        bad: \(bad)
        behind: {cmd: touch c, outs: [c]}

      """)
    try repository.write("params.yaml", "x: 1\n")
    try repository.write("kept", "in git\n")
    _ = try repository.git("add", "kept")
    let result = try repository.cairn("repro", "-j", "4")
    #expect(result.status == 255)
    #expect(result.errors.contains("failed to reproduce 'bad'"))
    #expect(!repository.exists("c"))
    let lock = try #require(repository.read("dvc.lock"))
    #expect(lock.contains("  slow:") && lock.contains("  next:") && !lock.contains("  behind:"))
  }

  @Test("what is missing is told in DVC's words, which hang on whether the run-cache was asked")
  func missingInputs() throws {
    let repository = try project(
      """
      stages:
        kept: {cmd: touch a, deps: [nope], outs: [a]}
        unkept: {cmd: touch b, deps: [nope]}
        keys: {cmd: touch c, params: [k], outs: [c]}
        file: {cmd: touch d, params: [params.yaml: ], outs: [d]}
        some: {cmd: touch e, params: [there.yaml: [p, q.r]], outs: [e]}

      """)
    try repository.write("there.yaml", "p: 1\n")
    func failure(_ arguments: String...) throws -> String {
      try repository.run([try CairnBinary.path(), "repro"] + arguments).errors
    }
    #expect(
      try failure("kept").contains("failed to reproduce 'kept': [Errno 2] No such file or directory: '\(repository.root)/nope'"))
    #expect(try failure("-f", "kept").contains("'kept': dependency 'nope' does not exist"))
    #expect(try failure("unkept").contains("'unkept': dependency 'nope' does not exist"))
    #expect(try failure("keys").contains("'keys': Parameters 'k' are missing from 'params.yaml'."))
    let some = try failure("some")
    #expect(some.contains("'some': Parameters 'q.r' are missing from 'there.yaml'.\n  --> dvc.yaml:6:49\n"), "\(some)")
    #expect(try failure("file").contains("'file': dependency 'params.yaml' does not exist"))
    #expect(try repository.cairn("repro", "--dry", "file").status == 0)
    for stage in ["keys", "file"] {
      #expect(
        try repository.cairn("repro", "--allow-missing", stage).output.hasPrefix("Stage '\(stage)' didn't change, skipping"))
    }
    try repository.write(".dvc/config", "[core]\n    remote = r\n['remote \"r\"']\n    url = ../remote\n")
    try repository.remove("a")
    let pulled = try failure("--pull", "kept")
    #expect(pulled.contains("No file hash info found for '\(repository.root)/a'. It won't be created."))
    #expect(
      pulled.contains(
        "'kept': 'nope' does not exist as an output or a stage name in 'dvc.yaml': Stage 'nope' not found inside"))
  }

  @Test("with ignored errors git ignores the outputs that a failed stage did make")
  func ignoredErrors() throws {
    let repository = try project("stages: {a: {cmd: touch x, outs: [x, y]}}\n")
    #expect(try repository.cairn("repro", "-k").status == 255)
    #expect(!repository.exists(".gitignore"))
    #expect(try repository.cairn("repro", "--ignore-errors").status == 0)
    #expect(repository.read(".gitignore") == "/x\n")
  }

  @Test("a dry run asks the run-cache about the inputs that the lock has")
  func dryRestoration() throws {
    let repository = try project("stages: {a: {cmd: cat in > out, deps: [in], outs: [out]}}\n")
    for text in ["one", "two"] {
      try repository.write("in", text)
      #expect(try repository.cairn("repro").status == 0)
    }
    try repository.write("in", "three")
    #expect(try repository.cairn("repro", "--dry").output.contains("Stage 'a' is cached - skipping run"))
    try repository.remove("dvc.lock")
    try repository.write("in", "one")
    #expect(try !repository.cairn("repro", "--dry").output.contains("is cached"))
  }

  @Test("a file that grows inside a directory dependency is noticed, after a run with nothing to do as well")
  func directoryDependency() throws {
    let repository = try project("stages: {a: {cmd: cat data/deep/* > out, deps: [data], outs: [out]}}\n")
    try repository.write("data/deep/f", "one")
    #expect(try repository.cairn("repro").status == 0)
    for text in ["other", "third"] {
      try repository.age("data/deep/f", bySeconds: 5)
      for _ in 0..<2 { #expect(try repository.cairn("repro").status == 0) }
      try repository.write("data/deep/f", text)
      #expect(try repository.cairn("repro").status == 0)
      #expect(repository.read("out") == text)
    }
  }
}
