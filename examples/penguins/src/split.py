"""Splits the rows into a training and a test set, each species in the same share."""
import csv
import random
import sys

from params import params

source, train_file, test_file = sys.argv[1:]
chance = random.Random(int(params("split.seed")))
share = float(params("split.test_share"))

with open(source, newline="") as f:
    reader = csv.reader(f)
    header, rows = next(reader), list(reader)
train, test = [], []
for species in sorted({row[0] for row in rows}):
    group = [row for row in rows if row[0] == species]
    chance.shuffle(group)
    cut = round(len(group) * share)
    test += group[:cut]
    train += group[cut:]
for path, part in ((train_file, train), (test_file, test)):
    with open(path, "w", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(part)
print(f"{len(train)} rows to train with, {len(test)} to test with")
