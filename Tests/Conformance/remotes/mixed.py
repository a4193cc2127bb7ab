"""A team of which some use DVC and some Cairn, on one remote: what one sends, the other brings, byte for byte.

Played with a folder, and with the S3 server that CAIRN_TEST_S3 names. The last line is "N of M steps …".
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

CAIRN = os.environ["CAIRN_BIN"]
DVC = os.environ["CAIRN_DVC"]
# That of the real DVC: it has its S3 client.
PYTHON = os.path.join(os.path.dirname(os.environ.get("DVCFAST_DVC", DVC)), "python")
passed = total = 0


def environment(home):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CAIRN_", "DVC_"))}
    env.update(
        HOME=home, DVC_NO_ANALYTICS="1", DVC_SITE_CACHE_DIR=os.path.join(home, "site"), GIT_CONFIG_NOSYSTEM="1", LC_ALL="C.UTF-8",
        GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@b", GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@b")
    if s3 := os.environ.get("CAIRN_TEST_S3"):
        endpoint, _, key, secret = s3.split()[:4]
        env.update(AWS_ENDPOINT_URL=endpoint, AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret,
                   AWS_DEFAULT_REGION="us-east-1", AWS_EC2_METADATA_DISABLED="true")
    return env


class Clone:
    def __init__(self, folder, tool, env):
        self.folder, self.tool, self.env = folder, tool, env

    def run(self, *words, tool=None, fails=False):
        result = subprocess.run([tool or self.tool, *words], cwd=self.folder, env=self.env, capture_output=True, text=True)
        if (result.returncode != 0) != fails:
            raise AssertionError(f"{os.path.basename(tool or self.tool)} {' '.join(words)}: {result.returncode}\n"
                                 f"{result.stdout}{result.stderr}")
        return result.stdout

    def git(self, *words):
        return self.run(*words, tool="git")

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-qm", "x")

    def clone(self, name, tool):
        folder = os.path.join(os.path.dirname(self.folder), name)
        subprocess.run(["git", "clone", "-q", self.folder, folder], env=self.env, check=True)
        return Clone(folder, tool, self.env)

    def tree(self, *names):
        found = {}
        for name in names:
            top = os.path.join(self.folder, name)
            for folder, _, files in os.walk(top) if os.path.isdir(top) else [(self.folder, [], [name])]:
                for file in files:
                    path = os.path.join(folder, file)
                    with open(path, "rb") as f:
                        found[os.path.relpath(path, self.folder)] = hashlib.md5(f.read()).hexdigest()
        return found

    def forget(self):
        shutil.rmtree(os.path.join(self.folder, ".dvc", "cache"), ignore_errors=True)


def step(name, body):
    global passed, total
    total += 1
    try:
        body()
        passed += 1
    except Exception as error:  # whatever it is, the other steps are played
        print(f"FAILED {name}\n{type(error).__name__}: {error}")


def same(a, b, *names):
    assert a.tree(*names) == b.tree(*names) and a.tree(*names), f"{a.tree(*names)}\n{b.tree(*names)}"


def in_sync(clone):
    words = clone.run("status", "-c")
    assert "in sync" in words, words


def remote_files(url, prefix, env):
    """The names on a remote that begin so, by the hands of others: find, or DVC's own S3 client."""
    if not url.startswith("s3://"):
        top = os.path.join(url, prefix)
        return sorted(os.path.relpath(os.path.join(folder, file), url) for folder, _, files in os.walk(top) for file in files)
    code = ("import sys, s3fs\nkey = sys.argv[1][5:] + '/'\n"
            "names = s3fs.S3FileSystem(use_listings_cache=False).find(key + sys.argv[2])\n"
            "print(*sorted(name[len(key):] for name in names), sep='\\n')")
    result = subprocess.run([PYTHON, "-c", code, url, prefix], env=env, capture_output=True, text=True, check=True)
    return result.stdout.split()


def play(kind, url, first, second, env, folder):
    """One of the tools sends, the other brings and sends back."""
    sender = {"dvc": DVC, "cairn": CAIRN}[first]
    bringer = {"dvc": DVC, "cairn": CAIRN}[second]
    title = f"{kind}: {first} to {second}:"
    one = Clone(os.path.join(folder, "one"), sender, env)
    os.makedirs(one.folder)
    one.git("init", "-q")
    one.run("init", "-q")
    for number in range(40):
        one.write(f"d/{number % 3}/f {number}", f"{number}\n")
    one.write("d/ü", "ü\n")
    one.write("f.bin", "f\n")
    one.run("add", "-q", "d", "f.bin")
    one.run("remote", "add", "-q", "-d", "r", url)
    # Data of DVC 2: its hash has no kind, and its object lies at the top.
    legacy = hashlib.md5(b"old\n").hexdigest()
    one.write("old.txt.dvc", f"outs:\n- md5: {legacy}\n  size: 4\n  path: old.txt\n")
    one.write(f".dvc/cache/{legacy[:2]}/{legacy[2:]}", "old\n")
    one.run("checkout", "-q", "old.txt.dvc")
    one.write("dvc.yaml", "stages:\n  s:\n    cmd: cat f.bin > out; date +%N > stamp\n    deps: [f.bin]\n    outs: [out, stamp]\n")
    one.run("repro", "-q")
    one.commit()
    names = ["d", "f.bin", "old.txt", "out", "stamp"]

    def sends():
        words = one.run("push", "--run-cache")
        assert "files pushed" in words, words
        assert "Everything is up to date." in one.run("push")
        in_sync(one)
    step(f"{title} what is sent is in sync", sends)

    two = one.clone("two", bringer)

    def brings():
        in_sync_before = two.run("status", "-c")
        assert "deleted:" in in_sync_before, in_sync_before
        two.run("pull")
        same(one, two, *names)
        in_sync(two)
        assert "Everything is up to date." in two.run("push")
    step(f"{title} what was sent comes back", brings)

    def run_cache():
        three = one.clone("three", bringer)
        three.run("fetch", "--run-cache")
        os.remove(os.path.join(three.folder, "dvc.lock"))
        three.run("pull", "-q", "f.bin")
        three.run("repro")
        # Run anew, the stamp would be another one.
        same(one, three, "out", "stamp")
    step(f"{title} the run-cache of one spares the other a run", run_cache)

    def back():
        two.write("d/0/f 0", "changed\n")
        two.write("d/new", "new\n")
        two.run("add", "-q", "d")
        two.commit()
        two.run("push")
        one.git("pull", "-q", "--no-rebase", two.folder, "HEAD")
        one.run("pull")
        same(one, two, *names)
        in_sync(one)
    step(f"{title} and the change goes back", back)

    def history():
        four = one.clone("four", bringer)
        four.run("fetch", "-A")
        four.git("checkout", "-q", "HEAD~1")
        four.run("checkout")
        with open(os.path.join(four.folder, "d/0/f 0"), encoding="utf-8") as f:
            assert f.read() == "0\n"
    step(f"{title} all commits' data come with -A", history)

    def records():
        # Of what DVC ran there is no record, and of the run-cache's results there is one that cannot say more.
        runs = {"one": one, "two": two}
        for clone in runs.values():
            clone.run("fetch", "-q", tool=CAIRN)
        one.write("f.bin", "g\n")
        one.run("add", "-q", "f.bin")
        one.run("repro", "-q", tool=CAIRN)
        one.commit()
        one.run("push", "-q", tool=CAIRN)
        stored = remote_files(url, "cairn/", env)
        assert any(name.endswith(".json") for name in stored), stored
        # What DVC does on the remote leaves them alone, and they do not show in what it says.
        assert "Everything is up to date." in one.run("push", tool=DVC)
        assert "in sync" in one.run("status", "-c", tool=DVC)
        two.git("pull", "-q", "--no-rebase", one.folder, "HEAD")
        two.run("pull", tool=DVC)
        same(one, two, *names)
        two.run("gc", "-q", "-w", "-c", "-f", tool=DVC)
        assert remote_files(url, "cairn/", env) == stored
        two.run("fetch", "-q", tool=CAIRN)
        assert "whole" in two.run("runs", "check", tool=CAIRN)
        # That of DVC 2 is in git, too, which is another check's.
        found = json.loads(two.run("verify", "--data", "--deep", "--json", tool=CAIRN, fails=True))["checks"]
        data = {(c["id"], c["path"]): c["status"] for c in found if c["id"].startswith("object-")}
        assert len(data) == 2 * len(names) and set(data.values()) == {"passed"}, data
        said = [json.loads(clone.run("runs", "show", "@last:s", "--json", tool=CAIRN)) for clone in runs.values()]
        assert said[0] == said[1], said
    step(f"{title} records go along, and DVC leaves them alone", records)


def main():
    kinds = ["folder"] + (["s3"] if os.environ.get("CAIRN_TEST_S3") else [])
    for kind in kinds:
        for first, second in [("dvc", "cairn"), ("cairn", "dvc"), ("cairn", "cairn")]:
            with tempfile.TemporaryDirectory(prefix="cairn-mixed-") as folder:
                folder = os.path.realpath(folder)
                name = f"{first}-{second}-{os.path.basename(folder)}"
                bucket = os.environ.get("CAIRN_TEST_S3", " x").split()[1] if kind == "s3" else ""
                url = f"s3://{bucket}/mixed/{name}" if kind == "s3" else os.path.join(folder, "remote")
                play(kind, url, first, second, environment(os.path.join(folder, "home")), folder)
    print(f"{passed} of {total} steps of a team with DVC and Cairn")
    return passed != total


if __name__ == "__main__":
    sys.exit(main())
