// Data that lies outside of the project, on this machine: imports of other repositories, folders that remotes name.
import CairnTestSupport
import Foundation
import Testing

struct ElsewhereTests {
  @Test("--pull takes what was imported from the other repository's cache, and what git has there from its commit")
  func importedRepository() throws {
    let other = try TestRepository()
    try other.write("foo", "foo\n")
    try other.write("d/1", "1\n")
    try other.write("sub/g", "g\n")
    #expect(try other.cairn("add", "-q", "foo", "d").status == 0)
    try other.commit()
    let commit = try other.git("rev-parse", "HEAD").trimmingCharacters(in: .whitespacesAndNewlines)
    try other.write("sub/g", "edited\n")
    let repository = try TestRepository()
    for (name, path, content) in [("foo", "foo", "foo\n"), ("d", "d", "1\n"), ("g", "sub/g", "g\n")] {
      try repository.write(name == "d" ? "d/1" : name, content)
      try repository.writeImport(of: path, from: other, at: commit, to: name)
    }
    #expect(try repository.cairn("commit", "-f").status == 0)
    _ = try repository.shell("rm -rf .dvc/cache foo d g")
    try repository.write("dvc.yaml", "stages: {s: {cmd: cat foo d/1 g > o, deps: [foo, d, g], outs: [o]}}\n")
    let result = try repository.cairn("repro", "--pull")
    #expect(result.status == 0, "\(result)")
    #expect(result.output.contains("Pulling data for stage: 'g.dvc'\n"), "\(result)")
    #expect(repository.read("o") == "foo\n1\ng\n")
    _ = try repository.shell("rm -rf .dvc/cache foo d g o && mv \(other.root) \(other.root)-away")
    let gone = try repository.cairn("repro", "--pull", "g.dvc")
    #expect(gone.errors.contains("failed to reproduce 'g.dvc': missing data 'source': g"), "\(gone)")
  }

  @Test("--pull takes an imported folder that git has in the other repository from the commit that was imported")
  func importedFolderInGit() throws {
    let other = try TestRepository()
    try other.write("tf/a", "1\n")
    try other.write("tf/in/b", "2\n")
    try other.commit()
    let commit = try other.git("rev-parse", "HEAD").trimmingCharacters(in: .whitespacesAndNewlines)
    try other.write("tf/in/b", "edited\n")
    try other.commit()
    let repository = try TestRepository()
    try repository.writeImport(of: "tf", from: other, at: commit, to: "tf")
    try repository.write("tf/a", "1\n")
    try repository.write("tf/in/b", "2\n")
    #expect(try repository.cairn("commit", "-f").status == 0)
    _ = try repository.shell("rm -rf .dvc/cache tf")
    try repository.write("dvc.yaml", "stages: {s: {cmd: cat tf/a tf/in/b > o, deps: [tf], outs: [o]}}\n")
    let result = try repository.cairn("repro", "--pull")
    #expect(result.status == 0 && result.output.contains("Pulling data for stage: 'tf.dvc'\n"), "\(result)")
    #expect(repository.read("o") == "1\n2\n")
    // DVC keeps a list for each folder in it, too.
    let lists = try repository.shell("cd .dvc/cache/files/md5 && find . -name '*.dir' | sort").output
    #expect(lists == "./a2/5df5e1cdbb6fba3e576d5e97667500.dir\n./db/bad6a94f09bc684e9ca33271a1e542.dir\n")
  }

  @Test("a remote that has a folder's list and lacks one of its files fails the pull, and leaves no list behind")
  func brokenRemote() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages: {s: {cmd: mkdir d; echo 1 > d/1; echo 2 > d/2, outs: [d]}}\n")
    try repository.write(".dvc/config", "[core]\n    remote = r\n['remote \"r\"']\n    url = ../../remote\n")
    #expect(try repository.cairn("repro").status == 0)
    let one = try repository.shell("echo 1 | md5sum | cut -c1-32").output.trimmingCharacters(in: .whitespacesAndNewlines)
    _ = try repository.shell("cp -a .dvc/cache ../remote; rm -rf d .dvc/cache; find ../remote -path '*/\(one.dropFirst(2))' -delete")
    let result = try repository.cairn("repro", "--pull")
    #expect(result.status == 255)
    #expect(result.errors.contains("ERROR: failed to reproduce 's': 2 files failed to download"), "\(result)")
    #expect(result.errors.contains("failed to transfer '\(one)'"), "\(result)")
    #expect(try repository.shell("find .dvc/cache -name '*.dir'").output == "")
    #expect(!repository.exists("d"))
  }

  @Test("remote://NAME/path is a dependency and an output where the remote is a folder; cache.local is the cache")
  func remoteFolder() throws {
    let repository = try TestRepository()
    try repository.write(
      ".dvc/config",
      """
      [cache]
          local = kept
      ['remote "base"']
          url = ../../far
      ['remote "data"']
          url = remote://base/data
      ['remote "kept"']
          url = remote://base/cache

      """)
    try repository.write("../far/data/in", "one\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        s:
          cmd: cat ../far/data/in > ../far/data/out; cp ../far/data/in here
          deps: [remote://data/in]
          outs: [{remote://data/out: {cache: false}}, here]

      """)
    #expect(try repository.cairn("repro").status == 0)
    #expect(try repository.cairn("repro").output.contains("Stage 's' didn't change, skipping"))
    #expect(repository.exists("../far/cache/files/md5") && !repository.exists(".dvc/cache/files"))
    #expect(try repository.cairn("status").output == "Data and pipelines are up to date.\n")
    try repository.write("../far/data/in", "other\n")
    #expect(try repository.cairn("status").output.contains("modified:           remote://data/in"))
    #expect(try repository.cairn("repro").status == 0)
    #expect(repository.read("../far/data/out") == "other\n")
  }
}
