"""A project whose runs are tracked, and questions to the server by MLflow's own client. Used by the scripts beside it."""
import collections
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "remotes"))
import mixed  # noqa: E402,F401
from mixed import Clone, environment, step  # noqa: E402,F401

CAIRN = os.environ["CAIRN_BIN"]
SERVER = os.environ["CAIRN_TEST_MLFLOW"].split()[0]
PYTHON = sys.executable

os.environ["MLFLOW_TRACKING_URI"] = SERVER
import mlflow  # noqa: E402

CLIENT = mlflow.MlflowClient(SERVER)

# A quick stand-in for a training: no client of MLflow's is loaded.
PLAIN = """
import json, sys
data = open("f.csv").read()
open("model.pkl", "w").write("model of " + data)
json.dump({"auc": 0.93, "deep": {"x": 1, "bad": float("nan")}, "name": "n"}, open("metrics.json", "w"))
open("roc.csv", "w").write("fpr,tpr\\n0,0.1\\n0.5,0.8\\n1,1\\n")
"""


class Project(Clone):
    """prepare → train, with a model; its experiment is its own."""

    def __init__(self, server=SERVER, train=PLAIN, remote=None, settings="", params="lr: 0.1\nlayers: [10, 20]\n"):
        self.top = os.path.realpath(tempfile.mkdtemp(prefix="cairn-tracking-"))
        env = environment(os.path.join(self.top, "home"))
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
            env.pop(name, None)
        env["PYTHONDONTWRITEBYTECODE"] = "1"
        # A test never waits longer than a user would for what is not his.
        super().__init__(os.path.join(self.top, "one"), CAIRN, env)
        os.makedirs(self.folder)
        self.experiment = os.path.basename(self.top)
        self.git("init", "-q")
        self.run("init", "-q")
        self.write("raw.csv", "a,b\n1,2\n")
        self.run("add", "-q", "raw.csv")
        self.write("prepare.py", 'open("f.csv", "w").write(open("raw.csv").read().upper())\n')
        self.write("train.py", train)
        self.write("params.yaml", params)
        self.write("dvc.yaml", f"""stages:
  prepare:
    cmd: {PYTHON} prepare.py
    deps: [raw.csv, prepare.py]
    outs: [f.csv]
  train:
    cmd: {PYTHON} train.py
    deps: [f.csv, train.py]
    params: [params.yaml: ]
    outs: [model.pkl]
    metrics: [{{metrics.json: {{cache: false}}}}]
    plots: [{{roc.csv: {{cache: false}}}}]
    meta: {{cairn: {{context: {{f.csv: validation}}}}}}
artifacts:
  churn:
    path: model.pkl
    type: model
""")
        self.remote = remote or os.path.join(self.top, "remote")
        self.run("remote", "add", "-q", "-d", "r", self.remote)
        self.write(".cairn/config.toml", f'[tracking]\nuri = "{server}"\nexperiment = "{self.experiment}"\n{settings}\n')
        self.commit()

    def remove(self):
        shutil.rmtree(self.top, ignore_errors=True)

    def start(self, *words):
        return subprocess.Popen([CAIRN, *words], cwd=self.folder, env=self.env, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def both(self, *words, status=0):
        """What a command prints, errors included."""
        result = subprocess.run([CAIRN, *words], cwd=self.folder, env=self.env, capture_output=True, text=True)
        assert result.returncode == status, f"cairn {' '.join(words)}: {result.returncode}\n{result.stdout}{result.stderr}"
        return result.stdout + result.stderr

    def records(self):
        """Run records by their names, as bytes."""
        found = {}
        store = os.path.join(self.folder, ".cairn/runs")
        for folder, _, files in os.walk(store):
            for file in files:
                if file.endswith(".json") and len(os.path.basename(folder)) == 2:
                    with open(os.path.join(folder, file), "rb") as f:
                        content = f.read()
                    if b'"schema":"cairn.run/v1"' in content:
                        found[os.path.basename(folder) + file.removesuffix(".json")] = content
        return found

    def waiting(self):
        result = subprocess.run([CAIRN, "track", "status", "--json"], cwd=self.folder, env=self.env, capture_output=True, text=True)
        return json.loads(result.stdout)["waiting"]

    def runs(self):
        """Runs on the server, the oldest first."""
        found = CLIENT.get_experiment_by_name(self.experiment)
        if found is None:
            return []
        return list(CLIENT.search_runs([found.experiment_id], order_by=["attributes.start_time ASC"], max_results=5000))

    def stage(self, name):
        """The newest run of a stage."""
        return [r for r in self.runs() if r.data.tags.get("cairn.stage") == name and "cairn.attempt" in r.data.tags][-1]

    def once(self):
        """Every execution is there once, whole: its record, and its end."""
        attempts = collections.Counter(r.data.tags["cairn.attempt"] for r in self.runs() if "cairn.attempt" in r.data.tags)
        assert set(attempts.values()) <= {1}, attempts
        sent = {r.data.tags["cairn.run"]: r for r in self.runs() if "cairn.run" in r.data.tags}
        for name, content in self.records().items():
            record = json.loads(content)
            if record["result"] in ("restored", "accepted"):
                continue
            assert name in sent, f"the record {name} ({record['stage']['address']}, {record['result']}) is not there"
            run = sent[name]
            status = {"succeeded": "FINISHED", "failed": "FAILED", "input-changed": "FAILED"}.get(record["result"], "KILLED")
            assert run.info.status == status, (run.info.status, record["result"])
            assert artifact(run, "cairn/record.json") == content
            parent = CLIENT.get_run(run.data.tags["mlflow.parentRunId"])
            assert parent.data.tags["cairn.invocation"] == record["invocation"]
        return sent


def artifact(run, path):
    with tempfile.TemporaryDirectory() as folder:
        with open(CLIENT.download_artifacts(run.info.run_id, path, folder), "rb") as f:
            return f.read()


def md5(path):
    with open(path, "rb") as f:
        return hashlib.md5(f.read()).hexdigest()
