// `cairn lineage` over folders and their parts, and what it says of remotes.
import CairnTestSupport
import Foundation
import Testing

struct LineageCommandTests {
  /// raw.csv → split → parts/ → one reads parts/a, another parts/in; all reads the folder that their outputs lie in.
  private func project() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write("raw.csv", "1,2,3\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        split:
          cmd: mkdir -p parts/in && cat raw.csv > parts/a && echo inner > parts/in/b
          deps: [raw.csv]
          outs: [parts]
        one:
          cmd: mkdir -p made && cat ./parts/a > made/one
          deps: [./parts/a]
          outs: [made/one]
        other:
          cmd: mkdir -p made && cat parts/in/b > made/other
          deps: [parts/in]
          outs: [made/other]
        all:
          cmd: cat made/one made/other > end
          deps: [made]
          outs: [end]

      """)
    #expect(try repository.cairn("repro", "-j", "1").status == 0)
    return repository
  }

  @Test("up goes from a part of a folder to the run that made the folder, and from a folder to what made its parts")
  func up() throws {
    let repository = try project()
    for part in ["made/one", "made/other", "parts/a", "parts/in/b"] {
      let text = try repository.cairn("lineage", part)
      #expect(text.output.contains("raw.csv"), "\(part): \(text)")
      #expect(!text.output.contains("without a record"), "\(part): \(text)")
    }
    let whole = try repository.cairn("lineage", "end")
    #expect(whole.output.contains("parts/a") && whole.output.contains("parts/in") && whole.output.contains("one, other") && whole.output.contains("raw.csv"), "\(whole)")
  }

  @Test("down goes through the parts that others read")
  func down() throws {
    let repository = try project()
    let text = try repository.cairn("lineage", "--down", "raw.csv")
    for made in ["parts ", "made/one", "made/other", "end"] { #expect(text.output.contains(made), "\(made): \(text)") }
    // Another version of the part is not what the folder held.
    try repository.write("parts/a", "edited by hand\n")
    #expect(try repository.cairn("repro", "-s", "one").status == 0)
    #expect(try repository.cairn("runs", "show", "@last:one", "--json").output.contains("\"path\":\"parts/a\",\"producer\":null"))
    let edited = try repository.cairn("lineage", "made/one")
    #expect(edited.output.contains("unknown: where parts/a came from"), "\(edited)")
  }

  @Test("who read a part before this version of the folder was made has not used it; a part that nobody reads has no user")
  func parts() throws {
    let repository = try TestRepository()
    try repository.write("raw", "1\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        prep: {cmd: mkdir parts && cp raw parts/a && echo 2 > parts/b && echo 3 > parts/c, deps: [raw], outs: [parts]}
        x: {cmd: cp parts/a x, deps: [parts/a], outs: [x]}
        y: {cmd: cp parts/b y, deps: [parts/b], outs: [y]}

      """)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.write("raw", "4\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    for name in ["raw", "parts"] {
      let text = try repository.cairn("lineage", "--down", name).output
      #expect(text.contains(" x ") && !text.contains(" y "), "\(text)")
    }
    #expect(try repository.cairn("lineage", "--down", "parts/b").output.contains(" y "))
    let lone = try repository.cairn("lineage", "--down", "parts/c", "--json")
    #expect(lone.output.contains("\"path\": \"parts/c\"") && !lone.output.contains("\"used\""), "\(lone)")
    #expect(try repository.cairn("lineage", "parts/c").output.contains("raw"))
  }

  @Test("a parameter file is followed down by its values, and says so")
  func parameterFile() throws {
    let repository = try TestRepository()
    try repository.write("params.yaml", "lr: 1\n")
    try repository.write("dvc.yaml", "stages: {a: {cmd: cat params.yaml > o, params: [lr], outs: [o]}}\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    let result = try repository.cairn("lineage", "--down", "params.yaml", "--json")
    #expect(result.errors.contains("'params.yaml' is read for its parameters: `cairn runs` shows"), "\(result)")
  }

  @Test("data of which only single files are read has been used by who read those, in each of its versions")
  func partsOfData() throws {
    let repository = try TestRepository()
    for name in ["1", "2", "3"] { try repository.write("dd/" + name, name + "\n") }
    #expect(try repository.cairn("add", "-q", "dd").status == 0)
    try repository.write(
      "dvc.yaml",
      """
      stages:
        b: {cmd: cat dd/1 > p, deps: [dd/1], outs: [p]}
        c: {cmd: cat dd/2 > q, deps: [dd/2], outs: [q]}

      """)
    try repository.commit("first")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.write("dd/1", "another\n")
    #expect(try repository.cairn("add", "-q", "dd").status == 0)
    try repository.commit("second")
    #expect(try repository.cairn("repro", "-q").status == 0)
    func touched(_ name: String, at revision: String? = nil) throws -> [String] {
      let text =
        if let revision { try repository.cairn("lineage", "--down", name, "--rev", revision).output } else {
          try repository.cairn("lineage", "--down", name).output
        }
      return ["p", "q"].filter { text.contains(" \($0) ") }
    }
    #expect(try touched("dd") == ["p", "q"])
    #expect(try touched("dd/1") == ["p"] && touched("dd/2") == ["q"] && touched("dd/3") == [])
    for revision in ["HEAD", "HEAD^"] { #expect(try touched("dd/1", at: revision) == ["p"], "\(revision)") }
    #expect(try touched("dd/3", at: "HEAD") == [])
  }

  @Test("of several runs that left the same bytes the one counts that the reader names, or that the lock is of")
  func sameOutput() throws {
    let repository = try TestRepository()
    try repository.write("x", "same\n1\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a: {cmd: head -1 x > oa, deps: [x], outs: [oa]}
        b: {cmd: cat oa > ob, deps: [oa], outs: [ob]}
        c: {cmd: cat oa ob > oc, deps: [oa, ob], outs: [oc]}

      """)
    try repository.commit("one")
    #expect(try repository.cairn("repro", "-q").status == 0)
    func run(_ stage: String) throws -> Substring {
      let runs = try repository.cairn("runs", "list", "--stage", stage, "-n", "1", "--json").output
      return try #require(runs.firstMatch(of: /"run": "([0-9a-f]{64})"/)?.1)
    }
    let first = try run("a")
    try repository.write("x", "same\n2\n")
    try repository.commit("two")
    try repository.shell("sed -i 's/cat oa ob/cat ob oa/' dvc.yaml")
    #expect(try repository.cairn("repro").output.contains("Stage 'b' didn't change, skipping"))
    let second = try run("a")
    let graph = try repository.cairn("lineage", "oc", "--json").output
    for run in [first, second] {
      #expect(graph.contains(try Regex("\"from\": \"r:\(run)\",\\s+\"to\": \"a:[0-9a-f]+\",\\s+\"type\": \"generated\"")), "\(graph)")
    }
    // Each with its own source, nothing left to be seen elsewhere.
    let tree = try repository.cairn("lineage", "oc").output
    #expect(tree.split(separator: "\n").count { $0.contains(" x ") } == 2 && !tree.contains("see above"), "\(tree)")
    // Taken from the cache: the run that did that work, not the newest with these bytes.
    try repository.write("x", "same\n1\n")
    try repository.shell("sed -i 's/cat oa > ob/cat oa oa > ob/' dvc.yaml")
    #expect(try repository.cairn("repro", "a").output.contains("Stage 'a' is cached"))
    #expect(try repository.cairn("repro", "-q", "b").status == 0)
    let record = try repository.cairn("runs", "show", "@last:b", "--json").output
    #expect(record.contains("\"path\":\"oa\",\"producer\":\"\(first)\""), "\(record)")
  }

  @Test("a part of a folder that no cache has has its maker, and down follows the producers that were recorded")
  func recordedProducers() throws {
    let repository = try TestRepository()
    try repository.write("raw", "same\n1\n")
    try repository.write("params.yaml", "lr: 1\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a:
          cmd: mkdir -p d && head -1 raw > d/f
          deps: [raw]
          outs: [{d: {cache: false}}]
        b: {cmd: cat d/f params.yaml > b, deps: [d/f], params: [lr], outs: [b]}

      """)
    func repro() throws -> Substring {
      #expect(try repository.cairn("repro", "-q").status == 0)
      let runs = try repository.cairn("runs", "list", "--stage", "a", "-n", "1", "--json").output
      return try #require(runs.firstMatch(of: /"run": "([0-9a-f]{64})"/)?.1)
    }
    let first = try repro()
    #expect(try repository.cairn("runs", "show", "@last:b", "--json").output.contains("\"path\":\"d/f\",\"producer\":\"\(first)\""))
    // The second one's folder is the same, and nobody reads it: b runs after the third.
    try repository.write("raw", "same\n2\n")
    let second = try repro()
    try repository.write("raw", "same\n3\n")
    try repository.write("params.yaml", "lr: 2\n")
    let third = try repro()
    #expect(try repository.cairn("runs", "show", "@last:b", "--json").output.contains("\"producer\":\"\(third)\""))
    for (run, count) in [(first, 1), (second, 0), (third, 1)] {
      let text = try repository.cairn("lineage", "--down", String(run), "--json").output
      #expect(text.matches(of: /"type": "used"/).count == count, "\(text)")
    }
  }

  @Test("a run that took its outputs from the cache is behind the one that made them")
  func restoration() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages: {a: {cmd: cat raw > a, deps: [raw], outs: [a]}}\n")
    for text in ["1\n", "2\n", "1\n"] {
      try repository.write("raw", text)
      #expect(try repository.cairn("repro", "-q").status == 0)
    }
    let runs = try repository.cairn("runs", "list", "--json").output.matches(of: /"run": "([0-9a-f]{64})"/).map { String($0.1) }
    let edge = try Regex("\"from\": \"r:\(runs[2])\",\\s+\"to\": \"r:\(runs[0])\",\\s+\"type\": \"restored\"")
    for arguments in [["lineage", runs[0], "--json"], ["lineage", "--down", runs[2], "--json"]] {
      let text = try repository.run([try CairnBinary.path()] + arguments).output
      #expect(text.contains(edge), "\(text)")
    }
  }

  @Test("a reason's path is the record's, not as the stage declares it")
  func reasonPath() throws {
    let repository = try project()
    try repository.write("raw.csv", "4\n")
    #expect(try repository.cairn("repro").status == 0)
    let runs = try repository.cairn("runs", "list", "--stage", "one", "-n", "1", "--json")
    #expect(runs.output.contains("\"path\": \"parts/a\"") && !runs.output.contains("./parts/a"), "\(runs)")
    // The record names the run that made the folder, and so why leads to the edit.
    let split = try repository.cairn("runs", "list", "--stage", "split", "-n", "1", "--json").output
    let run = try #require(split.firstMatch(of: /"run": "([0-9a-f]{64})"/)?.1)
    // A folder inside the folder, too: of the first run, since it came out the same.
    let other = try repository.cairn("runs", "show", "@last:other", "--json").output
    #expect(other.contains(/"path":"parts\/in","producer":"[0-9a-f]{64}"/), "\(other)")
    let one = try repository.cairn("runs", "show", "@last:one", "--json").output
    #expect(one.contains("\"producer\":\"\(run)\""), "\(one)")
    #expect(one.contains("\"producer\":{\"run\":\"\(run)\",\"stage\":\"split\"}"), "\(one)")
    #expect(try repository.cairn("why", "--last", "one").output.contains("because raw.csv changed (split → one)"))
  }

  @Test("a source that was not committed when it was read is told so, with the commit that has it since, file or folder")
  func uncommitted() throws {
    let repository = try TestRepository()
    try repository.write("k", "1\n")
    try repository.write("src/one", "1\n")
    try repository.write("dvc.yaml", "stages: {s: {cmd: cat k src/* > o, deps: [k, src], outs: [o]}}\n")
    try repository.commit("first")
    try repository.write("k", "2\n")
    try repository.write("src/one", "2\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    func line(_ name: String) throws -> String {
      let lines = try repository.cairn("lineage", "o").output.split(separator: "\n").map(String.init)
      return lines.first { $0.contains(" \(name) ") } ?? "none in \(lines)"
    }
    #expect(try line("k").hasSuffix("uncommitted when it ran"))
    #expect(try line("src").hasSuffix("1 file of it uncommitted when it ran"))
    try repository.commit("second")
    let second = try repository.git("rev-parse", "--short=7", "HEAD").dropLast()
    #expect(try line("k").hasSuffix("uncommitted when it ran; committed since in \(second)"))
    // Whatever came of the file afterwards.
    try repository.write("k", "3\n")
    try repository.commit("third")
    #expect(try line("k").hasSuffix("uncommitted when it ran; committed since in \(second)"))
  }

  @Test("data is on the remote or not, as far as one can look there")
  func remote() throws {
    let repository = try TestRepository()
    try repository.write("raw.csv", "1,2,3\n")
    try repository.write("dvc.yaml", "stages: {s: {cmd: cat raw.csv > o, deps: [raw.csv], outs: [o]}}\n")
    #expect(try repository.cairn("add", "raw.csv").status == 0)
    #expect(try repository.cairn("repro").status == 0)
    func line() throws -> String {
      try repository.cairn("lineage", "o").output.split(separator: "\n").first { $0.contains("DVC data") }.map(String.init) ?? ""
    }
    #expect(try !line().contains("on remote"))
    let store = repository.path("../store")
    #expect(try repository.cairn("remote", "add", "-d", "there", store).status == 0)
    #expect(try line().hasSuffix("on remote: no"))
    try repository.shell("mkdir -p \(store)/files && cp -r .dvc/cache/files/md5 \(store)/files/md5")
    #expect(try line().hasSuffix("on remote: yes"))
    #expect(try repository.cairn("remote", "modify", "there", "url", "s3://bucket/x").status == 0)
    #expect(try line().hasSuffix("on remote: unknown"))
  }

  @Test("the story goes on behind a parameter file that a stage makes or a .dvc file tracks, up and down")
  func madeParameters() throws {
    let repository = try TestRepository()
    try repository.write("f", "2\n")
    try repository.write("q.yaml", "seed: 7\n")
    try repository.write("plain.yaml", "k: 1\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        g:
          cmd: (echo -n 'lr = '; cat f) > p.toml
          deps: [f]
          outs: [p.toml]
        s:
          cmd: cat p.toml q.yaml > o
          params: [{p.toml: [lr]}, {q.yaml: [seed]}, {plain.yaml: [k]}]
          outs: [o]

      """)
    #expect(try repository.cairn("add", "q.yaml").status == 0)
    #expect(try repository.cairn("repro", "-q", "-j", "1").status == 0)
    let up = try repository.cairn("lineage", "o")
    #expect(up.output.contains(#/p.toml +lr 2 · g · /#) && up.output.contains("└─ f"), "\(up)")
    #expect(up.output.contains(/q.yaml +seed 7 · DVC data/), "\(up)")
    #expect(up.output.contains("unknown: where q.yaml came from"), "\(up)")
    #expect(try repository.cairn("lineage", "--down", "f").output.contains("└─ o "))
    #expect(try repository.cairn("lineage", "--down", "q.yaml").output.contains("└─ o "))
    // Of one that nobody makes its values are all there is.
    #expect(up.output.contains(/plain.yaml +k 1\n/), "\(up)")
    let record = try repository.cairn("runs", "show", "@last:s", "--json").output
    #expect(record.contains(/"path":"p.toml","producer":"[0-9a-f]{64}","role":"params"/), "\(record)")
    #expect(record.contains(/"path":"q.yaml","producer":null,"role":"params"/), "\(record)")
    #expect(!record.contains("\"path\":\"plain.yaml\""), "\(record)")
    // The lock and what people are shown of the run are as before; the run still stands behind its lock entry.
    #expect(repository.read("dvc.lock")?.contains("path: p.toml\n      hash") == true)
    #expect(repository.read("dvc.lock")?.contains("deps:\n    - path: p.toml") == false)
    #expect(try !repository.cairn("runs", "show", "@last:s").output.contains("inputs"))
    #expect(up.output.contains(#/^o +\d+ B · s · /#), "\(up)")
    #expect(try repository.cairn("status").output.contains("up to date"))
  }

  @Test("what is not locked, what another branch has locked, and what was changed afterwards are three things")
  func notLocked() throws {
    let repository = try TestRepository()
    try repository.write("f", "1\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        s: {cmd: cat f > o, deps: [f], outs: [o]}
        bad: {cmd: echo 1 > left && false, outs: [left]}

      """)
    #expect(try repository.cairn("repro", "-q", "s").status == 0)
    try repository.commit("one")
    #expect(try repository.cairn("repro", "-q", "bad").status == 255)
    #expect(repository.exists("left"))
    let left = try repository.cairn("lineage", "left")
    #expect(left.errors.contains("nothing is locked for 'left': dvc.lock has no hash of it"), "\(left)")
    #expect(!left.errors.contains("changed afterwards"), "\(left)")
    try repository.git("checkout", "--quiet", "-b", "other")
    try repository.write("f", "2\n")
    #expect(try repository.cairn("repro", "-q", "s").status == 0)
    try repository.commit("two")
    try repository.git("checkout", "--quiet", "main")
    let made = try repository.cairn("lineage", "o")
    #expect(made.errors.contains("dvc.lock has another version of 'o'"), "\(made)")
    #expect(!made.errors.contains("changed afterwards") && made.output.contains("o  2 B · s · "), "\(made)")
    try repository.remove("o")
    try repository.write("o", "by hand\n")
    let edited = try repository.cairn("lineage", "o")
    #expect(edited.errors.contains("'o' is not the version that is locked: it was changed afterwards"), "\(edited)")
  }

  @Test("text that DVC 2 has locked with its line ends unified was not changed")
  func oldLock() throws {
    let repository = try TestRepository()
    try repository.write("f", "1\n")
    try repository.write("o", "a\r\nb\r\n")
    try repository.write("dvc.yaml", "stages: {s: {cmd: x, deps: [f], outs: [{o: {cache: false}}]}}\n")
    try repository.write(
      "dvc.lock",
      """
      schema: '2.0'
      stages:
        s:
          cmd: x
          deps:
          - path: f
            md5: b026324c6904b2a9cb4b88d6d61c81d1
            size: 2
          outs:
          - path: o
            md5: dd8c6a395b5dd36c56d23275028f526c
            size: 6

      """)
    #expect(try repository.cairn("status").output.contains("up to date"))
    let text = try repository.cairn("lineage", "o")
    #expect(text.errors == "" && !text.output.contains("changed"), "\(text)")
  }

  @Test("the commit that brought data is named, none that only touched its .dvc file, nor one where the history ends")
  func dataCommit() throws {
    let repository = try TestRepository()
    try repository.write("raw.csv", "1,2,3\n")
    try repository.write("k", "1\n")
    try repository.write("dvc.yaml", "stages: {s: {cmd: cat raw.csv k > o, deps: [raw.csv, k], outs: [o]}}\n")
    #expect(try repository.cairn("add", "raw.csv").status == 0)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit("june batch")
    let june = try repository.git("rev-parse", "--short=7", "HEAD").dropLast()
    try repository.shell("echo '# a comment' >> raw.csv.dvc && chmod +x k")
    try repository.commit("comment")
    for name in ["o", "raw.csv"] {
      let text = try repository.cairn("lineage", name).output
      #expect(text.contains("commit \(june) \"june batch\""), "\(text)")
    }
    #expect(try repository.cairn("lineage", "k").output.contains("commit \(june)"))
    // What the first commit of a shallow clone has came from anybody.
    let clone = repository.path("../clone")
    try repository.git("clone", "--quiet", "--depth", "1", "file://" + repository.root, clone)
    for name in ["raw.csv", "k"] {
      let text = try repository.cairn("lineage", name, in: clone)
      #expect(text.status == 0 || text.status == 2, "\(text)")
      #expect(text.output.contains(name + "  ") && !text.output.contains("commit "), "\(text)")
    }
  }

  @Test("through a merge the commit is named that brought the data, not the side that took it back")
  func merged() throws {
    let repository = try TestRepository()
    try repository.write("k", "1\n")
    try repository.write("dvc.yaml", "stages: {s: {cmd: cat k > o, deps: [k], outs: [o]}}\n")
    try repository.commit("first")
    try repository.write("k", "2\n")
    try repository.commit("second")
    let second = try repository.git("rev-parse", "--short=7", "HEAD").dropLast()
    let main = try repository.git("branch", "--show-current").dropLast()
    try repository.git("checkout", "--quiet", "-b", "side", "HEAD^")
    try repository.write("k", "3\n")
    try repository.commit("side: another")
    try repository.write("k", "2\n")
    try repository.commit("side: the same")
    try repository.git("checkout", "--quiet", String(main))
    try repository.git("merge", "--quiet", "--no-edit", "side")
    #expect(try repository.cairn("repro", "-q").status == 0)
    let text = try repository.cairn("lineage", "k").output
    #expect(text.contains("commit \(second)"), "\(text)")
  }

  @Test("a commit from before the run is none since it, and a rebased one is, whenever it was authored")
  func committedSince() throws {
    let repository = try TestRepository()
    try repository.write("k", "1\n")
    try repository.write("dvc.yaml", "stages: {s: {cmd: cat k > o, deps: [k], outs: [o]}}\n")
    func commit(_ message: String, authored: String, committed: String) throws {
      let dates = "GIT_AUTHOR_DATE='\(authored)' GIT_COMMITTER_DATE='\(committed)'"
      #expect(try repository.shell("git add --all && \(dates) git commit -qm \(message)").status == 0)
    }
    try commit("ann", authored: "2024-01-01T00:00:00Z", committed: "2024-01-01T00:00:00Z")
    try repository.write("k", "2\n")
    // In the same second as the run: being part of what it ran with tells.
    try repository.commit("bob")
    try repository.write("k", "1\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    func line() throws -> String {
      let lines = try repository.cairn("lineage", "o").output.split(separator: "\n").map(String.init)
      return lines.first { $0.contains(" k ") } ?? "none in \(lines)"
    }
    #expect(try line().hasSuffix("uncommitted when it ran"))
    try commit("carl", authored: "2024-01-02T00:00:00Z", committed: "2099-01-01T00:00:00Z")
    let carl = try repository.git("rev-parse", "--short=7", "HEAD").dropLast()
    try repository.write("k", "3\n")
    try commit("dora", authored: "2099-01-02T00:00:00Z", committed: "2099-01-02T00:00:00Z")
    try repository.write("k", "1\n")
    try commit("emil", authored: "2099-01-03T00:00:00Z", committed: "2099-01-03T00:00:00Z")
    #expect(try line().hasSuffix("uncommitted when it ran; committed since in \(carl)"))
  }

  @Test("a run's commit is named for an input only where it has the bytes that the run read")
  func commitHasBytes() throws {
    let repository = try TestRepository()
    try repository.write("src/one", "1\n")
    try repository.write("other/one", "1\n")
    try repository.write("real", "1\n")
    try repository.shell("ln -s real link")
    try repository.write("k", "1\n")
    try repository.write(
      "dvc.yaml", "stages: {s: {cmd: cat link k src/* > o, deps: [link, k, src, other], outs: [o]}}\n")
    try repository.commit("first")
    let first = try repository.git("rev-parse", "--short=7", "HEAD").dropLast()
    try repository.write("src/untracked", "2\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    func line(_ name: String) throws -> String {
      let lines = try repository.cairn("lineage", "o").output.split(separator: "\n").map(String.init)
      return lines.first { $0.contains(" \(name) ") || $0.hasSuffix(" " + name) } ?? "none in \(lines)"
    }
    for name in ["k", "other"] { #expect(try line(name).hasSuffix("commit \(first)")) }
    for name in ["src", "link"] { #expect(try !line(name).contains("commit")) }
  }

  @Test("in a project below git's top folder an uncommitted input is told so, too")
  func uncommittedBelow() throws {
    let repository = try TestRepository(dvc: false)
    try repository.shell("mkdir -p b/.dvc/tmp")
    for (name, text) in [(".dvc/config", ""), (".dvcignore", ""), ("k", "1\n"), ("src/one", "1\n")] {
      try repository.write("b/" + name, text)
    }
    try repository.write("b/dvc.yaml", "stages: {s: {cmd: cat k > o, deps: [k, src], outs: [o]}}\n")
    try repository.commit("first")
    try repository.write("b/k", "2\n")
    try repository.write("b/src/one", "2\n")
    #expect(try repository.cairn("repro", "-q", in: "b").status == 0)
    let text = try repository.cairn("lineage", "o", in: "b").output
    #expect(text.contains(#/ k +uncommitted when it ran\n/#), "\(text)")
    #expect(text.contains("1 file of it uncommitted when it ran"), "\(text)")
  }

  @Test("the origin of what has a commit is not unknown, however one came to it")
  func committedOrigin() throws {
    let repository = try TestRepository()
    let bytes = String(repeating: "a line of some length\n", count: 8)
    try repository.write("raw.csv", bytes)
    try repository.write("copy.csv", bytes)
    try repository.write("old.csv", "1\n")
    try repository.write("lone.csv", "2\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        s: {cmd: cat raw.csv > p && echo p >> p, deps: [raw.csv], outs: [p]}
        t: {cmd: cat copy.csv old.csv lone.csv > q, deps: [copy.csv, old.csv, lone.csv], outs: [q]}

      """)
    try repository.git("add", "raw.csv", "copy.csv", "old.csv", "dvc.yaml")
    try repository.git("commit", "--quiet", "--message", "first")
    let first = try repository.git("rev-parse", "--short=7", "HEAD").dropLast()
    #expect(try repository.cairn("repro", "-q").status == 0)
    let plain = try repository.cairn("lineage", "p")
    #expect(plain.output.contains("copy.csv") && !plain.output.contains("unknown"), "\(plain)")
    let followed = try repository.cairn("lineage", "p", "--by-content")
    #expect(followed.output.contains("copy.csv") && !followed.output.contains("unknown"), "\(followed)")
    #expect(try !repository.cairn("lineage", "p", "--by-content", "--json").output.contains("\"what\""))
    try repository.git("rm", "--quiet", "--cached", "old.csv")
    try repository.remove("old.csv")
    let old = try repository.cairn("lineage", "old.csv")
    #expect(old.output.contains("commit \(first)") && !old.output.contains("unknown") && old.status == 0, "\(old)")
    // One that was in no commit when it was read has come into one since.
    try repository.git("add", "lone.csv")
    try repository.git("commit", "--quiet", "--message", "second", "--", "lone.csv")
    try repository.git("rm", "--quiet", "lone.csv")
    let lone = try repository.cairn("lineage", "lone.csv")
    #expect(lone.output.contains("commit ") && !lone.output.contains("unknown"), "\(lone)")
    #expect(try repository.cairn("lineage", "q").output.contains("unknown: where lone.csv came from"))
  }

  @Test("another project of the same repository that shares the cache has other things by the same names")
  func projects() throws {
    let repository = try TestRepository(dvc: false)
    // What the first has, the second lacks by its stage, and the last, of the third, by a source.
    let stages = [
      "a": "s: {cmd: cat f > model, deps: [f], outs: [model]}", "b": "t: {cmd: cat f > mine, deps: [f], outs: [mine]}",
      "c": "s: {cmd: cat f k > far, deps: [f, k], outs: [far]}", "d": "s: {cmd: cat f > near, deps: [f], outs: [near]}",
    ]
    for (name, stage) in stages {
      try repository.shell("mkdir -p \(name)/.dvc/tmp")
      try repository.write("\(name)/.dvc/config", "[cache]\n    dir = \(repository.path("../shared"))\n")
      try repository.write("\(name)/.dvcignore", "")
      try repository.write("\(name)/f", "1\n")
      try repository.write("\(name)/dvc.yaml", "stages: {\(stage)}\n")
    }
    try repository.write("c/k", "1\n")
    try repository.commit("first")
    for name in ["a", "c"] { #expect(try repository.cairn("repro", "-q", in: name).status == 0) }
    let alien = try repository.cairn("lineage", "--down", "f", in: "b")
    #expect(!alien.output.contains("model") && !alien.output.contains("far"), "\(alien)")
    // The stage has that name here too, the source tells.
    #expect(try !repository.cairn("lineage", "--down", "f", in: "d").output.contains("far"))
    // What was asked for by its own name is followed where it is.
    let runs = try repository.cairn("runs", "list", "--path", "model", "--json", in: "a").output
    let run = try #require(runs.firstMatch(of: /"run": "([0-9a-f]{64})"/)?.1)
    #expect(try repository.cairn("lineage", "--down", String(run), in: "b").output.contains("model"))
    // In another clone of it the project is the same one.
    let clone = repository.path("../clone")
    try repository.git("clone", "--quiet", repository.root, clone)
    let same = try repository.cairn("lineage", "--down", "f", in: clone + "/a")
    #expect(same.output.contains("model") && !same.output.contains("far"), "\(same)")
  }
}
