"""What MLflow's own client finds on a real server of what Cairn ran: names, values, links, and the stage's own code.

Before the server that CAIRN_TEST_MLFLOW names ("URI PYTHON"), played with that Python. The last line is "N of M steps …".
"""
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from project import CLIENT, PLAIN, PYTHON, SERVER, Project, artifact, md5, mixed, step  # noqa: E402

MANUAL = PLAIN + """
import mlflow
with mlflow.start_run(run_name="mine"):
    mlflow.log_param("alpha", 3)
    mlflow.log_metric("loss", 0.5, step=1)
    with mlflow.start_run(nested=True, run_name="inner"):
        mlflow.log_metric("inner", 1)
with mlflow.start_run(run_name="second"):
    mlflow.log_metric("second", 2)
"""

AUTOLOG = PLAIN + """
import mlflow, sklearn.linear_model
mlflow.sklearn.autolog(log_models=False)
sklearn.linear_model.LogisticRegression(C=0.5).fit([[0], [1], [2], [3]], [0, 0, 1, 1])
"""


def project(**arguments):
    p = Project(**arguments)
    p.both("repro")
    return p


def mapping():
    p = project()
    p.once()
    train = p.stage("train")
    parent = CLIENT.get_run(train.data.tags["mlflow.parentRunId"])
    assert (parent.info.run_name, parent.info.status) == ("repro", "FINISHED"), parent.info
    record = json.loads(artifact(train, "cairn/record.json"))
    tags = train.data.tags
    head = p.git("rev-parse", "HEAD").strip()
    wanted = {
        "cairn.stage": "train", "cairn.invocation": record["invocation"], "cairn.result": "succeeded",
        "cairn.reasons": "never-run", "cairn.commit": head, "cairn.dirty": "false", "mlflow.source.git.commit": head,
        "mlflow.source.name": "dvc.yaml", "mlflow.source.type": "JOB", "mlflow.user": record["actor"]["name"]}
    assert {k: tags.get(k) for k in wanted} == wanted, tags
    assert (train.info.run_name, train.data.params) == ("train", {"lr": "0.1", "layers.0": "10", "layers.1": "20"}), train.data
    assert train.data.metrics["auc"] == 0.93 and train.data.metrics["deep.x"] == 1 and "name" not in train.data.metrics
    history = [(m.step, m.value) for m in CLIENT.get_metric_history(train.info.run_id, "tpr")]
    assert sorted(history) == [(0, 0.1), (1, 0.8), (2, 1.0)], history
    assert train.info.end_time - train.info.start_time < 60_000
    p.run("push")
    sources = {}
    for d in train.inputs.dataset_inputs:
        sources[d.dataset.name] = (d.dataset, {t.key: t.value for t in d.tags})
    assert set(sources) == {"f.csv", "train.py"}, sources
    dataset, more = sources["f.csv"]
    uri = json.loads(dataset.source)["uri"]
    assert dataset.source_type == "local" and md5(uri) == dataset.digest, dataset
    assert more["mlflow.data.context"] == "validation" and len(more["cairn.producer"]) == 64, more
    assert sources["train.py"][1]["mlflow.data.context"] == "training"
    assert md5(json.loads(sources["train.py"][0].source)["uri"]) == sources["train.py"][0].digest
    found = CLIENT.search_runs([train.info.experiment_id], f"dataset.digest = '{dataset.digest}'")
    assert [r.info.run_id for r in found] == [train.info.run_id]
    p.remove()


def joins():
    p = project(train=MANUAL)
    p.once()
    train = p.stage("train")
    assert train.info.run_name == "train" and train.data.params["alpha"] == "3" and train.data.metrics["loss"] == 0.5
    children = {r.info.run_name: r for r in p.runs() if r.data.tags.get("mlflow.parentRunId") == train.info.run_id}
    assert set(children) == {"inner", "second"}, children
    p.remove()
    p = project(train=AUTOLOG)
    p.once()
    train = p.stage("train")
    assert train.data.params["C"] == "0.5" and train.data.params["lr"] == "0.1", train.data.params
    assert any(m.startswith("training_") for m in train.data.metrics), train.data.metrics
    assert train.info.run_name == "train" and train.info.status == "FINISHED"
    p.remove()


def joins_late():
    """The command is told no run: what it logs comes below the stage's."""
    p = project(train=MANUAL, settings="join = false")
    p.once()
    train = p.stage("train")
    below = {r.info.run_name for r in p.runs() if r.data.tags.get("mlflow.parentRunId") == train.info.run_id}
    assert below == {"mine", "second"}, below
    p.remove()


def ends():
    for code, result in [("sys.exit(3)", "failed"), ("os.kill(os.getpid(), 9)", "failed"), ("raise ValueError", "failed")]:
        p = Project(train="import os, sys, mlflow\nmlflow.start_run()\nmlflow.log_param('seen', 1)\n" + code)
        p.both("repro", status=255)
        p.once()
        train = p.stage("train")
        assert train.info.status == "FAILED" and train.data.params["seen"] == "1", train
        assert train.data.tags["cairn.result"] == result and train.data.tags["cairn.error"]
        assert CLIENT.get_run(train.data.tags["mlflow.parentRunId"]).info.status == "FAILED"
        p.remove()


def interrupted():
    p = Project(train="import time\nopen('begun', 'w').close()\ntime.sleep(60)\n")
    process = p.start("repro")
    while not os.path.exists(os.path.join(p.folder, "begun")):
        time.sleep(0.05)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    process.wait()
    p.once()
    assert p.stage("train").info.status == "KILLED"
    p.remove()


def killed():
    """Cairn itself is killed while a stage runs: the next command says that the run was lost."""
    p = Project(train="import time\nopen('begun', 'w').close()\ntime.sleep(60)\n")
    process = p.start("repro")
    while not os.path.exists(os.path.join(p.folder, "begun")):
        time.sleep(0.05)
    time.sleep(0.5)
    process.kill()
    process.wait()
    p.write("train.py", PLAIN)
    p.both("repro")
    p.both("track", "sync")
    assert p.waiting() == []
    sent = p.once()
    assert sorted(r.info.status for r in sent.values() if r.data.tags["cairn.stage"] == "train") == ["FINISHED", "KILLED"]
    assert all(r.info.status != "RUNNING" for r in p.runs()), [(r.info.run_name, r.info.status) for r in p.runs()]
    p.remove()


def restored():
    p = project(settings="register = true")
    p.run("push")
    p.both("track", "sync")
    first = p.stage("train").data.tags["cairn.run"]
    p.write("params.yaml", "lr: 0.2\nlayers: [10, 20]\n")
    p.both("repro")
    p.write("params.yaml", "lr: 0.1\nlayers: [10, 20]\n")
    p.both("repro")
    p.once()
    parent = [r for r in p.runs() if r.info.run_name == "repro"][-1]
    assert parent.data.tags["cairn.restored.train"] == first, parent.data.tags
    assert parent.data.tags["cairn.model.churn"], parent.data.tags
    assert len([r for r in p.runs() if r.data.tags.get("cairn.stage") == "train"]) == 2
    p.remove()


def odd_values():
    p = project(params="'a[0]@x': 1\nlong: " + "x" * 7000 + """
empty: ''
list: []
nested: {a: {b: [1, {c: 2}]}}
'é ü': 1
""" + "k" * 300 + """: 2
'a//b': 3
a_0__x: 4
big: 123456789012345678901234567890
""")
    p.once()
    params = p.stage("train").data.params
    assert params["long"] == "x" * 5999 + "…" and params["empty"] == "" and params["list"] == "[]", params
    assert params["nested.a.b.0"] == "1" and params["nested.a.b.1.c"] == "2" and params["é ü"] == "1"
    assert params["big"] == "123456789012345678901234567890"
    assert sorted(v for k, v in params.items() if k.startswith("a_0__x")) == ["1", "4"], params
    assert params["a__b"] == "3" and [k for k in params if k.startswith("kkk") and len(k) == 250]
    notes = p.stage("train").data.tags["cairn.notes"]
    assert "'long' is cut" in notes and "'a[0]@x' is called" in notes, notes
    p.remove()


def conflict():
    """The command logs a parameter of ours with another value: told, and all else arrives."""
    p = Project(train=PLAIN + "import mlflow\nmlflow.log_param('lr', 'other')\n")
    words = p.both("repro")
    train = p.stage("train")
    assert "does not take param 'lr'" in words, words
    assert train.data.params["lr"] == "other" and train.data.params["layers.0"] == "10" and "lr" in train.data.tags["cairn.refused"]
    p.once()
    p.remove()


def privacy():
    p = project(settings='user = "hash"\nlog = true\nupload = true', train=PLAIN + "print('a line of the log')\n")
    train = p.stage("train")
    record = json.loads(artifact(train, "cairn/record.json"))
    assert train.data.tags["mlflow.user"] != record["actor"]["name"] and len(train.data.tags["mlflow.user"]) == 16
    assert artifact(train, "cairn/log.txt") == b"a line of the log\n"
    assert artifact(train, "model.pkl") == b"model of A,B\n1,2\n"
    p.remove()
    p = project(settings='user = "none"', train=PLAIN + "print('a line of the log')\n")
    assert "mlflow.user" not in p.stage("train").data.tags
    assert [a.path for a in CLIENT.list_artifacts(p.stage("train").info.run_id, "cairn")] == ["cairn/record.json"]
    p.remove()


def models():
    s3 = os.environ.get("CAIRN_TEST_S3")
    p = Project(settings="register = true", remote=s3 and f"s3://{s3.split()[1]}/tracking/{os.getpid()}-{time.time_ns()}")
    name = p.experiment
    with open(os.path.join(p.folder, "dvc.yaml"), encoding="utf-8") as f:
        text = f.read()
    p.write("dvc.yaml", text.replace("  churn:", f"  {name}:"))
    p.commit()
    assert "a model waits for push: 3 objects" in p.both("repro")
    assert "waiting for push: 3 objects" in p.both("track", "status", status=1)
    assert CLIENT.search_model_versions(f"name='{name}'") == []
    p.run("push")
    p.both("track", "sync")
    versions = CLIENT.search_model_versions(f"name='{name}'")
    assert len(versions) == 1, versions
    version, train = CLIENT.get_model_version(name, "1"), p.stage("train")
    tags = version.tags
    assert version.run_id == train.info.run_id and tags["cairn.run"] == train.data.tags["cairn.run"]
    assert tags["cairn.path"] == "model.pkl" and tags["cairn.md5"] == md5(os.path.join(p.folder, "model.pkl"))
    assert tags["cairn.data.raw.csv"] == md5(os.path.join(p.folder, "raw.csv")), tags
    assert tags["cairn.commit"] == p.git("rev-parse", "HEAD").strip()
    if s3:
        assert version.source == tags["cairn.uri"] and version.source.startswith("s3://"), version.source
        endpoint, _, key, secret = s3.split()[:4]
        path = version.source.removeprefix("s3:/")
        content = subprocess.run(
            ["curl", "-sf", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{key}:{secret}", "-H",
             "x-amz-content-sha256: UNSIGNED-PAYLOAD", endpoint + path], capture_output=True, check=True).stdout
        assert content == b"model of A,B\n1,2\n"
    # The same again makes no second one.
    p.both("repro", "-f", "train")
    p.run("push")
    p.both("track", "sync")
    p.both("track", "sync")
    assert len(CLIENT.search_model_versions(f"name='{name}'")) == 2, "another record makes another version"
    p.write(".cairn/config.toml", f'[tracking]\nuri = "{SERVER}"\nexperiment = "{name}"\nregister = true\npush = true\n')
    p.write("raw.csv", "a,b\n3,4\n")
    p.run("add", "-q", "raw.csv")
    p.both("repro")
    assert len(CLIENT.search_model_versions(f"name='{name}'")) == 3
    p.remove()


def secrets():
    """A user in the address is sent to the server, and written nowhere."""
    p = Project(server=SERVER.replace("http://", "http://bob:pa%20ss@"))
    p.both("repro")
    p.once()
    for folder, _, files in os.walk(os.path.join(p.folder, ".cairn")):
        for file in files:
            with open(os.path.join(folder, file), "rb") as f:
                content = f.read()
            assert file == "config.toml" or (b"pa%20ss" not in content and b"bob:" not in content), os.path.join(folder, file)
    p.remove()


def main():
    for body in (mapping, joins, joins_late, ends, interrupted, killed, restored, odd_values, conflict, privacy, models, secrets):
        step(body.__name__, body)
    print(f"{mixed.passed} of {mixed.total} steps with MLflow's own client")
    return mixed.passed != mixed.total


if __name__ == "__main__":
    sys.exit(main())
