#!/usr/bin/env python3
"""Writes the layered pipeline of the benchmarks: the same graph as dvc.yaml and as build.ninja.

    layered.py STAGES FOLDER

Ten layers; a stage is `echo NAME | cat > o/NAME`, reads two outputs of the layer before and a source of its own.
"""
import os
import sys

LAYERS = 10


def stages(count):
    """(name, its inputs from the layer before), layer by layer."""
    width = max(1, count // LAYERS)
    for number in range(count):
        layer, place = divmod(number, width)
        above = [] if layer == 0 else sorted({(layer - 1) * width + place, (layer - 1) * width + (place + 1) % width})
        yield f"n{number}", [f"n{n}" for n in above]


def write(count, folder):
    for name in ("s", "o"):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    with open(os.path.join(folder, "dvc.yaml"), "w") as dvc, open(os.path.join(folder, "build.ninja"), "w") as ninja:
        dvc.write("stages:\n")
        ninja.write("rule run\n  command = echo $name | cat > $out\n\n")
        for name, above in stages(count):
            with open(os.path.join(folder, "s", name), "w") as f:
                f.write(f"source of {name}\n")
            inputs = [f"s/{name}"] + [f"o/{n}" for n in above]
            dvc.write(f"  {name}:\n    cmd: echo {name} | cat > o/{name}\n    deps:\n")
            dvc.writelines(f"    - {path}\n" for path in inputs)
            dvc.write(f"    outs:\n    - o/{name}\n")
            ninja.write(f"build o/{name}: run {' '.join(inputs)}\n  name = {name}\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    write(int(sys.argv[1]), sys.argv[2])
