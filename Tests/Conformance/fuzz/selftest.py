#!/usr/bin/env python3
"""Does the fuzzer notice? Each file in mutants/ alters real DVC a little; the
altered DVC must differ from the recorded oracle within the given seeds.

    DVCFAST_DVC=/path/to/dvc python3 selftest.py [--seeds A:B] [NAME…]
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
EXTRA = {"serialorder": ["--exact-order"]}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--seeds", default="0:30")
    p.add_argument("--jobs", default="1")
    p.add_argument("--record", default=os.path.join(HERE, "recorded"))
    p.add_argument("names", nargs="*")
    options = p.parse_args()
    names = options.names or sorted(n[:-3] for n in os.listdir(os.path.join(HERE, "mutants")) if n.endswith(".py"))
    caught = 0
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            wrapper = os.path.join(folder, name)
            with open(wrapper, "w") as f:
                f.write("#!/bin/sh\nDVCFAST_PATCH=%s/mutants/%s.py exec %s/dvcfast \"$@\"\n" % (HERE, name, HERE))
            os.chmod(wrapper, 0o755)
            start = time.monotonic()
            done = subprocess.run([sys.executable, os.path.join(HERE, "fuzz.py"), "--b", wrapper, "--replay", options.record,
                                   "--seeds", options.seeds, "--jobs", options.jobs, "--minimise", "0", "--show", "0",
                                   "--fail-fast", *EXTRA.get(name, [])],
                                  capture_output=True, text=True)
        found = re.search(r"seed (\d+) \((\w+)\): DIFFERENT.*: (.*)\n(.*)", done.stdout)
        if found and done.returncode == 1:
            caught += 1
            print(f"{name}: caught at seed {found[1]} ({found[2]}) by {found[3]};{found[4]} "
                  f"({time.monotonic() - start:.0f} s)", flush=True)
        else:
            print(f"{name}: NOT CAUGHT (exit code {done.returncode})\n{done.stdout[-800:]}{done.stderr[-800:]}", flush=True)
    print(f"{caught} of {len(names)} mutants caught")
    return 0 if caught == len(names) else 1


if __name__ == "__main__":
    sys.exit(main())
