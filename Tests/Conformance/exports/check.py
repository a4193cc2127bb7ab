#!/usr/bin/env python3
"""Gives the exports of runs to those who read them: do they take them, and find in them what Cairn meant?

    check.py       the packages of requirements.txt are at hand; the last line is "N of M exports read"

The golden files of the unit tests, and what the program in CAIRN_BIN makes of a small repository with hard names. Broken
exports are tried first: a validator that takes those proves nothing. What no validator looks at (that every id is
defined once) is the unit tests' business, and is asked here once more of the whole program. Then a collector is told of
runs as they happen (live.py).
"""
import copy
import glob
import json
import os
import subprocess
import sys
import tempfile

import live
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
GOLDEN = os.path.join(TOP, "Tests", "Fixtures", "Exports")
CAIRN = os.environ["CAIRN_BIN"]
EVENT = "https://openlineage.io/spec/2-0-2/OpenLineage.json"
SCHEMAS = {}
for name in glob.glob(os.path.join(GOLDEN, "openlineage", "*.json")):
    with open(name, encoding="utf-8") as f:
        schema = json.load(f)
    SCHEMAS[schema["$id"]] = schema
REGISTRY = Registry().with_resources([(key, Resource.from_contents(schema)) for key, schema in SCHEMAS.items()])

passed = total = 0


def step(what, wrong):
    """Counts a step; `wrong` says what went wrong, and is empty where nothing did."""
    global passed, total
    total += 1
    passed += not wrong
    print(f"{'FAILED ' if wrong else 'ok     '} {what}", flush=True)
    for line in str(wrong or "").splitlines():
        print(f"        {line}", flush=True)


def faults(schema, value):
    validator = Draft202012Validator(SCHEMAS[schema], registry=REGISTRY, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]


def event_faults(event):
    """The event, and each facet against its own schema: the event's looks at no facet's contents."""
    found = faults(EVENT, event)
    for owner in [event["run"], event["job"], *event["inputs"], *event["outputs"]]:
        for group in ("facets", "inputFacets", "outputFacets"):
            for key, facet in owner.get(group, {}).items():
                schema = facet["_schemaURL"].split("#")[0]
                found += faults(schema, {key: facet}) if schema in SCHEMAS else [f"{key}: no schema {schema}"]
                # Under a wrong key a facet is valid and means nothing.
                properties = SCHEMAS.get(schema, {}).get("properties", {})
                if key not in properties:
                    found.append(f"{key}: its schema calls it {list(properties)}")
    return found


def open_lineage(text):
    found = []
    events = [json.loads(line) for line in text.splitlines()]
    ends, starts = {}, set()
    for number, event in enumerate(events, 1):
        found += [f"line {number}: {fault}" for fault in event_faults(event)]
        run = event["run"]["runId"]
        if event["eventType"] == "START":
            if run in starts:
                found.append(f"line {number}: a second START")
            starts.add(run)
            parent = event["run"]["facets"].get("parent")
            if parent and parent["run"]["runId"] not in starts:
                found.append(f"line {number}: before its parent")
        elif run in ends or run not in starts:
            found.append(f"line {number}: an end without a start, or a second one")
        else:
            ends[run] = event["eventType"]
    if set(ends) != starts:
        found.append("a start without an end")
    return "\n".join(found)


def bill(text):
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return f"{fault}"[:600] if fault else ""


def references(value, defined, used):
    if isinstance(value, list):
        for item in value:
            references(item, defined, used)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "bom-ref":
                defined.append(item)
            elif key == "ref":
                used.append(item)
            elif key in ("dependsOn", "dependencies") and all(isinstance(one, str) for one in item):
                used += item
            else:
                references(item, defined, used)


def whole(text):
    defined, used = [], []
    references(json.loads(text), defined, used)
    twice = {one for one in defined if defined.count(one) > 1}
    return "\n".join([f"defined twice: {one}" for one in twice] + [f"not defined: {one}" for one in set(used) - set(defined)])


def broken():
    """What must be refused."""
    with open(os.path.join(GOLDEN, "openlineage.jsonl"), encoding="utf-8") as f:
        events = [json.loads(line) for line in f]
    event = next(one for one in events if one["eventType"] == "COMPLETE" and one["outputs"])
    for what, change in {
        "a time without a zone": lambda e: e.update(eventTime="2026-06-01T10:00:00"),
        "a producer that is no URI": lambda e: e.update(producer="cairn"),
        "a run that is named by a ULID": lambda e: e["run"].update(runId="01JQ0000000000000000000000"),
        "a version under another key": lambda e: e["outputs"][0]["facets"].update(
            datasetVersion=e["outputs"][0]["facets"].pop("version")),
        "a message without a language": lambda e: e["run"]["facets"].update(errorMessage={
            "_producer": e["producer"], "message": "x",
            "_schemaURL": "https://openlineage.io/spec/facets/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet"}),
    }.items():
        changed = copy.deepcopy(event)
        change(changed)
        step(f"refused: {what}", "" if event_faults(changed) else "taken")
    with open(os.path.join(GOLDEN, "model.cdx.json"), encoding="utf-8") as f:
        document = json.load(f)
    for what, change in {
        "a metric that is a number": lambda d: d["metadata"]["component"]["modelCard"]["quantitativeAnalysis"][
            "performanceMetrics"][0].update(value=0.93),
        "the hash of a folder": lambda d: d["components"][0]["hashes"][0].update(content="0" * 32 + ".dir"),
        "an unknown key": lambda d: d["metadata"].update(cairn="x"),
    }.items():
        changed = copy.deepcopy(document)
        change(changed)
        step(f"refused: {what}", "" if bill(json.dumps(changed)) else "taken")


class Project:
    """A repository with names and stories that are hard to export."""

    program = CAIRN

    def __init__(self, folder):
        self.folder = folder
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "CAIRN_", "DVC_", "OPENLINEAGE_"))}
        self.environment.update(GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null", HOME=folder, LC_ALL="C.UTF-8")
        for role in ("AUTHOR", "COMMITTER"):
            self.environment[f"GIT_{role}_NAME"], self.environment[f"GIT_{role}_EMAIL"] = "Ann", "ann@example.org"
        self.run("git", "init", "-q")
        self.run("git", "remote", "add", "origin", "git@git.example.org:team/döner kebab.git")
        self.cairn("init", "-q")
        self.cairn("remote", "add", "-q", "-d", "store", "s3://bucket/some/place")
        self.write("raw data.csv", "x,y\n1,2\n" * 20)
        self.write("numbers.csv", "x,y\n1,2\n" * 20)
        self.write("params.yaml", "lr: 0.1\nlayers: [64, 'relü']\nbig: 9007199254740993\nnothing: null\nlimit: .inf\n")
        with open(os.path.join(os.fsencode(folder), b"odd-\xff.txt"), "wb") as file:
            file.write(b"odd\n")
        self.write("dvc.yaml", """
stages:
  prepare:
    cmd: mkdir parts && cp 'raw data.csv' parts/a && cp numbers.csv parts/b && cat odd-* > /dev/null
    deps: [raw data.csv, numbers.csv]
    outs: [parts]
  train:
    foreach: [a, b]
    do:
      cmd: cat parts/${item} > 'model ${item}'
      deps: [parts]
      params: [lr, layers, big, nothing, limit]
      outs: ['model ${item}': {type: model}]
  evaluate:
    cmd: 'test -s "model a" && echo "{\\"auc\\": 0.9, \\"by class\\": [1, 2], \\"note\\": \\"ö\\"}" > metrics.json'
    deps: [model a]
    metrics: [metrics.json: {cache: false}]
  fails:
    cmd: exit 3
    deps: [metrics.json]
    outs: [never]
""")
        self.cairn("add", "-q", "raw data.csv")
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "-m", "work")
        self.cairn("repro", "-q", "-k", status=255)
        os.remove(os.path.join(folder, "model a"))
        self.cairn("repro", "-q", "train@a")

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, *words, status=0):
        """What it prints; `status`: the exit code, or None for any."""
        done = subprocess.run(words, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True)
        if status is not None and done.returncode != status:
            sys.exit(f"ERROR: {words}: {done.returncode}\n{done.stdout.decode(errors='replace')}{done.stderr.decode(errors='replace')}")
        return done.stdout.decode()

    def cairn(self, *words, status=0):
        return self.run(CAIRN, *words, status=status)


def main():
    broken()
    for name in ["openlineage.jsonl", "model.cdx.json"]:
        with open(os.path.join(GOLDEN, name), encoding="utf-8") as f:
            text = f.read()
        step(f"golden: {name}", open_lineage(text) if name.endswith("jsonl") else bill(text) + whole(text))
    with tempfile.TemporaryDirectory(prefix="cairn-exports-") as folder:
        project = Project(os.path.realpath(folder))
        text = project.cairn("runs", "export", "--format", "openlineage")
        step("openlineage: all runs", open_lineage(text))
        kinds = [json.loads(line)["eventType"] for line in text.splitlines()]
        step("openlineage: what came from the cache is no run",
             "" if (kinds.count("START"), kinds.count("COMPLETE"), kinds.count("FAIL")) == (6, 4, 2) else kinds)
        step("openlineage: a failure has inputs and a language",
             "" if '"programmingLanguage": "SHELL"' in text and "exited with 3" in text else text[-2000:])
        step("openlineage: of one file", open_lineage(project.cairn("lineage", "model b", "--format", "openlineage")))
        for name in ["model a", "model b", "parts", "metrics.json"]:
            text = project.cairn("lineage", name, "--format", "cyclonedx")
            step(f"cyclonedx: {name}", bill(text) + whole(text))
            again = project.cairn("lineage", name, "--format", "cyclonedx")
            step(f"cyclonedx: {name}, the same again", "" if again == text else "it differs")
        text = project.cairn("runs", "export", "--format", "cyclonedx", "@last:train@b")
        step("cyclonedx: of a run", bill(text) + whole(text))
    live.play(step, open_lineage, Project)
    print(f"{passed} of {total} exports read")
    return passed != total


if __name__ == "__main__":
    sys.exit(main())
