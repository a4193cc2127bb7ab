"""How often the model is right on rows that it has not seen."""
import csv
import json
import sys

import joblib
from sklearn.metrics import accuracy_score, f1_score

model, data, metrics = sys.argv[1:]
with open(data, newline="") as f:
    rows = list(csv.reader(f))[1:]
actual = [row[0] for row in rows]
found = joblib.load(model).predict([[float(value) for value in row[1:]] for row in rows])
result = {"accuracy": round(accuracy_score(actual, found), 4), "f1": round(f1_score(actual, found, average="macro"), 4)}
with open(metrics, "w") as f:
    json.dump(result, f, indent=2)
    f.write("\n")
print(result)
