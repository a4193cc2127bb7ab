// `.cairn/config.toml` and the `CAIRN_…` variables: what is not a setting, or has the wrong kind, is told with its place.
import CairnTestSupport
import Testing

struct OwnSettingsTests {
  private func project() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages: {a: {cmd: echo 1 > a, outs: [a]}}\n")
    return repository
  }

  @Test(
    "an unknown setting and one of another kind are errors with their place",
    arguments: [
      ("jbos = 3", "ERROR: unknown setting 'jbos' in .cairn/config.toml\n  --> .cairn/config.toml:1:1\n    1 | jbos = 3\n      | ^^^^\nhint: did you mean 'jobs'?\n"),
      ("jobs = 0", "ERROR: 'jobs' in .cairn/config.toml must be a whole number above zero\n  --> .cairn/config.toml:1:8\n    1 | jobs = 0\n      |        ^\n"),
      ("[runs]\nlog_limits = 3", "ERROR: unknown setting 'runs.log_limits' in .cairn/config.toml\n  --> .cairn/config.toml:2:1\n    2 | log_limits = 3\n      | ^^^^^^^^^^\nhint: did you mean 'log_limit'?\n"),
      ("strict = \"yes\"", "ERROR: 'strict' in .cairn/config.toml must be true or false\n  --> .cairn/config.toml:1:10\n    1 | strict = \"yes\"\n      |          ^^^^^\n"),
    ])
  func faults(line: String, message: String) throws {
    let repository = try project()
    try repository.write(".cairn/config.toml", line + "\n")
    for command in ["repro", "status", "why"] {
      let result = try repository.cairn(command)
      #expect(result.status == 255 && result.errors == message, "\(command): \(result)")
    }
    #expect(!repository.exists("a"))
  }

  @Test("what is a setting is taken")
  func good() throws {
    let repository = try project()
    try repository.write(
      ".cairn/config.toml",
      "jobs = 2\ngrace = 0.5\nstrict = true\nresources = {gpu = 1, licence = 2}\n[runs]\nlog_limit = 100\n[tracking]\nuri = \"http://127.0.0.1:9\"\nuser = \"hash\"\nregister = true\n[verify]\nrequire_records = false\n"
        + "severity = {lock-orphan = \"off\"}\n[[verify.accepted]]\ncheck = \"lock-command\"\nstage = \"a\"\n"
        + "reason = \"old\"\nuntil = 2030-01-01\n")
    let result = try repository.cairn("status", environment: ["CAIRN_JOBS": "3"])
    #expect(result.status == 0)
    #expect(result.errors == "")
    let wrong = try repository.cairn("repro", environment: ["CAIRN_JOBS": "many"])
    #expect(wrong.status == 255 && wrong.errors.contains("CAIRN_JOBS must be a whole number"), "\(wrong)")
  }

  @Test(
    "what is wrong in what a team says of checks is told with its place",
    arguments: [
      ("[verify.severity]\nlock-comand = \"off\"", "unknown check 'lock-comand'", "2:1", "did you mean 'lock-command'?"),
      ("[verify.severity]\nlock-command = \"fatal\"", "must be \"error\", \"warning\" or \"off\"", "2:16", ""),
      ("[[verify.accepted]]\ncheck = \"nope\"\nstage = \"a\"", "unknown check 'nope'", "2:9", ""),
      ("[[verify.accepted]]\ncheck = \"record\"\nreason = \"x\"", "names neither a stage nor a path", "", ""),
      ("[[verify.accepted]]\ncheck = \"record\"\nstage = \"a\"\nuntil = 2030-01-01", "gives no reason", "", ""),
      ("[[verify.accepted]]\ncheck = \"record\"\nstage = \"a\"\nreason = \"x\"", "says not until when", "", ""),
      (
        "[[verify.accepted]]\ncheck = \"record\"\nstage = \"a\"\nreason = \"x\"\nuntil = \"2030-02-30\"",
        "must be a date", "5:9", ""
      ),
      ("[[verify.accepted]]\ncheck = \"record\"\nstge = \"a\"", "unknown setting 'verify.accepted.stge'", "3:1", "'stage'"),
      ("[verify]\naccepted = 3", "must be a list of tables", "2:12", ""),
      ("[verify]\nrequire_record = true", "unknown setting 'verify.require_record'", "2:1", "'require_records'"),
    ])
  func checks(text: String, words: String, place: String, hint: String) throws {
    let repository = try project()
    try repository.git("add", "-A")
    try repository.write(".cairn/config.toml", text + "\n")
    let result = try repository.cairn("verify")
    #expect(result.status == 255 && result.output.isEmpty, "\(result)")
    #expect(result.errors.contains(words) && (hint.isEmpty || result.errors.contains(hint)), "\(result)")
    #expect(place.isEmpty || result.errors.contains("--> .cairn/config.toml:\(place)\n"), "\(result)")
  }

  @Test("a resource's amount may be a variable, and one that is no amount is an error")
  func resourceVariables() throws {
    let repository = try project()
    try repository.write(
      "dvc.yaml", "stages: {a: {cmd: echo 1 > a, outs: [a], meta: {cairn: {resources: {licence: 2}}}}}\n")
    #expect(try repository.cairn("repro").errors.contains("wants 2 of 'licence', and there is 1"))
    for (name, value) in [("CAIRN_RESOURCES_LICENCE", "many"), ("CAIRN_RESOURCES", "{licence = 2}")] {
      let wrong = try repository.cairn("repro", environment: [name: value])
      #expect(wrong.status == 255 && wrong.errors.hasPrefix("ERROR: the environment variable \(name) "), "\(wrong)")
    }
    #expect(try repository.cairn("repro", environment: ["CAIRN_RESOURCES_LICENCE": "2"]).status == 0)
  }

  @Test("what rewrites names must be a dependency, however it is spelt")
  func rewrites() throws {
    let repository = try TestRepository()
    func declare(_ names: String) throws {
      try repository.write(
        "dvc.yaml",
        "stages:\n  a:\n    cmd: echo 1 >> state; echo 1 > a\n    deps: [./state]\n    outs: [a]\n    meta:\n      cairn:\n        rewrites: [\(names)]\n")
    }
    try repository.write("state", "0\n")
    try declare("stat")
    let wrong = try repository.cairn("repro")
    #expect(
      wrong.errors.hasPrefix(
        "ERROR: stage 'a': meta.cairn.rewrites names 'stat', which is no dependency of it\n  --> dvc.yaml:8:20\n"),
      "\(wrong)")
    #expect(wrong.status == 255 && !repository.exists("a"))
    try declare("state")
    #expect(try repository.cairn("repro").status == 0)
    #expect(try repository.cairn("runs", "show", "@last:a", "--json").output.contains("\"after\":{"))
  }

  @Test(
    "names under meta.cairn must be such as can be meant",
    arguments: [
      ("nondeterministic: [mode]", "meta.cairn.nondeterministic names 'mode', which is no output of it", "did you mean 'model'?"),
      ("env: [A=B]", "meta.cairn.env 'A=B' is no variable's name", "`env_set: {NAME: VALUE}` gives the command a value"),
      ("env: [OK, A B]", "meta.cairn.env 'A B' is no variable's name", " ^^^\n"),
      ("env: A B", "meta.cairn.env 'A B' is no variable's name", " ^^^\n"),
      ("env_record: [\"\"]", "meta.cairn.env_record '' is no variable's name", "^\n"),
      ("env_secret: [\"A\\0\"]", "meta.cairn.env_secret 'A\\x00' is no variable's name", "^\n"),
      ("env_set: {\"A\\tB\": 1}", "meta.cairn.env_set 'A\\tB' is no variable's name", "^\n"),
      ("env: {A: 1}", "meta.cairn.env must be a name or a list of names", "^\n"),
      ("mutex: 3", "meta.cairn.mutex must be a name or a list of names", "^\n"),
      ("mutex: \"\"", "meta.cairn.mutex must be a name or a list of names", "^\n"),
      ("nondeterministic: mode", "meta.cairn.nondeterministic names 'mode', which is no output of it", "did you mean 'model'?"),
    ])
  func names(setting: String, fault: String, hint: String) throws {
    let repository = try TestRepository()
    func declare(_ setting: String) throws {
      try repository.write(
        "dvc.yaml", "stages:\n  a:\n    cmd: mkdir model; echo 1 > model/x\n    outs: [model]\n    meta: {cairn: {\(setting)}}\n")
    }
    try declare(setting)
    let wrong = try repository.cairn("repro")
    #expect(wrong.status == 255)
    #expect(wrong.errors.hasPrefix("ERROR: stage 'a': \(fault)\n  --> dvc.yaml:5:"), "\(wrong)")
    #expect(wrong.errors.contains(hint), "\(wrong)")
    #expect(!repository.exists("model"))
    try declare("nondeterministic: [./model, model/x], env: [A]")
    #expect(try repository.cairn("repro").status == 0)
  }

  @Test("one name may stand for a list of one")
  func oneName() throws {
    let repository = try TestRepository()
    try repository.write("state", "1\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a:
          cmd: echo 2 >> state; echo $MODE > model
          deps: [state]
          outs: [model]
          meta: {cairn: {mutex: db, env: MODE, env_record: HOME, nondeterministic: model, rewrites: state}}

      """)
    #expect(try repository.cairn("repro", environment: ["MODE": "1"]).status == 0)
    #expect(try repository.cairn("why", environment: ["MODE": "1"]).status == 0)
    let why = try repository.cairn("why", environment: ["MODE": "2"])
    #expect(why.status == 1 && why.output.contains("MODE"), "\(why)")
  }

  @Test("config does not write what no command would take")
  func config() throws {
    let repository = try project()
    #expect(try repository.cairn("config", "cairn.bogus", "3").status == 255)
    #expect(try repository.cairn("config", "cairn.jobs", "0").status == 255)
    #expect(repository.read(".cairn/config.toml") == nil)
    #expect(try repository.cairn("config", "cairn.resources.licence", "2").status == 0)
    #expect(try repository.cairn("config", "cairn.runs.log_limit", "100").status == 0)
    try repository.write(".cairn/config.toml", "bogus = 3\njobs = 4\n")
    #expect(try repository.cairn("config", "--unset", "cairn.bogus").status == 0)
    #expect(repository.read(".cairn/config.toml") == "jobs = 4\n")
  }
}
