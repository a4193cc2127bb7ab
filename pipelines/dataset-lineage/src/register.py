"""Lets a model through that is good enough. Of another one nothing is registered: this stage fails."""
import argparse
import json
import shutil

arguments = argparse.ArgumentParser()
arguments.add_argument("model")
arguments.add_argument("metrics")
arguments.add_argument("released")
arguments.add_argument("--least_accuracy", type=float)
a = arguments.parse_args()

with open(a.metrics) as f:
    accuracy = json.load(f)["accuracy"]
if accuracy < a.least_accuracy:
    raise SystemExit(f"not released: the accuracy is {accuracy}, and {a.least_accuracy} is asked for")
shutil.copyfile(a.model, a.released)
