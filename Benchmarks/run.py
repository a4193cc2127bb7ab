#!/usr/bin/env python3
"""Runs Cairn beside ninja, DVC, md5sum and an empty C program, and prints times and ratios.

    Benchmarks/run.py [--only noop,cold,startup,add,verify] [--stages 100,1000,10000] [--repeat 5] [--readme]

Both sides run in the same minute, by turns, on the same files, with SHELL=/bin/sh and two jobs; the fastest of
--repeat runs counts, for noise only ever adds. CAIRN_BIN names the program (default: .build/release/cairn),
CAIRN_DVC the DVC (default: .venv/bin/dvc; without it, its column is empty). --readme writes the table into README.md.
"""
import argparse
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import layered

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# What is promised: the ratio, by benchmark and size.
LIMITS = {("noop", 1000): 3, ("noop", 10000): 3, ("cold", 1000): 1.7, ("cold", 10000): 2, ("add", 20000): 2.5,
          ("verify", "index"): 3, ("verify", "clone"): 12}


def program(variable, default):
    path = os.environ.get(variable) or os.path.join(TOP, default)
    return os.path.abspath(path) if os.path.exists(path) else None


CAIRN, DVC, NINJA = program("CAIRN_BIN", ".build/release/cairn"), program("CAIRN_DVC", ".venv/bin/dvc"), shutil.which("ninja")


def environment(home):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "CAIRN_"))}
    env.update(SHELL="/bin/sh", HOME=home, XDG_CACHE_HOME=home, XDG_CONFIG_HOME=home, DVC_NO_ANALYTICS="1",
               DVC_SITE_CACHE_DIR=os.path.join(home, "site"))
    return env


def run(argv, folder, env):
    """(seconds, peak memory in MiB) of a command that must succeed."""
    with open(os.path.join(env["HOME"], "output"), "w+") as output:
        started = time.perf_counter()
        child = subprocess.Popen(argv, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            output.seek(0)
            sys.exit(f"{' '.join(argv)} ended with {child.returncode}\n{output.read()[-3000:]}")
    return seconds, usage.ru_maxrss / 1024


def best(sides, repeat, before=None):
    """The fastest of `repeat` runs of each side, by turns; `before` lays each run out."""
    found = {}
    for _ in range(repeat):
        for name in sides:
            if before:
                before(name)
            result = run(*sides[name])
            found.setdefault(name, []).append(result)
    return {name: (min(t for t, _ in rows), max(m for _, m in rows)) for name, rows in found.items()}


def project(folder, count):
    os.makedirs(folder)
    layered.write(count, folder)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    os.makedirs(os.path.join(folder, ".dvc", "tmp"))
    open(os.path.join(folder, ".dvc", "config"), "w").close()
    with open(os.path.join(folder, ".dvc", ".gitignore"), "w") as f:
        f.write("/config.local\n/tmp\n/cache\n")


def settle():
    """Time stamps within the clock's granularity of an index are distrusted; a person's are older than that."""
    time.sleep(1.1)


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, cairn, against, other, dvc=None, limit=None, memory=None):
        ratio = cairn / other
        text = f"{what}: cairn {seconds(cairn)}, {against} {seconds(other)}: {ratio:.2f} x"
        if limit:
            text += f" (at most {limit} x: {'kept' if ratio <= limit else 'NOT KEPT'})"
        if dvc:
            text += f"; dvc {seconds(dvc)}: {dvc / cairn:.0f} times as long"
        if memory:
            text += f"; peak memory {memory:.0f} MiB"
        print(text, flush=True)
        self.rows.append((what, cairn, dvc, against, other, ratio))

    def markdown(self):
        lines = ["| | Cairn | DVC 3.67.1 | the yardstick | Cairn takes |", "|---|---|---|---|---|"]
        for what, cairn, dvc, against, other, ratio in self.rows:
            lines.append(f"| {what} | {seconds(cairn)} | {seconds(dvc) if dvc else ''} | {against} {seconds(other)} | {ratio:.1f}× |")
        return lines


def seconds(t):
    return f"{t * 1000:.1f} ms" if t < 0.1 else f"{t:.2f} s" if t < 10 else f"{t:.0f} s"


def bench_repro(options, table, top):
    for count in options.stages:
        sides, laid = {}, []
        home = os.path.join(top, f"home-{count}")
        os.makedirs(home)
        env = environment(home)
        programs = {"ninja": [NINJA, "-j2"], "cairn": [CAIRN, "repro", "-j", "2"]}
        if DVC and count <= 100:
            programs["dvc"] = [DVC, "repro"]
        template = os.path.join(top, f"template-{count}")
        project(template, count)
        for name, argv in programs.items():
            sides[name] = (argv, None, env)

        def fresh(name):
            # A folder of its own for each run: a file system without a journal searches long for an inode after many
            # were given back, and the side that makes more files would pay for the clearing up of both.
            folder = os.path.join(top, f"{name}-{count}-{len(laid)}")
            laid.append(folder)
            shutil.copytree(template, folder)
            sides[name] = (sides[name][0], folder, env)
            os.sync()

        cold = best(sides, max(1, min(options.repeat, 3) if count <= 1000 else min(options.repeat, 2)), before=fresh)
        if "cold" in options.only:
            table.add(f"cold run, {count:,} stages, two jobs", cold["cairn"][0], "ninja", cold["ninja"][0],
                      dvc=cold.get("dvc", (None,))[0], limit=LIMITS.get(("cold", count)), memory=cold["cairn"][1])
        if "noop" in options.only:
            settle()
            for name, side in sides.items():    # ninja reads its log anew, Cairn's index learns the settled times
                run(*side)
            noop = best(sides, options.repeat * 2)
            table.add(f"nothing to do, {count:,} stages", noop["cairn"][0], "ninja", noop["ninja"][0],
                      dvc=noop.get("dvc", (None,))[0], limit=LIMITS.get(("noop", count)))


def bench_verify(options, table, top):
    """`cairn verify` beside ninja's "nothing to do" for the same graph: with the index, and in a fresh clone without."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for count in (40, 10000):
        home = os.path.join(top, f"home-verify-{count}")
        os.makedirs(home)
        env = environment(home)
        folder, clone = os.path.join(top, f"verify-{count}"), os.path.join(top, f"verify-clone-{count}")
        project(folder, count)
        run([NINJA, "-j2"], folder, env)
        run([CAIRN, "repro", "-q", "-j", "2"], folder, env)
        run([*git, "add", "-A"], folder, env)
        run([*git, "commit", "-qm", "x"], folder, env)
        run(["git", "clone", "-q", "--no-local", folder, clone], top, env)
        settle()
        sides = {"ninja": ([NINJA, "-j2"], folder, env), "index": ([CAIRN, "verify"], folder, env),
                 "clone": ([CAIRN, "verify"], clone, env), "rev": ([CAIRN, "verify", "--rev", "HEAD"], clone, env)}
        if count == 40:
            sides["empty"] = ([empty_program(home)], folder, env)
        for side in sides.values():    # ninja reads its log anew, the index is made
            run(*side)
        settle()
        run(*sides["index"])
        found = best(sides, options.repeat * 2)
        if count == 40:
            for name in ("index", "clone", "rev"):
                more = (found[name][0] - found["empty"][0]) * 1000
                print(f"verify, 40 stages, {name}: {more:.1f} ms more than an empty C program "
                      f"(under 30: {'kept' if more < 30 else 'NOT KEPT'})", flush=True)
            continue
        for name, words in (("index", "with the index"), ("clone", "in a fresh clone"), ("rev", "of a commit")):
            table.add(f"verify, {count:,} stages, {words}", found[name][0], "ninja", found["ninja"][0],
                      limit=LIMITS.get(("verify", name)), memory=found[name][1])


def empty_program(folder):
    source = os.path.join(folder, "empty.c")
    with open(source, "w") as f:
        f.write("int main(void) { return 0; }\n")
    subprocess.run([shutil.which("cc") or shutil.which("clang"), "-O2", "-o", source[:-2], source], check=True)
    return source[:-2]


def bench_startup(options, table, top):
    home = os.path.join(top, "home-startup")
    folder = os.path.join(top, "startup")
    os.makedirs(home)
    project(folder, 1)
    env = environment(home)
    commands = {"empty": [empty_program(home)], "version": [CAIRN, "--version"], "root": [CAIRN, "root"]}
    times = {name: [] for name in commands}
    for _ in range(20 * options.repeat):
        for name, argv in commands.items():
            times[name].append(run(argv, folder, env)[0])
    middle = {name: statistics.median(values) for name, values in times.items()}
    for name in ("version", "root"):
        words = " ".join(["cairn", *commands[name][1:]])
        more = (middle[name] - middle["empty"]) * 1000
        print(f"{words}: {more:.1f} ms more than an empty C program (under 10: {'kept' if more < 10 else 'NOT KEPT'})", flush=True)
        dvc = run([DVC, *commands[name][1:]], folder, env)[0] if DVC else None
        table.rows.append((f"`{words}`", middle[name], dvc, "an empty C program", middle["empty"], middle[name] / middle["empty"]))


def bench_add(options, table, top, count=20000):
    home = os.path.join(top, "home-add")
    folder = os.path.join(top, "add")
    os.makedirs(home)
    project(folder, 1)
    env = environment(home)
    for number in range(count):
        path = os.path.join(folder, "data", f"{number % 100:02}", f"{number}.txt")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(f"row {number}\n" * 20)
    yardstick = "find data -type f -print0 | xargs -0 md5sum > ../sums && cp -r data ../copy"
    sides = {"md5sum + cp -r": (["/bin/sh", "-c", yardstick], folder, env), "cairn": ([CAIRN, "add", "data"], folder, env)}

    def fresh(name):
        shutil.rmtree(os.path.join(top, "copy"), ignore_errors=True)
        if name == "cairn":
            for left in (".dvc/cache", ".dvc/tmp", ".cairn"):
                shutil.rmtree(os.path.join(folder, left), ignore_errors=True)
            shutil.rmtree(os.path.join(home, "site"), ignore_errors=True)
            os.makedirs(os.path.join(folder, ".dvc", "tmp"))
            if os.path.exists(os.path.join(folder, "data.dvc")):
                os.remove(os.path.join(folder, "data.dvc"))
        os.sync()

    settle()
    found = best(sides, options.repeat, before=fresh)
    table.add(f"add {count:,} small files", found["cairn"][0], "md5sum + cp -r", found["md5sum + cp -r"][0],
              limit=LIMITS[("add", count)], memory=found["cairn"][1])


def machine():
    with open("/proc/cpuinfo") as f:
        name = re.search(r"model name\s*: (.*)", f.read())
    with open("/proc/meminfo") as f:
        memory = round(int(re.search(r"MemTotal:\s*(\d+)", f.read())[1]) / 1024 / 1024)
    ninja = subprocess.run([NINJA, "--version"], capture_output=True, text=True).stdout.strip()
    return (f"{len(os.sched_getaffinity(0))} cores of {name[1].strip() if name else platform.machine()}, {memory} GiB, "
            f"Linux {platform.release().split('-')[0]}, ninja {ninja}")


def write_readme(table):
    path = os.path.join(TOP, "README.md")
    with open(path) as f:
        text = f.read()
    block = "\n".join(["<!-- figures: written by Benchmarks/run.py --readme -->", *table.markdown(), "", f"On {machine()}, both sides by turns in one run.", "<!-- /figures -->"])
    text, found = re.subn(r"<!-- figures.*?<!-- /figures -->", lambda _: block, text, flags=re.S)
    if not found:
        sys.exit("README.md has no place for figures")
    with open(path, "w") as f:
        f.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="noop,cold,startup,add,verify", type=lambda text: text.split(","))
    parser.add_argument("--stages", default=[100, 1000, 10000], type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--repeat", default=5, type=int)
    parser.add_argument("--readme", action="store_true")
    options = parser.parse_args()
    if not CAIRN or not NINJA:
        sys.exit("build Cairn first (swift build -c release --static-swift-stdlib --product cairn) and install ninja-build")
    print(machine(), flush=True)
    table = Table()
    with tempfile.TemporaryDirectory(prefix="cairn-bench-") as top:
        if {"noop", "cold"} & set(options.only):
            bench_repro(options, table, top)
        if "startup" in options.only:
            bench_startup(options, table, top)
        if "add" in options.only:
            bench_add(options, table, top)
        if "verify" in options.only:
            bench_verify(options, table, top)
    if options.readme:
        write_readme(table)


if __name__ == "__main__":
    main()
