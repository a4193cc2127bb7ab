#!/usr/bin/env python3
"""Asks for lineage in a store of many records: what made a file, and what it touched.

    Benchmarks/lineage.py [--runs 200000] [--chain 20] [--repeat 9] [--keep FOLDER]

CAIRN_BIN names the program (default: .build/release/cairn). Each run reads a script that all of them read, a version of a
source that fifty of them read, and what the run before it made, and makes two files: five edges. A chain of twenty runs
is one story. Told is what a question takes more than `cairn --version`, when the index is there, and right after a
record has come into the store from elsewhere.
"""
import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CAIRN = os.path.abspath(os.environ.get("CAIRN_BIN", os.path.join(TOP, ".build/release/cairn")))


def md5(*parts):
    return hashlib.md5("|".join(map(str, parts)).encode()).hexdigest()


def part(path, digest, **more):
    return {"path": path, "md5": digest, "sha256": hashlib.sha256(digest.encode()).hexdigest(), "size": 1000, **more}


def record(number, chain, commit, previous):
    """Run `number`: the step of a chain that begins anew every `chain` runs."""
    story, step = divmod(number, chain)
    origin = {"kind": "none", "repository": None, "rev": None, "url": None}
    inputs = [part("step.py", md5("step.py"), producer=None, role="dep", origin={**origin, "kind": "git"}),
              part("raw.csv", md5("raw", number // 50), producer=None, role="dep", origin={**origin, "kind": "dvc-file"})]
    if step:
        inputs.append(part(f"d{step - 1}", md5("d", story, step - 1), producer=previous, role="dep",
                           origin={**origin, "kind": "stage"}))
    outputs = [part(path, md5(path, story, step), role="out", annotations={"type": None, "labels": [], "desc": None, "meta": None})
               for path in (f"d{step}", f"log{step}")]
    seconds = 1600000000 + number * 60

    def moment(at):
        return time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(at))
    return {
        "schema": "cairn.run/v1", "stage": {"address": f"s{step}", "file": "dvc.yaml", "wdir": ".", "cmd": [f"python step.py {step}"]},
        "invocation": "01JQ0000000000000000000000", "actor": {"name": "ann", "host": "gpu1"},
        "source": {"commit": commit, "branch": "main", "repository": commit, "dirty": False, "changed": {}, "patch": None},
        "reasons": [], "inputs": inputs, "params": {"params.yaml": {"lr": number}}, "outputs": outputs, "metrics": {},
        "environment": None, "execution": {
            "executor": "local", "job": None, "attempt": 1, "previous_attempt": None, "started": moment(seconds),
            "finished": moment(seconds + 30), "exit": 0, "cairn": "1", "os": "linux", "env": {}, "resources": {},
            "usage": {"cpu_seconds": None, "peak_rss": None}},
        "log": None, "claims": {}, "error": None, "restored_from": None, "accepts": None, "result": "succeeded"}


def put(store, document):
    data = (json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n").encode()
    name = hashlib.sha256(data).hexdigest()
    folder = os.path.join(store, name[:2])
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name[2:] + ".json"), "wb") as f:
        f.write(data)
    return name


def timed(argv, folder, repeat):
    times, output = [], ""
    for _ in range(repeat):
        began = time.monotonic()
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True)
        times.append(time.monotonic() - began)
        if done.returncode != 0:
            sys.exit(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr[-800:]}")
        output = done.stdout
    return statistics.median(times) * 1000, output


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200000)
    parser.add_argument("--chain", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--keep", help="leave the project here, and use what is there")
    options = parser.parse_args()
    folder = options.keep or tempfile.mkdtemp(prefix="cairn-lineage-")
    store = os.path.join(folder, ".cairn/runs")
    try:
        if not os.path.isdir(store):
            os.makedirs(folder, exist_ok=True)
            run = lambda *argv: subprocess.run(argv, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
            run("git", "init", "-q", "-b", "main")
            run(CAIRN, "init", "-q")
            with open(os.path.join(folder, "step.py"), "w") as f:
                f.write("\n")
            run("git", "add", "-A")
            run("git", "-c", "user.name=ann", "-c", "user.email=ann@example.org", "commit", "-q", "-m", "first")
            commit = run("git", "rev-parse", "HEAD")
            began, previous = time.monotonic(), None
            for number in range(options.runs):
                previous = put(store, record(number, options.chain, commit, previous))
            print(f"{options.runs} records written in {time.monotonic() - began:.0f} s")
            began = time.monotonic()
            run(CAIRN, "runs", "-n", "1")
            print(f"the index made in {time.monotonic() - began:.0f} s, {os.path.getsize(os.path.join(folder, '.cairn/lineage.sqlite')) >> 20} MiB")
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
        time.sleep(3)
        timed([CAIRN, "runs", "-n", "1"], folder, 1)
        middle = options.runs // options.chain // 2
        last = md5(f"d{options.chain - 1}", middle, options.chain - 1)
        raw = md5("raw", middle * options.chain // 50)
        base, _ = timed([CAIRN, "--version"], folder, options.repeat)
        print(f"{'cairn --version':42}{base:8.1f} ms")
        for title, argv in [
            ("lineage HASH, up, JSON", ["lineage", f"md5:{last}", "--json"]),
            ("lineage HASH, up, tree", ["lineage", f"md5:{last}"]),
            ("lineage HASH, down, JSON", ["lineage", f"md5:{raw}", "--down", "--json"]),
            ("lineage HASH, down, tree", ["lineage", f"md5:{raw}", "--down"]),
            ("lineage PATH, up, JSON", ["lineage", "step.py", "--json"]),
            ("lineage @last, up, JSON", ["lineage", "@last", "--json"]),
        ]:
            took, output = timed([CAIRN] + argv, folder, options.repeat)
            size = len(json.loads(output)["edges"]) if "--json" in argv else len(output.splitlines())
            print(f"{title:42}{took:8.1f} ms   +{took - base:.1f} ms   {size} {'edges' if '--json' in argv else 'lines'}   (promised: under 50 ms more)")
        extra = []
        for number in range(5):
            # A first step of a chain, which nobody made yet.
            later = options.runs + options.chain * (number + 5 * (int(time.time()) % 1000000))
            name = put(store, record(later, options.chain, commit, None))
            took, output = timed([CAIRN, "lineage", f"run:{name}", "--json"], folder, 1)
            extra.append(took)
        print(f"{'  right after a record came from elsewhere':42}{statistics.median(extra):8.1f} ms   +{statistics.median(extra) - base:.1f} ms")
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
