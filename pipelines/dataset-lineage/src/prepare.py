"""Keeps the complete rows, and lays a share of them aside for the test."""
import argparse
import csv
import random

COLUMNS = ["species", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]

arguments = argparse.ArgumentParser()
arguments.add_argument("raw")
arguments.add_argument("train")
arguments.add_argument("test")
arguments.add_argument("--test_share", type=float)
arguments.add_argument("--seed", type=int)
a = arguments.parse_args()

with open(a.raw, newline="") as f:
    rows = [row for row in csv.DictReader(f) if all(row[name] not in ("", "NA") for name in COLUMNS)]
random.Random(a.seed).shuffle(rows)
count = round(len(rows) * a.test_share)
for path, part in ((a.train, rows[count:]), (a.test, rows[:count])):
    with open(path, "w", newline="") as f:
        writer = csv.DictWriter(f, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(part)
print(f"{len(rows) - count} rows to train with, {count} to test with")
