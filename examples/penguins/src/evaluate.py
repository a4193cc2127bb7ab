"""Asks the model for the species of each penguin that it has not seen."""
import csv
import json
import sys

model_file, test_file, metrics_file, confusion_file = sys.argv[1:]
with open(model_file) as f:
    model = json.load(f)


def predict(x):
    scaled = [1.0] + [(v - m) / s for v, m, s in zip(x, model["means"], model["scales"])]
    scores = [sum(w * v for w, v in zip(row, scaled)) for row in model["weights"]]
    return model["species"][scores.index(max(scores))]


with open(test_file, newline="") as f:
    reader = csv.reader(f)
    next(reader)
    pairs = [(row[0], predict([float(value) for value in row[1:]])) for row in reader]
right = sum(actual == predicted for actual, predicted in pairs)
recall = {
    name: round(sum(a == p == name for a, p in pairs) / sum(a == name for a, _ in pairs), 4) for name in model["species"]
}
with open(metrics_file, "w") as f:
    json.dump({"accuracy": round(right / len(pairs), 4), "recall": recall}, f, indent=2)
    f.write("\n")
with open(confusion_file, "w") as f:
    f.write("actual,predicted\n")
    f.writelines(f"{actual},{predicted}\n" for actual, predicted in pairs)
print(f"{right} of {len(pairs)} right")
