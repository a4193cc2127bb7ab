// Stages that depend on an entry of `datasets:`: what runs, what the lock and the record say, and what fails how.
import CairnTestSupport
import Foundation
import Testing

struct DatasetTests {
  private static let pipeline = """
    datasets:
    - name: one
      url: ../src
      type: dvc
      path: data.txt
      rev: main
    - {name: two, url: s3://bucket/key, type: url}
    stages:
      a:
        cmd: echo hi > out
        deps: [ds://one, ds://two, in]
        outs: [out]

    """

  /// As `dvc ds add` leaves it in a project without a lock: the datasets before the stages.
  private static let datasets = """
    schema: '2.0'
    datasets:
    - name: one
      url: ../src
      type: dvc
      path: data.txt
      rev: main
      rev_lock: d2fddf9093855697f1c0f1130c0cbad3edbbd8c6
    - name: two
      url: s3://bucket/key
      type: url
      meta:
        isdir: true
        size: 44
        nfiles: 2
      files:
      - relpath: b
        meta:
          size: 40
          version_id: zz
          etag: aa
      - relpath: a
        meta:
          size: 4
          isexec: true
          version_id: z

    """

  /// What DVC 3.67.1 writes when it has run the stage: keys and files in its own order.
  private static let stage = """
    stages:
      a:
        cmd: echo hi > out
        deps:
        - path: ds://one
          dataset:
            name: one
            url: ../src
            type: dvc
            path: data.txt
            rev: main
            rev_lock: d2fddf9093855697f1c0f1130c0cbad3edbbd8c6
        - path: ds://two
          dataset:
            name: two
            url: s3://bucket/key
            type: url
            meta:
              isdir: true
              size: 44
              nfiles: 2
            files:
            - relpath: a
              meta:
                size: 4
                isexec: true
                version_id: z
            - relpath: b
              meta:
                size: 40
                version_id: zz
                etag: aa
        - path: in
          hash: md5
          md5: 369990b384d3cb76276c5aa5c98725c9
          size: 4
        outs:
        - path: out
          hash: md5
          md5: 764efa883dda1e11db47671c4a3bbd9e
          size: 3

    """

  private func repository() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", Self.pipeline)
    try repository.write("dvc.lock", Self.datasets + "stages: {}\n")
    try repository.write("in", "src\n")
    return repository
  }

  @Test("a stage runs with its datasets as they are locked, and again only when a lock has changed")
  func runs() throws {
    let repository = try repository()
    #expect(try repository.cairn("status").output.contains("new:                ds://one"))
    let first = try repository.cairn("repro")
    #expect(first.status == 0 && first.output.contains("Running stage 'a':"), "\(first)")
    #expect(repository.read("dvc.lock") == Self.datasets + Self.stage)
    // The run-cache knows no datasets.
    #expect(!repository.exists(".dvc/cache/runs"))
    #expect(try repository.cairn("repro").output.contains("Stage 'a' didn't change, skipping"))
    #expect(try repository.cairn("status").output == "Data and pipelines are up to date.\n")
    #expect(try repository.cairn("repro", "--json").output.contains("\"fresh\": 1"))

    let moved = Self.datasets.replacing("d2fddf90", with: "a2fddf90")
    try repository.write("dvc.lock", moved + Self.stage)
    #expect(try repository.cairn("status").output.contains("modified:           ds://one"))
    let why = try repository.cairn("why", "a").output
    #expect(why.hasPrefix("a  STALE  because ds://one changed"), "\(why)")
    #expect(why.contains("rev_lock d2fddf9 → "), "\(why)")
    #expect(try repository.cairn("commit").errors.contains("unable to commit changed stage: 'a'"))
    #expect(try repository.cairn("repro").output.contains("Running stage 'a':"))
    #expect(repository.read("dvc.lock") == moved + Self.stage.replacing("d2fddf90", with: "a2fddf90"))
    let show = try repository.cairn("runs", "show", "@last", "--json")
    let record = try #require(JSONSerialization.jsonObject(with: Data(show.output.utf8)) as? [String: Any], "\(show)")
    let input = try #require((record["inputs"] as? [[String: Any]])?.first)
    #expect((input["dataset"] as? [String: Any])?["rev_lock"] as? String == "a2fddf9093855697f1c0f1130c0cbad3edbbd8c6")
    #expect(input["md5"] is NSNull)
    let origin = try #require(input["origin"] as? [String: Any])
    #expect(origin["kind"] as? String == "import" && origin["repository"] as? String == "../src")
    // The run stands behind the lock entry that it made.
    let after = try repository.cairn("why", "--json").output
    #expect(after.contains("\"last_run\": \"") && !after.contains("\"last_run\": null"), "\(after)")
  }

  @Test("commit writes down the datasets as they are locked")
  func commits() throws {
    let repository = try repository()
    try repository.write("out", "hi\n")
    let result = try repository.cairn("commit", "-f")
    #expect(result.status == 0, "\(result)")
    #expect(repository.read("dvc.lock") == Self.datasets + Self.stage)
  }

  @Test(
    "a dataset that is not locked as it is declared fails its stage, in DVC's words",
    arguments: [
      ("path: data.txt", "path: other.txt", "Dataset information is not in sync. Run 'dvc ds update one' to sync."),
      ("- name: one", "- name: other", "dataset not found: 'one'"),
      ("name: two,", "name: three,", "dataset not found: 'two'"),
    ])
  func fails(_ what: String, _ with: String, _ words: String) throws {
    let repository = try repository()
    #expect(try repository.cairn("repro").status == 0)
    let lock = repository.read("dvc.lock")
    try repository.write("dvc.yaml", Self.pipeline.replacing(what, with: with))
    let result = try repository.cairn("repro")
    #expect(result.status == 255 && result.errors.contains("ERROR: failed to reproduce 'a': \(words)\n"), "\(result)")
    // A dataset that nobody declares is met before anything is touched.
    #expect(repository.exists("out") == words.contains("not found"))
    let forced = try repository.cairn("repro", "-f")
    #expect(forced.status == 255 && forced.output.contains("Running stage 'a':"), "\(forced)")
    #expect(forced.errors.contains("ERROR: failed to reproduce 'a': \(words)\n"), "\(forced)")
    let commit = try repository.cairn("commit", "-f")
    #expect(commit.status == 1 && commit.errors.contains("ERROR: failed to commit - \(words)\n"), "\(commit)")
    #expect(repository.read("dvc.lock") == lock)
  }

  @Test("a dataset without a lock fails its stage; a dry run tells what would run")
  func withoutLock() throws {
    let repository = try repository()
    try repository.remove("dvc.lock")
    #expect(try repository.cairn("status").output.contains("not in sync:        ds://one"))
    let dry = try repository.cairn("repro", "--dry")
    #expect(dry.status == 0 && dry.output.contains("> echo hi > out"), "\(dry)")
    let result = try repository.cairn("repro")
    #expect(
      result.errors.contains("ERROR: failed to reproduce 'a': Dataset information missing from dvc.lock file\n"),
      "\(result)")
    #expect(!repository.exists("dvc.lock") && !repository.exists("out"))
    #expect(try repository.cairn("why", "a").output.contains("never run"))
  }

  @Test("salvage of a run that read a dataset writes its lock as the run itself would have")
  func salvage() throws {
    let repository = try repository()
    try repository.write(
      "dvc.yaml", Self.pipeline.replacing("echo hi > out", with: "echo hi > out; echo more >> in"))
    #expect(try repository.cairn("repro").status == 255)
    let result = try repository.cairn("runs", "salvage", "@last", "--accept")
    #expect(result.status == 0, "\(result)")
    #expect(
      repository.read("dvc.lock")
        == Self.datasets + Self.stage.replacing("echo hi > out", with: "echo hi > out; echo more >> in"))
  }
}
