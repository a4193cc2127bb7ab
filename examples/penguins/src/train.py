"""Fits softmax regression by full-batch gradient descent; writes the model and its learning curve."""
import csv
import json
import math
import sys

from params import params

source, model_file, loss_file = sys.argv[1:]
rate = float(params("train.learning_rate"))
epochs = int(params("train.epochs"))
l2 = float(params("train.l2"))

with open(source, newline="") as f:
    reader = csv.reader(f)
    features = next(reader)[1:]
    rows = [(row[0], [float(value) for value in row[1:]]) for row in reader]
species = sorted({name for name, _ in rows})
count, width = len(rows), len(features)

# Features on one scale, or body mass in grams would drown the bill in millimetres.
means = [sum(x[i] for _, x in rows) / count for i in range(width)]
scales = [math.sqrt(sum((x[i] - means[i]) ** 2 for _, x in rows) / count) for i in range(width)]
data = [(species.index(name), [1.0] + [(x[i] - means[i]) / scales[i] for i in range(width)]) for name, x in rows]
weights = [[0.0] * (width + 1) for _ in species]

losses = []
for epoch in range(epochs):
    gradient = [[0.0] * (width + 1) for _ in species]
    loss = 0.0
    for label, x in data:
        scores = [sum(w * v for w, v in zip(row, x)) for row in weights]
        top = max(scores)
        powers = [math.exp(score - top) for score in scores]
        total = sum(powers)
        loss -= math.log(powers[label] / total)
        for k, power in enumerate(powers):
            error = power / total - (k == label)
            for i, value in enumerate(x):
                gradient[k][i] += error * value
    losses.append(loss / count)
    for k, row in enumerate(weights):
        for i in range(width + 1):
            row[i] -= rate * (gradient[k][i] / count + l2 * row[i] * (i > 0))

with open(model_file, "w") as f:
    json.dump({"species": species, "features": features, "means": means, "scales": scales, "weights": weights}, f, indent=2)
    f.write("\n")
with open(loss_file, "w") as f:
    f.write("epoch,loss\n")
    f.writelines(f"{epoch},{loss:.6f}\n" for epoch, loss in enumerate(losses) if epoch % 10 == 0)
print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f} in {epochs} epochs")
