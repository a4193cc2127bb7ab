// `cairn restore RUN --into DIR`: the moment of a run elsewhere, each hash checked, and what could not be had is said.
import CairnTestSupport
import Foundation
import Testing

struct RestoreSnapshotTests {
  /// A pipeline with data, a folder, code in git and a metric that git keeps; the project lies in `sub` of the work tree.
  private func project() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        prepare:
          cmd: mkdir parts; cat raw > parts/a; echo b > parts/b
          deps: [raw]
          outs: [parts]
        train:
          cmd: sh train.sh
          deps: [parts, train.sh]
          params: [lr]
          outs: [model]
          metrics: [m.json: {cache: false}]

      """)
    try repository.write("raw", "1\n")
    try repository.write("params.yaml", "lr: 0.1\nother: 1\n")
    try repository.write("train.sh", "cat parts/* > model; echo '{\"auc\": 1}' > m.json\n")
    #expect(try repository.cairn("add", "-q", "raw").status == 0)
    #expect(try repository.cairn("remote", "add", "-q", "-d", "r", "../remote").status == 0)
    try repository.commit("first")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit("its lock")
    return repository
  }

  private func restored(_ repository: TestRepository, _ name: String) throws -> String? {
    repository.read("then/" + name)
  }

  @Test("code, data, parameters and outputs of a run are there, whatever became of them since")
  func whole() throws {
    let repository = try project()
    #expect(try repository.cairn("push", "-q").status == 0)
    let run = try repository.cairn("runs", "list", "--stage", "train", "--json")
    for (name, text) in ["train.sh": "exit 1\n", "params.yaml": "lr: 0.5\n", "raw": "2\n"] { try repository.write(name, text) }
    try repository.commit("second")
    // The cache is gone, too: the remote has it.
    try repository.shell("chmod -R u+w .dvc/cache; rm -rf .dvc/cache parts model raw")
    let result = try repository.cairn("restore", "@last:train", "--into", "then")
    #expect(result.status == 0, "\(result)\(run)")
    #expect(result.output.contains("of train is restored in then: "), "\(result)")
    #expect(try restored(repository, "parts/a") == "1\n" && restored(repository, "parts/b") == "b\n")
    #expect(try restored(repository, "model") == "1\nb\n" && restored(repository, "m.json") == "{\"auc\": 1}\n")
    #expect(try restored(repository, "train.sh") == "cat parts/* > model; echo '{\"auc\": 1}' > m.json\n")
    #expect(try restored(repository, "params.yaml") == "lr: 0.1\nother: 1\n")
    let manifest = try #require(try restored(repository, "cairn-restore.json"))
    #expect(manifest.contains("\"whole\": true") && manifest.contains("\"from\": \"remote\""))
    #expect(!repository.exists("then/raw"))
    let ancestors = try repository.cairn("restore", "@last:train", "--into", "deep", "--ancestors", "--json")
    #expect(ancestors.status == 0 && repository.read("deep/raw") == "1\n", "\(ancestors)")
  }

  @Test("what was edited and not committed is there as it was")
  func edited() throws {
    let repository = try project()
    try repository.write("train.sh", "cat parts/a > model; echo '{}' > m.json\n")
    try repository.write("params.yaml", "lr: 0.3\nother: 1\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.shell("git checkout -q -- train.sh params.yaml")
    let result = try repository.cairn("restore", "@last:train", "--into", "then", "--json")
    #expect(result.status == 0, "\(result)")
    #expect(try restored(repository, "train.sh") == "cat parts/a > model; echo '{}' > m.json\n")
    #expect(try restored(repository, "params.yaml") == "lr: 0.3\nother: 1\n")
    #expect(try restored(repository, "m.json") == "{}\n")
  }

  @Test("edits of files whose line ends git turns are there as they were, a file that was gone is not, and git's store stays as it is")
  func lineEnds() throws {
    let repository = try project()
    try repository.write(".gitattributes", "*.sh text eol=crlf\n*.txt text eol=crlf\n")
    try repository.write("c.txt", "one\r\ntwo\r\n")
    try repository.write("old/gone", "g\n")
    try repository.commit("line ends")
    try repository.write("c.txt", "one\r\nthree\r\n")
    try repository.write("params.yaml", "lr: 0.3\nother: 1\n")
    try repository.shell("rm -r old")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.shell("git checkout -q -- .; find .git/objects -type f | sort > before")
    let result = try repository.cairn("restore", "@last:train", "--into", "then", "--json")
    #expect(result.status == 0, "\(result)")
    #expect(try restored(repository, "c.txt") == "one\r\nthree\r\n" && restored(repository, "params.yaml") == "lr: 0.3\nother: 1\n")
    #expect(!repository.exists("then/old/gone"))
    #expect(try repository.shell("find .git/objects -type f | sort | cmp before - && ls -A . | grep then").output == "then\n")
  }

  @Test("settings that were not committed are in no patch: passwords stay where they were written")
  func settings() throws {
    let repository = try project()
    try repository.write(".cairn/config.toml", "[tracking]\nexperiment = \"a\"\n")
    try repository.commit("settings")
    try repository.write("params.yaml", "lr: 0.4\nother: 1\n")
    try repository.write(".cairn/config.toml", "[tracking]\nexperiment = \"SECRET\"\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    #expect(try repository.shell("! grep -r SECRET .cairn/runs").status == 0)
    let result = try repository.cairn("restore", "@last:train", "--into", "then")
    #expect(result.status == 1 && result.output.contains("they may hold secrets"), "\(result)")
    #expect(try restored(repository, "params.yaml") == "lr: 0.4\nother: 1\n")
    #expect(try restored(repository, ".cairn/config.toml")?.contains("SECRET") == false)
  }

  @Test("a record from elsewhere puts nothing into git's folder, nor among the settings")
  func hostile() throws {
    let repository = try project()
    let source = """
      import glob, hashlib, json, os, sys
      for name in sorted(glob.glob(".cairn/runs/*/*.json")):
        r = json.load(open(name))
        if r.get("schema") == "cairn.run/v1" and r["stage"]["address"] == "train": break
      data = open(next(o for o in glob.glob("raw")), "rb").read()
      part = dict(r["outputs"][0], md5=hashlib.md5(data).hexdigest(), sha256=hashlib.sha256(data).hexdigest(), size=len(data))
      r["outputs"] = [dict(part, path=p) for p in (".git/config", "x/.GIT/hooks/pre-commit", ".dvc/config.local", ".cairn/config.toml", "train.sh/x", "fine")]
      text = json.dumps(r, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
      digest = hashlib.sha256(text).hexdigest()
      os.makedirs(".cairn/runs/" + digest[:2], exist_ok=True)
      open(f".cairn/runs/{digest[:2]}/{digest[2:]}.json", "wb").write(text)
      print(digest)
      """
    try repository.write("craft.py", source)
    let digest = try repository.shell("python3 craft.py").output.trimmingCharacters(in: .whitespacesAndNewlines)
    let result = try repository.cairn("restore", digest, "--into", "then", "--json")
    #expect(result.status == 1 && result.output.contains("git's own folder"), "\(result)")
    #expect(repository.read("then/fine") == "1\n")
    for name in [".git", "x", ".dvc/config.local", ".cairn/config.toml"] { #expect(!repository.exists("then/" + name)) }
  }

  @Test("a stage as a commit has it, from a folder below")
  func stageOfCommit() throws {
    let repository = try project()
    try repository.write("train.sh", "echo new > model; echo '{}' > m.json\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit("second")
    #expect(try repository.cairn("restore", "train", "--into", "now").status == 0)
    #expect(repository.read("now/model") == "new\n")
    #expect(try repository.cairn("restore", "train", "--rev", "HEAD~1", "--into", "then").status == 0)
    #expect(repository.read("then/model") == "1\nb\n")
    let unknown = try repository.cairn("restore", "nobody", "--into", "no")
    #expect(unknown.status == 255 && !repository.exists("no"), "\(unknown)")
    try repository.remove(".cairn/runs")
    let without = try repository.cairn("restore", "train", "--into", "no")
    #expect(without.status == 255 && without.errors.contains("no record stands behind the lock entry of 'train'"), "\(without)")
  }

  @Test("what is nowhere, altered or erased is named, and the rest is restored")
  func holes() throws {
    let repository = try project()
    // Of the folder one file is gone, the model has other bytes.
    try repository.shell(
      """
      chmod -R u+w .dvc/cache
      b=$(printf 'b\\n' | md5sum | cut -c1-32); rm ".dvc/cache/files/md5/$(echo $b | cut -c1-2)/$(echo $b | cut -c3-)"
      m=$(printf '1\\nb\\n' | md5sum | cut -c1-32); echo evil > ".dvc/cache/files/md5/$(echo $m | cut -c1-2)/$(echo $m | cut -c3-)"
      rm -rf model parts
      """)
    let result = try repository.cairn("restore", "@last:train", "--into", "then")
    #expect(result.status == 1, "\(result)")
    #expect(result.output.contains("missing  input parts: 1 of its 2 files is missing: b"), "\(result)")
    #expect(result.output.contains("altered  output model: the cache had other bytes under its name"), "\(result)")
    #expect(result.output.contains("is not wholly restored in then"), "\(result)")
    #expect(repository.read("then/parts/a") == "1\n" && !repository.exists("then/parts/b") && !repository.exists("then/model"))
  }

  @Test("what the remote has with other bytes is altered, not missing")
  func alteredOnRemote() throws {
    let repository = try project()
    #expect(try repository.cairn("push", "-q").status == 0)
    try repository.shell(
      """
      chmod -R u+w .dvc/cache ../remote; rm -rf .dvc/cache model parts
      for text in 'b' '1\nb'; do
        m=$(printf "$text\n" | md5sum | cut -c1-32); echo evil > "../remote/files/md5/$(echo $m | cut -c1-2)/$(echo $m | cut -c3-)"
      done
      """)
    let result = try repository.cairn("restore", "@last:train", "--into", "then", "--json")
    #expect(result.status == 1, "\(result)")
    #expect(!result.output.contains("\"missing\""), "\(result)")
    let text = try repository.cairn("restore", "@last:train", "--into", "again")
    #expect(text.output.contains("altered  input parts: 1 of its 2 files has other bytes than it had: b"), "\(text)")
    #expect(text.output.contains("altered  output model: '") && text.output.contains("' has other bytes than its name says"), "\(text)")
    #expect(!repository.exists("then/model"))
  }

  @Test("nothing is written over, and nothing behind a link that leads out")
  func safety() throws {
    let repository = try project()
    try repository.write("taken/mine", "mine\n")
    let taken = try repository.cairn("restore", "@last:train", "--into", "taken")
    #expect(taken.status == 255 && taken.errors.contains("'") && taken.errors.contains("is there already, and not empty"), "\(taken)")
    #expect(repository.list("taken") == ["mine"])
    // A commit that has a link where the run had a folder.
    try repository.shell("git rm -q --cached -r . >/dev/null; rm -rf parts; mkdir ../far; ln -s ../far parts; git add -f parts dvc.yaml; git commit -qm link")
    try repository.shell("rm parts; mkdir parts; echo 1 > parts/a; echo b > parts/b")
    try repository.write("train.sh", "cat parts/* > model; echo '{\"auc\": 2}' > m.json\n")
    _ = try repository.cairn("repro", "-q")
    _ = try repository.cairn("restore", "@last:train", "--into", "then")
    #expect(try repository.shell("ls ../far").output.isEmpty)
    for words in [["restore", "@last:train"], ["restore", "a", "b", "--into", "x"], ["restore", "--previous", "--into", "x", "train"]] {
      let result = try repository.run([try CairnBinary.path()] + words)
      #expect(result.status == 254, "\(words): \(result)")
    }
  }

  @Test("a commit that the clone lacks is said")
  func withoutCommit() throws {
    let repository = try project()
    try repository.write("train.sh", "cat parts/a > model; echo '{}' > m.json\n")
    try repository.commit("second")
    #expect(try repository.cairn("repro", "-q").status == 0)
    // The commit is taken away, as a rebase and a collection do.
    try repository.shell("git reset -q --soft HEAD~1; git commit -qm other; git reflog expire --expire=now --all; git gc -q --prune=now")
    let result = try repository.cairn("restore", "@last:train", "--into", "then")
    #expect(result.status == 1 && result.output.contains("missing  code .: the commit"), "\(result)")
    #expect(repository.read("then/model") == "1\n")
  }
}
