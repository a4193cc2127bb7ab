"""Drops incomplete rows and keeps the columns that the model uses."""
import csv
import sys

COLUMNS = ["species", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]

source, target = sys.argv[1:]
with open(source, newline="") as f:
    rows = [row for row in csv.DictReader(f) if all(row[name] not in ("", "NA") for name in COLUMNS)]
with open(target, "w", newline="") as f:
    writer = csv.DictWriter(f, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
print(f"{len(rows)} complete rows")
