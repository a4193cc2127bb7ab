#!/usr/bin/env python3
"""Sends and brings data of many small objects and of one large one, with Cairn, DVC and curl, to one S3 server.

    Benchmarks/transfer.py [--objects 10000] [--large 1024] [--dvc-objects 2000] [--repeat 2]

The server is brought up on loopback (Tests/Engines/s3-up.sh) and shares the processors with who asks it, so that only
figures of one run can be compared. Of DVC fewer objects are taken, and its time is told for each thousand. CAIRN_BIN names
the program (default: .build/release/cairn), CAIRN_DVC the DVC, with its plugin for S3 (default: .venv/bin/dvc).
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
DVC = os.environ.get("CAIRN_DVC", os.path.join(TOP, ".venv/bin/dvc"))


def engine(folder):
    out = subprocess.run([os.path.join(TOP, "Tests/Engines/s3-up.sh"), folder], check=True, capture_output=True, text=True).stdout
    words = out.replace("export ", "").split()
    return dict(word.split("=", 1) for word in words)


def timed(argv, cwd, env, repeat=1, before=None):
    """The fastest of `repeat` runs in seconds, and the peak memory in MiB."""
    best, memory = None, 0
    for _ in range(repeat):
        if before:
            before()
        began = time.monotonic()
        process = subprocess.Popen(argv, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        if status != 0:
            sys.exit(f"{' '.join(argv)[:200]} ended with {status}: {process.stderr.read().decode()[-800:]}")
        memory = max(memory, usage.ru_maxrss / 1024)
        best = seconds if best is None else min(best, seconds)
    return best, memory


class Project:
    def __init__(self, folder, url, env):
        self.folder, self.env = folder, env
        os.makedirs(folder)
        for argv in (["git", "init", "-q"], [CAIRN, "init", "-q"], [CAIRN, "remote", "add", "-q", "-d", "r", url]):
            subprocess.run(argv, cwd=folder, env=env, check=True)

    def small(self, count):
        os.makedirs(os.path.join(self.folder, "d"))
        for number in range(count):
            with open(os.path.join(self.folder, "d", str(number)), "wb") as f:
                f.write(hashlib.sha256(f"{self.folder}{number}".encode()).digest() * 32)
        subprocess.run([CAIRN, "add", "-q", "d"], cwd=self.folder, env=self.env, check=True)

    def large(self, mebibytes):
        with open(os.path.join(self.folder, "big"), "wb") as f:
            for number in range(mebibytes):
                f.write(hashlib.shake_128(f"{self.folder}{number}".encode()).digest(1 << 20))
        subprocess.run([CAIRN, "add", "-q", "big"], cwd=self.folder, env=self.env, check=True)

    def forget(self):
        """Moved away, not removed: ext4 is slow to make files where many were removed in the last minute."""
        trash = tempfile.mkdtemp(prefix="trash-", dir=os.path.dirname(self.folder))
        for name in (".dvc/cache", "d", "big"):
            path = os.path.join(self.folder, name)
            if os.path.exists(path):
                os.rename(path, os.path.join(trash, os.path.basename(name)))

    def objects(self):
        top = os.path.join(self.folder, ".dvc/cache/files/md5")
        return [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names]


def curl(paths, env, folder, upload, prefix):
    """curl's own parallel transfers of the same objects: the floor. Thirty-two at once, as fast as it went here."""
    lines = []
    for path in paths:
        name = "".join(path.split("/")[-2:])
        url = f"{env['AWS_ENDPOINT_URL']}/{env['S3_BUCKET']}/{prefix}/{name}"
        lines.append(f'url = "{url}"')
        lines.append(f'upload-file = "{path}"' if upload else f'output = "{os.path.join(folder, name)}"')
    config = os.path.join(folder, "curl.conf")
    with open(config, "w", encoding="utf-8") as f:
        f.write("\n".join(lines))
    return ["curl", "-s", "-f", "-Z", "--parallel-max", "32", "--aws-sigv4", "aws:amz:us-east-1:s3",
            "--user", f"{env['AWS_ACCESS_KEY_ID']}:{env['AWS_SECRET_ACCESS_KEY']}",
            "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "-K", config]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=10000)
    parser.add_argument("--dvc-objects", type=int, default=2000)
    parser.add_argument("--large", type=int, default=1024, help="MiB of the large object")
    parser.add_argument("--repeat", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cairn-transfer-") as top:
        server = os.path.join(top, "s3")
        variables = engine(server)
        env = {**os.environ, **variables, "HOME": os.path.join(top, "home"), "DVC_NO_ANALYTICS": "1"}
        os.makedirs(env["HOME"])
        try:
            play(options, top, env)
        finally:
            subprocess.run([os.path.join(TOP, "Tests/Engines/s3-down.sh"), server], check=False)


def play(options, top, env):
    bucket = env["S3_BUCKET"]
    pid = os.getpid()
    many = Project(os.path.join(top, "many"), f"s3://{bucket}/many{pid}", env)
    many.small(options.objects)
    paths = many.objects()
    scratch = os.path.join(top, "curl")
    os.makedirs(scratch)
    # By turns, each time to another place.
    push = floor = None
    memory = 0
    for number in range(options.repeat):
        subprocess.run([CAIRN, "remote", "add", "-q", "-d", "-f", "r", f"s3://{bucket}/many{pid}-{number}"], cwd=many.folder, env=env, check=True)
        seconds, used = timed([CAIRN, "push"], many.folder, env)
        push, memory = min(push or seconds, seconds), max(memory, used)
        seconds, _ = timed(curl(paths, env, scratch, True, f"floor{pid}-{number}"), scratch, env)
        floor = min(floor or seconds, seconds)
    report(f"push of {options.objects:,} small objects", push, floor, memory)
    pull, memory = timed([CAIRN, "pull"], many.folder, env, options.repeat, many.forget)
    # Into an empty folder, as Cairn: files that are there already need not be made.
    floor = None
    for number in range(options.repeat):
        fresh = os.path.join(top, f"fresh{number}")
        os.makedirs(fresh)
        seconds, _ = timed(curl(paths, env, fresh, False, f"floor{pid}-0"), fresh, env)
        floor = min(floor or seconds, seconds)
    report(f"pull of {options.objects:,} small objects", pull, floor, memory)
    if os.access(DVC, os.X_OK) and options.dvc_objects:
        few = Project(os.path.join(top, "few"), f"s3://{bucket}/few{pid}", env)
        few.small(options.dvc_objects)
        seconds, _ = timed([DVC, "push", "-q"], few.folder, env)
        rate = push / options.objects
        print(f"  DVC sends {options.dvc_objects:,} in {seconds:.1f} s: {seconds / options.dvc_objects / rate:.1f} x Cairn's time for each")
        few.forget()
        seconds, _ = timed([DVC, "pull", "-q"], few.folder, env)
        print(f"  DVC brings {options.dvc_objects:,} in {seconds:.1f} s: {seconds / options.dvc_objects / (pull / options.objects):.1f} x Cairn's time for each")
    one = Project(os.path.join(top, "one"), f"s3://{bucket}/one{pid}", env)
    one.large(options.large)
    path = one.objects()[0]
    push, memory = timed([CAIRN, "push"], one.folder, env)
    signed = (f"curl -s -f --aws-sigv4 aws:amz:us-east-1:s3 --user '{env['AWS_ACCESS_KEY_ID']}:{env['AWS_SECRET_ACCESS_KEY']}' "
              "-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD'")
    shell = f"md5sum {path} > sums & sha256sum {path} > sums2 & {signed} -T {path} {env['AWS_ENDPOINT_URL']}/{bucket}/floor{pid}; wait"
    floor, _ = timed(["bash", "-c", shell], scratch, env)
    print(f"push of {options.large} MiB: cairn {push:.2f} s, curl -T with md5sum and sha256sum beside it {floor:.2f} s: "
          f"{100 * floor / push:.0f} % of its speed (at least 80 %: {'kept' if floor / push >= 0.8 else 'MISSED'}); peak memory {memory:.0f} MiB")
    pull, memory = timed([CAIRN, "fetch"], one.folder, env, options.repeat, one.forget)
    name = "".join(path.split("/")[-2:])
    url = f"{env['AWS_ENDPOINT_URL']}/{bucket}/one{pid}/files/md5/{name[:2]}/{name[2:]}"
    shell = f"{signed} '{url}' | tee >(md5sum > sums) >(sha256sum > sums2) > file; wait"
    floor, _ = timed(["bash", "-c", shell], scratch, env, options.repeat)
    print(f"fetch of {options.large} MiB: cairn {pull:.2f} s, curl | tee >(md5sum) >(sha256sum) > file {floor:.2f} s: "
          f"{100 * floor / pull:.0f} % of its speed (at least 80 %: {'kept' if floor / pull >= 0.8 else 'MISSED'}); peak memory {memory:.0f} MiB "
          f"(under 200: {'kept' if memory < 200 else 'MISSED'})")


def report(what, seconds, floor, memory):
    ratio = seconds / floor
    print(f"{what}: cairn {seconds:.2f} s, curl -Z {floor:.2f} s: {ratio:.2f} x (at most 1.5 x: {'kept' if ratio <= 1.5 else 'MISSED'}); "
          f"peak memory {memory:.0f} MiB (under 200: {'kept' if memory < 200 else 'MISSED'})", flush=True)


if __name__ == "__main__":
    main()
