"""Checks an SBOM: it is valid CycloneDX 1.6, and every library that the programs are linked with is in it.

    python check_sbom.py SBOM PROGRAM...
"""
import json
import os
import re
import subprocess
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def names_in(components):
    """Of files, and of the libraries that a package is used by."""
    for component in components:
        if component["type"] == "file":
            yield component["name"]
        for entry in component.get("properties", []):
            if entry["name"] == "decant:uses":
                yield entry["value"]
        yield from names_in(component.get("components", []))


text = open(sys.argv[1], encoding="utf-8").read()
invalid = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
if invalid:
    raise SystemExit(f"check_sbom: {invalid!r}")
listed = set(names_in(json.loads(text)["components"]))
linked = set()
for program in sys.argv[2:]:
    lines = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    linked.update(os.path.basename(path) for path in re.findall(r"(/\S+) \(0x", lines))
if not linked or not linked <= listed:
    raise SystemExit(f"check_sbom: not in the SBOM: {sorted(linked - listed)}")
print(f"{len(listed)} files listed, {len(linked)} libraries linked")
