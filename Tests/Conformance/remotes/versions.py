"""A team of which some use DVC and some Cairn, on remotes that keep versions: what one sends, the other brings, and what
both write into .dvc files and dvc.lock is the same, byte for byte, but for the names that the server gives to versions.

Played with the S3 server that CAIRN_TEST_S3 names, whose bucket with "-versions" behind its name keeps versions. The last
line is "N of M steps …".
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from mixed import CAIRN, DVC, PYTHON, Clone, environment, same

TOOLS = {"dvc": DVC, "cairn": CAIRN}
# With DVC's own S3 client: PREFIX of the bucket's keys, one line of JSON for each version, oldest first.
LISTING = """
import botocore.session, json, sys
client = botocore.session.get_session().create_client("s3")
bucket, prefix = sys.argv[1][5:].split("/", 1)
found = client.list_object_versions(Bucket=bucket, Prefix=prefix + "/")
rows = [(v["Key"], v["LastModified"].isoformat(), v["VersionId"], v["IsLatest"], v.get("ETag", "").strip('"'))
        for kind in ("Versions", "DeleteMarkers") for v in found.get(kind, [])]
print(json.dumps([[k[len(prefix) + 1:], i, latest, etag] for k, _, i, latest, etag in sorted(rows)]))
"""
CALL = """
import botocore.session, json, sys
client = botocore.session.get_session().create_client("s3")
getattr(client, sys.argv[1])(**json.loads(sys.argv[2]))
"""
STAGES = """\
stages:
  s:
    cmd: mkdir -p od; cat f.bin > out; cp f.bin od/1; cp two od/2; cp f.bin m.json
    deps: [f.bin, d, two]
    outs: [out, od]
    metrics: [{m.json: {cache: false}}]
"""
passed = total = 0


def step(name, body):
    global passed, total
    total += 1
    try:
        body()
        passed += 1
    except Exception as error:  # whatever it is, the other steps are played
        print(f"FAILED {name}\n{type(error).__name__}: {error}", flush=True)


def python(code, *words, env):
    result = subprocess.run([PYTHON, "-c", code, *words], env=env, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def versions(url, env):
    """[key, version, is it the newest, etag or "" for a mark of deletion] of all that a remote keeps, Cairn's records aside."""
    return [row for row in json.loads(python(LISTING, url, env=env)) if not row[0].startswith(".dvc/")]


def plain(url, env):
    """What somebody sees who looks at the bucket: the newest of each file."""
    return {key: etag for key, _, latest, etag in versions(url, env) if latest and etag}


def call(operation, env, **words):
    python(CALL, operation, json.dumps(words), env=env)


def files(clone):
    """The files of a clone that name versions, by their paths."""
    found = {}
    for folder, folders, names in os.walk(clone.folder):
        folders[:] = [name for name in folders if name not in (".dvc", ".git", ".cairn")]
        for name in names:
            if name.endswith(".dvc") or name == "dvc.lock":
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as f:
                    found[os.path.relpath(path, clone.folder)] = f.read()
    return found


def unnamed(texts):
    return {name: re.sub(r"version_id: \S+", "version_id: X", text) for name, text in texts.items()}


def assert_same_files(a, b):
    left, right = unnamed(files(a)), unnamed(files(b))
    for name in sorted(left.keys() | right.keys()):
        assert left.get(name) == right.get(name), f"{name}:\n{left.get(name)}\n{right.get(name)}"


def run(clone, *words, tool=None, code=0):
    """Output and errors of a command that ends with `code`."""
    result = subprocess.run([tool or clone.tool, *words], cwd=clone.folder, env=clone.env, capture_output=True, text=True)
    assert result.returncode == code, f"{words}: {result.returncode}\n{result.stdout}{result.stderr}"
    return result.stdout + result.stderr


def project(folder, tool, env, url, option):
    one = Clone(folder, tool, env)
    os.makedirs(one.folder)
    one.git("init", "-q")
    one.run("init", "-q")
    one.run("remote", "add", "-q", "-d", "r", url)
    one.run("remote", "modify", "-q", "r", option, "true")
    for number in range(20):
        one.write(f"d/{number % 3}/f {number}", f"{number}\n")
    one.write("d/ü", "ü\n")
    one.write("f.bin", "f\n")
    one.write("two", "2\n")
    one.write("sub/sp ace +%41.txt", "s\n")
    one.run("add", "-q", "d", "f.bin", "two", "sub/sp ace +%41.txt")
    one.write("dvc.yaml", STAGES)
    one.run("repro", "-q", tool=DVC)
    one.commit()
    return one


NAMES = ["d", "f.bin", "two", "sub", "out", "od"]


def remove_data(clone):
    clone.forget()
    for name in ["d", "f.bin", "two", "sub/sp ace +%41.txt", "out", "od"]:
        path = os.path.join(clone.folder, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.path.exists(path) and os.remove(path)


def play(option, url, first, second, env, folder):
    """One of the tools sends, the other brings, changes and sends back; at each step a third clone does with DVC alone what
    was done, on a remote of its own, and is compared."""
    title = f"{option}: {first} to {second}:"
    one = project(os.path.join(folder, "one"), TOOLS[first], env, url, option)
    alone = one.clone("alone", DVC)
    shutil.copytree(os.path.join(one.folder, ".dvc", "cache"), os.path.join(alone.folder, ".dvc", "cache"), dirs_exist_ok=True)
    alone.run("checkout", "-q")
    alone.run("remote", "modify", "-q", "r", "url", url + "-alone")

    def sends():
        words = one.run("push")
        assert words == alone.run("push") and "files pushed" in words, words
        assert_same_files(one, alone)
        assert plain(url, env) == plain(url + "-alone", env)
        before = files(one), versions(url, env)
        assert one.run("push") == "Everything is up to date.\n"
        assert "up to date" in one.run("push", tool=TOOLS[second])
        assert before == (files(one), versions(url, env))
        for tool in TOOLS.values():
            assert one.run("status", tool=tool) == "Data and pipelines are up to date.\n"
        one.commit()
    step(f"{title} what is sent is written down as DVC writes it", sends)
    two = one.clone("two", TOOLS[second])

    def brings():
        words = two.run("pull")
        assert "files fetched" in words, words
        same(one, two, *NAMES)
        assert two.git("status", "--short") == ""
        assert two.run("status") == "Data and pipelines are up to date.\n"
        assert "up to date" in two.run("push")
        assert "didn't change" in two.run("repro") and two.git("status", "--short") == ""
    step(f"{title} what was sent comes back", brings)

    def changes(clone, tool):
        clone.write("d/0/f 0", "changed\n")
        os.remove(os.path.join(clone.folder, "d/1/f 1"))
        clone.write("d/new", "new\n")
        clone.write("f.bin", "f2\n")
        clone.run("add", "-q", "d", "f.bin", tool=tool)
        clone.run("repro", "-q", tool=tool)

    def back():
        old = {row[1] for row in versions(url, env)}
        changes(two, TOOLS[second])
        changes(alone, DVC)
        assert_same_files(two, alone)
        words = two.run("push")
        assert re.search(r"\d+ files pushed", words), words
        alone.run("push")
        assert_same_files(two, alone)
        assert plain(url, env) == plain(url + "-alone", env)
        # What was there is there still.
        assert old <= {row[1] for row in versions(url, env)}
        two.commit()
        one.git("pull", "-q", "--no-rebase", two.folder, "HEAD")
        one.run("pull")
        same(one, two, *NAMES)
    step(f"{title} and the change goes back", back)

    def history():
        four = one.clone("four", TOOLS[second])
        four.git("checkout", "-q", "HEAD~1")
        four.run("pull")
        with open(os.path.join(four.folder, "d/0/f 0"), encoding="utf-8") as f:
            assert f.read() == "0\n"
        assert four.git("status", "--short") == ""
        five = one.clone("five", TOOLS[first])
        five.run("fetch", "-A")
        five.git("checkout", "-q", "HEAD~1")
        five.run("checkout")
        same(four, five, *NAMES)
    step(f"{title} an older commit brings its versions", history)

    def kinds():
        # A file becomes a folder, and a folder a file.
        for clone in (two, alone):
            tool = clone.tool
            clone.run("remove", "-q", "two.dvc", tool=tool)
            os.remove(os.path.join(clone.folder, "two"))
            clone.write("two/in", "in\n")
            clone.write("dvc.yaml", STAGES.replace("cp two", "cp two/in"))
            clone.run("add", "-q", "two", tool=tool)
            clone.run("repro", "-q", tool=tool)
            clone.run("push", tool=tool)
        assert_same_files(two, alone)
        assert plain(url, env) == plain(url + "-alone", env), (plain(url, env), plain(url + "-alone", env))
        two.commit()
        one.git("pull", "-q", "--no-rebase", two.folder, "HEAD")
        one.run("pull")
        same(one, two, *NAMES)
    step(f"{title} a file becomes a folder", kinds)

    def reproduces():
        three = one.clone("three", TOOLS[second])
        words = run(three, "repro", "--pull")
        assert "'fetch --run-cache' is unsupported for cloud versioned remotes" in words, words
        # What no stage reads is nobody's here.
        same(one, three, *[name for name in NAMES if name != "sub"])
        assert three.git("status", "--short") == ""
        # One that runs again and makes the same keeps the versions of files.
        copies = {name: three.clone("run-" + name, tool) for name, tool in TOOLS.items()}
        for clone in copies.values():
            clone.run("pull", "-q")
            clone.run("repro", "-f", "-q")
        assert files(copies["dvc"]) == files(copies["cairn"])
        for clone in copies.values():
            clone.git("checkout", "-q", ".")
            clone.run("commit", "-f", "-q")
        assert files(copies["dvc"]) == files(copies["cairn"])
    step(f"{title} repro --pull brings what is missing, and what runs again writes the same lock", reproduces)

    def refuses():
        for words, code in [(("status", "-c"), 1), (("status", "-c", "--json"), 1), (("push", "-a"), 1), (("push", "-T"), 1),
                            (("push", "--run-cache"), 0), (("fetch", "--run-cache"), 0)]:
            said = [run(one, *words, tool=tool, code=code) for tool in TOOLS.values()]
            assert said[0] == said[1], said
        if option == "worktree":
            three = one.clone("contrary", DVC)
            three.run("remote", "modify", "-q", "r", "version_aware", "false")
            for words in [("push",), ("pull",), ("fetch",), ("status", "-c")]:
                said = [run(three, *words, tool=tool, code=1) for tool in TOOLS.values()]
                assert said[0] == said[1], said
    step(f"{title} what such remotes do not do is refused in the same words", refuses)


def play_alone(url, env, folder):
    """What Cairn does where DVC loses something, and what it says."""
    one = project(os.path.join(folder, "one"), CAIRN, env, url, "version_aware")
    bucket, prefix = url[5:].split("/", 1)

    def part():
        one.run("push", "-q", "d/1")
        text = files(one)["d.dvc"]
        # All files of the folder stay in the list; those that did not go have no version.
        assert text.count("relpath:") == 21 and text.count("version_id:") == 7 == len(versions(url, env)), text
        one.run("push", "-q")
        text = files(one)["d.dvc"]
        assert text.count("version_id:") == 21 and len(versions(url, env)) == len({row[0] for row in versions(url, env)})
        one.commit()
    step("a part of a folder goes, and the rest later", part)

    def older():
        one.write("f.bin", "f2\n")
        one.write("d/ü", "ü2\n")
        one.run("add", "-q", "f.bin", "d")
        one.run("push", "-q")
        one.commit()
        one.git("checkout", "-q", "HEAD~1")
        one.run("checkout", "-q", "--force")
        before = versions(url, env), files(one)
        assert one.run("push") == "Everything is up to date.\n"
        assert before == (versions(url, env), files(one))
        one.git("checkout", "-q", "-")
        one.run("checkout", "-q", "--force")
    step("a push from an older commit takes nothing from the remote and out of the files", older)

    def lost():
        # As after a push that was killed before it wrote anything down.
        two = one.clone("two", CAIRN)
        two.run("pull", "-q")
        before = files(two), versions(url, env)
        for name in ["f.bin.dvc", "d.dvc"]:
            os.remove(os.path.join(two.folder, name))
        two.run("add", "-q", "f.bin", "d", tool=DVC)
        assert "version_id" not in files(two)["d.dvc"] + files(two)["f.bin.dvc"]
        words = two.run("push")
        assert "up to date" in words, words
        assert before == (files(two), versions(url, env)), (before, files(two), versions(url, env))
    step("what arrived and was not written down is found again", lost)

    def other_bytes():
        two = one.clone("three", CAIRN)
        path = os.path.join(two.folder, "f.bin.dvc")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(re.sub(r"- md5: \S+", "- md5: " + "ab" * 16, text))
        words = run(two, "fetch", code=1)
        assert "has other bytes" in words and "1 files failed to download" in words, words
        assert not os.path.exists(os.path.join(two.folder, ".dvc/cache/files/md5/ab/ababababababababababababababab"))
    step("bytes that are not those of the hash get into no cache", other_bytes)

    def gone():
        two = one.clone("four", CAIRN)
        version = re.search(r"version_id: (\S+)", files(two)["f.bin.dvc"])[1]
        call("delete_object", env, Bucket=bucket, Key=prefix + "/f.bin", VersionId=version)
        words = run(two, "fetch")
        assert "Missing cache files" in words, words
        words = run(two, "pull", code=1)
        assert "Checkout failed for following targets:\nf.bin" in words, words
        # Who has the data sends it again.
        one.run("push", "-q")
        assert re.search(r"version_id: (\S+)", files(one)["f.bin.dvc"])[1] != version
        one.commit()
        two.git("pull", "-q", "--no-rebase", one.folder, "HEAD")
        two.run("pull", "-q")
        same(one, two, *NAMES)
    step("a version that is gone is told, and sent again by who has it", gone)

    def executable():
        one.write("exe", "#!/bin/sh\n")
        os.chmod(os.path.join(one.folder, "exe"), 0o755)
        one.run("add", "-q", "exe")
        one.run("push", "-q")
        one.commit()
        assert "isexec: true" in files(one)["exe.dvc"], files(one)
        one.run("push", "-q", tool=DVC)
        assert one.git("status", "--short") == "", one.git("diff")
        for name, tool in TOOLS.items():
            two = one.clone("exe-" + name, tool)
            two.run("pull", "-q", "exe.dvc")
            assert os.access(os.path.join(two.folder, "exe"), os.X_OK), name
    step("what is executable stays so", executable)

    def unversioned():
        two = one.clone("five", CAIRN)
        two.run("pull", "-q")
        plain_url = f"s3://{os.environ['CAIRN_TEST_S3'].split()[1]}/{prefix}"
        two.run("remote", "modify", "-q", "r", "url", plain_url)
        before = files(two)
        for name in ["f.bin.dvc"]:
            os.remove(os.path.join(two.folder, name))
        two.run("add", "-q", "f.bin")
        words = run(two, "push", code=255)
        assert f"ERROR: unexpected error - while uploading '{plain_url[5:]}/" in words, words
        assert "support for versioning could not be detected" in words, words
        assert versions(plain_url, env) == [] and "cloud" not in files(two)["f.bin.dvc"]
        assert {k: v for k, v in files(two).items() if k != "f.bin.dvc"} == {k: v for k, v in before.items() if k != "f.bin.dvc"}
    step("a bucket without versions gets nothing, and nothing is written down", unversioned)

    def records():
        one.write("f.bin", "f3\n")
        one.run("add", "-q", "f.bin")
        one.run("repro", "-q")
        one.run("push", "-q")
        one.commit()
        two = one.clone("six", CAIRN)
        two.run("fetch", "-q")
        said = [json.loads(clone.run("runs", "show", "@last:s", "--json")) for clone in (one, two)]
        assert said[0] == said[1], said
        assert not any(key.startswith("cairn/") for key in plain(url, env))
    step("run records go along, beside the project's files", records)


def play_key(url, env, folder, option):
    """Objects that are encrypted with a key of our own, which DVC and Cairn read for each other."""
    title = "with a customer's key" + (", version by version:" if option else ":")
    for first, second in [("dvc", "cairn"), ("cairn", "dvc")]:
        top = os.path.join(folder, first)
        one = project(os.path.join(top, "one"), TOOLS[first], env, f"{url}-{first}", option or "no_traverse")
        one.run("remote", "modify", "-q", "r", "sse_customer_key", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
        # Large enough to go in parts.
        with open(os.path.join(one.folder, "large"), "wb") as f:
            f.truncate(104 << 20)
        one.run("add", "-q", "large")

        def both(one=one, first=first, second=second):
            one.run("push", "-q")
            one.commit()
            two = one.clone("two", TOOLS[second])
            two.run("pull", "-q")
            same(one, two, *NAMES, "large")
            assert "up to date" in two.run("push")
            if not option:
                assert "in sync" in two.run("status", "-c")
            three = one.clone("three", CAIRN)
            three.run("remote", "modify", "-q", "--unset", "r", "sse_customer_key")
            run(three, "pull", code=1)
        step(f"{title} {first} to {second}", both)


def main():
    engine = os.environ.get("CAIRN_TEST_S3")
    if not engine:
        print("0 of 0 steps on remotes that keep versions: CAIRN_TEST_S3 names no server")
        return 0
    bucket = engine.split()[1]

    def places():
        folder = os.path.realpath(tempfile.mkdtemp(prefix="cairn-versions-"))
        return folder, f"s3://{bucket}-versions/{os.path.basename(folder)}", environment(os.path.join(folder, "home"))
    folders = []
    # A play takes two minutes, most of them DVC's: one is played always.
    plays, keys = [("version_aware", "dvc", "cairn")], [None]
    if "--full" in sys.argv:
        plays += [("version_aware", "cairn", "dvc"), ("version_aware", "cairn", "cairn"), ("worktree", "dvc", "cairn"),
                  ("worktree", "cairn", "dvc")]
        keys.append("version_aware")
    for option, first, second in plays:
        folder, url, env = places()
        folders.append(folder)
        play(option, url, first, second, env, folder)
    folder, url, env = places()
    folders.append(folder)
    play_alone(url, env, folder)
    for option in keys:
        folder, url, env = places()
        folders.append(folder)
        play_key(url if option else url.replace("-versions/", "/", 1), env, folder, option)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} of {total} steps on remotes that keep versions")
    return passed != total


if __name__ == "__main__":
    sys.exit(main())
