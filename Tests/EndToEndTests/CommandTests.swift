// Every command of DVC's once for its happy path and for each of its exit codes, in a small project.
import CairnTestSupport
import Testing

/// A command line in the small project, and what must come of it.
struct CommandCase: Sendable, CustomTestStringConvertible {
  var words: [String]
  var status: Int32
  /// What standard output and error must hold, line by line or in part.
  var says: [String]
  /// A shell line that is run before, in a project whose stages have run.
  var before: String
  /// A shell line that must succeed afterwards.
  var after: String

  init(_ line: String, _ status: Int32 = 0, says: String..., before: String = "", after: String = "") {
    self.words = line.split(separator: " ").map(String.init)
    self.status = status
    self.says = says
    self.before = before
    self.after = after
  }

  var testDescription: String { words.joined(separator: " ") + (before.isEmpty ? "" : " after " + before) }

  /// An import whose data and whose own checksum are not what its file says.
  private static let edited =
    "printf 'md5: aaaa\\ndeps:\\n- path: in.txt\\nouts:\\n- md5: 5d41402abc4b2a76b9719d911017c592\\n  size: 5\\n"
    + "  hash: md5\\n  path: got.txt\\n' > got.txt.dvc && printf changed > got.txt"

  /// A lock and a cache as DVC 2 leaves them.
  private static let asOfDVC2 = "sed -i '/hash: md5/d' dvc.lock && mv .dvc/cache/files/md5/* .dvc/cache/"

  private static let versioned =
    "mkdir v && echo hi > v/a && echo 2 > v/b && printf 'outs:\\n- path: v\\n  hash: md5\\n  files:\\n"
    + "  - relpath: a\\n    md5: 764efa883dda1e11db47671c4a3bbd9e\\n    size: 3\\n    version_id: first\\n    etag: tag1\\n"
    + "  - relpath: b\\n    md5: 26ab0db90d72e28ad0ba1e22ee510510\\n    size: 2\\n    cloud:\\n      r:\\n"
    + "        version_id: second\\n        etag: tag2\\n' > v.dvc"

  private static let dataset =
    "printf '  three:\\n    cmd: echo\\n    deps: [\"ds://one\"]\\ndatasets:\\n- name: one\\n  url: u\\n  type: dvc\\n  path: data\\n' >> dvc.yaml"
  private static let locked =
    "printf 'datasets:\\n- name: one\\n  url: u\\n  type: dvc\\n  path: data\\n  rev_lock: abc\\n' >> dvc.lock"

  private static let emptyCommand =
    "echo 'empty:' >> params.yaml && printf '  none:\\n    cmd: ${empty}\\n' >> dvc.yaml"

  private static let dotted =
    "printf '  three:\\n    cmd: echo ${a}\\n    params: [p.q.toml: [a]]\\nvars: [p.q.toml]\\n' >> dvc.yaml"
  private static let lostLinks =
    "$PROGRAM config cache.type symlink && echo f > f && mkdir d && echo 1 > d/1 && $PROGRAM add -q f d && rm -rf .dvc/cache"

  private static let near = "mkdir -p far/d && echo far > far/a && echo b > far/d/b && $PROGRAM remote add -q store far"

  private static let dangling =
    "echo f > f && mkdir d && echo 1 > d/1 && $PROGRAM add -q f d && rm -r f d && ln -s nowhere f && ln -s nowhere d"

  private static let persistent =
    "printf '  keep:\\n    cmd: echo k >> kept.txt\\n    outs: [kept.txt: {persist: true}]\\n' >> dvc.yaml"

  private static let pathless = "echo 'x: 3' > params.yaml && printf '  p: {cmd: echo, wdir: \"${x}\"}\\n' >> dvc.yaml"

  private static let ignoringInside =
    "mkdir data && echo 1 > data/a && $PROGRAM add -q data && touch data/.dvcignore"

  private static let lostRemote = "sed -i 's,deps: .in.txt.,deps: [\"remote://none/in.txt\"],' dvc.yaml"
  private static let unreadable =
    "printf '  p:\\n    cmd: echo > p.txt\\n    params: [p.json: ]\\n    outs: [p.txt]\\n' >> dvc.yaml"

  private static let strangeURL = "sed -i 's,deps: .in.txt.,deps: [UNS://host/in.txt],' dvc.yaml && grep -q UNS dvc.yaml"

  static let all: [CommandCase] = [
    // A URL of a kind that nobody reads is no name of a file
    CommandCase("status", 1, says: "ERROR: config file error: Unsupported URL type uns://", before: strangeURL),
    CommandCase("repro", 251, says: "ERROR: configuration error - config file error: Unsupported URL type uns://", before: strangeURL),
    CommandCase("freeze one", 1, says: "ERROR: failed to freeze 'one' - config file error: Unsupported URL type uns://", before: strangeURL),
    CommandCase("stage add -n three -d uns://host/a true", 251, says: "config file error: Unsupported URL type uns://", after: "git diff --exit-code"),
    CommandCase("stage add -n three -O uns://host/a true", 251, says: "config file error: Unsupported URL type uns://"),
    CommandCase("stage add -n three -p uns://host/a:b true", 251, says: "config file error: Unsupported URL type uns://"),
    CommandCase("stage add -n three -d uns:///a -d a_b://c true", after: "grep uns:///a dvc.yaml"),
    CommandCase("add uns://host/a", 1, says: "ERROR: config file error: Unsupported URL type uns://"),
    CommandCase("add http://host/a", 1, says: "ERROR: Cached output(s) outside of DVC project: http://host/a. See <"),
    // The format of a file of values hangs on all that follows the first dot of its name
    CommandCase(
      "repro -s three", says: "> echo 7", before: "echo 'a: 7' > p.q.toml && " + dotted,
      after: "grep -A1 p.q.toml: dvc.lock | grep 'a: 7'"),
    // Running
    CommandCase("repro", says: "Stage 'one' didn't change, skipping", "Data and pipelines are up to date."),
    CommandCase("repro", says: "Running stage 'one':", "> cat in.txt > one.txt", before: "echo 2 > in.txt", after: "grep 2 two.txt"),
    CommandCase("repro two", says: "Stage 'two' didn't change, skipping"),
    CommandCase("repro --force one", says: "Running stage 'one':"),
    CommandCase("repro --dry", says: "Running stage 'one':", before: "echo 2 > in.txt", after: "grep 1 two.txt"),
    CommandCase("repro --dry", before: "rm -rf .cairn", after: "test ! -e .cairn"),
    CommandCase("repro", before: "rm -rf .cairn", after: "test ! -e .cairn || test -e .cairn/.gitignore"),
    CommandCase("repro -q", before: "echo 2 > in.txt", after: "grep 2 two.txt"),
    CommandCase("repro", says: "is cached - skipping run, checking out outputs", before: "rm dvc.lock one.txt"),
    CommandCase("repro", 255, says: "ERROR: failed to reproduce 'one': failed to run: exit 3, exited with 3", before: "sed -i 's/cat in.txt > one.txt/exit 3/' dvc.yaml"),
    CommandCase("repro", 255, says: "ERROR: failed to reproduce 'one': output 'one.txt' does not exist", before: "sed -i 's/cat in.txt > one.txt/echo/' dvc.yaml"),
    CommandCase("repro", 255, says: "in.txt", before: "rm in.txt"),
    CommandCase("repro nothing", 255, says: "ERROR: "),
    CommandCase("repro --nonsense", 254, says: "unrecognized arguments: --nonsense"),
    CommandCase("repro -k", 255, before: "sed -i 's/cat in.txt > one.txt/exit 3/' dvc.yaml"),
    CommandCase(
      "repro --no-run-cache two", says: "Verifying outputs in frozen stage: 'one'", before: "$PROGRAM freeze -q one && echo more >> one.txt",
      after: "grep -rlZ 'cat in.txt' .dvc/cache/runs | xargs -0 grep $(md5sum one.txt | cut -c1-32)"),
    CommandCase(
      "repro", 255, says: "missing data 'source': one.txt",
      before: "$PROGRAM freeze -q one && rm one.txt && printf '  after:\\n    cmd: echo > ran.txt\\n    outs: [ran.txt]\\n' >> dvc.yaml",
      after: "test ! -e ran.txt"),
    CommandCase(
      "repro", 255, says: "ERROR: failed to reproduce 'folder': [Errno 2] No such file or directory",
      before: "$PROGRAM config cache.type symlink && printf '  folder:\\n    cmd: mkdir d && echo folder > d/x\\n    outs: [d]\\n' >> dvc.yaml && $PROGRAM repro -q && $PROGRAM freeze -q folder && rm -r .dvc/cache && printf '  after:\\n    cmd: echo > ran.txt\\n    outs: [ran.txt]\\n' >> dvc.yaml",
      after: "test ! -e ran.txt"),
    CommandCase(
      "repro --pull -s two", 255, says: "ERROR: failed to reproduce 'two': Checkout failed for following targets:",
      before: "sed -i 's,one.txt,p/one.txt,' dvc.yaml", after: "test -d p"),
    // What neither the cache nor the remote has is not taken away for it.
    CommandCase(
      "repro --pull d.dvc", 255,
      says: "ERROR: failed to reproduce 'd.dvc': Can't remove the following unsaved files without confirmation. Use `--force` to force.\n", "/d/new\n",
      before: "mkdir d ../store && echo 1 > d/x && $PROGRAM remote add -q -d store ../store && $PROGRAM add -q d && find .dvc/cache -name '*.dir' -delete && echo 2 > d/new",
      after: "test -f d/x && test -f d/new && ! find .dvc/cache -name '*.dir' | grep ."),
    CommandCase(
      "repro -f -s far", 255, says: "Running stage 'far':", "[Errno 2] No such file or directory",
      before: "mkdir data && ln -s nowhere data/1 && printf '  far:\\n    cmd: echo > ran.txt\\n    deps: [data]\\n    outs: [far.txt]\\n' >> dvc.yaml",
      after: "test -f ran.txt"),
    CommandCase(
      "repro -f -s dead", 255, says: "ERROR: failed to reproduce 'dead': output 'o' is not a file or directory",
      before: "printf '  dead:\\n    cmd: ln -s nowhere o\\n    outs: [o]\\n' >> dvc.yaml"),
    CommandCase(
      "repro -f -s round", 255, says: "ERROR: failed to reproduce 'round': output 'o' is not a file or directory",
      before: "printf '  round:\\n    cmd: ln -s o o\\n    outs: [o]\\n' >> dvc.yaml"),
    CommandCase(
      "repro -f -s far", 255, says: "ERROR: failed to reproduce 'far': dependency 'd' is not a file or directory",
      before: "ln -s nowhere d && printf '  far:\\n    cmd: echo > ran.txt\\n    deps: [d]\\n    outs: [far.txt]\\n' >> dvc.yaml",
      after: "test -f ran.txt"),
    CommandCase(
      "repro -s keep", 255, says: "ERROR: failed to reproduce 'keep': can't unprotect non-existing data '",
      before: "printf '  keep:\\n    cmd: echo > kept.txt\\n    outs: [kept.txt: {persist: true}]\\n' >> dvc.yaml && $PROGRAM config cache.type symlink && $PROGRAM repro -q && rm -rf .dvc/cache"),
    CommandCase(
      "repro -f -s keep", before: persistent + " && $PROGRAM repro -q && chmod 755 kept.txt",
      after: "test ! -x kept.txt && ! grep isexec dvc.lock"),
    CommandCase(
      "repro -f -s keep", before: persistent + " && sed -i 's/persist: true/persist: true, cache: false/' dvc.yaml && $PROGRAM repro -q && chmod 755 kept.txt",
      after: "test -x kept.txt"),
    CommandCase(
      "repro", 255, says: "ERROR: failed to reproduce 'first': dependency 'late.txt' does not exist",
      before: "echo > first.txt && printf 'stages:\\n  first:\\n    cmd: cat late.txt > first.txt\\n    deps: [late.txt]\\n    outs: [first.txt]\\n    frozen: true\\n  free:\\n    cmd: echo > free.txt\\n    outs: [free.txt]\\n  late:\\n    cmd: echo > late.txt\\n    outs: [late.txt]\\n' > dvc.yaml",
      after: "test ! -e free.txt"),
    // What DVC 2 has written stays for as long as it is true.
    CommandCase(
      "repro", says: "Running stage 'one':", "Stage 'two' didn't change, skipping",
      before: "\(asOfDVC2) && sed -i 's/> one.txt/> one.txt; true/' dvc.yaml", after: "! grep 'hash: md5' dvc.lock"),
    CommandCase(
      "repro", says: "Running stage 'two':", before: "\(asOfDVC2) && echo 2 > in.txt",
      after: "test $(grep -c 'hash: md5' dvc.lock) = 4 && ! grep -A1 'path: metrics.json' dvc.lock | grep 'hash: md5'"),
    CommandCase("repro --force", before: asOfDVC2, after: "! grep 'hash: md5' dvc.lock && test ! -e .dvc/cache/files/md5/*"),
    CommandCase(
      "commit -f", before: "\(asOfDVC2) && echo 2 > in.txt",
      after: "test $(grep -c 'hash: md5' dvc.lock) = 1 && grep -A1 'path: in.txt' dvc.lock | grep 'hash: md5'"),
    CommandCase(
      "repro -f data.txt.dvc", before: "echo d > data.txt && $PROGRAM add -q data.txt && chmod +x data.txt",
      after: "grep 'isexec: true' data.txt.dvc"),
    CommandCase("repro --ignore-errors", before: "sed -i 's/cat in.txt > one.txt/exit 3/' dvc.yaml"),
    CommandCase(
      "repro -f -P", says: "Verifying data sources in stage: 'd1.dvc'",
      before: "for n in 1 2 3 4 5 6; do echo $n > d$n; done && $PROGRAM add -q d1 d2 d3 d4 d5 d6 && echo /x > .gitignore",
      after: "test \"$(grep '^/[dx]' .gitignore | sort | tr -d '\\n')\" = /d1/d2/d3/d4/d5/d6/x"),
    // Files that track data: an import, and one whose data was edited
    CommandCase(
      "add dd/new",
      before: "mkdir -p dd && echo 1 > dd/1 && echo 2 > dd/2 && $PROGRAM add -q dd && mkdir far && cp -r .dvc/cache/files far/"
        + " && $PROGRAM remote add -q -d far $PWD/far && rm -rf .dvc/cache dd && mkdir dd && echo 3 > dd/new",
      after: "grep 'nfiles: 3' dd.dvc && grep 0d7a8e4e6557c462ca2ce89bbbcde5ba.dir dd.dvc"),
    CommandCase(
      "move got.txt nodir/", 1, says: "failed to move 'got.txt' -> 'nodir/' - stage working dir",
      before: "echo 1 > got.txt && $PROGRAM add -q got.txt", after: "test -e got.txt && ! test -e nodir"),
    CommandCase(
      "status", says: "changed checksum", before: "echo 1 > d && $PROGRAM add -q d && sed -i '1i md5: aaaa' d.dvc"),
    CommandCase(
      "freeze d.dvc", before: "echo 1 > d && $PROGRAM add -q d && sed -i '1i md5: aaaa' d.dvc",
      after: "grep 'md5: aaaa' d.dvc && grep 'frozen: true' d.dvc"),
    CommandCase(
      "freeze d.dvc", before: "echo 1 > d && $PROGRAM add -q d && sed -i 's/hash: md5/hash: md5-dos2unix/' d.dvc",
      after: "grep 'frozen: true' d.dvc && ! grep 'hash: md5$' d.dvc"),
    CommandCase("move got.txt sub/got.txt", before: "mkdir sub && \(edited)", after: "grep 'path: ../in.txt' sub/got.txt.dvc && grep 5d41402abc4b2a76b9719d911017c592 sub/got.txt.dvc"),
    CommandCase("freeze got.txt.dvc", before: edited, after: "grep '^md5: aaaa' got.txt.dvc && grep '^frozen: true' got.txt.dvc"),
    CommandCase(
      "add big", before: "$PROGRAM config cache.type reflink,symlink && mkdir d && echo 1 > big && cp --reflink=always big d 2>&1 | grep -q . && touch no-reflink; true",
      after: "test ! -e no-reflink || test -L big"),
    CommandCase("add got.txt", before: edited, after: "grep '^md5: aaaa' got.txt.dvc && grep 'path: in.txt' got.txt.dvc"),
    CommandCase(
      "move got.txt.dvc other", 1, says: "failed to move 'got.txt.dvc' -> 'other' - DVC file 'got.txt.dvc' cannot be an output.",
      before: "\(edited) && echo '<<<<<<< HEAD' > dvc.lock", after: "test -f got.txt"),
    CommandCase(
      "move got.txt far/dvc.yaml", 1, says: "failed to move 'got.txt' -> 'far/dvc.yaml' - DVC file 'dvc.yaml' cannot be an output.",
      before: "mkdir far && \(edited)", after: "test -f got.txt && test ! -e far/dvc.yaml"),
    // A remote that no setting knows is told when the pipeline is read
    CommandCase("status", 1, says: "ERROR: config file error: remote 'none' doesn't exist", before: lostRemote),
    CommandCase("repro", 251, says: "ERROR: configuration error - config file error: remote 'none' doesn't exist", before: lostRemote),
    CommandCase("stage list", 251, says: "ERROR: configuration error - config file error: remote 'none' doesn't exist", before: lostRemote),
    CommandCase("freeze one", 1, says: "ERROR: failed to freeze 'one' - config file error: remote 'none' doesn't exist", before: lostRemote),
    CommandCase("stage add -n three -d remote://none/a true", 251, says: "config file error: remote 'none' doesn't exist", after: "git diff --exit-code"),
    CommandCase("stage list", before: "\(lostRemote) && mkdir ../store && $PROGRAM remote add none ../store"),
    // A parameter file that cannot be read is new for as long as it was never recorded
    CommandCase("status", says: "new:                p.json", before: "\(unreadable) && : > p.json"),
    CommandCase("status", says: "new:                p.json", before: "\(unreadable) && echo '{' > p.json"),
    CommandCase("repro", 255, says: "ERROR: failed to reproduce 'p': Unable to read parameters from 'p.json': unable to read: 'p.json', JSON", before: "\(unreadable) && echo '{' > p.json", after: "test ! -e p.txt"),
    CommandCase("repro -k", 255, says: "WARNING: Unable to read parameters from 'p.json'\n", before: "\(unreadable) && echo '{' > p.json"),
    CommandCase("repro -k", 255, says: "WARNING: 'list' object has no attribute 'keys'\n", before: "\(unreadable) && echo '[1]' > p.json"),
    CommandCase("status", 1, says: "ERROR: Unable to read parameters from 'p.json'", before: "\(unreadable) && echo '{}' > p.json && $PROGRAM repro -q && echo '{' > p.json"),
    // Looking
    CommandCase("status", says: "Data and pipelines are up to date."),
    CommandCase("status", says: "one:", "changed deps:", "modified:", "in.txt", before: "echo 2 > in.txt"),
    CommandCase("status --json", says: "{}"),
    CommandCase("status --json", says: "\"two\"", "\"deleted\"", before: "rm two.txt"),
    CommandCase("status -q"),
    CommandCase("status -q", 1, before: "echo 2 > in.txt"),
    CommandCase("status -c", 1, says: "ERROR: config file error: no remote specified in", "Create a default remote with"),
    CommandCase("status -c nothing", 1, says: "ERROR: Failed to collect 'workspace': 'nothing' does not exist as an output", before: "$PROGRAM remote add -d store ../store"),
    CommandCase("status -c one", says: "\tnew:                one.txt", before: "$PROGRAM remote add -d store ../store"),
    CommandCase("status -c one", says: "Cache and remote 'store' are in sync.", before: "$PROGRAM remote add -d store ../store && mkdir ../store && cp -r .dvc/cache/files ../store/"),
    CommandCase("status -c one -q", 1, before: "$PROGRAM remote add -d store ../store"),
    CommandCase("status -r store one --json", says: "{\"one.txt\": \"deleted\"}", before: "$PROGRAM remote add store ../store && mkdir ../store && mv .dvc/cache/files ../store/"),
    CommandCase("status -r store one -a", says: "missing:            one.txt", before: "$PROGRAM remote add store ../store && rm -rf .dvc/cache/files"),
    CommandCase("status nothing", 1, says: "ERROR: 'nothing' does not exist as an output or a stage name in 'dvc.yaml': Stage 'nothing' not found inside 'dvc.yaml' file"),
    CommandCase("dag", says: "one", "two"),
    CommandCase("dag --dot", says: "\"one\" -> \"two\""),
    CommandCase("dag --mermaid", says: "flowchart TD"),
    CommandCase("dag --dot --outs", says: "\"one.txt\" -> \"two.txt\""),
    CommandCase("stage list", says: "one", "Outputs two.txt"),
    CommandCase("stage list --name-only", says: "one\ntwo"),
    CommandCase("stage list -R", 255, says: "'./dvc.yaml' is invalid.", before: "echo 'x: [' > dvc.yaml"),
    CommandCase("params diff", says: "params.yaml", "size", before: "sed -i 's/size: 1/size: 3/' params.yaml"),
    CommandCase("params diff --json", says: "\"old\": 1, \"new\": 3", before: "sed -i 's/size: 1/size: 3/' params.yaml"),
    CommandCase("metrics show", says: "metrics.json", "1"),
    CommandCase("metrics show --json", says: "'./dvc.yaml' validation failed\"}}}", before: "echo 'stages: [a]' > dvc.yaml"),
    CommandCase("params diff", says: "failed to load params in revision 'workspace', 'int' object has no attribute 'decode'", before: "sed -i 's/deps: .in.txt./deps: [\"${size}\"]/' dvc.yaml"),
    CommandCase("metrics show --json", says: "\"YAMLFileCorruptedError\", \"msg\": \"unable to read: 'params.yaml', ", before: "echo 'lr: [' > params.yaml"),
    CommandCase("metrics show --json", says: "\"YAMLSyntaxError\", \"msg\": \"unable to read: 'dvc.yaml', ", before: "echo 'vars: [' > dvc.yaml"),
    CommandCase("metrics show --json", says: "\"TOMLFileCorruptedError\"", before: "echo = > p.toml && echo 'vars: [p.toml]' > dvc.yaml"),
    CommandCase("metrics show --json", says: "\"EncodingError\"", before: "printf 'a: \\377' > p.yaml && echo 'vars: [p.yaml]' > dvc.yaml"),
    CommandCase("metrics show gone.json --json", says: "{\"gone.json\": {\"error\": {\"type\": \"YAMLValidationError\"", before: "echo 'stages: [a]' > dvc.yaml"),
    CommandCase("metrics show gone.json --json", says: "{\"error\": {\"type\": \"YAMLSyntaxError\", \"msg\": \"unable to read: 'b.dvc', ", before: "echo 'x: [' > b.dvc"),
    CommandCase("metrics show gone.json --json", says: "{\"error\": {\"type\": \"ResolveError\"", before: "echo 'vars: [gone.yaml]' > dvc.yaml"),
    CommandCase("metrics show . --json", says: "\"dvc.lock\": {\"data\"", before: "mkdir k.dvc && echo 1 > k.dvc/a", after: "! $PROGRAM metrics show . | grep -e dvc.yaml -e '[.]dvc'"),
    CommandCase("metrics show --json", says: "{\"error\": {\"type\": \"DataIndexDirError\", \"msg\": \"failed to load directory ('data', 'm')\"}}", before: "mkdir -p data/m && echo 'a: 1' > data/m/a.yaml && $PROGRAM add -q data/m && find .dvc/cache -name '*.dir' -delete && rm -r data/m && echo 'metrics: [data/m/a.yaml]' > dvc.yaml"),
    CommandCase("metrics diff --json", says: "\"diff\": 4", before: "echo '{\"n\": 5}' > metrics.json"),
    CommandCase("root", says: "."),
    CommandCase("version", says: "DVC version: 3.67.1 (", "Platform: ", "Caches: local", "Remotes: None", "Repo: dvc, git"),
    CommandCase(
      "version", says: "\n------------", "\nSupports:\n\t", "\nConfig:\n\tGlobal: /", "\n\tSystem: /", "Cache types: ",
      "hardlink, symlink\nCache directory: ", " on ", "Workspace directory: ", after: "test -z \"$(git status --porcelain)\""),
    CommandCase("version", says: "Cache types: <https://error.dvc.org/no-dvc-cache>\nCaches: local", before: "rm -rf .dvc/cache"),
    CommandCase("version", says: "Remotes: local", "Repo: dvc (no_scm)", before: "$PROGRAM remote add -q r ../far && $PROGRAM config core.no_scm true"),
    CommandCase("check-ignore a.log", says: "a.log", before: "echo '*.log' > .dvcignore"),
    CommandCase("check-ignore a.txt", 1),
    CommandCase("check-ignore a.txt", 251, says: "ERROR: configuration error - config file error: ", before: "echo '[core' > .dvc/config"),
    CommandCase("version", 251, says: "ERROR: configuration error - config file error: ", before: "printf '[core]\\nnope = 1\\n' > .dvc/config"),
    // Editing the pipeline
    CommandCase("stage add -n three -d two.txt -o three.txt cat two.txt", says: "Added stage 'three' in 'dvc.yaml'", after: "grep three: dvc.yaml"),
    CommandCase("stage add -n one -o x.txt true", 255, says: "Stage 'one' already exists in 'dvc.yaml'. Use '--force' to overwrite."),
    CommandCase("stage add -n bad/name -o x.txt true", 255, says: "ERROR: "),
    CommandCase("root --cd sub", 254, says: "unrecognized arguments: --cd"),
    CommandCase("status --version", 254, says: "unrecognized arguments: --version"),
    CommandCase("stage add -n three --external x", 254, says: "unrecognized arguments: --external", after: "git diff --exit-code"),
    CommandCase("stage add -n three --out b true", 254, says: "ambiguous option: --out could match", after: "git diff --exit-code"),
    CommandCase("stage add -n three true --force", after: "grep -e 'true --force' dvc.yaml"),
    CommandCase(
      "stage add --run -n three -o three.txt false", 255, says: "ERROR: failed to run: false, exited with 1",
      after: "grep three: dvc.yaml && ! grep three.txt .gitignore"),
    CommandCase("freeze one", after: "grep 'frozen: true' dvc.yaml"),
    CommandCase("freeze nothing", 1, says: "ERROR: failed to freeze 'nothing' - Stage 'nothing' not found inside 'dvc.yaml' file"),
    CommandCase("unfreeze one", before: "sed -i 's/  one:/  one:\\n    frozen: true/' dvc.yaml", after: "! grep frozen dvc.yaml"),
    CommandCase("remove two", after: "! grep two: dvc.yaml && ! grep two: dvc.lock"),
    CommandCase("remove nothing", 1, says: "ERROR: Stage 'nothing' not found inside 'dvc.yaml' file"),
    // Data
    CommandCase("add data.txt", before: "echo d > data.txt", after: "grep 'path: data.txt' data.txt.dvc && grep data.txt .gitignore"),
    CommandCase("add data", before: "mkdir data && echo d > data/1 && echo e > data/2", after: "grep 'nfiles: 2' data.dvc"),
    CommandCase("add missing.txt", 1, says: "ERROR: output 'missing.txt' does not exist"),
    CommandCase("add one.txt", 1, says: "ERROR: cannot update 'one.txt': overlaps with an output of stage: 'one' in 'dvc.yaml'."),
    CommandCase("add -o out data", before: "mkdir data && echo 1 > data/a.tmp && echo 2 > data/b && echo '*.tmp' > .dvcignore", after: "grep 'nfiles: 2' out.dvc && test -f out/a.tmp"),
    CommandCase("add -o out data", before: "mkdir -p data/.dvc && echo 1 > data/.dvc/a && echo 2 > data/b", after: "grep 'nfiles: 2' out.dvc && test -f out/.dvc/a"),
    CommandCase("add -o out data", before: "mkdir data data/sub && echo 1 > data/a && ln -s sub data/link && ln -s a data/b", after: "grep 'nfiles: 2' out.dvc && test ! -e out/link && test -f out/b"),
    CommandCase("repro -f --dry", says: "Running stage 'one':", before: "for o in $(find .dvc/cache/files -type f); do rm -f $o && echo altered > $o; done", after: "grep -rq altered .dvc/cache/files"),
    CommandCase("add -o out run", before: "echo 1 > run && chmod +x run", after: "! grep isexec out.dvc && test ! -x out"),
    CommandCase("add -f -o out data", 255, says: "ERROR: .dvcignore file should not be in collected dir path: '", before: "mkdir data && touch data/.dvcignore && echo kept > out", after: "grep kept out && test ! -e out.dvc"),
    CommandCase("add -f -o out data", 1, says: "ERROR: [Errno 2] No such file or directory: '", before: "mkdir data && ln -s nowhere data/a && echo kept > out", after: "grep kept out && test ! -e out.dvc"),
    CommandCase("add data", 255, says: "ERROR: unexpected error - join() argument must be str", before: pathless + " && echo > data"),
    CommandCase("move data other", 255, says: "ERROR: unexpected error - join() argument must be str", before: "echo 1 > data && $PROGRAM add -q data && " + pathless),
    CommandCase("freeze p", 255, says: "ERROR: unexpected error - join() argument must be str", before: pathless),
    CommandCase("add data", 255, says: "ERROR: .dvcignore file should not be in collected dir path: '", before: "mkdir data && touch data/.dvcignore"),
    CommandCase("commit", 255, says: "ERROR: .dvcignore file should", before: ignoringInside),
    CommandCase("commit -f", 255, says: "ERROR: .dvcignore file should", before: ignoringInside),
    CommandCase("move data other", 255, says: "ERROR: .dvcignore file should", before: ignoringInside),
    CommandCase("status", 255, says: "ERROR: .dvcignore file should", before: ignoringInside),
    CommandCase("commit -f", before: "echo 9 > one.txt", after: "grep $(printf '9\\n' | md5sum | cut -c1-32) dvc.lock"),
    CommandCase("checkout", says: "one.txt", before: "rm one.txt", after: "cat one.txt"),
    CommandCase("checkout", before: "true", after: "cat one.txt"),
    CommandCase(
      "checkout", says: "two.txt", before: "$PROGRAM repro -q -f && rm dvc.yaml dvc.lock",
      after: "test ! -e one.txt && test ! -e two.txt"),
    CommandCase(
      "checkout", says: "metrics.json", before: "$PROGRAM repro -q -f && sed -i '/^  two:/,$d' dvc.yaml",
      after: "test ! -e metrics.json && test ! -e two.txt && test -e one.txt"),
    CommandCase(
      "checkout", before: "$PROGRAM repro -q -f && $PROGRAM repro -q -f --no-commit two && sed -i '/^  two:/,$d' dvc.yaml",
      after: "test -e metrics.json && test -e two.txt && test -e one.txt"),
    CommandCase(
      "checkout", before: "$PROGRAM config cache.type symlink && $PROGRAM repro -q -f && $PROGRAM remove -q two",
      after: "test -e two.txt"),
    CommandCase(
      "checkout data/1", says: "A       data/", before: "mkdir data && echo d > data/1 && $PROGRAM add -q data && rm -r data"),
    CommandCase("checkout", 255, says: "ERROR: Checkout failed for following targets:", before: "rm -r one.txt .dvc/cache"),
    CommandCase("move data.txt moved.txt", before: "echo d > data.txt && $PROGRAM add -q data.txt", after: "cat moved.txt moved.txt.dvc && test ! -e data.txt.dvc"),
    CommandCase("move in.txt moved.txt", 1, says: "ERROR: failed to move 'in.txt' -> 'moved.txt' - Unable to find DVC file with output 'in.txt'"),
    CommandCase("move data.txt dir", 1, says: "bad DVC file name 'dir/data.txt.dvc' is git-ignored.", before: "echo d > data.txt && $PROGRAM add -q data.txt && mkdir dir && echo '*' > dir/.gitignore", after: "test -f data.txt && test -f data.txt.dvc && test ! -e dir/data.txt"),
    CommandCase("move data.txt data", 1, says: "'data'('data.dvc')", "overlap and are thus in the same tracked directory.", before: "$PROGRAM config core.no_scm true && echo d > data.txt && mkdir data && echo e > data/1 && $PROGRAM add -q data.txt data", after: "test -f data.txt && test -f data.txt.dvc && test ! -e data/data.txt"),
    CommandCase("add ../far.txt -o no/such/far.txt", 1, says: "ERROR: stage working dir '", "/no/such' does not exist", before: "echo f > ../far.txt", after: "test ! -e no"),
    CommandCase("commit -f got.txt.dvc", before: "\(edited) && echo new > in.txt", after: "test $(grep -c $(md5sum in.txt | cut -c1-32) got.txt.dvc) = 1 && grep $(md5sum got.txt | cut -c1-32) got.txt.dvc && ! grep aaaa got.txt.dvc"),
    CommandCase("commit -f", before: "git init -q ../far && git -C ../far -c user.name=a -c user.email=a commit -q --allow-empty -m a && printf \"deps:\\n- path: far\\n  repo:\\n    url: ../far\\n    rev_lock: $(git -C ../far rev-parse HEAD)\\nouts:\\n- path: near\\n\" > near.dvc && echo near > near", after: "grep $(md5sum near | cut -c1-32) near.dvc && grep 'url: ../far' near.dvc && grep rev_lock near.dvc"),
    CommandCase("add one.dat", 1, says: "ERROR: Unable to acquire lock. Most likely another DVC process is running", before: "echo > one.dat && mkdir -p .dvc/tmp && (flock .dvc/tmp/lock sleep 10 > /dev/null 2>&1 &) && sleep 0.3"),
    CommandCase("commit", before: "$PROGRAM repro -q && chmod 755 one.txt", after: "test ! -x one.txt && ! grep isexec dvc.lock"),
    CommandCase("commit", before: "$PROGRAM repro -q && chmod 755 one.txt && $PROGRAM commit -q -f && chmod 644 one.txt", after: "test -x one.txt && grep isexec dvc.lock"),
    CommandCase("commit", before: "echo d > data.txt && $PROGRAM config cache.type hardlink && $PROGRAM add -q data.txt && chmod 755 data.txt", after: "test $(stat -c %a data.txt) = 444"),
    CommandCase("status", says: "modified:           n", before: "printf 'n: 9007199254740993\\n' > p.yaml && printf 'stages: {n: {cmd: cp p.yaml o, params: [{p.yaml: [n]}], outs: [o]}}\\n' > dvc.yaml && $PROGRAM repro -q && printf 'n: 9007199254740992.0\\n' > p.yaml"),
    CommandCase("commit -q data/1", before: "mkdir data && echo d > data/1 && echo other > data/2 && $PROGRAM add -q --no-commit data", after: "cached() { h=$(printf \"$1\\n\" | md5sum | cut -c1-32); test -e .dvc/cache/files/md5/$(echo $h | cut -c1-2)/$(echo $h | cut -c3-); }; cached d && ! cached other"),
    CommandCase(
      "commit -f",
      before: "$PROGRAM config cache.type hardlink && printf 'stages:\\n  a:\\n    cmd: echo > a\\n    outs: [a]\\n  b:\\n    cmd: echo > b\\n    outs: [b]\\n' > dvc.yaml && $PROGRAM repro -q && cp a t && mv -f t a && chmod 755 a",
      after: "test $(grep -c isexec dvc.lock) = 2 && test $(stat -c %a b) = 544"),
    CommandCase(
      "commit -f a", 1, says: "output 'b' does not exist",
      before: "printf '  a:\\n    cmd: touch a b\\n    outs: [a, b]\\n' >> dvc.yaml && echo unheard > a",
      after: "! grep -r unheard .dvc/cache"),
    CommandCase("commit data.txt.dvc", 1, says: "unable to commit changed stage: 'data.txt.dvc'. Use `-f|--force` to force.", before: "echo d > data.txt && $PROGRAM add -q --no-commit data.txt && echo \"md5: '1234'\" >> data.txt.dvc"),
    CommandCase("checkout", says: "D       one.txt", before: "echo 2 > in.txt && $PROGRAM repro -q && echo 'stages: {}' > dvc.yaml", after: "test ! -e one.txt"),
    CommandCase("checkout", before: "echo 2 > in.txt && $PROGRAM repro -q && $PROGRAM checkout -q --relink && echo 'stages: {}' > dvc.yaml", after: "test -e one.txt"),
    CommandCase("checkout -f --summary", says: "1 file modified and 1 file added", before: "rm one.txt && echo edited > two.txt"),
    CommandCase("checkout -f", before: "$PROGRAM config cache.type symlink && mkdir data && echo d > data/1 && $PROGRAM add -q data && mv .dvc/cache .dvc/moved && $PROGRAM cache dir .dvc/moved", after: "cat data/1"),
    CommandCase("unprotect data.txt", before: "echo d > data.txt && $PROGRAM config cache.type hardlink && $PROGRAM add -q data.txt", after: "test $(stat -c %h data.txt) = 1 && test -w data.txt"),
    CommandCase("unprotect d", 255, says: "ERROR: unexpected error - [Errno 2] No such file or directory: 'd/1'", before: lostLinks),
    CommandCase("remove f.dvc", 255, says: "ERROR: unexpected error - can't unprotect non-existing data '", "/f'", before: lostLinks, after: "test -e f.dvc && grep /f .gitignore"),
    CommandCase("remove d.dvc", 255, says: "ERROR: unexpected error - [Errno 2] No such file or directory: '", "/d/1'", before: lostLinks, after: "test -e d.dvc && grep /d .gitignore"),
    CommandCase("remove --outs f.dvc d.dvc", before: lostLinks, after: "test ! -e f.dvc && test ! -L f && test ! -e d"),
    CommandCase("unprotect none", 255, says: "ERROR: unexpected error - can't unprotect non-existing data 'none'"),
    // A stage file that is named does not suffer from a broken one beside it.
    CommandCase("checkout data.txt.dvc", before: "echo d > data.txt && $PROGRAM add -q data.txt && rm data.txt && echo 'x: [' > bad.dvc", after: "test -f data.txt"),
    CommandCase("checkout one.txt", 251, says: "ERROR: configuration error - config file error: remote 'gone' doesn't exist", before: "printf '[core]\\n  remote = gone\\n' > .dvc/config"),
    CommandCase("commit -f", 255, says: "[Errno 2] No such file or directory", before: "mkdir data && echo d > data/1 && $PROGRAM add -q data && ln -s nowhere data/2"),
    CommandCase("checkout", 255, says: "'./bad.dvc' is invalid.", before: "echo 'x: [' > bad.dvc"),
    CommandCase("commit bad.dvc", 1, says: "'./bad.dvc' is invalid.", before: "echo 'x: [' > bad.dvc"),
    CommandCase("freeze one two", 1, says: "ERROR: failed to freeze 'one' - Unable to acquire lock.", "ERROR: failed to freeze 'two' - Unable to acquire lock.", before: "mkdir -p .dvc/tmp && (flock .dvc/tmp/lock sleep 10 > /dev/null 2>&1 &) && sleep 0.3"),
    CommandCase("unfreeze one", 1, says: "ERROR: failed to unfreeze 'one' - Unable to acquire lock.", before: "mkdir -p .dvc/tmp && (flock .dvc/tmp/lock sleep 10 > /dev/null 2>&1 &) && sleep 0.3"),
    // A template that leaves no command
    CommandCase("repro -s none", says: "Stage 'none' didn't change, skipping", before: emptyCommand, after: "! grep none: dvc.lock"),
    CommandCase("repro -s none", 255, says: "Verifying data sources in stage: 'none'", "ERROR: failed to reproduce 'none': ", before: emptyCommand + " && printf '    deps: [in.txt]\\n' >> dvc.yaml", after: "! grep none: dvc.lock"),
    CommandCase("status none", says: "modified:           in.txt", before: emptyCommand + " && printf '    deps: [in.txt]\\n' >> dvc.yaml"),
    // A .dvc file of DVC 2's kind without a hash
    CommandCase("freeze d.dvc", before: "echo hi > d && printf 'outs:\\n- path: d\\n' > d.dvc", after: "printf 'outs:\\n- path: d\\n  md5:\\nfrozen: true\\n' | cmp - d.dvc"),
    CommandCase("freeze d.dvc", before: "echo hi > d && printf 'outs:\\n- hash: md5\\n  path: d\\n' > d.dvc", after: "printf 'outs:\\n- hash: md5\\n  path: d\\nfrozen: true\\n' | cmp - d.dvc"),
    CommandCase("freeze f.dvc", before: "printf 'deps:\\n- path: in.txt\\nouts:\\n- hash: md5\\n  path: f\\n' > f.dvc", after: "printf 'deps:\\n- path: in.txt\\n  md5:\\nouts:\\n- hash: md5\\n  path: f\\nfrozen: true\\n' | cmp - f.dvc"),
    CommandCase("move d e", before: "echo hi > d && printf 'outs:\\n- path: d\\n' > d.dvc", after: "printf 'outs:\\n- md5:\\n  path: e\\n' | cmp - e.dvc"),
    // A folder told file by file, as version-aware remotes leave it
    CommandCase("status v.dvc", says: "not in cache:       v", before: versioned),
    CommandCase("status v.dvc", says: "Data and pipelines are up to date.", before: versioned + " && $PROGRAM commit -f v.dvc"),
    CommandCase("commit -f v.dvc", before: versioned + " && cp v.dvc was", after: "cmp was v.dvc"),
    CommandCase("freeze v.dvc", before: versioned + " && cp v.dvc was", after: "echo 'frozen: true' | cat was - | cmp - v.dvc"),
    CommandCase(
      "move v w",
      before: "mkdir v && echo 1 > v/a && printf 'outs:\\n- path: v\\n  hash: md5\\n  files:\\n  - relpath: a\\n    cloud:\\n      r:\\n        version_id: x\\n        size: 2\\n        etag: abc\\n        isexec: true\\n    md5: b026324c6904b2a9cb4b88d6d61c81d1\\n  remote: r\\n' > v.dvc",
      after: "printf 'outs:\\n- hash: md5\\n  path: w\\n  remote: r\\n  files:\\n  - relpath: a\\n    md5: b026324c6904b2a9cb4b88d6d61c81d1\\n    size: 2\\n    isexec: true\\n    cloud:\\n      r:\\n        etag: abc\\n        version_id: x\\n' | cmp - w.dvc"),
    CommandCase(
      "move v w", before: "mkdir v && echo 1 > v/a && printf 'outs:\\n- path: v\\n  files: []\\n  hash: md5\\n' > v.dvc",
      after: "printf 'outs:\\n- hash: md5\\n  path: w\\n' | cmp - w.dvc"),
    CommandCase(
      "move f g",
      before: "echo hi > f && printf 'outs:\\n- md5: 764efa883dda1e11db47671c4a3bbd9e\\n  cloud:\\n    r:\\n      version_id: x\\n      size: 3\\n      etag: abc\\n      isexec: true\\n  hash: md5\\n  path: f\\n' > f.dvc",
      after: "printf 'outs:\\n- md5: 764efa883dda1e11db47671c4a3bbd9e\\n  size: 3\\n  isexec: true\\n  cloud:\\n    r:\\n      etag: abc\\n      version_id: x\\n  hash: md5\\n  path: g\\n' | cmp - g.dvc"),
    CommandCase("move v w", before: versioned, after: "grep 'version_id: first' w.dvc && grep 'etag: tag2' w.dvc && ! grep -e nfiles -e '[.]dir' w.dvc"),
    CommandCase(
      "add v", before: versioned + " && echo 3 > v/b && echo new > v/c && chmod +x v/c",
      after: "grep 'version_id: first' v.dvc && ! grep -e tag2 -e nfiles v.dvc && tail -5 v.dvc | tr -d '\\n' | grep 'size: 2  - relpath: c    md5: 9cd599a3523898e6a12e13ec787da50a    size: 4    isexec: true'"),
    CommandCase("commit -f s.dvc", before: "echo hi > s && printf 'outs:\\n- md5: 764efa883dda1e11db47671c4a3bbd9e\\n  size: 3\\n  version_id: first\\n  hash: md5\\n  path: s\\n' > s.dvc && cp s.dvc was", after: "cmp was s.dvc"),
    // A dependency that is a dataset
    CommandCase("status", says: "not in sync:        ds://one", before: dataset),
    CommandCase("status", says: "new:                ds://one", before: dataset + " && " + locked),
    CommandCase("status", says: "not in sync:        ds://one", before: dataset + " && " + locked + " && sed -i 's,path: data,path: other,' dvc.yaml"),
    CommandCase("status", 1, says: "ERROR: dataset not found: 'none'", before: dataset + " && sed -i 's,ds://one,ds://none,' dvc.yaml"),
    CommandCase("status two", says: "Data and pipelines are up to date.", before: dataset),
    // Settings
    CommandCase("init", 1, says: "ERROR: failed to initiate DVC - '.dvc' exists. Use `-f` to force."),
    CommandCase("init -f", after: "test -f .dvc/config"),
    CommandCase("--cd sub init --subdir", before: "mkdir sub", after: "test -f sub/.dvc/config"),
    CommandCase("config core.autostage true", after: "grep 'autostage = true' .dvc/config"),
    CommandCase("config core.autostage", says: "true", before: "$PROGRAM config core.autostage true"),
    CommandCase("config core.nothing 1", 251, says: "ERROR: configuration error - config file error: extra keys not allowed @ data['core']['nothing']"),
    CommandCase("config core.autostage"),
    CommandCase("cache dir", says: ".dvc/cache"),
    CommandCase("cache dir elsewhere", after: "grep 'dir = ../elsewhere' .dvc/config"),
    CommandCase("remote add -d store ../store", says: "Setting 'store' as a default remote.", after: "grep 'url = ../../store' .dvc/config"),
    CommandCase("remote list", says: "store", before: "$PROGRAM remote add store ../store"),
    CommandCase("remote modify store verify true", before: "$PROGRAM remote add store ../store", after: "grep 'verify = true' .dvc/config"),
    CommandCase(
      "remote modify -u store url", 251,
      says: "ERROR: configuration error - config file error: expected 'url' for dictionary value @ data['remote']['store']",
      before: "$PROGRAM remote add store ../store", after: "grep 'url = ../../store' .dvc/config"),
    CommandCase(
      "config -u remote.store.url", 251, says: "expected 'url' for dictionary value @ data['remote']['store']",
      before: "$PROGRAM remote add store ../store", after: "grep 'url = ../../store' .dvc/config"),
    CommandCase("remote modify -u --local store url", before: "$PROGRAM remote add store ../store && $PROGRAM remote modify --local store url ../other", after: "! grep other .dvc/config.local"),
    CommandCase("remote modify -u store jobs", before: "$PROGRAM remote add store ../store && $PROGRAM remote modify store jobs 3", after: "! grep jobs .dvc/config"),
    CommandCase("config db.x 1", 251, says: "expected a dictionary for dictionary value @ data['db']['x']"),
    CommandCase("remote rename store shop", before: "$PROGRAM remote add store ../store", after: "grep shop .dvc/config"),
    CommandCase("remote default store", before: "$PROGRAM remote add store ../store", after: "grep 'remote = store' .dvc/config"),
    CommandCase("remote remove store", before: "$PROGRAM remote add store ../store", after: "! grep store .dvc/config"),
    CommandCase("remote remove nothing", 251, says: "ERROR: "),
    CommandCase("completion -s bash", says: "complete"),
    CommandCase("add http://localhost:1/x", 1, says: "ERROR: Cached output(s) outside of DVC project: http://localhost:1/x. See <"),
    // A hash that is none, as one in capitals is for DVC
    CommandCase("status one", says: "changed outs:\n\t\tnot in cache:", before: "$PROGRAM repro -q && sed -i 's/md5: \\([0-9a-f]\\{32\\}\\)/md5: \\U\\1/' dvc.lock"),
    // Of two faults, DVC's first
    CommandCase("stage add -n x/y echo", 255, says: "ERROR: Stage name cannot contain punctuation characters.", before: "echo 'stages: 3' > dvc.yaml"),
    CommandCase("stage add -n x echo", 255, says: "'./dvc.yaml' validation failed", before: "echo 'stages: 3' > dvc.yaml"),
    CommandCase("checkout none.dvc", 255, says: "'./dvc.lock' validation failed", before: "echo 3 > dvc.lock"),
    CommandCase("checkout dvc.yaml:none", 255, says: "'./y.dvc' validation failed", before: "echo 'outs: 3' > y.dvc"),
    CommandCase("dag none.dvc", 255, says: "none.dvc' does not exist", before: "echo 3 > dvc.lock"),
    CommandCase(
      "metrics show -a --json", says: "\"YAMLValidationError\", \"msg\": \"'./dvc.lock' validation failed in revision '",
      before: "echo 3 > dvc.lock && git add -A && git commit -qm broken && git checkout -q HEAD~1 dvc.lock"),
    CommandCase(
      "metrics show -a", says: "'./dvc.yaml' validation failed in revision '", "': 2 errors\n",
      before: "printf 'stages:\\n  a: {x: 1}\\n' > dvc.yaml && git add -A && git commit -qm broken && git checkout -q HEAD~1 dvc.yaml"),
    CommandCase(
      "diff HEAD", 1, says: "'./dvc.yaml' is invalid in revision '",
      before: "echo 'stages: [' > dvc.yaml && git add -A && git commit -qm broken && git checkout -q HEAD~1 dvc.yaml"),
    CommandCase(
      "ls . --rev HEAD", 1, says: "'./dvc.yaml' validation failed in revision '",
      before: "echo 'stages: 3' > dvc.yaml && git add -A && git commit -qm broken"),
    // `--run` asks the run-cache, not the lock
    CommandCase(
      "stage add -f -n three -d in.txt -o three.txt --run cp in.txt three.txt", says: "Stage 'three' is cached - skipping run, checking out outputs",
      before: "$PROGRAM stage add -q -n three -d in.txt -o three.txt --run cp in.txt three.txt"),
    CommandCase(
      "stage add -f -n three -O three.txt --run touch three.txt also.txt", says: "Running stage 'three':",
      before: "$PROGRAM stage add -q -n three -O three.txt --run touch three.txt also.txt && rm also.txt", after: "test -e also.txt"),
    // Data from a remote that is a folder of this machine
    CommandCase("add remote://store/a -o got", before: near, after: "grep far got && grep 'path: got' got.dvc && git check-ignore got"),
    CommandCase("add remote://store/d -o got", before: near, after: "cmp far/d/b got/b && grep 'nfiles: 1' got.dvc"),
    CommandCase("add remote://store/a", 1, says: "ERROR: Cached output(s) outside of DVC project: remote://store/a. See <", before: near),
    CommandCase("add remote://none/a -o got", 1, says: "ERROR: config file error: remote 'none' doesn't exist"),
    CommandCase("add remote://store/none -f -o in.txt", 1, says: "ERROR: [Errno 2] No such file or directory: '", "/far/none'", before: near, after: "grep 1 in.txt"),
    // What DVC does not expect ends with 255
    CommandCase(
      "commit -f d.dvc", 255, says: "ERROR: .dvcignore file should not be in collected dir path: '",
      before: "mkdir d && echo > d/a && $PROGRAM add -q d && touch d/.dvcignore"),
    CommandCase("add \(String(repeating: "n", count: 253))", 255, says: "[Errno 36] File name too long: '", before: "touch $(printf '%0253d' 0 | tr 0 n)"),
    // Data that no cache is to hold moves, and is in no cache afterwards either
    CommandCase(
      "move in.txt moved.txt", before: "printf 'outs:\\n- path: in.txt\\n  cache: false\\n' > in.txt.dvc && rm -r .dvc/cache",
      after: "test ! -e .dvc/cache && grep 'path: moved.txt' moved.txt.dvc"),
    // A link that leads nowhere, at the place of data
    CommandCase("checkout f", says: "M       f\n", before: dangling, after: "grep f f"),
    CommandCase("checkout f --summary", says: "1 file modified\n", before: dangling),
    CommandCase("checkout d", says: "M       d/\n", before: dangling, after: "grep 1 d/1"),
    CommandCase("checkout d --summary", says: "1 file added\n", before: dangling),
    CommandCase("nonsense", 254, says: "invalid choice: 'nonsense'"),
  ]
}

/// The project is made once for each program and then copied: running it takes DVC a second.
private func template(for program: String) throws -> TestRepository {
  try (program == DVCOracle.path ? dvcTemplate : cairnTemplate).get()
}

private let dvcTemplate = Result { try project(by: DVCOracle.path ?? "") }
private let cairnTemplate = Result { try project(by: CairnBinary.path()) }

/// A project of two stages, committed, whose stages have run.
private func project(by program: String) throws -> TestRepository {
  let repository = try TestRepository()
  try repository.write(
    "dvc.yaml",
    """
    stages:
      one:
        cmd: cat in.txt > one.txt
        deps: [in.txt]
        params: [size]
        outs: [one.txt]
      two:
        cmd: cat one.txt > two.txt && echo '{"n":1}' > metrics.json
        deps: [one.txt]
        outs: [two.txt]
        metrics:
          - metrics.json: {cache: false}

    """)
  try repository.write("in.txt", "1\n")
  try repository.write("params.yaml", "size: 1\n")
  let result = try repository.run([program, "repro", "-q"])
  guard result.status == 0 else { throw TestSupportError("the project does not run: \(result)") }
  try repository.commit()
  return repository
}

private func play(_ test: CommandCase, by program: String) throws -> [String] {
  let repository = try TestRepository(copying: template(for: program))
  var wrong: [String] = []
  func shell(_ line: String) throws {
    guard !line.isEmpty else { return }
    let result = try repository.run(["/bin/sh", "-c", line], environment: ["PROGRAM": program])
    if result.status != 0 { wrong.append("'\(line)' fails: \(result)") }
  }
  try shell(test.before)
  let result = try repository.run([program] + test.words)
  if result.status != test.status { wrong.append("exit code \(result.status), not \(test.status)") }
  for text in test.says where !result.output.contains(text) && !result.errors.contains(text) {
    wrong.append("does not say '\(text)'")
  }
  if wrong.isEmpty { try shell(test.after) }
  return wrong.isEmpty ? [] : wrong + [result.description]
}

struct CommandTests {
  @Test("a command does what it is for, and ends with its exit code", arguments: CommandCase.all)
  func cairn(test: CommandCase) throws {
    let wrong = try play(test, by: CairnBinary.path())
    #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
  }

  @Test("output that a full disk does not take is an error that is told, no broken pipe")
  func fullDisk() throws {
    let repository = try TestRepository(copying: template(for: CairnBinary.path()))
    for words in ["status", "status --json", "why", "repro -f"] {
      let result = try repository.shell("\(CairnBinary.path()) \(words) > /dev/full")
      #expect(result.status == 255, "\(result)")
      #expect(result.errors.contains("ERROR: [Errno 28] No space left on device: 'standard output'"), "\(result)")
    }
  }

  @Test(
    "what a cache holds altered is stored once more by add and commit, where DVC puts it over the data",
    arguments: ["add d", "commit -f d.dvc"])
  func alteredObject(line: String) throws {
    try holdsForCairn(
      CommandCase(
        line,
        before: "$PROGRAM config cache.type hardlink && echo whole > d && $PROGRAM add -q d"
          + " && O=$(grep -rlx whole .dvc/cache/files) && rm -f $O && echo altered > $O && chmod 444 $O",
        after: "grep whole d && ! grep -r altered .dvc/cache/files && test $(stat -c %h d) = 2"))
  }

  @Test("add --out leaves a file alone that git has, where DVC takes it away and then fails")
  func outInGit() throws {
    try holdsForCairn(
      CommandCase(
        "add -f -o out in.txt", 1, says: "ERROR:  output 'out' is already tracked by SCM",
        before: "echo kept > out && git add out", after: "grep kept out"))
  }

  /// For what DVC does otherwise, on purpose.
  private func holdsForCairn(_ test: CommandCase) throws {
    let wrong = try play(test, by: CairnBinary.path())
    #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
  }

  @Test("a flag that is not here yet is refused as a command that is not")
  func missingFlag() throws {
    try holdsForCairn(
      CommandCase(
        "add --to-remote in.txt", 254, says: "ERROR: 'add --to-remote' is not in Cairn yet",
        "hint: 'dvc add --to-remote' works on the same files", after: "test ! -e in.txt.dvc"))
  }

  @Test("a remote that is no folder is refused, not misread")
  func farRemote() throws {
    try holdsForCairn(
      CommandCase(
        "status -r far", 254, says: "ERROR: remote 'far' is of a kind that is not in Cairn yet",
        before: "$PROGRAM remote add far gs://bucket/data"))
  }

  @Test("the table is what DVC does", .enabled(if: DVCOracle.isAvailable), arguments: CommandCase.all)
  func dvc(test: CommandCase) throws {
    let wrong = try play(test, by: #require(DVCOracle.path))
    #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
  }

  @Test(
    "outside a project a command says so",
    arguments: ["repro", "status", "dag", "stage list", "add x", "checkout", "commit", "freeze x", "root"])
  func outside(line: String) throws {
    let repository = try TestRepository(git: false, dvc: false)
    let result = try repository.run([try CairnBinary.path()] + line.split(separator: " ").map(String.init))
    #expect(result.status == 253, "\(result)")
    #expect(result.errors.contains("you are not inside of a DVC repository (checked up to mount point '/"), "\(result)")
  }
}
