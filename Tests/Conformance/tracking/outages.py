"""Tracking with a server that is down, slow, wrong or full, and with syncs that are killed: no stage fails or waits, and
what is left is sent exactly once.

A proxy stands before the server that CAIRN_TEST_MLFLOW names. The last line is "N of M steps …".
"""
import itertools
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from project import CAIRN, CLIENT, SERVER, Project, mixed, step  # noqa: E402
from faults import Proxy, wrap_in_tls  # noqa: E402

CREATE = "/api/2.0/mlflow/runs/create"


def proxy():
    return Proxy(SERVER.removeprefix("http://"))


def down():
    p = Project(server="http://127.0.0.1:9", settings="register = true")
    words = p.both("repro")
    assert "wait in the outbox: `cairn track sync` sends them" in words, words
    assert len(p.waiting()) >= 3, p.waiting()
    p.both("track", "sync", status=1)
    # The server has moved.
    p.run("push")
    p.both("track", "sync", "--uri", SERVER)
    p.once()
    assert p.waiting() == []
    p.remove()


def silent():
    """A server that takes requests and answers none: a command waits for it once, a moment."""
    front = proxy()
    front.fault = lambda method, path: "stall"
    p = Project(server=front.url)
    began = time.monotonic()
    process = p.start("repro")
    lock = os.path.join(p.folder, "dvc.lock")
    while process.poll() is None and not (os.path.exists(lock) and "train" in open(lock, encoding="utf-8").read()):
        time.sleep(0.05)
    seconds = time.monotonic() - began
    assert seconds < 6, f"the stages took {seconds:.1f} s"
    process.wait()
    assert process.returncode == 0, process.stdout.read()
    front.fault = lambda method, path: None
    p.both("track", "sync")
    p.once()
    p.remove()


def slow():
    """A server that takes a quarter of a second for each answer: commands wait for it two seconds in all, and no longer."""
    front = proxy()
    front.fault = lambda method, path: time.sleep(0.25)
    p = Project(server=front.url, settings="wait = 0")
    p.write("dvc.yaml", "stages:\n" + "".join(
        f"  s{n}:\n    cmd: printenv MLFLOW_RUN_ID > o{n} || echo none > o{n}\n    outs: [o{n}]\n"
        + (f"    deps: [o{n - 1}]\n" if n else "") for n in range(20)))
    p.run("repro")
    told = [open(os.path.join(p.folder, f"o{n}"), encoding="utf-8").read().strip() for n in range(20)]
    joined = [run for run in told if run != "none"]
    # The first one waits for the experiment, too: for more than a second on a slow machine, and then nobody waits.
    assert len(joined) <= 8 and told[len(joined):] == ["none"] * (20 - len(joined)), told
    front.fault = lambda method, path: None
    p.both("track", "sync")
    sent = p.once()
    assert {run.info.run_id for run in sent.values()} >= set(joined)
    p.remove()


def wrong(kind):
    def body():
        front = proxy()
        front.fault = lambda method, path: kind
        p = Project(server=front.url, settings="register = true")
        p.both("repro")
        assert p.waiting(), "nothing waits"
        # In the middle of it, too: some of the requests go wrong.
        chance = random.Random(7)
        front.fault = lambda method, path: kind if chance.random() < 0.3 else None
        for _ in range(12):
            subprocess.run([CAIRN, "track", "sync"], cwd=p.folder, env=p.env, capture_output=True)
        front.fault = lambda method, path: None
        subprocess.run([CAIRN, "push"], cwd=p.folder, env=p.env, capture_output=True)
        p.both("track", "sync")
        assert p.waiting() == []
        p.once()
        p.remove()
    step(f"a server that answers {kind}", body)


def in_doubt():
    """Runs are made, and the answer is lost."""
    front = proxy()
    losses = itertools.cycle([True, True, False])
    front.fault = lambda method, path: "lost" if path == CREATE and next(losses) else None
    p = Project(server=front.url)
    p.both("repro")
    front.fault = lambda method, path: None
    subprocess.run([CAIRN, "track", "sync"], cwd=p.folder, env=p.env, capture_output=True)
    assert front.broken, "nothing was lost"
    p.once()
    assert len([r for r in p.runs() if r.info.run_name == "repro"]) == 1
    p.remove()


def one_call():
    """One kind of call goes wrong, the others do not: what it should have brought still waits."""
    for part, kind in (("runs/log-batch", "413"), ("mlflow-artifacts", "page"), ("runs/update", "500")):
        front = proxy()
        front.fault = lambda method, path: kind if part in path else None
        p = Project(server=front.url)
        p.both("repro")
        assert p.waiting(), f"{kind} at {part}, and nothing waits"
        front.fault = lambda method, path: None
        p.both("track", "sync")
        assert p.waiting() == []
        p.once()
        train = p.stage("train")
        assert train.data.params["lr"] == "0.1" and "cairn.refused" not in train.data.tags, train.data
        p.remove()


def refuses_one():
    """What the server does not take is told, and holds back nothing else."""
    front = proxy()
    p = Project(server=front.url, params="lr: 0.1\nlong: " + "y" * 5000 + "\n" + "".join(f"p{n}: {n}\n" for n in range(250)))
    front.large = 3000
    words = p.both("repro")
    assert "does not take param 'long'" in words, words
    train = p.stage("train")
    assert train.data.params["p249"] == "249" and "long" not in train.data.params
    p.once()
    p.remove()


def two_at_once():
    p = Project(server="http://127.0.0.1:9")
    p.both("repro")
    for number in range(3):
        p.write("params.yaml", f"lr: 0.{number + 2}\n")
        p.both("repro")
    processes = [p.start("track", "sync", "--uri", SERVER) for _ in range(3)]
    for process in processes:
        process.wait()
    p.both("track", "sync", "--uri", SERVER)
    assert p.waiting() == []
    p.once()
    assert len([r for r in p.runs() if r.info.run_name == "repro"]) == 4
    p.remove()


def killed():
    p = Project(server="http://127.0.0.1:9")
    for number in range(4):
        p.write("params.yaml", f"lr: 0.{number + 1}\n")
        p.both("repro")
    chance = random.Random(1)
    for _ in range(12):
        process = p.start("track", "sync", "--uri", SERVER)
        time.sleep(chance.uniform(0.02, 0.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
    p.both("track", "sync", "--uri", SERVER)
    assert p.waiting() == []
    p.once()
    assert len([r for r in p.runs() if r.info.run_name == "repro"]) == 4
    p.remove()


def killed_repro():
    """Cairn is killed while stages run and are sent."""
    chance = random.Random(3)
    p = Project()
    for number in range(8):
        p.write("params.yaml", f"lr: 0.{number + 1}\n")
        process = p.start("repro")
        time.sleep(chance.uniform(0.1, 1.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
    p.both("repro")
    p.both("track", "sync")
    assert p.waiting() == []
    p.once()
    assert all(r.info.status != "RUNNING" for r in p.runs()), [(r.info.run_name, r.info.status) for r in p.runs()]
    p.remove()


def killed_once():
    """What a killed repro has left is told by a sync alone."""
    p = Project()
    p.write("dvc.yaml", "stages:\n  long:\n    cmd: sleep 30\n    deps: [raw.csv]\n    outs: [out]\n")
    process = p.start("repro")
    for _ in range(100):
        if any(r.info.run_name == "long" for r in p.runs()):
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    result = subprocess.run([CAIRN, "track", "status"], cwd=p.folder, env=p.env, capture_output=True, text=True)
    assert result.returncode == 1 and "a repro that died" in result.stdout, result.stdout
    p.both("track", "sync")
    assert p.waiting() == []
    p.once()
    assert sorted((r.info.run_name, r.info.status) for r in p.runs()) == [("long", "KILLED"), ("repro", "KILLED")]
    p.remove()


def deleted():
    """A run, or the experiment, that somebody deletes on the server."""
    p = Project()
    p.both("repro")
    experiment = p.stage("train").info.experiment_id
    CLIENT.delete_experiment(experiment)
    p.write("params.yaml", "lr: 0.5\n")
    words = p.both("repro")
    assert "is deleted on the server" in words, words
    CLIENT.restore_experiment(experiment)
    p.both("track", "sync")
    assert p.waiting() == []
    sent = [r for r in p.runs() if r.data.tags.get("cairn.stage") == "train" and r.data.params.get("lr") == "0.5"]
    assert len(sent) == 1
    p.remove()


def unauthorized():
    front = proxy()
    front.fault = lambda method, path: "401"
    p = Project(server=front.url)
    words = p.both("repro")
    assert "401" in words and "outbox" in words, words
    front.fault = lambda method, path: None
    p.both("track", "sync")
    p.once()
    p.remove()


def credentials():
    """Basic, bearer: what the server wants is sent, and a wrong one is said."""
    for wanted, env in [
        ("Basic YW5uOnNlY3JldA==", {"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "secret"}),
        ("Bearer a-token", {"MLFLOW_TRACKING_TOKEN": "a-token"}),
    ]:
        front = proxy()
        front.wanted = wanted
        p = Project(server=front.url)
        words = p.both("repro")
        assert "401" in words and "secret" not in words and "a-token" not in words, words
        p.env.update(env)
        p.both("track", "sync")
        p.once()
        p.remove()


def tls():
    """A server whose certificate an authority of our own signed."""
    front = proxy()
    certificate = wrap_in_tls(front)
    p = Project(server=front.url)
    words = p.both("repro")
    assert "certificate" in words and "outbox" in words, words
    assert p.runs() == []
    p.env["MLFLOW_TRACKING_SERVER_CERT_PATH"] = certificate
    p.both("track", "sync")
    p.once()
    p.remove()


def sagemaker():
    """A tracking server by its ARN: requests are signed, and go to the endpoint that is set."""
    front = proxy()
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-app/app-ABCDEF123456"
    p = Project(server=arn)
    p.env.update(SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT=front.url, AWS_ACCESS_KEY_ID="AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY="aws-secret")
    p.both("repro")
    p.once()
    for headers in front.seen:
        assert headers["x-sm-mlflow-app-arn"] == arn, headers
        assert "/eu-west-1/sagemaker/aws4_request" in headers["Authorization"], headers
        assert "x-amz-content-sha256" in headers["Authorization"] and len(headers["x-amz-content-sha256"]) == 64, headers
    for folder, _, files in os.walk(os.path.join(p.folder, ".cairn")):
        for file in files:
            with open(os.path.join(folder, file), "rb") as f:
                assert b"aws-secret" not in f.read(), file
    p.remove()


def main():
    step("a server that is down", down)
    step("a server that does not answer", silent)
    step("a server that takes its time", slow)
    for kind in ("500", "503", "html", "truncate", "reset", "page"):
        wrong(kind)
    for body in (in_doubt, refuses_one, one_call, two_at_once, killed, killed_repro, killed_once, deleted, unauthorized, credentials, tls, sagemaker):
        step(body.__name__, body)
    print(f"{mixed.passed} of {mixed.total} steps with a tracking server that fails")
    return mixed.passed != mixed.total


if __name__ == "__main__":
    sys.exit(main())
