"""Fits a classifier: the first column is what to tell, the others are what to tell it by."""
import argparse
import csv

import joblib
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

arguments = argparse.ArgumentParser()
arguments.add_argument("data")
arguments.add_argument("model")
arguments.add_argument("--c", type=float)
a = arguments.parse_args()

with open(a.data, newline="") as f:
    rows = list(csv.reader(f))[1:]
model = make_pipeline(StandardScaler(), LogisticRegression(C=a.c, max_iter=1000))
model.fit([[float(value) for value in row[1:]] for row in rows], [row[0] for row in rows])
joblib.dump(model, a.model)
