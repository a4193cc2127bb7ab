"""Puts the figures on a page for people."""
import csv
import json
import sys

metrics_file, species_file, confusion_file, target = sys.argv[1:]
with open(metrics_file) as f:
    metrics = json.load(f)
with open(species_file) as f:
    species = json.load(f)
with open(confusion_file, newline="") as f:
    pairs = [tuple(row) for row in list(csv.reader(f))[1:]]

lines = ["# Palmer penguins", "", f"The model names the right species in {metrics['accuracy']:.1%} of {len(pairs)} cases that it had not seen.", ""]
lines += ["| actual, and how often it was called … | " + " | ".join(species) + " |", "|---|" + "---|" * len(species)]
for actual in species:
    lines.append(f"| {actual} | " + " | ".join(str(pairs.count((actual, predicted))) for predicted in species) + " |")
lines += ["", "| species | count | bill length (mm) | bill depth (mm) | flipper (mm) | body mass (g) |", "|---|---|---|---|---|---|"]
for name, row in species.items():
    lines.append(f"| {name} | " + " | ".join(f"{value:g}" for value in row.values()) + " |")
with open(target, "w") as f:
    f.write("\n".join(lines) + "\n")
