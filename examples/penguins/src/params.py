"""Reads params.yaml without a YAML package: two levels of `key: value`, which is all that this example needs."""


def params(key):
    section, name = key.split(".")
    current = None
    with open("params.yaml") as f:
        for line in f:
            text = line.split("#")[0].rstrip()
            if text and not text.startswith(" "):
                current = text.rstrip(":")
            elif text and current == section and text.split(":")[0].strip() == name:
                return text.split(":", 1)[1].strip()
    raise SystemExit(f"params.yaml has no {key}")
