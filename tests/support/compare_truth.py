#!/usr/bin/env python3
"""Compares a PostgreSQL table with a truth file: ids, documents, metadata type for type, vectors bit for bit.

    compare_truth.py TRUTH.jsonl.gz DIRECTORY TABLE [--collection C] [--tenant T] [--database D] [--rejects FILE]

Connects by libpq's variables.  Exit 1 and the first differences when something differs.

The one exception: for a cosine collection whose newest vector is only in the queue, Chroma's own get() answers
x * (1 / length) * length instead of the stored x.  Such a vector passes if some float32 length within 4 ulp of its norm
makes Chroma's answer out of the table's, and only for ids that DIRECTORY's queue holds.
"""
import argparse
import base64
import json
import os
import sqlite3
import sys

import numpy as np
import psycopg

import chroma_truth


def queued_cosine_ids(directory, head):
    """Ids in the queue of a cosine collection, for which Chroma's own answer is not what is stored; else none."""
    connection = sqlite3.connect(f"file:{os.path.join(directory, 'chroma.sqlite3')}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        row = dict(connection.execute("select * from collections where id = ?", (head["uuid"],)).fetchone())
        declared = [head["metadata"], row.get("schema_str"), row.get("config_json_str")]
        if not any("cosine" in str(text) for text in declared):
            return set()
        return {queued["id"] for queued in connection.execute(
            "select id from embeddings_queue where topic like '%/' || ?", (head["uuid"],))}
    finally:
        connection.close()


def ulps_around(value, reach):
    """float32 neighbours of `value`, at most `reach` steps away."""
    centre = np.float32(value).view(np.int32)
    return (centre + np.arange(-reach, reach + 1, dtype=np.int32)).view(np.float32)


def is_renormalised(stored, answered):
    """Whether Chroma's `answered` is `stored` divided by its length and multiplied by it again, in float32."""
    for length in ulps_around(np.sqrt(np.sum(stored.astype(np.float64)**2)), 4):
        for inverse in ulps_around(np.float32(1) / length, 1):
            if ((stored * inverse) * length).tobytes() == answered.tobytes():
                return True
    return False


def strictly_equal(left, right):
    """Equal in value and type: 1 is not 1.0, nor True."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(strictly_equal(left[k], right[k]) for k in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(strictly_equal, left, right))
    return left == right


def rows_of(table):
    """(id, document, metadata, vector) of every row; `table` as SQL, already quoted where it must be."""
    with psycopg.connect("", autocommit=True) as connection, connection.cursor(binary=True) as cursor:
        # halfvec has the same send format but for the size of its elements; only vector is compared here.
        cursor.execute(f"select id, document, metadata::text, vector_send(embedding) from {table}")
        for record_id, document, metadata, sent in cursor:
            yield record_id, document, metadata and json.loads(metadata), np.frombuffer(sent, ">f4", offset=4)


def difference(row, wanted, may_be_renormalised):
    """What is wrong with one row, or None."""
    _, document, metadata, vector = row
    if document != wanted["document"]:
        return f"document {document!r:.80} instead of {wanted['document']!r:.80}"
    if not strictly_equal(metadata, wanted["metadata"]):
        return f"metadata {metadata!r:.200} instead of {wanted['metadata']!r:.200}"
    if wanted["v"] is None:
        return None  # get() could not give it
    stored = vector.astype("<f4")
    answered = np.frombuffer(base64.b64decode(wanted["v"]), "<f4")
    if stored.tobytes() == answered.tobytes() or may_be_renormalised and is_renormalised(stored, answered):
        return None
    return f"vector {stored[:4]}... instead of {answered[:4]}..."


def compare(table, head, records, directory, rejected=frozenset()):
    """Sentences, one a difference."""
    queued = queued_cosine_ids(directory, head)
    wanted = {record["id"]: record for record in records}
    found = []
    for row in rows_of(table):
        record = wanted.pop(row[0], None)
        if record is None:
            found.append(f"{row[0]!r}: not in the truth, or twice in the table")
        elif wrong := difference(row, record, row[0] in queued):
            found.append(f"{row[0]!r}: {wrong}")
    return found + [f"{i!r}: missing" for i in wanted if i not in rejected]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth")
    parser.add_argument("directory")
    parser.add_argument("table")
    parser.add_argument("--collection")
    parser.add_argument("--tenant")
    parser.add_argument("--database")
    parser.add_argument("--rejects")
    options = parser.parse_args()
    fits = [entry for (tenant, database, name), entry in chroma_truth.read(options.truth).items()
            if (options.collection or name) == name and (options.tenant or tenant) == tenant
            and (options.database or database) == database]
    if len(fits) != 1:
        sys.exit(f"compare_truth: {len(fits)} collections of {options.truth} fit")
    rejected = set()
    if options.rejects:
        with open(options.rejects, encoding="utf-8") as lines:
            rejected = {json.loads(line)["id"] for line in lines}
    differences = compare(options.table, *fits[0], options.directory, rejected)
    for line in differences[:20]:
        print(line)
    print(f"{options.table}: {len(fits[0][1])} records, {len(differences)} differences")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
