"""Plays the notebook of examples/dataset-lineage before a real MLflow and a real S3, and follows what it left there.

CAIRN_TEST_MLFLOW and CAIRN_TEST_S3 name the servers. What the notebook asserts is its own; here each model version is
followed to its bytes by MLflow's client and curl, without Cairn. CAIRN_UPDATE_GOLDEN=1 puts the outputs of this run into
the notebook. The last line is "N of M steps of the notebook".
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import nbclient
import nbformat
from jupyter_client import AsyncKernelManager

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
NOTEBOOK = os.path.join(TOP, "examples", "dataset-lineage", "lineage.ipynb")
SERVER = os.environ["CAIRN_TEST_MLFLOW"].split()[0]
ENDPOINT, BUCKET, KEY, SECRET = os.environ["CAIRN_TEST_S3"].split()[:4]
MODEL = "diagnosis-" + time.strftime("%Y%m%d-%H%M%S", time.gmtime())
LARGEST = 200_000
PLACES = re.compile(r"(?<![\w.-])(?<!:/)/(?:bin|builds|data|etc|home|mnt|opt|private|root|srv|tmp|usr|Users|var|work)/[\w.-]+")
SECRETS = re.compile(r"(?i)\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|secret[\w ]*[=:]\s*\S|password[\w ]*[=:]\s*\S|://[^/\s:@]+:[^/\s@]+@|BEGIN [A-Z ]*PRIVATE KEY")

passed = total = 0


def step(what, wrong):
    """Counts a step; `wrong` says what went wrong, and is empty where nothing did."""
    global passed, total
    total += 1
    passed += not wrong
    print(f"{'FAILED ' if wrong else 'ok     '} {what}", flush=True)
    for line in str(wrong or "").splitlines():
        print(f"        {line}", flush=True)


def environment(folder):
    """What the notebook asks for, and nothing of this user's."""
    kept = {key: value for key, value in os.environ.items()
            if not key.startswith(("GIT_", "CAIRN_", "DVC_", "AWS_", "MLFLOW_", "S3_"))}
    home = os.path.join(folder, "home")
    os.mkdir(home)
    return {**kept, "CAIRN": os.environ["CAIRN_BIN"], "MLFLOW_TRACKING_URI": SERVER, "MODEL": MODEL, "S3_BUCKET": BUCKET,
            "AWS_ENDPOINT_URL": ENDPOINT, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1", "HOME": home, "TMPDIR": folder, "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "TZ": "UTC"}


def execute(folder):
    """(the notebook with what this run printed, what went wrong)"""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    # Sockets in a folder of its own: no port of the machine's is taken, and nobody else can talk to the kernel.
    kernel = AsyncKernelManager(transport="ipc", ip=os.path.join(folder, "kernel"))
    client = nbclient.NotebookClient(notebook, km=kernel, timeout=300, record_timing=False)
    try:
        client.execute(env=environment(folder), cwd=folder)
    except nbclient.exceptions.CellExecutionError as error:
        return notebook, str(error)
    return notebook, ""


def printed(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def words(output):
    """All text of an output, as one reads it: an escape would hide where a path begins."""
    if isinstance(output, dict):
        return "\n".join(words(value) for value in output.values())
    return "\n".join(map(words, output)) if isinstance(output, list) else str(output)


def faults(notebook):
    """What must not stand in outputs that are committed."""
    wrong = []
    for number, cell in enumerate(printed(notebook), 1):
        if cell.execution_count != number:
            wrong.append(f"cell {number} was executed as {cell.execution_count}")
        for output in cell.outputs:
            text = words(output)
            if output.output_type == "error" or output.get("name") == "stderr":
                wrong.append(f"cell {number} has an error: {text[:500]}")
            wrong += [f"cell {number} prints {found.group(0)}" for found in PLACES.finditer(text)]
            wrong += [f"cell {number} prints a secret" for _ in SECRETS.finditer(text)]
            if SECRET in text or KEY in text:
                wrong.append(f"cell {number} prints the keys of S3")
    size = len(nbformat.writes(notebook).encode())
    if size >= LARGEST:
        wrong.append(f"{size} bytes are more than {LARGEST}")
    return "\n".join(wrong)


def stored(uri):
    """The bytes of an object, by a plain S3 client."""
    return subprocess.run(
        ["curl", "-sf", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{KEY}:{SECRET}", "-H",
         "x-amz-content-sha256: UNSIGNED-PAYLOAD", ENDPOINT + uri.removeprefix("s3:/")], capture_output=True, check=True).stdout


def links(name, count):
    """From each version in the registry to its run, its data and their bytes; what does not fit."""
    import mlflow
    client = mlflow.MlflowClient(SERVER)
    versions = client.search_model_versions(f"name = '{name}'")
    wrong = [] if len(versions) == count else [f"{len(versions)} versions instead of {count}"]
    for version in versions:
        tags = client.get_model_version(name, version.version).tags
        what = f"version {version.version}: "
        if not version.source.startswith("s3://") or hashlib.md5(stored(version.source)).hexdigest() != tags["cairn.md5"]:
            wrong.append(what + f"its source {version.source} has other bytes")
        run = client.get_run(version.run_id)
        if run.data.tags["cairn.run"] != tags["cairn.run"] or run.data.tags["cairn.commit"] != tags["cairn.commit"]:
            wrong.append(what + "its run is another one")
        prefix = version.source.partition("/files/md5/")[0]
        data = {key: value for key, value in tags.items() if key.startswith("cairn.data.data/")}
        if not data:
            wrong.append(what + "no data behind it")
        for key, md5 in data.items():
            if hashlib.md5(stored(f"{prefix}/files/md5/{md5[:2]}/{md5[2:]}")).hexdigest() != md5:
                wrong.append(what + f"{key}: other bytes on S3")
            if not client.search_runs([run.info.experiment_id], f"dataset.digest = '{md5}'"):
                wrong.append(what + f"{key}: no run has read it")
    return "\n".join(wrong)


def main():
    folder = os.path.realpath(tempfile.mkdtemp(prefix="cairn-notebook-"))
    try:
        notebook, wrong = execute(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    step(f"runs to its end, and what it asserts holds: {sum('assert' in cell.source for cell in printed(notebook))} cells", wrong)
    step("prints no path of this machine, no secret, and little", faults(notebook))
    if os.environ.get("CAIRN_UPDATE_GOLDEN") == "1" and not wrong:
        nbformat.write(notebook, NOTEBOOK)
    step("the committed one was executed in order, and prints no path, no secret, and little",
         faults(nbformat.read(NOTEBOOK, as_version=4)))
    if not wrong:
        step("diagnosis: from each version to run, data and bytes by MLflow's client and curl", links(MODEL, 3))
        step("screening: the same", links(MODEL + "-screening", 1))
    print(f"{passed} of {total} steps of the notebook")
    return passed != total


if __name__ == "__main__":
    sys.exit(main())
