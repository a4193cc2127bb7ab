#!/usr/bin/env python3
"""Holds the template `ci-check` and .pre-commit-hooks.yaml to what they promise.

    check.py ARCHIVE      what scripts/package made; the programs of requirements.txt are on PATH

Linters must find nothing. Then the commands of the workflow, the job and the script are played as GitHub, GitLab and
a shell play them, on histories that are sound, faulty and not to be judged; the archive comes from a server on
127.0.0.1. The last line is "N of M steps of the CI templates".
"""
import functools
import hashlib
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import xml.etree.ElementTree

import yaml

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
TEMPLATE = os.path.join(TOP, "pipelines", "ci-check")
WORKFLOW = ".github/workflows/cairn-verify.yml"
JOB = "ci/cairn-verify.gitlab-ci.yml"
SCRIPT = "ci/cairn-verify.sh"
HOOKS = ".pre-commit-hooks.yaml"
REPORTS = ["verify.xml", "verify.sarif", "code-quality.json", "verify.md"]
# What verify must say of the commit with this tag, and the letters that GitHub shows it by.
CASES = {"sound": 0, "lock-params": 1, "unknown": 2}
HIDES = re.compile(r"\|\| *(true|:)|continue-on-error|allow_failure|set \+e|exit 0")

passed = total = 0


def step(what, wrong):
    """Counts a step; `wrong` says what went wrong, and is empty where nothing did."""
    global passed, total
    total += 1
    passed += not wrong
    print(f"{'FAILED ' if wrong else 'ok     '} {what}", flush=True)
    for line in str(wrong or "").splitlines():
        print(f"        {line}", flush=True)


def run(words, folder, **environment):
    """(exit code, all that was printed)"""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "CAIRN_", "DVC_", "CI_"))}
    clean.update(GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null", NO_COLOR="1", LC_ALL="C.UTF-8")
    for role in ("AUTHOR", "COMMITTER"):
        clean[f"GIT_{role}_NAME"], clean[f"GIT_{role}_EMAIL"] = "Ann", "ann@example.org"
    clean.update(environment)
    done = subprocess.run(words, cwd=folder, env=clean, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=120)
    return done.returncode, done.stdout


def must(words, folder, **environment):
    code, output = run(words, folder, **environment)
    if code != 0:
        sys.exit(f"ERROR: {' '.join(words)}: {code}\n{output}")
    return output.strip()


def expect(words, folder, want=0, **environment):
    code, output = run(words, folder, **environment)
    return "" if code == want else f"{' '.join(words)}: ended with {code} instead of {want}\n{output}"


def lint(archive):
    style = "{extends: default, rules: {line-length: {max: 120}, truthy: {check-keys: false}," \
            " document-start: disable, comments: {min-spaces-from-content: 1}}}"
    for words in (
        ["actionlint", "-no-color", "-oneline", WORKFLOW],
        ["zizmor", "--offline", "--no-progress", "--persona", "pedantic", WORKFLOW],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", WORKFLOW],
        ["check-jsonschema", "--builtin-schema", "custom.github-workflows-require-timeout", WORKFLOW],
        ["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", JOB],
        ["shellcheck", SCRIPT],
        ["shellcheck", os.path.join(TOP, "examples", "ci", "make-history")],
        ["yamllint", "--strict", "-d", style, WORKFLOW, JOB, os.path.join(TOP, HOOKS)],
        ["pre-commit", "validate-manifest", os.path.join(TOP, HOOKS)],
    ):
        step(f"{words[0]}: {' '.join(os.path.basename(word) for word in words[1:] if os.path.sep in word)}",
             expect(words, TEMPLATE))
    hidden = []
    for name in (WORKFLOW, JOB, SCRIPT):
        with open(os.path.join(TEMPLATE, name), encoding="utf-8") as f:
            hidden += [f"{name}:{number}: {line}" for number, line in enumerate(f, 1) if HIDES.search(line)]
    step("no line hides how verify ended", "".join(hidden))


class Server:
    """Serves a folder on a port of 127.0.0.1 that the system chooses."""

    def __init__(self, folder):
        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()


class Stage:
    """The archive unpacked, the history that it is played on, and a PATH without a cairn of this machine."""

    def __init__(self, folder, archive, url):
        self.folder, self.archive, self.url = folder, archive, url
        with open(archive, "rb") as f:
            self.sha256 = hashlib.sha256(f.read()).hexdigest()
        must(["tar", "-xzf", archive, "-C", folder, "--one-top-level=cairn", "--strip-components=1"], folder)
        self.cairn = os.path.join(folder, "cairn", "bin", "cairn")
        self.version = must([self.cairn, "--version"], folder).split()[-1]
        self.history = os.path.join(folder, "history")
        must([os.path.join(TOP, "examples", "ci", "make-history"), self.history], folder, CAIRN_BIN=self.cairn)
        # The machine's package manager is no part of this: what it was asked is written down.
        self.stubs = os.path.join(folder, "stubs")
        os.mkdir(self.stubs)
        self.asked = os.path.join(folder, "asked")
        for name, text in (("apt-get", f'echo "apt-get $*" >>{self.asked}'), ("sudo", 'exec "$@"')):
            with open(os.path.join(self.stubs, name), "w", encoding="utf-8") as f:
                f.write(f"#!/bin/sh\n{text}\n")
            os.chmod(f.name, 0o755)
        self.path = os.pathsep.join([self.stubs, os.environ["PATH"]])

    def set_up(self, folder, **settings):
        """Sets the variables at the top of the script, as a person would."""
        settings = {"version": self.version, "url": self.url, "sha256": self.sha256, **settings}
        path = os.path.join(folder, SCRIPT)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for name, value in settings.items():
            text, count = re.subn(rf"^{name}='[^']*'", f"{name}='{value}'", text, flags=re.M)
            if count != 1:
                sys.exit(f"ERROR: {SCRIPT} has {count} lines that set '{name}'")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def pull_request(self, tag):
        """A repository whose main has the template, and whose branch `change` has the tag's commit on top."""
        folder = os.path.join(self.folder, tag)
        must(["git", "clone", "--quiet", self.history, folder], self.folder)
        must(["git", "checkout", "--quiet", "-B", "main", f"{tag}^"], folder)
        must([self.cairn, "init", "--template", "ci-check"], folder)
        self.set_up(folder)
        must(["git", "add", "--all"], folder)
        must(["git", "commit", "--quiet", "-m", "ask verify in CI"], folder)
        must(["git", "checkout", "--quiet", "-b", "change"], folder)
        must(["git", "cherry-pick", tag], folder)
        must(["git", "checkout", "--quiet", "-b", "merge", "main"], folder)
        must(["git", "merge", "--quiet", "--no-ff", "-m", "merge", "change"], folder)
        return folder

    def checkout(self, source, branch, depth=None):
        """A fresh clone as a runner makes it: other files of the project's folder are not there."""
        folder = tempfile.mkdtemp(dir=self.folder)
        shallow = ["--depth", str(depth)] if depth else []
        must(["git", "clone", "--quiet", *shallow, "--branch", branch, f"file://{source}", folder], self.folder)
        return folder


def reports(folder, want):
    """What is wrong with the reports in cairn-reports/; nothing when they say what the exit code says."""
    at = os.path.join(folder, "cairn-reports")
    missing = [name for name in REPORTS if not os.path.isfile(os.path.join(at, name))]
    if missing:
        return f"no {', '.join(missing)}"
    wrong = []
    suites = xml.etree.ElementTree.parse(os.path.join(at, "verify.xml")).getroot()
    if want == 1 and suites.find(".//failure") is None:
        wrong.append("verify.xml has no failure")
    if want == 2 and suites.find(".//error") is None:
        wrong.append("verify.xml has no error, so that unknown would look like a pass")
    with open(os.path.join(at, "verify.sarif"), encoding="utf-8") as f:
        levels = [result["level"] for result in json.load(f)["runs"][0]["results"]]
    if ("error" in levels) != (want != 0):
        wrong.append(f"verify.sarif has the levels {levels}")
    with open(os.path.join(at, "code-quality.json"), encoding="utf-8") as f:
        if (json.load(f) == []) != (want == 0):
            wrong.append("code-quality.json does not fit")
    if run(["git", "status", "--porcelain"], folder)[1]:
        wrong.append("git sees the reports")
    return "\n".join(wrong)


def github(stage, tag, source):
    want = CASES[tag]
    with open(os.path.join(source, WORKFLOW), encoding="utf-8") as f:
        steps = yaml.safe_load(f)["jobs"]["verify"]["steps"]
    folder = stage.checkout(source, "merge", depth=steps[0]["with"]["fetch-depth"])
    summary = os.path.join(folder, ".git", "summary")
    status, log, kept = 0, "", None
    for one in steps[1:]:
        if status != 0 and one.get("if") != "${{ !cancelled() }}":
            continue
        if "run" not in one:
            kept = one["with"]["path"]
            continue
        environment = {}
        for key, value in one.get("env", {}).items():
            if value != "${{ github.event_name == 'pull_request' && 'HEAD^1' || '' }}":
                return step(f"GitHub, {tag}", f"this test cannot evaluate {value}")
            environment[key] = "HEAD^1"
        status, output = run(["bash", "-e", "-c", one["run"]], folder, PATH=stage.path, GITHUB_ACTIONS="true",
                             CI="true", GITHUB_STEP_SUMMARY=summary, **environment)
        log += output
    wrong = "" if status == want else f"ended with {status} instead of {want}\n{log}"
    wrong = wrong or reports(folder, want)
    if not wrong and kept != "cairn-reports/":
        wrong = "the reports are not kept"
    if not wrong and not (os.path.isfile(summary) and os.path.getsize(summary)):
        wrong = "the step has no summary"
    if not wrong and (want != 0) != bool(re.search(r"^::error ", log, re.M)):
        wrong = f"annotations:\n{log}"
    step(f"GitHub: a pull request with '{tag}' ends with {want}, reports, summary, annotations", wrong)


def gitlab(stage, tag, source):
    want = CASES[tag]
    with open(os.path.join(source, JOB), encoding="utf-8") as f:
        job = yaml.safe_load(f)["cairn-verify"]
    folder = stage.checkout(source, "change")
    lines = "\n".join(["set -eo pipefail", *job["before_script"], *job["script"]])
    base = must(["git", "rev-parse", "main"], source)
    code, log = run(["bash", "-c", lines], folder, PATH=stage.path, CI="true", CI_MERGE_REQUEST_DIFF_BASE_SHA=base)
    wrong = "" if code == want else f"ended with {code} instead of {want}\n{log}"
    named = [*job["artifacts"]["paths"], *job["artifacts"]["reports"].values()]
    lost = [name for name in named if not os.path.exists(os.path.join(folder, name))]
    if job["artifacts"]["when"] != "always":
        lost.append("artifacts: when: always")
    step(f"GitLab: a merge request with '{tag}' ends with {want}, and its artifacts are there",
         wrong or reports(folder, want) or (f"no {', '.join(lost)}" if lost else ""))


def shell(stage, tag, source):
    want = CASES[tag]
    folder = stage.checkout(source, "change")
    stage.set_up(folder, url=f"file://{stage.archive}")
    must(["git", "commit", "--quiet", "--all", "-m", "another address"], folder)
    wrong = expect(["sh", SCRIPT], folder, want) or reports(folder, want)
    step(f"a shell: '{tag}' ends with {want}, and the reports are in the folder", wrong)


def refusals(stage, source):
    for what, settings, says in (
        ("without a checksum", {"sha256": ""}, "set 'sha256'"),
        ("without an address", {"url": ""}, "set 'version' and 'url'"),
        ("with half a checksum", {"sha256": stage.sha256[:32]}, "32 digits instead of 64"),
        ("with another checksum", {"sha256": "0" * 64}, "it is not what was chosen, and is not run"),
        ("with nothing at the address", {"url": stage.url + ".gone"}, "cannot fetch"),
        ("with another version", {"version": "0.0.0"}, "'version' says 0.0.0"),
    ):
        folder = stage.checkout(source, "change")
        stage.set_up(folder, **settings)
        code, output = run(["sh", SCRIPT], folder)
        wrong = "" if code == 255 and says in output else f"ended with {code}\n{output}"
        if os.path.exists(os.path.join(folder, "cairn-reports", "verify.xml")):
            wrong += "\nit verified all the same"
        step(f"{what} nothing is verified", wrong)
    # A report of an earlier run must not be taken for one of a run that could not start, or could fetch nothing.
    folder = stage.checkout(source, "change")
    for what, settings in (("nothing can be fetched", {"url": stage.url + ".gone"}), ("no version is set", {"version": ""})):
        stage.set_up(folder)
        run(["sh", SCRIPT], folder)
        stage.set_up(folder, **settings)
        wrong = expect(["sh", SCRIPT], folder, 255)
        step(f"where {what} no old report is left",
             wrong or ("verify.xml" in os.listdir(os.path.join(folder, "cairn-reports")) and "verify.xml is there"))
    stage.set_up(folder)
    other = os.path.join(stage.folder, "other", "ci")
    os.makedirs(other)
    wrong = expect(["sh", SCRIPT], folder, CASES["sound"], CDPATH=os.path.dirname(other))
    step("CDPATH does not lead the script elsewhere", wrong or reports(folder, CASES["sound"]))
    wrong = expect(["sh", SCRIPT, "--no-such-option"], folder, 254)
    step("a wrong option ends with 254, and leaves no old report",
         wrong or ("verify.xml" in os.listdir(os.path.join(folder, "cairn-reports")) and "verify.xml is there"))


def below(stage):
    """A project in a folder of the repository: the files stand at the root, and name the folder."""
    folder = os.path.join(stage.folder, "below")
    must(["git", "init", "--quiet", "--initial-branch=main", folder], stage.folder)
    project = os.path.join(folder, "services", "it's")
    must(["git", "worktree", "add", "--quiet", "--detach", os.path.join(stage.folder, "copy"), "sound"], stage.history)
    shutil.copytree(os.path.join(stage.folder, "copy"), project, ignore=shutil.ignore_patterns(".git"))
    must([stage.cairn, "init", "--template", "ci-check"], project)
    stage.set_up(folder)
    must(["git", "add", "--all"], folder)
    must(["git", "commit", "--quiet", "-m", "a project below"], folder)
    step("a project in a sub-directory is found from the repository's root",
         expect(["sh", SCRIPT], folder) or reports(folder, 0))


def pre_commit(stage, sources):
    hooks = os.path.join(stage.folder, "hooks")
    os.mkdir(hooks)
    shutil.copy(os.path.join(TOP, HOOKS), hooks)
    must(["git", "init", "--quiet"], hooks)
    must(["git", "add", "--all"], hooks)
    must(["git", "commit", "--quiet", "-m", "hooks"], hooks)
    path = os.pathsep.join([os.path.dirname(stage.cairn), os.environ["PATH"]])
    for tag, source in sources.items():
        want = min(CASES[tag], 1)
        must(["git", "checkout", "--quiet", "change"], source)
        wrong = expect(["pre-commit", "try-repo", hooks, "cairn-verify", "--all-files", "--verbose"], source, want,
                       PATH=path, PRE_COMMIT_HOME=os.path.join(stage.folder, "pre-commit"))
        step(f"pre-commit try-repo: '{tag}' {'fails' if want else 'passes'}", wrong)
        wrong = expect(["pre-commit", "try-repo", hooks, "cairn-verify-push", "--hook-stage", "pre-push", "--from-ref", "HEAD^",
                        "--to-ref", "HEAD", "--verbose"], source, want, PATH=path,
                       PRE_COMMIT_HOME=os.path.join(stage.folder, "pre-commit"))
        step(f"and before a push: '{tag}' {'fails' if want else 'passes'}", wrong)


def pre_commit_tool(stage, source):
    """`cairn install --use-pre-commit-tool`, played by the tool: by the index, and by what is pushed."""
    folder = stage.checkout(source, "change")
    path = os.pathsep.join([os.path.dirname(stage.cairn), os.environ["PATH"]])
    more = {"PATH": path, "PRE_COMMIT_HOME": os.path.join(stage.folder, "pre-commit")}
    must([stage.cairn, "install", "--use-pre-commit-tool"], folder)
    must(["git", "add", "--all"], folder)
    step("the pre-commit tool plays the hooks of cairn install", expect(
        ["pre-commit", "run", "--all-files"], folder, 0, **more))
    must(["sed", "-i", "s/rounds: .*/rounds: 99/", "params.yaml"], folder)
    must(["git", "commit", "--quiet", "--all", "--no-verify", "-m", "not run"], folder)
    push = ["pre-commit", "run", "--hook-stage", "pre-push", "--from-ref", "HEAD^", "--to-ref", "HEAD"]
    step("and stops a push of what is not reproducible", expect(push, folder, 1, **more))
    # Of a branch's first push the tool names no range.
    bare = os.path.join(stage.folder, "first.git")
    must(["git", "init", "--quiet", "--bare", bare], folder)
    first = f"pre-commit install --hook-type pre-push && git push --quiet '{bare}' HEAD:refs/heads/first"
    step("the first push of a branch, too", expect(["sh", "-c", first], folder, 1, **more))


def main():
    archive = os.path.abspath(sys.argv[1])
    lint(archive)
    with tempfile.TemporaryDirectory(prefix="cairn-templates-") as folder, Server(os.path.dirname(archive)) as server:
        folder = os.path.realpath(folder)
        stage = Stage(folder, archive, server.url + os.path.basename(archive))
        sources = {tag: stage.pull_request(tag) for tag in CASES}
        for tag, source in sources.items():
            github(stage, tag, source)
            gitlab(stage, tag, source)
            shell(stage, tag, source)
        with open(stage.asked, encoding="utf-8") as f:
            asked = f.read()
        step("the libraries that the archive names are installed first",
             "" if asked.count("libsqlite3-0 libyaml-0-2") == 2 * len(CASES) else asked)
        refusals(stage, sources["sound"])
        below(stage)
        pre_commit(stage, sources)
        pre_commit_tool(stage, sources["sound"])
    print(f"{passed} of {total} steps of the CI templates")
    return passed != total


if __name__ == "__main__":
    sys.exit(main())
