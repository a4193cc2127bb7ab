#!/usr/bin/env python3
"""Has the real DVC make sound repositories of many kinds, in which `cairn verify` must find nothing.

    CAIRN_BIN=… CAIRN_DVC=… sound.py [NAME …]

Each is looked at in the work tree, at `--rev HEAD` and in a fresh clone, where it may also be `unknown` if its maker
says so. The last line is "N of M looks right".
"""
import os
import shutil
import sys
import tempfile

from tools import DVC, commit, findings, read, run, write

CASES = {}


def case(clone=0, folder=".", setup=()):
    """`clone`: the exit code in a fresh clone; `folder`: the project in the repository; `setup`: after cloning."""

    def decorate(function):
        CASES[function.__name__] = (function, clone, folder, setup)
        return function

    return decorate


def dvc(d, *argv): run(DVC, *argv, cwd=d)


def git(d, *argv): run("git", "-c", "protocol.file.allow=always", *argv, cwd=d)


def pipeline(d, text):
    write(d, "dvc.yaml", text)
    dvc(d, "repro")
    commit(d)


@case()
def no_dependencies(d): pipeline(d, "stages: {a: {cmd: echo 1 > a.txt, outs: [a.txt]}}")


@case()
def no_outputs(d):
    write(d, "in.txt", "1\n")
    pipeline(d, "stages: {a: {cmd: cat in.txt, deps: [in.txt]}}")


@case()
def callback(d): pipeline(d, "stages: {a: {cmd: echo 1}}")


@case()
def always_changed(d):
    write(d, "in.txt", "1\n")
    pipeline(d, "stages: {a: {cmd: cat in.txt > o, deps: [in.txt], outs: [o], always_changed: true}}")


@case()
def nothing_at_all(d): commit(d)


@case()
def commands_in_a_list(d): pipeline(d, "stages:\n  a:\n    cmd: [echo 1 > a, echo 2 > b]\n    outs: [a, b]\n")


@case()
def command_of_lines(d): pipeline(d, "stages:\n  a:\n    cmd: |\n      echo 1 > a\n      echo 2 > b\n    outs: [a, b]\n")


@case()
def every_kind_of_output(d):
    pipeline(d, """\
stages:
  a:
    cmd: echo '{"x":1}' | tee m.json m2.json p.json p2.json k.txt n.txt
    outs: [{k.txt: {persist: true}}, {n.txt: {cache: false}}]
    metrics: [m.json, {m2.json: {cache: false}}]
    plots: [p.json, {p2.json: {cache: false, x: x}}]
""")


@case()
def folders(d):
    write(d, "in/a", "1")
    write(d, "in/deep/er/b", "2")
    os.chmod(os.path.join(d, "in/a"), 0o755)
    os.symlink("a", os.path.join(d, "in/link"))
    os.symlink("deep", os.path.join(d, "in/folder-link"))
    os.makedirs(os.path.join(d, "in/empty"))
    pipeline(d, "stages: {a: {cmd: cp -r in out, deps: [in], outs: [out]}, b: {cmd: ls out > l, deps: [out], outs: [l]}}")


@case()
def file_in_a_folder_that_is_made(d):
    pipeline(d, "stages: {a: {cmd: mkdir -p o/d && echo 1 > o/x && echo 2 > o/d/y, outs: [o]},"
                " b: {cmd: cat o/x > l, deps: [o/x], outs: [l]}, c: {cmd: ls o/d > m, deps: [o/d], outs: [m]}}")


@case()
def folder_that_holds_outputs(d):
    write(d, "data/src.txt", "1")
    pipeline(d, "stages: {a: {cmd: echo 1 > data/a, outs: [data/a]}, b: {cmd: cat data/* > all, deps: [data], outs: [all]}}")
    # The .gitignore that came with the output is a part of the folder: settled by a second run.
    dvc(d, "repro")
    commit(d)


@case()
def folder_that_holds_folders_of_outputs(d):
    write(d, "data/src.txt", "1")
    pipeline(d, "stages: {a: {cmd: mkdir -p data/a && echo 1 > data/a/x, outs: [data/a]},"
                " b: {cmd: cat data/src.txt > all, deps: [data], outs: [all]}}")
    dvc(d, "repro")
    commit(d)


@case()
def ignored_by_dvc(d):
    write(d, ".dvcignore", "*.tmp\n")
    write(d, "in/a", "1")
    write(d, "in/b.tmp", "1")
    pipeline(d, "stages: {a: {cmd: cat in/a > o, deps: [in], outs: [o]}}")


@case()
def data_files(d):
    write(d, "raw/a", "1")
    write(d, "raw/b", "1")
    write(d, "one.csv", "1")
    dvc(d, "add", "-q", "raw", "one.csv")
    pipeline(d, "stages: {a: {cmd: cat raw/a one.csv > o, deps: [raw, one.csv], outs: [o]},"
                " b: {cmd: cat raw/a > p, deps: [raw/a], outs: [p]}}")


@case()
def parameters_of_all_kinds(d):
    write(d, "params.yaml", "a: 1\nb: {c: [1, 2.5, null, true, x]}\nd: text\n")
    write(d, "p.json", '{"x": {"y": 1e-3}}')
    write(d, "p.toml", 'z = 1\n[t]\nu = "v"\n')
    write(d, "p.py", "LR = 0.1\nclass Train:\n    EPOCHS = 5\n    def __init__(self):\n        self.depth = 3\n")
    write(d, "whole.yaml", "q: 1\nr: {s: 2}\n")
    pipeline(d, """\
stages:
  a:
    cmd: echo 1 > o
    params: [a, b, b.c, b.c.1, d, {p.json: [x.y]}, {p.toml: [z, t.u]}, {p.py: [LR, Train.EPOCHS, Train]}, {whole.yaml: null}]
    outs: [o]
""")


@case()
def parameters_that_a_stage_makes(d):
    pipeline(d, "stages: {a: {cmd: 'echo \"x: 1\" > p.yaml', outs: [p.yaml]},"
                " b: {cmd: echo 1 > o, params: [{p.yaml: [x]}], outs: [o]}}")


@case()
def parameters_that_a_stage_makes_in_git(d):
    pipeline(d, "stages: {a: {cmd: 'echo \"x: 1\" > p.yaml', outs: [{p.yaml: {cache: false}}]},"
                " b: {cmd: echo 1 > o, params: [{p.yaml: [x]}], outs: [o]}}")


@case()
def templates(d):
    write(d, "params.yaml", "lr: 0.1\nnames: [a, b]\nm: {x: 1, y: [2, 3]}\n")
    write(d, "other.yaml", "deep: {er: 7}\n")
    pipeline(d, """\
vars: [other.yaml, {mine: z}]
stages:
  one:
    vars: [{local: 5}]
    cmd: echo ${lr} ${deep.er} ${mine} ${local} > one-${mine}.txt
    params: [lr]
    outs: ["one-${mine}.txt"]
  each:
    foreach: ${names}
    do:
      cmd: echo ${item} > each-${item}
      outs: ["each-${item}"]
  pairs:
    foreach: {p: {v: 1}, q: {v: 2}}
    do: {cmd: "echo ${key} ${item.v} > d-${key}", outs: ["d-${key}"]}
  grid:
    matrix: {a: [1, 2], b: '${names}'}
    cmd: echo ${item.a} ${item.b} ${key} > g-${item.a}-${item.b}
    outs: ["g-${item.a}-${item.b}"]
  unpack:
    cmd: "true ${m} && echo 1 > u"
    outs: [u]
""")


@case()
def working_directories(d):
    write(d, "sub/in.txt", "1")
    write(d, "top.txt", "1")
    write(d, "sub/params.yaml", "a: 1")
    pipeline(d, "stages: {a: {wdir: sub, cmd: cat in.txt ../top.txt > o, deps: [in.txt, ../top.txt], params: [a], outs: [o]}}")


@case()
def several_pipelines(d):
    write(d, "x/dvc.yaml", "stages: {a: {cmd: echo 1 > o, outs: [o]}}")
    write(d, "y/dvc.yaml", "stages: {a: {cmd: cat ../x/o > o, deps: [../x/o], outs: [o]}}")
    dvc(d, "repro", "-q", "-P")
    commit(d)


@case(folder="inner/project")
def sub_directory(d):
    write(d, "../shared.txt", "1")
    write(d, "../p.yaml", "a: 1")
    pipeline(d, "stages: {a: {cmd: cat ../shared.txt > o, deps: [../shared.txt], params: [{../p.yaml: [a]}], outs: [o]}}")
    commit(d)


@case()
def frozen(d):
    write(d, "in.txt", "1\n")
    pipeline(d, "stages: {a: {cmd: cat in.txt > o, deps: [in.txt], outs: [o]}}")
    dvc(d, "freeze", "a")
    commit(d)


@case()
def imported_url(d):
    write(d, "src.txt", "1\n")
    dvc(d, "import-url", "-q", "src.txt", "copy.txt")
    pipeline(d, "stages: {a: {cmd: cat copy.txt > o, deps: [copy.txt], outs: [o]}}")


@case()
def imported_from_git(d):
    other = os.path.join(os.path.dirname(d), "other-" + os.path.basename(d))
    os.makedirs(other)
    git(other, "init", "-q")
    write(other, "x/data.txt", "1\n")
    commit(other)
    dvc(d, "import", "-q", other, "x")
    dvc(d, "import", "-q", other, "x/data.txt", "-o", "file.txt")
    pipeline(d, "stages: {a: {cmd: cat x/data.txt file.txt > o, deps: [x, file.txt], outs: [o]}}")


@case()
def odd_names(d):
    for name in ("ünï cödé.txt", "a'b\"c.txt", "with:colon", "back\\slash", "-dash", "a\tb", "日本/語.txt"):
        write(d, name, name)
    names = "".join(f"\n      - {quoted(name)}" for name in
                    ("ünï cödé.txt", "a'b\"c.txt", "with:colon", "back\\slash", "-dash", "a\tb", "日本"))
    pipeline(d, f"stages:\n  'st age-é':\n    cmd: echo 1 > 'o ü'\n    deps:{names}\n    outs: ['o ü']\n"
             .replace("'st age-é'", "stage-é"))


def quoted(text):
    import json
    return json.dumps(text, ensure_ascii=False)


@case()
def links_in_git(d):
    write(d, "real/a.txt", "1\n")
    os.symlink("real/a.txt", os.path.join(d, "file-link"))
    os.symlink("real", os.path.join(d, "folder-link"))
    os.symlink("file-link", os.path.join(d, "chain"))
    pipeline(d, "stages: {a: {cmd: cat chain folder-link/a.txt > o, deps: [file-link, chain, folder-link/a.txt, folder-link],"
                " outs: [o]}}")


@case()
def link_to_data(d):
    write(d, "data.csv", "1\n")
    dvc(d, "add", "-q", "data.csv")
    os.symlink("data.csv", os.path.join(d, "alias"))
    pipeline(d, "stages: {a: {cmd: cat alias > o, deps: [alias], outs: [o]}}")


@case()
def pipeline_files_behind_links(d):
    write(d, "conf/p.yaml", "a: 1\n")
    os.symlink("conf/p.yaml", os.path.join(d, "params.yaml"))
    pipeline(d, "stages: {a: {cmd: 'echo ${a} > o', params: [a], outs: [o]}}")


@case()
def windows_line_ends_by_attribute(d):
    write(d, ".gitattributes", "*.txt text eol=crlf\n*.bin -text\n")
    write(d, "in.txt", "a\r\nb\r\n")
    write(d, "in.bin", "a\nb\n")
    write(d, "src/x.txt", "a\r\nb\r\n")
    pipeline(d, "stages: {a: {cmd: cat in.txt > o, deps: [in.txt, in.bin, src], outs: [o]}}")


@case(setup=["core.autocrlf=true"])
def windows_line_ends_by_setting(d):
    git(d, "config", "core.autocrlf", "true")
    write(d, "in.txt", "a\r\nb\r\n")
    write(d, "mixed.bin", "a\0\nb\r\n")
    write(d, "dvc.yaml", "stages: {a: {cmd: cat in.txt > o, deps: [in.txt, mixed.bin], outs: [o]}}\r\n")
    dvc(d, "repro")
    commit(d)


@case()
def nested_attributes(d):
    write(d, "d/.gitattributes", "*.txt text eol=crlf\n")
    write(d, "d/a.txt", "a\r\n")
    write(d, "e/.gitattributes", "")
    write(d, "e/f/b.txt", "b\n")
    pipeline(d, "stages: {a: {cmd: cat d/a.txt e/f/b.txt > o, deps: [d/a.txt, e], outs: [o]}}")


@case()
def folder_of_links_to_folders(d):
    write(d, "real/x", "1")
    os.makedirs(os.path.join(d, "links"))
    os.symlink("../real", os.path.join(d, "links/l"))
    pipeline(d, "stages: {a: {cmd: echo 1 > o, deps: [links], outs: [o]}}")


@case()
def names_that_only_unicode_calls_equal(d):
    write(d, "params.yaml", "a: {\"e\u0301\": 1, \"\u00e9\": 2}\n")
    write(d, "e\u0301.txt", "1")
    write(d, "\u00e9.txt", "2")
    pipeline(d, "stages: {a: {cmd: echo 1 > o, deps: ['e\u0301.txt', '\u00e9.txt'], params: [a], outs: [o]}}")


@case()
def line_ends_left_alone(d):
    write(d, "in.txt", "a\r\nb\r\n")
    pipeline(d, "stages: {a: {cmd: cat in.txt > o, deps: [in.txt], outs: [o]}}")


@case()
def expanded_ident(d):
    write(d, ".gitattributes", "*.py ident\n")
    write(d, "a.py", "# $Id$\nx = 1\n")
    commit(d)
    os.remove(os.path.join(d, "a.py"))
    git(d, "checkout", "--", "a.py")
    pipeline(d, "stages: {a: {cmd: cat a.py > o, deps: [a.py], outs: [o]}}")


@case()
def lock_of_dvc_2(d):
    write(d, "in.txt", "a\r\nb\r\n")
    write(d, "dir/x", "a\r\n")
    pipeline(d, "stages: {a: {cmd: cat in.txt > o, deps: [in.txt, dir], outs: [o]}, b: {cmd: cat o > p, deps: [o], outs: [p]}}")
    import hashlib
    import json
    unified = hashlib.md5(b"a\nb\n").hexdigest()
    inner = hashlib.md5(b"a\n").hexdigest()
    listed = hashlib.md5(json.dumps([{"md5": inner, "relpath": "x"}]).encode()).hexdigest()
    lock = read(d, "dvc.lock").replace("      hash: md5\n", "")
    lock = lock.replace(hashlib.md5(b"a\r\nb\r\n").hexdigest(), unified)
    old = hashlib.md5(json.dumps([{"md5": hashlib.md5(b"a\r\n").hexdigest(), "relpath": "x"}]).encode()).hexdigest()
    write(d, "dvc.lock", lock.replace(old, listed))
    commit(d)


@case(clone=2)
def submodule(d):
    other = os.path.join(os.path.dirname(d), "module-" + os.path.basename(d))
    os.makedirs(other)
    git(other, "init", "-q")
    write(other, "lib.py", "1\n")
    write(other, "pkg/m.py", "1\n")
    commit(other)
    git(d, "submodule", "--quiet", "add", other, "vendor")
    write(d, "src/a", "1")
    pipeline(d, "stages: {a: {cmd: cat vendor/lib.py > o, deps: [vendor/lib.py, vendor/pkg, vendor], outs: [o]}}")


@case(setup=["submodules"])
def submodule_that_is_fetched(d): submodule(d)


def module(d, name, files, inner=None):
    folder = os.path.join(os.path.dirname(d), name + "-" + os.path.basename(d))
    os.makedirs(folder)
    git(folder, "init", "-q")
    for path, text in files.items():
        write(folder, path, text)
    if inner:
        git(folder, "submodule", "--quiet", "add", inner, "in")
    commit(folder)
    return folder


@case(setup=["submodules"])
def submodule_in_a_submodule(d):
    outer = module(d, "outer", {"y.txt": "1\n"}, inner=module(d, "inner", {"z.txt": "1\n"}))
    git(d, "submodule", "--quiet", "add", outer, "vendor")
    git(d, "submodule", "--quiet", "update", "--init", "--recursive")
    pipeline(d, "stages: {a: {cmd: cat vendor/in/z.txt > o, deps: [vendor/in/z.txt, vendor/y.txt, vendor], outs: [o]}}")


@case(setup=["submodules"])
def attributes_end_at_a_submodule(d):
    own = {"y.txt": "1\n2\n", "own.dat": "1\n2\n", ".gitattributes": "[attr]win text eol=crlf\n*.dat win\n"}
    write(d, ".gitattributes", "*.txt text eol=crlf\n")
    git(d, "submodule", "--quiet", "add", module(d, "lib", own), "vendor")
    pipeline(d, "stages: {a: {cmd: cat vendor/y.txt > o, deps: [vendor/y.txt, vendor/own.dat], outs: [o]}}")


@case()
def names_that_unicode_takes_for_one(d):
    names = ["\u00e9.txt", "e\u0301.txt"]
    listed = ", ".join(names)
    pipeline(d, f"stages:\n  a: {{cmd: touch {' '.join(names)}, outs: [{listed}]}}\n"
                f"  b: {{cmd: touch o, deps: [{listed}], outs: [o]}}\n")


@case()
def detached(d):
    no_dependencies(d)
    git(d, "checkout", "-q", "--detach")


@case()
def packed(d):
    folders(d)
    git(d, "gc", "-q")
    git(d, "pack-refs", "--all")


@case()
def sparse(d):
    write(d, "in/a.txt", "1\n")
    write(d, "b.txt", "1\n")
    pipeline(d, "stages: {a: {cmd: cat in/a.txt > o, deps: [in/a.txt, b.txt], outs: [o]}}")
    git(d, "sparse-checkout", "set", "--no-cone", "/*", "!/in/")


@case()
def escaped_surrogates(d):
    write(d, "params.yaml", 'lr: "\\uD83D\\uDE00"\n')
    write(d, "p.json", '{"k": "x \\ud83d", "l": "\\ud83d\\ude00"}\n')
    pipeline(d, "stages: {a: {cmd: echo 1 > o, params: [lr, p.json: [k, l]], outs: [o]}}")


@case()
def top_level_sections(d):
    pipeline(d, """\
params: [params.yaml]
metrics: [m.json]
plots: [p.csv: {x: a, y: b}]
artifacts: {model: {path: m.json, type: model}}
stages:
  a: {cmd: "echo '{}' > m.json", outs: [m.json], desc: text, meta: {any: thing}}
""")


def main():
    wanted = sys.argv[1:]
    right = total = 0
    with tempfile.TemporaryDirectory(dir=os.environ.get("CAIRN_SCRATCH")) as top:
        for name, (make, clone_code, inside, setup) in CASES.items():
            if wanted and name not in wanted:
                continue
            folder = os.path.join(top, name)
            project = os.path.normpath(os.path.join(folder, inside))
            os.makedirs(project)
            git(folder, "init", "-q", "-b", "main", ".")
            run(DVC, "init", "-q", *([] if inside == "." else ["--subdir"]), cwd=project)
            try:
                make(project)
            except SystemExit as error:
                total += 1
                print(f"DIFFERENT {name}: {error}")
                continue
            copy = os.path.join(top, name + "-clone")
            options = [o for s in setup if "=" in s for o in ("-c", s)]
            run("git", "-c", "protocol.file.allow=always", "clone", "-q", *options,
                *(["--recurse-submodules"] if "submodules" in setup else []), folder, copy, cwd=top)
            inside_copy = os.path.normpath(os.path.join(copy, inside))
            linked = os.path.join(top, name + "-linked")
            git(folder, "worktree", "add", "-q", "--detach", linked)
            looks = [("work tree", project, [], 0), ("HEAD", project, ["--rev", "HEAD"], 0), ("clone", inside_copy, [], clone_code)]
            looks.append(("HEAD of the clone", inside_copy, ["--rev", "HEAD"], clone_code))
            if clone_code == 0 and "submodules" not in setup:
                looks.append(("linked work tree", os.path.normpath(os.path.join(linked, inside)), [], 0))
            for look, place, arguments, code_wanted in looks:
                total += 1
                code, found, bad = findings(place, *arguments)
                if code == code_wanted and not found and (code or not bad):
                    right += 1
                    continue
                print(f"DIFFERENT {name} ({look}): exit {code}, wanted {code_wanted}\n  {found if bad is None else ''}")
                for c in (bad or [])[:4]:
                    print("   ", c["id"], c["status"], c["stage"], c["path"], "|", c["message"], "|", c["at"])
            shutil.rmtree(copy)
    print(f"{right} of {total} looks right")
    return 0 if right == total else 1


if __name__ == "__main__":
    sys.exit(main())
