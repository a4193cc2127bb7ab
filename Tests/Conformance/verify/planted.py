#!/usr/bin/env python3
"""Plants one fault at a time into repositories that the real DVC made, and sees whether `cairn verify` names it.

    CAIRN_BIN=… CAIRN_DVC=… planted.py [NAME …]

Each case is looked at in the work tree, at `--rev HEAD` and in a fresh clone. The last line is "N of M looks right".
"""
import os
import shutil
import sys
import tempfile

from tools import DVC, commit, findings, read, replace, run, write

PIPELINE = """\
vars:
  - shared.yaml
stages:
  prepare:
    cmd: cat data/raw.csv src/prepare.py > clean.csv
    deps:
      - data/raw.csv
      - src/prepare.py
    outs:
      - clean.csv
  features:
    cmd: mkdir -p feat && cat clean.csv > feat/a.csv && cat lib/*.py > feat/b.csv
    deps:
      - clean.csv
      - lib
    outs:
      - feat
  train:
    cmd: cat feat/a.csv > model.bin && echo '{"auc":0.9}' > metrics.json
    deps:
      - feat/a.csv
      - src/train.py
    params:
      - train.lr
      - train.epochs
      - other.json:
          - depth
    outs:
      - model.bin
    metrics:
      - metrics.json:
          cache: false
  report:
    cmd: cat metrics.json > report.txt
    deps:
      - metrics.json
    outs:
      - report.txt
  tune:
    foreach:
      - 1
      - 2
    do:
      cmd: echo ${item} ${scale} > tune${item}.txt
      deps:
        - src/tune.py
      outs:
        - tune${item}.txt
  grid:
    matrix:
      a: [x, y]
    cmd: echo ${item.a} > grid-${item.a}.txt
    outs:
      - grid-${item.a}.txt
"""

SUB = """\
stages:
  inner:
    wdir: work
    cmd: cat ../../src/tune.py > inner.txt
    deps:
      - ../../src/tune.py
    params:
      - ../params.yaml:
          - inner
    outs:
      - inner.txt
"""


def base(folder):
    """A sound repository with a bit of everything, made by DVC alone."""
    run("git", "init", "-q", "-b", "main", ".", cwd=folder)
    run(DVC, "init", "-q", cwd=folder)
    write(folder, "dvc.yaml", PIPELINE)
    write(folder, "sub/dvc.yaml", SUB)
    write(folder, "sub/params.yaml", "inner: 5\n")
    write(folder, "sub/work/keep", "")
    write(folder, "shared.yaml", "scale: 3\n")
    write(folder, "params.yaml", "train:\n  lr: 0.1\n  epochs: 10\nunused: 1\n")
    write(folder, "other.json", '{"depth": 4}\n')
    write(folder, "data/raw.csv", "a,b\n1,2\n")
    for name in ("src/prepare.py", "src/train.py", "src/tune.py", "lib/one.py", "lib/deep/two.py"):
        write(folder, name, f"# {name}\n")
    run(DVC, "add", "-q", "data/raw.csv", cwd=folder)
    run(DVC, "repro", "-q", cwd=folder)
    run(DVC, "repro", "-q", "-R", "sub", cwd=folder)
    commit(folder)


CASES = {}


def case(expected, rev=None, clone=None, commits=True, exit=1, says=""):
    """`expected`: (check, stage, path) that must fail and nothing else, and `says` in each message; `rev`, `clone`: where
    that differs."""

    def decorate(function):
        at = expected if rev is None else rev
        CASES[function.__name__] = (function, expected, at, at if clone is None else clone, commits, exit, says)
        return function

    return decorate


def one(id, stage=None, path=None):
    return [(id, stage, path)]


# Sound ones -----------------------------------------------------------------------------------------------------

@case([], exit=0)
def sound(d): pass


@case([], exit=0)
def sound_after_a_comment(d): replace(d, "dvc.yaml", "stages:\n", "# a comment\nstages:\n")


@case([], exit=0)
def sound_unused_parameter_changed(d): replace(d, "params.yaml", "unused: 1", "unused: 2")


@case([], exit=0)
def sound_equal_number(d): replace(d, "params.yaml", "epochs: 10", "epochs: 10.0")


@case([], exit=0)
def sound_reordered_lock(d):
    text = read(d, "dvc.lock")
    head, rest = text.split("stages:\n", 1)
    blocks, current = [], []
    for line in rest.splitlines(True):
        if line.startswith("  ") and not line.startswith("   ") and current:
            blocks.append("".join(current))
            current = []
        current.append(line)
    blocks.append("".join(current))
    write(d, "dvc.lock", head + "stages:\n" + "".join(reversed(blocks)))


# Commands -------------------------------------------------------------------------------------------------------

@case(one("lock-command", "train"))
def command_edited(d): replace(d, "dvc.yaml", "echo '{\"auc\":0.9}'", "echo '{\"auc\":0.8}'")


@case(one("lock-command", "tune@2"))
def command_of_one_item(d): replace(d, "dvc.lock", "echo 2 3", "echo 2 4")


@case(one("lock-command", "tune@1") + one("lock-command", "tune@2"))
def command_by_variable(d): replace(d, "shared.yaml", "scale: 3", "scale: 4")


@case(one("lock-command", "sub/dvc.yaml:inner"))
def command_in_sub(d): replace(d, "sub/dvc.yaml", "cat ../../src", "cat  ../../src")


@case(one("lock-command", "grid@x"))
def command_in_lock(d): replace(d, "dvc.lock", "echo x", "echo z")


@case(one("lock-command", "prepare"))
def command_as_list(d):
    replace(d, "dvc.yaml", "    cmd: cat data/raw.csv src/prepare.py > clean.csv\n",
            "    cmd:\n      - cat data/raw.csv src/prepare.py > clean.csv\n")


# Dependencies and outputs ---------------------------------------------------------------------------------------

@case(one("lock-deps", "train", "src/train.py"))
def dependency_removed(d): replace(d, "dvc.yaml", "      - src/train.py\n", "")


@case(one("lock-deps", "train", "src/tune.py"))
def dependency_added(d): replace(d, "dvc.yaml", "      - src/train.py\n", "      - src/train.py\n      - src/tune.py\n")


@case(one("lock-outs", "features", "more"))
def output_added(d): replace(d, "dvc.yaml", "      - feat\n", "      - feat\n      - more\n")


@case(one("lock-outs", "report", "report.txt"))
def output_removed(d): replace(d, "dvc.yaml", "      - metrics.json\n    outs:\n      - report.txt\n", "      - metrics.json\n")


@case(one("lock-params", "train", "params.yaml"))
def parameter_removed(d): replace(d, "dvc.yaml", "      - train.epochs\n", "")


@case(one("lock-params", "train", "params.yaml"))
def parameter_added(d): replace(d, "dvc.yaml", "      - train.epochs\n", "      - train.epochs\n      - unused\n")


@case(one("lock-params", "train", "params.yaml"))
def parameter_edited(d): replace(d, "params.yaml", "lr: 0.1", "lr: 0.2")


@case(one("lock-params", "train", "params.yaml"))
def parameter_became_text(d): replace(d, "params.yaml", "epochs: 10", "epochs: '10'")


@case(one("lock-params", "train", "params.yaml"))
def parameter_gone(d): replace(d, "params.yaml", "  epochs: 10\n", "")


@case(one("lock-params", "train", "other.json"))
def parameter_file_gone(d): os.remove(os.path.join(d, "other.json"))


@case(one("lock-params", "train", "other.json"))
def parameter_file_set_removed(d): replace(d, "dvc.yaml", "      - other.json:\n          - depth\n", "")


@case(one("lock-params", "sub/dvc.yaml:inner", "sub/params.yaml"))
def parameter_in_sub(d): replace(d, "sub/params.yaml", "inner: 5", "inner: 6")


@case(one("lock-params", "train", "other.json"))
def parameter_file_ignored(d):
    write(d, ".gitignore", read(d, ".gitignore") + "/other.json\n")
    run("git", "rm", "-q", "--cached", "other.json", cwd=d)


@case(one("lock-params", "scaled", "params.yaml"))
def parameter_in_the_command_too(d):
    replace(d, "dvc.yaml", "  report:\n", "  scaled:\n    cmd: echo ${train.lr} > scaled.txt\n    params:\n      - train\n"
            "    outs:\n      - scaled.txt\n  report:\n")
    run(DVC, "repro", "-q", cwd=d)
    commit(d)
    replace(d, "dvc.yaml", "    params:\n      - train.lr\n      - train.epochs\n", "    params:\n      - train.epochs\n")
    run(DVC, "repro", "-q", cwd=d)
    write(d, "dvc.lock", read(d, "dvc.lock").replace("        train.lr: 0.1\n", ""))
    replace(d, "params.yaml", "lr: 0.1", "lr: 0.2")


@case(one("pipeline-valid", None, "sub/dvc.yaml"))
def pipeline_hidden_from_dvc(d): write(d, ".gitignore", read(d, ".gitignore") + "/sub/dvc.yaml\n")


@case(one("dep-origin", "train", "src/train.py"), commits=False, rev=[])
def link_in_the_place_of_a_source(d):
    os.rename(os.path.join(d, "src/train.py"), os.path.join(d, "src/other.py"))
    os.symlink("other.py", os.path.join(d, "src/train.py"))


def folder_instead(d, name, inner):
    os.remove(os.path.join(d, name))
    write(d, name + "/" + inner, "x")


@case(one("dep-content", "train", "src/train.py"), commits=False, rev=[])
def folder_in_the_place_of_a_source(d): folder_instead(d, "src/train.py", "a")


@case(one("dep-content", "train", "src/train.py"))
def folder_in_the_place_of_a_source_in_git(d): folder_instead(d, "src/train.py", "a")


@case(one("dep-origin", "features", "lib/one.py") + one("dep-origin", "features", "lib/one.py/a"), commits=False, rev=[])
def folder_in_the_place_of_a_file_in_a_folder(d): folder_instead(d, "lib/one.py", "a")


@case(one("dep-content", "report", "metrics.json"), commits=False, rev=[])
def folder_in_the_place_of_an_output(d): folder_instead(d, "metrics.json", "a")


# Content ---------------------------------------------------------------------------------------------------------

@case(one("dep-content", "prepare", "src/prepare.py"))
def source_edited(d): write(d, "src/prepare.py", "# edited\n")


@case(one("dep-content", "tune@1", "src/tune.py") + one("dep-content", "tune@2", "src/tune.py")
      + one("dep-content", "sub/dvc.yaml:inner", "src/tune.py"))
def source_of_several_edited(d): write(d, "src/tune.py", "# edited\n")


def with_crlf(d, *names):
    for name in names: write(d, name, read(d, name).replace("\n", "\r\n"))


@case(one("dep-content", "features", "lib"), says="differs in its line ends alone: the stage ran with LF, and a checkout gives CRLF")
def folder_with_other_line_ends(d): with_crlf(d, "lib/one.py", "lib/deep/two.py")


@case(one("dep-content", "features", "lib"))
def folder_with_other_line_ends_and_an_edit(d):
    with_crlf(d, "lib/one.py", "lib/deep/two.py")
    write(d, "lib/one.py", "# edited\r\n")


@case(one("dep-content", "features", "lib"))
def folder_edited(d): write(d, "lib/deep/two.py", "# edited\n")


@case(one("dep-content", "features", "lib"))
def folder_with_new_file(d): write(d, "lib/three.py", "#\n")


@case(one("dep-content", "features", "lib"))
def folder_with_file_removed(d): os.remove(os.path.join(d, "lib/one.py"))


@case(one("dep-content", "train", "src/train.py"))
def lock_edited(d):
    text = read(d, "dvc.lock")
    at = text.index("md5: ", text.index("path: src/train.py")) + 5
    write(d, "dvc.lock", text[:at] + "a" * 32 + text[at + 32:])


@case(one("dep-content", "report", "metrics.json"))
def metrics_edited(d): write(d, "metrics.json", '{"auc":1.0}\n')


@case(one("dep-content", "features", "lib"))
def folder_with_file_renamed(d): os.rename(os.path.join(d, "lib/one.py"), os.path.join(d, "lib/eins.py"))


# Origin ----------------------------------------------------------------------------------------------------------

@case(one("dep-origin", "train", "src/train.py"))
def source_ignored(d):
    write(d, ".gitignore", read(d, ".gitignore") + "/src/train.py\n")
    run("git", "rm", "-q", "--cached", "src/train.py", cwd=d)


@case(one("dep-origin", "train", "src/train.py"), commits=False)
def source_not_added(d):
    run("git", "rm", "-q", "--cached", "src/train.py", cwd=d)
    run("git", "commit", "-qm", "x", cwd=d)


@case(one("dep-origin", "train", "src/train.py"))
def source_deleted(d): os.remove(os.path.join(d, "src/train.py"))


@case(one("dep-origin", "features", "lib/cache.pyc"), rev=[], exit=1)
def ignored_in_folder(d):
    write(d, ".gitignore", read(d, ".gitignore") + "*.pyc\n")
    write(d, "lib/cache.pyc", "x")


@case(one("dep-origin", "features", "lib/cache.pyc"), rev=one("dep-content", "features", "lib"))
def ignored_in_folder_when_it_ran(d):
    write(d, ".gitignore", read(d, ".gitignore") + "*.pyc\n")
    write(d, "lib/cache.pyc", "x")
    run(DVC, "repro", "-q", cwd=d)


@case(one("dep-origin", "features", "lib/new.py"), commits=False, rev=[])
def not_added_in_folder(d): write(d, "lib/new.py", "x")


@case([], exit=0)
def sound_hidden_in_folder(d):
    write(d, ".gitignore", read(d, ".gitignore") + "*.pyc\n")
    write(d, ".dvcignore", "*.pyc\n")
    write(d, "lib/cache.pyc", "x")


@case(one("dep-origin", "train", "src/train.py"), commits=False)
def source_only_announced(d):
    run("git", "rm", "-q", "--cached", "src/train.py", cwd=d)
    run("git", "commit", "-qm", "x", cwd=d)
    run("git", "add", "-N", "src/train.py", cwd=d)


@case(one("dep-origin", "features", "lib/inner"), rev=one("dep-origin", "features", "lib/inner"), clone=one("dep-origin", "features", "lib/inner"))
def repository_that_no_clone_fetches(d):
    os.makedirs(os.path.join(d, "lib/inner"))
    run("git", "init", "-q", ".", cwd=os.path.join(d, "lib/inner"))
    write(d, "lib/inner/x", "1")
    commit(os.path.join(d, "lib/inner"))
    run(DVC, "repro", "-q", cwd=d)


@case(one("dep-origin", "prepare", "data/raw.csv"))
def data_file_removed(d): os.remove(os.path.join(d, "data/raw.csv.dvc"))


@case(one("dep-origin", "prepare", "data/raw.csv"), commits=False)
def data_file_not_added(d):
    run("git", "rm", "-q", "--cached", "data/raw.csv.dvc", cwd=d)
    run("git", "commit", "-qm", "x", cwd=d)


# Chain -----------------------------------------------------------------------------------------------------------

@case(one("lock-chain", "features", "clean.csv"))
def chain_of_stages(d):
    text = read(d, "dvc.lock")
    at = text.index("md5: ", text.index("outs:", text.index("  prepare:"))) + 5
    write(d, "dvc.lock", text[:at] + "1" * 32 + text[at + 32:])


@case(one("lock-chain", "prepare", "data/raw.csv"))
def chain_of_data(d):
    text = read(d, "data/raw.csv.dvc")
    at = text.index("md5: ") + 5
    write(d, "data/raw.csv.dvc", text[:at] + "2" * 32 + text[at + 32:])


# Locks -----------------------------------------------------------------------------------------------------------

def without_entry(text, name):
    lines, result, skips = text.splitlines(True), [], False
    for line in lines:
        if line.startswith("  ") and not line.startswith("   "):
            skips = line.strip() == name + ":"
        if not skips:
            result.append(line)
    return "".join(result)


@case(one("lock-missing", "report"))
def entry_missing(d): write(d, "dvc.lock", without_entry(read(d, "dvc.lock"), "report"))


@case(one("lock-missing", "sub/dvc.yaml:inner"))
def lock_missing(d): os.remove(os.path.join(d, "sub/dvc.lock"))


@case(one("lock-missing", "sub/dvc.yaml:inner"), commits=False)
def lock_not_added(d):
    run("git", "rm", "-q", "--cached", "sub/dvc.lock", cwd=d)
    run("git", "commit", "-qm", "x", cwd=d)


@case(one("lock-missing", "tune@3"))
def item_added(d): replace(d, "dvc.yaml", "      - 1\n      - 2\n", "      - 1\n      - 2\n      - 3\n")


@case(one("lock-orphan", "tune@2", "dvc.lock"), exit=0)
def item_removed(d): replace(d, "dvc.yaml", "      - 1\n      - 2\n", "      - 1\n")


@case(one("lock-orphan", "report", "dvc.lock"), exit=0)
def stage_removed(d): replace(d, "dvc.yaml", PIPELINE[PIPELINE.index("  report:"):PIPELINE.index("  tune:")], "")


@case(one("hash-missing", "report", "report.txt"))
def output_without_hash(d):
    text = read(d, "dvc.lock")
    at = text.index("path: report.txt")
    start, end = text.index("      md5:", at), text.index("      size:", at)
    write(d, "dvc.lock", text[:start] + text[end:])


@case(one("hash-missing", "train", "src/train.py"))
def dependency_without_hash(d):
    text = read(d, "dvc.lock")
    at = text.index("path: src/train.py")
    start, end = text.index("      md5:", at), text.index("      size:", at)
    write(d, "dvc.lock", text[:start] + text[end:])


@case(one("hash-missing", "data/raw.csv.dvc", "data/raw.csv"))
def data_without_hash(d):
    text = read(d, "data/raw.csv.dvc")
    write(d, "data/raw.csv.dvc", "outs:\n- path: raw.csv\n")


@case(one("hash-missing", "train", "src/train.py"))
def hash_of_no_kind(d):
    text = read(d, "dvc.lock")
    at = text.index("hash: md5", text.index("path: src/train.py"))
    write(d, "dvc.lock", text[:at] + "hash: sha256" + text[at + 9:])


@case(one("hash-missing", "report", "report.txt"))
def etag_of_an_output(d):
    text = read(d, "dvc.lock")
    at = text.index("      md5:", text.index("path: report.txt"))
    write(d, "dvc.lock", text[:at] + "      etag:" + text[at + 10:])


@case(one("hash-missing", "train", "src/train.py"))
def etag_of_a_dependency(d):
    text = read(d, "dvc.lock")
    start = text.index("md5:", text.index("hash: md5", text.index("path: src/train.py")) + 8)
    write(d, "dvc.lock", text[:start] + "etag: abc" + text[text.index("\n", start):])
    write(d, "src/train.py", "# edited\n")


@case(one("hash-missing", "report", "metrics.json"))
def checksum_of_a_result(d):
    text = read(d, "dvc.lock")
    at = text.index("path: metrics.json", text.index("  report:"))
    start = text.index("md5:", text.index("hash: md5", at) + 8)
    write(d, "dvc.lock", text[:start] + "checksum: abc" + text[text.index("\n", start):])


@case(one("hash-missing", "train", "src/train.py"))
def hash_in_capitals(d):
    text = read(d, "dvc.lock")
    start = text.index("md5: ", text.index("hash: md5", text.index("path: src/train.py")) + 8) + 5
    write(d, "dvc.lock", text[:start] + text[start:start + 32].upper() + text[start + 32:])


@case(one("hash-missing", "data/raw.csv.dvc", "data/raw.csv"))
def hash_of_data_in_capitals(d):
    text = read(d, "data/raw.csv.dvc")
    start = text.index("md5: ") + 5
    write(d, "data/raw.csv.dvc", text[:start] + text[start:start + 32].upper() + text[start + 32:])


def mixed_folder(d):
    """A folder whose files git has, but for one folder in it that is tracked."""
    write(d, "tree/own.txt", "own")
    write(d, "tree/big/a", "aaaa")
    write(d, "tree/big/b", "bb")
    run(DVC, "add", "-q", "tree/big", cwd=d)
    replace(d, "dvc.yaml", "      - metrics.json\n    outs:\n", "      - metrics.json\n      - tree\n    outs:\n")
    run(DVC, "repro", "-q", cwd=d)
    run(DVC, "repro", "-q", cwd=d)
    commit(d)


@case([], exit=0)
def sound_mixed_folder(d): mixed_folder(d)


@case(one("dep-content", "report", "tree"))
def mixed_folder_with_a_new_file(d):
    mixed_folder(d)
    write(d, "tree/new.txt", "")


@case(one("dep-content", "report", "tree"))
def mixed_folder_with_a_longer_file(d):
    mixed_folder(d)
    write(d, "tree/own.txt", "longer")


@case([], exit=0)
def sound_without_scm(d):
    run(DVC, "config", "core.no_scm", "true", cwd=d)


@case(one("lock-deps", "report", "../beside.txt"), clone=one("lock-deps", "report", "../beside.txt"))
def dependency_outside_removed(d):
    write(d, "../beside.txt", "x")
    replace(d, "dvc.yaml", "      - metrics.json\n    outs:\n", "      - metrics.json\n      - ../beside.txt\n    outs:\n")
    run(DVC, "repro", "-q", cwd=d)
    commit(d)
    replace(d, "dvc.yaml", "      - ../beside.txt\n", "")


@case(one("pipeline-valid", None, "train.py"))
def parameters_in_python_that_do_not_parse(d):
    write(d, "train.py", "lr = 0.1\n")
    replace(d, "dvc.yaml", "      - other.json:\n          - depth\n", "      - other.json:\n          - depth\n      - train.py:\n          - lr\n")
    run(DVC, "repro", "-q", cwd=d)
    commit(d)
    write(d, "train.py", "lr = 0.1\nprint 'x'\n")


@case(one("dep-content", "train", "src/train.py"))
def dependency_locked_twice(d):
    text = read(d, "dvc.lock")
    at = text.index("    params:", text.index("path: src/train.py"))
    write(d, "dvc.lock", text[:at] + "    - path: src/train.py\n      hash: md5\n      md5: " + "a" * 32 + "\n      size: 3\n" + text[at:])


# Validity --------------------------------------------------------------------------------------------------------

@case(one("pipeline-valid", None, "dvc.yaml"))
def broken_yaml(d): replace(d, "dvc.yaml", "stages:\n", "stages:\n  x: [\n")


@case(one("pipeline-valid", None, "dvc.lock"))
def conflict_markers(d):
    replace(d, "dvc.lock", "stages:\n", "<<<<<<< HEAD\nstages:\n=======\nstages:\n>>>>>>> other\n")


@case(one("pipeline-valid", None, "dvc.lock"))
def empty_lock(d): write(d, "dvc.lock", "")


@case(one("pipeline-valid", None, "other.json"))
def broken_parameter_file(d): write(d, "other.json", "{")


@case(one("pipeline-valid", "report", "dvc.yaml"))
def unresolved(d): replace(d, "dvc.yaml", "cat metrics.json", "cat ${nope}")


@case(one("pipeline-valid", None, "dvc.yaml"))
def unknown_field(d): replace(d, "dvc.yaml", "    deps:\n      - metrics.json\n", "    dep:\n      - metrics.json\n")


@case(one("pipeline-valid", None, "dvc.yaml"))
def two_with_one_output(d): replace(d, "dvc.yaml", "      - report.txt\n", "      - clean.csv\n")


@case(one("pipeline-valid", None, "dvc.yaml"))
def cycle(d): replace(d, "dvc.yaml", "      - data/raw.csv\n      - src/prepare.py\n", "      - report.txt\n")


@case(one("pipeline-valid", None, "dvc.yaml"))
def overlap(d): replace(d, "dvc.yaml", "      - report.txt\n", "      - feat/x\n")


@case(one("pipeline-valid", None, "dvc.yaml"))
def variables_gone(d): os.remove(os.path.join(d, "shared.yaml"))


@case(one("pipeline-valid", None, "dvc.lock"))
def git_ignored_lock(d):
    write(d, ".gitignore", read(d, ".gitignore") + "/dvc.lock\n")
    run("git", "rm", "-q", "--cached", "dvc.lock", cwd=d)


@case(one("pipeline-valid", None, "data/raw.csv.dvc"))
def broken_data_file(d): write(d, "data/raw.csv.dvc", "outs: 5\n")


# Frozen ----------------------------------------------------------------------------------------------------------

def freeze(d, name):
    replace(d, "dvc.yaml", f"  {name}:\n", f"  {name}:\n    frozen: true\n")


@case([], exit=0)
def sound_frozen(d): freeze(d, "train")


@case(one("lock-params", "train", "params.yaml"), exit=0)
def frozen_parameter_edited(d):
    freeze(d, "train")
    replace(d, "params.yaml", "lr: 0.1", "lr: 0.2")


@case(one("dep-content", "train", "src/train.py"), exit=0)
def frozen_source_edited(d):
    freeze(d, "train")
    write(d, "src/train.py", "# edited\n")


@case(one("lock-command", "train"))
def frozen_command_edited(d):
    freeze(d, "train")
    replace(d, "dvc.yaml", "echo '{\"auc\":0.9}'", "echo '{\"auc\":0.8}'")


# Paths -----------------------------------------------------------------------------------------------------------

@case(one("path-outside", "report", "/etc/hostname"), exit=0)
def absolute_dependency(d):
    replace(d, "dvc.yaml", "      - metrics.json\n    outs:\n", "      - metrics.json\n      - /etc/hostname\n    outs:\n")
    run(DVC, "repro", "-q", cwd=d)


@case(one("path-outside", "grid@x") + one("path-outside", "grid@y"), exit=0)
def absolute_path_in_command(d):
    replace(d, "dvc.yaml", "cmd: echo ${item.a} >", "cmd: test ! -e /home/nobody/data.csv && echo ${item.a} >")
    run(DVC, "repro", "-q", cwd=d)


@case(one("params-as-dep", "report", "params.yaml"), exit=0)
def parameters_as_dependency(d):
    replace(d, "dvc.yaml", "      - metrics.json\n    outs:\n", "      - metrics.json\n      - params.yaml\n    outs:\n")
    run(DVC, "repro", "-q", cwd=d)


# Git -------------------------------------------------------------------------------------------------------------

@case(one("out-in-git", "report", "report.txt"))
def output_in_git(d): run("git", "add", "-f", "report.txt", cwd=d)


@case(one("out-in-git", "features", "feat"))
def file_of_output_in_git(d): run("git", "add", "-f", "feat/a.csv", cwd=d)


@case(one("out-in-git", "data/raw.csv.dvc", "data/raw.csv"))
def data_in_git(d): run("git", "add", "-f", "data/raw.csv", cwd=d)


def main():
    wanted = sys.argv[1:]
    right = total = 0
    with tempfile.TemporaryDirectory(dir=os.environ.get("CAIRN_SCRATCH")) as top:
        origin = os.path.join(top, "base")
        os.makedirs(origin)
        base(origin)
        for name, (plant, expected, rev, clone, commits, exit, says) in CASES.items():
            if wanted and name not in wanted:
                continue
            folder = os.path.join(top, name)
            shutil.copytree(origin, folder, symlinks=True)
            plant(folder)
            if commits:
                commit(folder)
            copy = os.path.join(top, name + "-clone")
            run("git", "clone", "-q", folder, copy, cwd=top)
            for look, place, arguments, what in [
                ("work tree", folder, [], expected), ("HEAD", folder, ["--rev", "HEAD"], rev), ("clone", copy, [], clone),
            ]:
                total += 1
                code, found, bad = findings(place, *arguments)
                code_wanted = exit if what else 0
                says_it = all(says in c["message"] for c in bad or [])
                if code == code_wanted and sorted(found, key=str) == sorted(what, key=str) and says_it:
                    right += 1
                    continue
                print(f"DIFFERENT {name} ({look}): exit {code}, wanted {code_wanted}\n  wanted {what}\n  found  {found}")
                for c in (bad or [])[:4]:
                    print("   ", c["id"], c["status"], c["stage"], c["path"], "|", c["message"], "|", c["at"])
            shutil.rmtree(folder)
            shutil.rmtree(copy)
    print(f"{right} of {total} looks right")
    return 0 if right == total else 1


if __name__ == "__main__":
    sys.exit(main())
