#!/usr/bin/env python3
"""Reconstructs the records of a long history of dvc.lock.

    Benchmarks/history.py [--commits 1000] [--stages 5] [--keep FOLDER]

CAIRN_BIN names the program (default: .build/release/cairn). The history is made by `git fast-import`: every commit runs
the pipeline from one stage on, so that its lock has other hashes, parameters and metrics there.
"""
import argparse
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CAIRN = os.path.abspath(os.environ.get("CAIRN_BIN", os.path.join(TOP, ".build/release/cairn")))


def md5(*parts):
    return hashlib.md5("|".join(map(str, parts)).encode()).hexdigest()


def file_entry(path, digest, size):
    return f"    - path: {path}\n      hash: md5\n      md5: {digest}\n      size: {size}\n"


class History:
    """A stream for `git fast-import`."""

    def __init__(self, stages):
        self.stages = stages
        self.out = []

    def blob(self, path, text):
        data = text.encode()
        self.out += [f"M 100644 inline {path}\ndata {len(data)}\n".encode(), data, b"\n"]

    def pipeline(self):
        text = "stages:\n"
        for stage in range(self.stages):
            dep = "raw.csv" if stage == 0 else f"d{stage - 1}"
            text += (f"  s{stage}:\n    cmd: python s{stage}.py\n    deps: [{dep}, s{stage}.py]\n"
                     f"    params: [s{stage}.lr]\n    outs: [d{stage}]\n    metrics: [{{m{stage}.json: {{cache: false}}}}]\n")
        return text

    def commit(self, number):
        moment = 1700000000 + number * 3600
        who = f"Ann <ann@example.org> {moment} +0000"
        self.out.append(f"commit refs/heads/main\nmark :{number + 1}\nauthor {who}\ncommitter {who}\ndata 4\nwork\n".encode())
        if number:
            self.out.append(f"from :{number}\n".encode())
        else:
            self.blob(".dvc/config", "")
            self.blob(".dvcignore", "# patterns\n")
            self.blob("dvc.yaml", self.pipeline())
            self.blob("raw.csv.dvc", f"outs:\n- md5: {md5('raw')}\n  size: 100\n  hash: md5\n  path: raw.csv\n")
            for stage in range(self.stages):
                self.blob(f"s{stage}.py", f"{stage}\n")
        # The newest commit that ran the pipeline from this stage on, or from one before it.
        newest = [max([n for n in range(max(0, number - self.stages), number + 1) if n % self.stages <= s] or [0])
                  for s in range(self.stages)]
        lock = "schema: '2.0'\nstages:\n"
        for stage, run in enumerate(newest):
            metrics = '{"auc": %r}\n' % (run / 7 + stage)
            if run == number:
                self.blob(f"m{stage}.json", metrics)
            dep = file_entry("raw.csv", md5("raw"), 100) if stage == 0 else \
                file_entry(f"d{stage - 1}", md5("d", stage - 1, newest[stage - 1]), 100)
            lock += (f"  s{stage}:\n    cmd: python s{stage}.py\n    deps:\n" + dep
                     + file_entry(f"s{stage}.py", hashlib.md5(f"{stage}\n".encode()).hexdigest(), 2)
                     + f"    params:\n      params.yaml:\n        s{stage}.lr: {run}\n    outs:\n"
                     + file_entry(f"d{stage}", md5("d", stage, run), 100)
                     + file_entry(f"m{stage}.json", hashlib.md5(metrics.encode()).hexdigest(), len(metrics)))
        self.blob("dvc.lock", lock)

    def write(self, folder):
        subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
        subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=b"".join(self.out), check=True)
        subprocess.run(["git", "checkout", "-q", "main"], cwd=folder, check=True)


def timed(argv, folder):
    began = time.monotonic()
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr[-800:]}")
    return time.monotonic() - began, done.stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commits", type=int, default=1000)
    parser.add_argument("--stages", type=int, default=5)
    parser.add_argument("--keep", help="leave the repository here")
    options = parser.parse_args()
    folder = options.keep or tempfile.mkdtemp(prefix="cairn-history-")
    try:
        history = History(options.stages)
        for number in range(options.commits):
            history.commit(number)
        history.write(folder)
        log, _ = timed(["git", "log", "--raw", "--", "*dvc.lock"], folder)
        first, words = timed([CAIRN, "runs", "import"], folder)
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        again, _ = timed([CAIRN, "runs", "import"], folder)
        print(words)
        print(f"git log                {log:8.2f} s")
        print(f"cairn runs import      {first:8.2f} s   {first / log:.1f}x   (promised: under 10 s for 1,000 commits)   {memory:.0f} MiB")
        print(f"  nothing new          {again:8.2f} s")
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
