"""Counts and means of each species."""
import csv
import json
import sys

source, target = sys.argv[1:]
groups = {}
with open(source, newline="") as f:
    for row in csv.DictReader(f):
        groups.setdefault(row.pop("species"), []).append(row)
summary = {
    species: {"count": len(rows), **{name: round(sum(float(r[name]) for r in rows) / len(rows), 1) for name in rows[0]}}
    for species, rows in sorted(groups.items())
}
with open(target, "w") as f:
    json.dump(summary, f, indent=2)
    f.write("\n")
