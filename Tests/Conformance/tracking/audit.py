"""From a registered model back to its bytes, and what is said when one link of the chain was tampered with.

Before the servers that CAIRN_TEST_MLFLOW and CAIRN_TEST_S3 name. The last line is "N of M steps …".
"""
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from project import CAIRN, CLIENT, PLAIN, SERVER, Project, artifact, md5, mixed, mlflow, step  # noqa: E402,F401


class Audited(Project):
    """A pushed and registered model; its name is the project's own."""

    def __init__(self):
        s3 = os.environ.get("CAIRN_TEST_S3")
        super().__init__(settings="register = true", remote=s3 and f"s3://{s3.split()[1]}/audit/{os.getpid()}-{time.time_ns()}")
        with open(os.path.join(self.folder, "dvc.yaml"), encoding="utf-8") as f:
            text = f.read()
        self.write("dvc.yaml", text.replace("  churn:", f"  {self.experiment}:"))
        self.commit()
        self.both("repro")
        self.run("push")
        self.both("track", "sync")
        self.commit()
        self.model = f"models:/{self.experiment}/1"

    def verify(self, *words):
        result = subprocess.run([CAIRN, "verify", "--lineage", *words], cwd=self.folder, env=self.env, capture_output=True, text=True)
        return result.returncode, result.stdout + result.stderr

    def says(self, status, words, *arguments):
        code, text = self.verify(*(arguments or (self.model,)))
        assert code == status and words in text, f"{code}, not {status} with '{words}':\n{text}"

    def finds(self, status, words, *arguments):
        """The same, of the JSON: a check `tracking`."""
        result = subprocess.run([CAIRN, "verify", "--lineage", "--json", *(arguments or (self.model,))], cwd=self.folder, env=self.env, capture_output=True, text=True)
        assert result.returncode == {"passed": 0, "failed": 1, "unknown": 2}[status], result.stdout + result.stderr
        found = [c for c in json.loads(result.stdout)["checks"] if c["id"] == "tracking" and c["status"] == status]
        assert [c for c in found if words in c["message"]], f"no '{words}':\n{result.stdout}"

    def bucket(self, method, address, body=None):
        """Does something to an object of the remote, past Cairn."""
        if not address.startswith("s3://"):
            os.chmod(address, 0o644)
            if method == "DELETE":
                os.remove(address)
            else:
                with open(address, "wb") as f:
                    f.write(body)
            return
        endpoint, _, key, secret = os.environ["CAIRN_TEST_S3"].split()[:4]
        subprocess.run(
            ["curl", "-sf", "-X", method, "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{key}:{secret}", "-H",
             "x-amz-content-sha256: UNSIGNED-PAYLOAD", *(["--data-binary", "@-"] if body else []), endpoint + address.removeprefix("s3:/")],
            input=body, check=True)

    def cached(self, name):
        """The object of a file in the cache, made writable."""
        digest = md5(os.path.join(self.folder, name))
        path = os.path.join(self.folder, ".dvc/cache/files/md5", digest[:2], digest[2:])
        os.chmod(path, 0o644)
        return path


def whole():
    p = Audited()
    p.says(0, "REPRODUCIBLE")
    p.says(0, "REPRODUCIBLE", p.model, "--deep")
    p.says(0, "REPRODUCIBLE")
    p.says(0, "REPRODUCIBLE", "run:" + p.stage("train").data.tags["cairn.run"][:12])
    code, text = p.verify()
    assert code == 0, text
    # In a clone that has nothing: records and data come from the remote.
    two = p.clone("two", CAIRN)
    two.run("fetch")
    result = subprocess.run([CAIRN, "verify", "--lineage", "--deep", p.model], cwd=two.folder, env=p.env, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    then = os.path.join(p.top, "then")
    two.run("restore", p.model, "--into", then)
    for name in ("raw.csv", "f.csv", "model.pkl", "train.py", "params.yaml", "metrics.json"):
        assert md5(os.path.join(then, name)) == md5(os.path.join(p.folder, name)), name
    with open(os.path.join(then, "cairn-restore.json"), encoding="utf-8") as f:
        manifest = json.load(f)
    assert manifest["whole"] and manifest["run"] == p.stage("train").data.tags["cairn.run"]
    p.remove()


def server_run():
    p = Audited()
    run = p.stage("train").info.run_id
    CLIENT.set_tag(run, "cairn.commit", "0" * 40)
    p.says(1, "the tag cairn.commit is '0000")
    CLIENT.set_tag(run, "cairn.commit", p.git("rev-parse", "HEAD~1").strip())
    p.says(0, "REPRODUCIBLE")
    CLIENT.update_run(run, status="FAILED")
    p.says(1, "its status is 'FAILED', not 'FINISHED'")
    CLIENT.update_run(run, status="FINISHED", name="other")
    p.says(1, "its name is 'other'")
    CLIENT.update_run(run, name="train")
    CLIENT.log_text(run, "{}", "cairn/record.json")
    p.says(1, "its cairn/record.json has other bytes")
    CLIENT.delete_run(run)
    p.says(1, "has no run")
    p.remove()


def registry():
    p = Audited()
    CLIENT.set_model_version_tag(p.experiment, "1", "cairn.md5", "0" * 32)
    p.says(1, "its tag cairn.md5 is '0000")
    CLIENT.set_model_version_tag(p.experiment, "1", "cairn.md5", md5(os.path.join(p.folder, "model.pkl")))
    p.says(0, "REPRODUCIBLE")
    tags = CLIENT.get_model_version(p.experiment, "1").tags
    CLIENT.create_model_version(p.experiment, "s3://elsewhere/model", run_id="nope", tags=tags)
    p.says(1, "its run 'nope' is not on the server", f"models:/{p.experiment}/2")
    CLIENT.create_model_version(p.experiment, "s3://elsewhere/model")
    p.finds("failed", "was not registered by Cairn", f"models:/{p.experiment}/3")
    p.finds("failed", "is not in the registry", f"models:/{p.experiment}/77")
    p.finds("failed", "is not in the registry", "models:/nobody-made-this/1")
    # Beside one that is well, both are told.
    p.finds("failed", "is not in the registry", p.model, f"models:/{p.experiment}/77")
    p.says(255, "names no version of a model", "models:/churn")
    CLIENT.set_registered_model_alias(p.experiment, "champion", "1")
    p.run("restore", f"models:/{p.experiment}@champion", "--into", os.path.join(p.top, "then"))
    p.remove()


def sources():
    """The tags by which the models of a bad batch are found."""
    p = Audited()
    digest = md5(os.path.join(p.folder, "raw.csv"))
    ways = [(p.model,), ("run:" + p.stage("train").data.tags["cairn.run"][:12],), ("train",), ("dvc.yaml:train",), ()]

    def all_say(words):
        for way in ways:
            result = subprocess.run([CAIRN, "verify", "--lineage", *way], cwd=p.folder, env=p.env, capture_output=True, text=True)
            text = result.stdout + result.stderr
            assert result.returncode == (1 if words else 0) and words in text, f"{way}: {result.returncode}, not '{words}':\n{text}"

    all_say("")
    tag = "cairn.data.raw.csv"
    CLIENT.set_model_version_tag(p.experiment, "1", tag, "0" * 32)
    all_say(f"its tag {tag} is '0000")
    CLIENT.delete_model_version_tag(p.experiment, "1", tag)
    all_say(f"its tag {tag} is missing, not '{digest}'")
    CLIENT.set_model_version_tag(p.experiment, "1", tag, digest)
    CLIENT.set_model_version_tag(p.experiment, "1", "cairn.data.foo.csv", "0" * 32)
    all_say("its tag cairn.data.foo.csv is '0000")
    CLIENT.delete_model_version_tag(p.experiment, "1", "cairn.data.foo.csv")
    CLIENT.set_model_version_tag(p.experiment, "1", "owner", "ann")
    all_say("")
    CLIENT.delete_model_version_tag(p.experiment, "1", "cairn.run")
    p.finds("failed", "its version says nothing of the run behind it")
    p.says(1, "has no version of the model", "train")
    p.remove()


def values():
    """The server shows other values than the record has."""
    p = Audited()
    run = p.stage("train").info.run_id
    named = "run:" + p.stage("train").data.tags["cairn.run"][:12]

    def says(words):
        p.finds("failed", words)
        p.finds("failed", words, named)
        p.finds("failed", words, "train")

    parent = p.stage("train").data.tags["mlflow.parentRunId"]
    CLIENT.delete_tag(run, "mlflow.parentRunId")
    says("the tag mlflow.parentRunId is missing")
    CLIENT.set_tag(run, "mlflow.parentRunId", run)
    says("which is not the run of its invocation")
    CLIENT.set_tag(run, "mlflow.parentRunId", "nope")
    says("there is no such run")
    CLIENT.set_tag(run, "mlflow.parentRunId", parent)
    CLIENT.delete_run(parent)
    says("there is no such run")
    CLIENT.restore_run(parent)
    p.says(0, "REPRODUCIBLE")
    CLIENT.log_metric(run, "auc", 0.99)
    says("the metric auc is 0.99, not 0.93")
    CLIENT.set_tag(run, "cairn.refused", "metric 'auc': no\nparam 'lr': no")
    says("the metric auc is 0.99, not 0.93")
    CLIENT.log_inputs(run, datasets=[mlflow.entities.DatasetInput(mlflow.entities.Dataset("f.csv", "0" * 32, "local", "{}"))])
    says("the dataset f.csv has the digest 0000")
    p.remove()


def own_values():
    """What the stage logs beside is its own; what it logs under a name of ours is another value."""
    for extra, status, words in (
        ("mlflow.log_params({'own': 1})\nmlflow.log_metric('own', 2)\nmlflow.log_metric('auc', 0.5)\n"
         "for step in range(9): mlflow.log_metric('curve', step, step=step)\n"
         "mlflow.log_input(mlflow.data.meta_dataset.MetaDataset(mlflow.data.http_dataset_source.HTTPDatasetSource('http://h/d'), name='own'))\n",
         0, "REPRODUCIBLE"),
        ("mlflow.log_param('lr', 'other')\n", 1, "the parameter lr is 'other', not '0.1'"),
    ):
        p = Project(server=SERVER, train=PLAIN + "import mlflow\n" + extra, params="lr: 0.1\nlong: " + "x" * 7000 + "\n'a[0]@x': 1\nempty: ''\n")
        p.both("repro")
        p.commit()
        result = subprocess.run([CAIRN, "verify", "--lineage"], cwd=p.folder, env=p.env, capture_output=True, text=True)
        assert result.returncode == status and words in result.stdout, result.stdout + result.stderr
        p.remove()


def plot_gone():
    """A plot of an earlier run is nowhere any more, and shares a name with a metric: what it was called is not known."""
    p = Project(server=SERVER, train=PLAIN.replace('"auc": 0.93', '"auc": 0.93, "tpr": 0.5'))
    p.both("repro")
    train = p.stage("train")
    assert train.data.metrics["metrics.json:tpr"] == 0.5, train.data.metrics
    p.commit()
    digest = md5(os.path.join(p.folder, "roc.csv"))
    os.remove(os.path.join(p.folder, "roc.csv"))
    shutil.rmtree(os.path.join(p.folder, ".dvc/cache/files/md5", digest[:2]), ignore_errors=True)
    result = subprocess.run([CAIRN, "verify", "--lineage", "run:" + train.data.tags["cairn.run"][:12]], cwd=p.folder, env=p.env, capture_output=True, text=True)
    assert "differs" not in result.stdout, result.stdout + result.stderr
    CLIENT.log_metric(train.info.run_id, "metrics.json:tpr", 0.6)
    result = subprocess.run([CAIRN, "verify", "--lineage", "run:" + train.data.tags["cairn.run"][:12]], cwd=p.folder, env=p.env, capture_output=True, text=True)
    assert "the metric tpr is 0.6, not 0.5" in result.stdout, result.stdout + result.stderr
    p.remove()


def source():
    """The bytes that a version links to, whatever this cache has."""
    p = Audited()
    address = CLIENT.get_model_version(p.experiment, "1").tags["cairn.uri"]
    with open(os.path.join(p.folder, "model.pkl"), "rb") as f:
        content = f.read()
    p.bucket("PUT", address, b"other bytes")
    p.says(0, "REPRODUCIBLE")
    p.says(1, "links to has other bytes on the remote", p.model, "--deep")
    p.bucket("DELETE", address)
    p.says(1, "links to is not on the remote")
    p.says(1, "links to is not on the remote", p.model, "--deep")
    p.bucket("PUT", address, content) if address.startswith("s3://") else p.run("push")
    p.says(0, "REPRODUCIBLE", p.model, "--deep")
    if address.startswith("s3://"):
        p.run("remote", "modify", "r", "endpointurl", "http://127.0.0.1:9")
        p.says(2, "it cannot be known whether the remote has what")
    p.remove()


def data():
    p = Audited()
    path = p.cached("f.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write("A,B\n9,9\n")
    os.chmod(path, 0o444)
    p.says(0, "REPRODUCIBLE")
    p.says(1, "has other bytes than its hash says", p.model, "--deep")
    os.remove(path)
    p.says(0, "REPRODUCIBLE", p.model, "--deep")
    p.run("remote", "modify", "r", "url", os.path.join(p.top, "empty"))
    p.says(1, "f.csv")
    p.remove()


def record():
    p = Audited()
    names = {json.loads(c)["stage"]["address"]: n for n, c in p.records().items()}
    store = os.path.join(p.folder, ".cairn/runs")
    path = os.path.join(store, names["prepare"][:2], names["prepare"][2:] + ".json")
    os.chmod(path, 0o644)
    with open(path, encoding="utf-8") as f:
        content = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(content.replace("raw.csv", "rax.csv"))
    p.says(1, "was altered")
    os.remove(path)
    p.says(2, "is not here: what it stood on cannot be seen")
    p.run("fetch")
    p.says(0, "REPRODUCIBLE")
    p.remove()


def code():
    """The commit of the run is gone from git."""
    p = Audited()
    p.git("checkout", "-q", "--orphan", "new")
    p.git("commit", "-qm", "all anew")
    p.git("branch", "-D", "-q", "master") if "master" in p.git("branch", "-a") else p.git("branch", "-D", "-q", "main")
    p.git("reflog", "expire", "--expire=now", "--all")
    p.git("gc", "-q", "--prune=now")
    p.says(2, "is not in this clone")
    p.remove()


def down():
    p = Audited()
    p.write(".cairn/config.toml", f'[tracking]\nuri = "http://127.0.0.1:9"\nexperiment = "{p.experiment}"\n')
    p.says(2, "does not answer", "run:" + [n for n, c in p.records().items() if b'"address":"train"' in c][0])
    p.finds("unknown", "does not answer")
    p.remove()


class Faulty(http.server.BaseHTTPRequestHandler):
    """Answers everything in one way."""
    status, body, length = 500, b"", None

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(self.status)
        self.send_header("Content-Length", str(self.length or len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *words):
        pass


def silent():
    """A server that answers with anything but the registry's word."""
    p = Audited()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Faulty) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        p.write(".cairn/config.toml", f'[tracking]\nuri = "http://127.0.0.1:{server.server_port}"\nexperiment = "{p.experiment}"\n')
        page = b"<html><body>Please log in</body></html>"
        for status, body, length in (
            (500, b"", None), (502, page, None), (429, b"", None), (413, page, None), (401, b"", None), (404, page, None),
            (403, b'{"error_code": "PERMISSION_DENIED", "message": "no"}', None), (200, page, None), (200, b"{}", None),
            (200, b'{"model_version": {"version": "1"', None), (200, b'{"model_version": {"version": "1"', 5000),
        ):
            Faulty.status, Faulty.body, Faulty.length = status, body, length
            p.finds("unknown", "cannot look up")
            p.says(2, "cannot look up")
        p.says(2, "cannot look up", f"models:/{p.experiment}@champion")
        server.shutdown()
    p.remove()


def registered_later():
    """Models of runs from before they were registered: the hint leads to a version."""
    p = Audited.__new__(Audited)
    Project.__init__(p, server=SERVER)
    with open(os.path.join(p.folder, "dvc.yaml"), encoding="utf-8") as f:
        text = f.read()
    p.write("dvc.yaml", text.replace("  churn:", f"  {p.experiment}:"))
    p.both("repro")
    p.commit()
    p.run("push")
    first = "run:" + p.stage("train").data.tags["cairn.run"][:12]
    p.write(".cairn/config.toml", f'[tracking]\nuri = "{SERVER}"\nexperiment = "{p.experiment}"\nregister = true\n')
    p.commit()
    p.both("repro", "-f")
    p.run("push")
    p.both("track", "sync")
    assert p.waiting() == []
    # Behind the lock stands the first run that did the work.
    for word in (first, "train"):
        p.says(1, "`cairn track sync --all` makes one", word)
    p.both("track", "sync", "--all")
    p.says(0, "REPRODUCIBLE", first)
    p.says(0, "REPRODUCIBLE", "train")
    p.write("raw.csv", "a,b\n3,4\n")
    p.run("add", "-q", "raw.csv")
    p.both("repro")
    p.commit()
    p.says(1, "`cairn track status` says what it waits for", "train")
    p.run("push")
    p.both("track", "sync")
    p.says(0, "REPRODUCIBLE", "train")
    p.remove()


def sent_later():
    """Runs from before there was a server."""
    p = Project(server=SERVER)
    config = os.path.join(p.folder, ".cairn/config.toml")
    shutil.move(config, config + ".later")
    p.both("repro")
    assert p.runs() == []
    shutil.move(config + ".later", config)
    result = subprocess.run([CAIRN, "verify", "--lineage", "run:" + list(p.records())[0]], cwd=p.folder, env=p.env, capture_output=True, text=True)
    assert result.returncode == 1 and "has no run" in result.stdout, result.stdout
    p.both("track", "sync", "--all")
    p.both("track", "sync", "--all")
    p.once()
    assert len(p.runs()) == 3
    p.remove()


def models():
    """From each version of the data to the models that came from it, and back."""
    p = Audited()
    one = md5(os.path.join(p.folder, "raw.csv"))
    p.write("raw.csv", "a,b\n1,2\n3,4\n")
    p.run("add", "-q", "raw.csv")
    p.both("repro")
    p.commit()
    p.run("push")
    p.both("track", "sync")
    CLIENT.set_registered_model_alias(p.experiment, "champion", "2")

    def versions(*words):
        result = subprocess.run([CAIRN, "lineage", *words, "--json"], cwd=p.folder, env=p.env, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
        graph = json.loads(result.stdout)
        nodes = [node for node in graph["nodes"] if node["type"] == "model-version"]
        for node in nodes:
            edges = [edge for edge in graph["edges"] if edge["to"] == node["id"]]
            assert [edge["type"] for edge in edges] == ["registered"], edges
            artifact = next(other for other in graph["nodes"] if other["id"] == edges[0]["from"])
            assert (artifact["path"], artifact["md5"]) == (node["path"], node["md5"]) == ("model.pkl", node["md5"])
            assert any(other["id"] == node["run"] for other in graph["nodes"]), node
        return graph, [node["id"] for node in nodes]

    first, second = f"m:{p.experiment}/1", f"m:{p.experiment}/2"
    assert versions("--down", "md5:" + one)[1] == [first]
    graph, found = versions("--down", "raw.csv")
    assert found == [second] and "registry" not in [one["what"] for one in graph["unknown"]], graph
    assert next(node for node in graph["nodes"] if node["id"] == second)["aliases"] == ["champion"]
    assert versions("--down", "--any-version", "raw.csv")[1] == [first, second]
    assert versions("model.pkl")[1] == []
    graph, found = versions(f"models:/{p.experiment}@champion")
    assert graph["root"] == second and found == [second]
    assert any(node.get("md5") == md5(os.path.join(p.folder, "raw.csv")) for node in graph["nodes"]), graph
    assert f"models:/{p.experiment}/1" in p.both("lineage", "--down", "md5:" + one)
    assert p.both("lineage", p.model).startswith(p.model + "  registered at ")
    page = os.path.join(p.top, "page.html")
    p.run("lineage", "--down", "--any-version", "raw.csv", "--html", page)
    with open(page, encoding="utf-8") as f:
        text = f.read()
    assert text.count("<tr data-row id=\"m-") == 2 and "@champion" in text
    bill = json.loads(p.run("lineage", p.model, "--format", "cyclonedx"))
    assert bill["metadata"]["component"]["name"] == "model.pkl", bill["metadata"]
    # Bytes that came from the cache are still those of the first run.
    os.remove(os.path.join(p.folder, "model.pkl"))
    p.both("repro", "train")
    assert versions("--down", "raw.csv")[1] == [second]
    p.write(".cairn/config.toml", f'[tracking]\nuri = "http://127.0.0.1:9"\nexperiment = "{p.experiment}"\n')
    graph, found = versions("--down", "raw.csv")
    assert found == [] and "registry" in [one["what"] for one in graph["unknown"]], graph["unknown"]
    p.remove()


def earlier_runs():
    """Models of runs whose results no lock names any more: a sync sends what they stand on."""
    p = Project(server=SERVER, settings="register = true\nwait = 0")
    with open(os.path.join(p.folder, "dvc.yaml"), encoding="utf-8") as f:
        text = f.read()
    p.write("dvc.yaml", text.replace("  churn:", f"  {p.experiment}:"))
    with open(os.path.join(p.folder, "train.py"), encoding="utf-8") as f:
        train = f.read()
    for number in range(3):
        p.write("train.py", train.replace('"model of "', f'"model {number} of "'))
        p.both("repro")
    p.commit()
    p.run("push")
    p.both("track", "sync", status=1)
    assert [entry["state"] for entry in p.waiting()] == ["waiting-for-push"] * 2, p.waiting()
    p.both("track", "sync", "--push")
    assert p.waiting() == []
    assert len(CLIENT.search_model_versions(f"name='{p.experiment}'")) == 3
    p.remove()


def main():
    for body in (whole, server_run, registry, sources, values, own_values, plot_gone, source, data, record, code, down, silent, sent_later, registered_later, models, earlier_runs):
        step(body.__name__, body)
    print(f"{mixed.passed} of {mixed.total} steps of an audit")
    return mixed.passed != mixed.total


if __name__ == "__main__":
    sys.exit(main())
