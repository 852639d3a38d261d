#!/usr/bin/env python3
"""Checks a table copied while live_writer.py was writing: it must equal the state after some whole number of steps.

    compare_live.py TABLE          connects by libpq's variables; exit 1 when no step fits
"""
import sys

from compare_truth import rows_of, strictly_equal
from live_writer import record_of, state_after


def torn(row, number):
    """Whether the parts of a row are not all of step `number`."""
    record_id, document, metadata, vector = row
    wanted = record_of(record_id, number)
    return (document != wanted["document"] or not strictly_equal(metadata, wanted["metadata"])
            or vector.tolist() != wanted["vector"])


def main():
    rows = {row[0]: row for row in rows_of(sys.argv[1])}
    found = {record_id: row[2]["step"] for record_id, row in rows.items()}
    for record_id, number in found.items():
        if torn(rows[record_id], number):
            sys.exit(f"{record_id} is torn: {rows[record_id]}")
    newest = max(found.values(), default=0)
    for number in (newest, newest + 1):  # a delete follows the newest upsert, or not yet
        if state_after(number) == found:
            print(f"{sys.argv[1]}: the state after step {number}, {len(found)} records")
            return
    wanted = state_after(newest)
    odd = [i for i in sorted(wanted.keys() | found.keys()) if wanted.get(i) != found.get(i)]
    sys.exit(f"no whole number of steps gives these {len(found)} records; against step {newest}, {len(odd)} differ: "
             + ", ".join(f"{i} of step {found.get(i)} instead of {wanted.get(i)}" for i in odd[:5]))


if __name__ == "__main__":
    main()
