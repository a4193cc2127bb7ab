#!/usr/bin/env python3
"""What tracking costs the stages of a `repro`: no server, one that is away, one that answers.

    Benchmarks/tracking.py [--stages 200] [--repeat 3] [--jobs 2]

CAIRN_BIN names the program (default: .build/release/cairn). The pipeline has independent stages of `echo`. Told is the time
until the last stage's end is in dvc.lock, in one run of the benchmark with all of them in turn; what is sent afterwards is
told apart. The real MLflow server is brought up on loopback (Tests/Engines/mlflow-up.sh), and takes its share of the
processors: what the stages wait for is the difference of `answers` and `not joined`.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CAIRN = os.path.abspath(os.environ.get("CAIRN_BIN", os.path.join(TOP, ".build/release/cairn")))


def project(folder, stages):
    os.makedirs(folder)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "CAIRN_T"))}
    env.update(HOME=folder, GIT_CONFIG_NOSYSTEM="1")
    subprocess.run(["git", "init", "-q"], cwd=folder, env=env, check=True)
    subprocess.run([CAIRN, "init", "-q"], cwd=folder, env=env, check=True)
    with open(os.path.join(folder, "dvc.yaml"), "w", encoding="utf-8") as f:
        f.write("stages:\n")
        for number in range(stages):
            f.write(f"  s{number}:\n    cmd: echo {number} > o{number}\n    outs: [o{number}]\n")
    return env


def play(folder, env, jobs):
    """Seconds to the last stage's end, and to the end of the command."""
    began = time.monotonic()
    process = subprocess.Popen([CAIRN, "repro", "--json", "-f", "-j", str(jobs)], cwd=folder, env=env, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    last = began
    for line in process.stdout:
        if '"stage-finished"' in line:
            last = time.monotonic()
    if process.wait() != 0:
        sys.exit("repro failed")
    return last - began, time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--stages", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    top = tempfile.mkdtemp(prefix="cairn-bench-")
    engine = os.path.join(top, "mlflow")
    out = subprocess.run([os.path.join(TOP, "Tests/Engines/mlflow-up.sh"), engine], check=True, capture_output=True, text=True).stdout
    server = [w.split("=", 1)[1] for w in out.split() if w.startswith("MLFLOW_TRACKING_URI=")][0]
    kinds = {"not tracked": {}, "server away": {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"},
             "not joined": {"MLFLOW_TRACKING_URI": server, "CAIRN_TRACKING_JOIN": "false"},
             "answers": {"MLFLOW_TRACKING_URI": server}}
    try:
        folder = os.path.join(top, "p")
        env = project(folder, options.stages)
        best = {}
        for _ in range(options.repeat):
            for name, more in kinds.items():
                stages, whole = play(folder, {**env, **more}, options.jobs)
                if name not in best or stages < best[name][0]:
                    best[name] = (stages, whole)
        base = best["not tracked"][0]
        print(f"{options.stages} stages, -j {options.jobs}")
        for name, (stages, whole) in best.items():
            extra = (stages - base) / options.stages * 1000
            print(f"{name:12} {stages:7.2f} s to the last stage ({extra:+.2f} ms a stage, {stages / base:.2f}x), {whole:7.2f} s in all")
    finally:
        subprocess.run([os.path.join(TOP, "Tests/Engines/mlflow-down.sh"), engine])
        shutil.rmtree(top, ignore_errors=True)


if __name__ == "__main__":
    main()
