"""Chooses the parts that the sample is composed of: select_parts.py PC_PARTS_FOLDER OUT.json

Takes priced parts of every type, by a fixed order that looks shuffled (SHA-256 of the type and name), so that the same
data gives the same choice. Of parts that the sample would give the same name, the first is taken.
"""
import hashlib
import json
import pathlib
import sys

from spanish_parts import COMPOSERS

COUNTS = {
    "memory": 150, "internal-hard-drive": 140, "video-card": 140, "monitor": 130, "motherboard": 110, "keyboard": 90,
    "headphones": 90, "cpu": 85, "case": 85, "mouse": 80, "power-supply": 75, "cpu-cooler": 75,
    "external-hard-drive": 40, "case-fan": 35, "speakers": 35, "wireless-network-card": 27, "webcam": 25, "ups": 25,
}  # 1,437 in all


def chosen(kind, parts, count):
    first = {}
    for part in parts:
        if part["price"]:
            name = COMPOSERS[kind][1](part, lambda *choices: choices[0])[3]
            first.setdefault(name.lower(), part)
    order = sorted(first.values(), key=lambda p: hashlib.sha256((kind + p["name"] + str(p["price"])).encode()).digest())
    return [{"part": kind, **part} for part in order[:count]]


folder = pathlib.Path(sys.argv[1])
parts = []
for kind, count in COUNTS.items():
    parts += chosen(kind, json.loads((folder / f"{kind}.json").read_text()), count)
lines = ",\n".join(json.dumps(part, ensure_ascii=False) for part in parts)
pathlib.Path(sys.argv[2]).write_text(f"[\n{lines}\n]\n")
