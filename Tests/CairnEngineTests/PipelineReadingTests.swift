// What a dvc.yaml means once its templates are resolved, and how its faults are told: files in memory, no disk.
import CairnCore
import CairnEngine
import CairnFormats
import CairnSystem
import Testing

/// A project of texts.
private struct TextFiles: ProjectFiles {
  var texts: [String: String]

  func read(_ path: RepoPath) throws(Diagnostic) -> [UInt8]? { texts[path.text].map { Array($0.utf8) } }

  func list(_ folder: RepoPath) throws(Diagnostic) -> [DirectoryEntry]? {
    guard isDirectory(folder) else { return nil }
    let prefix = folder.isRoot ? "" : folder.text + "/"
    var entries: [String: FileStat.Kind] = [:]
    for path in texts.keys where path.hasPrefix(prefix) {
      let rest = path.dropFirst(prefix.count).split(separator: "/")
      entries[String(rest[0])] = rest.count > 1 ? .directory : .file
    }
    return entries.sorted { $0.key < $1.key }.map { DirectoryEntry(name: $0.key, kind: $0.value) }
  }

  func isDirectory(_ path: RepoPath) -> Bool {
    path.isRoot || texts.keys.contains { $0.hasPrefix(path.text + "/") }
  }

  func exists(_ path: RepoPath) -> Bool { texts[path.text] != nil || isDirectory(path) }

  func read(outside path: OutsidePath) throws(Diagnostic) -> [UInt8]? { nil }

  func isDirectory(outside path: OutsidePath) -> Bool { false }
}

@Suite("a dvc.yaml means what it means to DVC")
struct PipelineReadingTests {
  private static let parameters = """
    a: 1
    b: {c: x, d: [1, 2, three], e: true, f: null, g: 1.5}
    lst: [u, v]
    m: {p: {q: 1}, r: {q: 2}}
    name: zed
    opt: {lr: 0.1, on: true, off: false, l: [1, b c, 3.0], n: {x: 1, y: 'a b'}}
    when: {day: x}

    """

  private func load(
    _ pipeline: String, _ others: [String: String] = [:], _ unpacking: UnpackingOptions = UnpackingOptions()
  ) -> LoadedProject {
    var texts = ["params.yaml": Self.parameters, "dvc.yaml": pipeline]
    texts.merge(others) { $1 }
    return PipelineLoader(
      root: "/project", folder: .root, gitRoot: nil, unpacking: unpacking, files: TextFiles(texts: texts)
    ).loadKeepingFailures()
  }

  /// `NAME: COMMAND` of each stage.
  private func commands(_ project: LoadedProject) -> [String] {
    project.pipeline.stages.map { "\($0.address.name ?? ""): \($0.commands.joined(separator: " ; "))" }
  }

  private static func stage(_ command: String, _ rest: String = "") -> String {
    "stages:\n  t:\n    cmd: \(command)\n\(rest)"
  }

  @Test("values in a command", arguments: [
    ("echo ${b.c} ${b.d[2]} ${b.d.1} ${ b.e } ${b.f} ${b.g}", "echo x three 2 true None 1.5"),
    ("echo ${opt}", "echo --lr 0.1 --on --l 1 'b c' 3.0 --n.x 1 --n.y 'a b'"),
    (#"echo \${a} ${a}"#, "echo ${a} 1"),
    ("echo $a ${a", "echo $a ${a"),
  ])
  func values(template: String, command: String) {
    #expect(commands(load(Self.stage(template))) == ["t: \(command)"])
  }

  @Test("parsing.bool and parsing.list change how a map is unpacked")
  func unpacking() {
    var options = UnpackingOptions()
    options.negatesFalse = true
    options.repeatsKeyForLists = true
    #expect(
      commands(load(Self.stage("echo ${opt}"), [:], options))
        == ["t: echo --lr 0.1 --on --no-off --l 1 --l 'b c' --l 3.0 --n.x 1 --n.y 'a b'"])
  }

  @Test("foreach and matrix unrolled", arguments: [
    ("foreach: [a, 1, true, null]\n    do: {cmd: 'echo ${item}'}", ["a: echo a", "1: echo 1", "true: echo true", "None: echo None"]),
    ("foreach: [{x: 1}, {x: 2}]\n    do: {cmd: 'echo ${item.x}'}", ["0: echo 1", "1: echo 2"]),
    ("foreach: ${m}\n    do: {cmd: 'echo ${key} ${item.q}'}", ["p: echo p 1", "r: echo r 2"]),
    ("foreach: ${lst}\n    do: {cmd: 'echo ${item} ${a}'}", ["u: echo u 1", "v: echo v 1"]),
    ("foreach: []\n    do: {cmd: echo}", []),
    ("matrix: {x: [a, b], y: [1, 2.5]}\n    cmd: echo ${key}", ["a-1: echo a-1", "a-2.5: echo a-2.5", "b-1: echo b-1", "b-2.5: echo b-2.5"]),
    ("matrix: {x: [{n: a}, {n: b}]}\n    cmd: echo ${item.x.n}", ["x0: echo a", "x1: echo b"]),
    ("matrix: {x: '${lst}'}\n    cmd: echo ${item.x}", ["u: echo u", "v: echo v"]),
  ])
  func groups(definition: String, expected: [String]) {
    let project = load("stages:\n  t:\n    \(definition)\n")
    #expect(project.failures.isEmpty)
    #expect(commands(project) == expected.map { "t@" + $0 })
  }

  @Test("vars from here, from files and from parts of files; those of a stage follow its wdir")
  func vars() {
    let files = ["other.yaml": "x: 1\ny: 2\n", "sub/more.toml": "z = 3\n"]
    let top = "vars:\n- {w: {v: 0}}\n- other.yaml:x\n"
    #expect(commands(load(top + Self.stage("echo ${w.v} ${x}"), files)) == ["t: echo 0 1"])
    let inner = "    wdir: sub\n    vars: [more.toml, {k: 4}]\n"
    #expect(commands(load(top + Self.stage("echo ${x} ${z} ${k}", inner), files)) == ["t: echo 1 3 4"])
  }

  @Test("a fault is told in DVC's words, with its place", arguments: [
    (stage("echo ${nope.x}"), "failed to parse 'stages.t.cmd' in 'dvc.yaml': Could not find 'nope.x'", 3, 10),
    (stage("echo", "    outs: ['${b}']\n"), "failed to parse 'stages.t.outs' in 'dvc.yaml':\nCannot interpolate data of type 'dict'", 4, 12),
    (stage("echo", "    meta: {k: '${nope}'}\n"), "failed to parse 'stages.t.meta' in 'dvc.yaml': Could not find 'nope'", 4, 15),
    ("vars: [none.yaml]\n" + stage("echo"), "failed to parse 'vars' in 'dvc.yaml': 'none.yaml' does not exist", 1, 8),
    ("vars: [{a: 2}]\n" + stage("echo"), "failed to parse 'vars' in 'dvc.yaml':\ncannot redefine 'a' from 'vars[0]' as it already exists in 'params.yaml'", 1, 8),
    ("stages:\n  t:\n    foreach: ${a}\n    do: {cmd: x}\n", "failed to resolve 'stages.t.foreach' in 'dvc.yaml': expected list/dictionary, got int", 3, 14),
    (stage("echo", "    deps: ['${a}']\n"), "unexpected error - 'int' object has no attribute 'decode'", 4, 12),
    (stage("echo", "    outs: ['${b.f}']\n"), "unexpected error - 'NoneType' not supported.", 4, 12),
    (stage("echo", "    wdir: ${a}\n"), "unexpected error - join() argument must be str, bytes, or os.PathLike object, not 'int'", 4, 11),
    (stage("echo", "    params: [{p.yaml: x}]\n"), "unexpected error - Expected list of params for custom params file 'p.yaml', got 'str'.", 4, 23),
    (stage("echo", "    plots: [{p.csv: [{x: a}]}]\n"), "unexpected error - Expected dict for 'p.csv', got: 'list'", 4, 21),
    ("stages:\n  '':\n    cmd: echo\n", "Stage name not provided.Please specify the name as: `dvc.yaml:stage_name`", 2, 3),
    ("stages:\n  t:\n    matrix: {}\n    cmd: echo\n", "unexpected error", 2, 3),
    ("stages:\n  t:\n    matrix: {x: ['']}\n    cmd: echo\n", "unexpected error", 2, 3),
    (stage("echo", "    outs: [.dvc/x]\n"), "Path '/project/.dvc/x' is ignored by :.dvc/", 4, 12),
  ])
  func faults(text: String, message: String, line: Int, column: Int) {
    let failure = load(text).failures.first?.diagnostic
    #expect(failure?.fullMessage == message)
    #expect(failure?.mark?.line == line && failure?.mark?.column == column)
  }

  @Test("a document of another shape is refused, and a near miss is named", arguments: [
    (stage("echo", "    dep: [a]\n"), "'./dvc.yaml' validation failed.\n\nextra keys not allowed, in stages -> t -> dep, line 4, column 5", "deps"),
    (stage("echo", "    outs:\n    - a:\n        cach: true\n"), "'./dvc.yaml' validation failed.\n\nextra keys not allowed, in stages -> t -> outs -> 0 -> a -> cach, line 6, column 9", "cache"),
    (stage("echo", "    deps: a\n"), "'./dvc.yaml' validation failed.\n\nexpected a list, in stages -> t -> deps, line 4, column 11", nil),
    ("stages:\n  t:\n    deps: [a]\n", "'./dvc.yaml' validation failed.\n\nrequired key not provided, in stages -> t -> cmd, line 3, column 5", nil),
    (stage("echo", "    frozen: yes\n"), "'./dvc.yaml' validation failed.\n\nexpected bool, in stages -> t -> frozen, line 4, column 13", nil),
    ("- a\n", "'./dvc.yaml' validation failed: expected a dictionary.", nil),
  ] as [(String, String, String?)])
  func shapes(text: String, message: String, suggestion: String?) {
    let failure = load(text).failures.first?.diagnostic
    #expect(failure?.fullMessage == message)
    #expect(failure?.hasErrorPrefix == false)
    if let suggestion {
      #expect(failure?.hint?.contains("'\(suggestion)'") == true)
    } else {
      #expect(failure?.hint == nil)
    }
  }

  @Test("a project that is its own output is refused with the whole path")
  func rootAsOutput() {
    let project = load(Self.stage("echo", "    outs: [.]\n"))
    #expect(throws: Diagnostic.self) { try project.sound.graph() }
  }
}
