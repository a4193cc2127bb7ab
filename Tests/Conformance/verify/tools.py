"""What the scripts beside it share: running programs, writing files, asking `cairn verify`. Reads CAIRN_BIN, CAIRN_DVC."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

CAIRN = os.environ["CAIRN_BIN"]
DVC = os.environ["CAIRN_DVC"]
ENV = {
    **{k: v for k, v in os.environ.items() if not k.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b", "DVC_NO_ANALYTICS": "1", "SHELL": "/bin/sh",
}


def run(*argv, cwd, ok=(0,)):
    result = subprocess.run(argv, cwd=cwd, env=ENV, capture_output=True, text=True)
    if ok is not None and result.returncode not in ok:
        raise SystemExit(f"in {os.path.basename(cwd)}: {' '.join(argv)} ended with {result.returncode}\n{result.stdout}{result.stderr}")
    return result


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", newline="") as f:
        f.write(text)


def read(folder, name):
    with open(os.path.join(folder, name), newline="") as f:
        return f.read()


def replace(folder, name, old, new, count=-1):
    text = read(folder, name)
    if old not in text:
        raise SystemExit(f"{name} does not have {old!r}")
    write(folder, name, text.replace(old, new, count))


def commit(folder, message="x"):
    run("git", "add", "-A", cwd=folder)
    run("git", "commit", "-qm", message, "--allow-empty", cwd=folder)


def findings(folder, *arguments):
    """(exit code, what failed as (check, stage, path), all entries that failed or are unknown)."""
    result = run(CAIRN, "verify", "--json", *arguments, cwd=folder, ok=None)
    if not result.stdout:
        return result.returncode, [("error", result.stderr, None)], None
    document = json.loads(result.stdout)
    bad = [c for c in document["checks"] if c["status"] in ("failed", "unknown") and not c.get("optional")]
    return result.returncode, [(c["id"], c["stage"], c["path"]) for c in bad if c["status"] == "failed"], bad
