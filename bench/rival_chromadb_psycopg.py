#!/usr/bin/env python3
"""The rival: what one would write with chromadb and psycopg, done well: pages, one binary COPY, no verification.

    rival_chromadb_psycopg.py DIRECTORY COLLECTION TABLE [PAGE]

Prints the seconds that the work took, without starting Python and importing.
"""
import os
import struct
import sys
import time

os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

import chromadb  # noqa: E402
import numpy as np  # noqa: E402
import psycopg  # noqa: E402
from chromadb.config import Settings  # noqa: E402
from psycopg.adapt import Dumper  # noqa: E402
from psycopg.pq import Format  # noqa: E402
from psycopg.types import TypeInfo  # noqa: E402
from psycopg.types.json import Jsonb  # noqa: E402


class SentVector(bytes):
    """A vector in the form that pgvector receives: dimension, zero, big-endian floats."""


class VectorDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj):
        return obj


def register_vector(connection):
    info = TypeInfo.fetch(connection, "vector")
    info.register(connection)
    VectorDumper.oid = info.oid
    connection.adapters.register_dumper(SentVector, VectorDumper)


def sent_vectors(embeddings):
    rows = np.asarray(embeddings, dtype=">f4")
    head = struct.pack(">HH", rows.shape[1], 0)
    return [SentVector(head + row.tobytes()) for row in rows]


def main():
    directory, name, table = sys.argv[1:4]
    page_size = int(sys.argv[4]) if len(sys.argv) > 4 else 2000
    start = time.perf_counter()
    client = chromadb.PersistentClient(directory, settings=Settings(anonymized_telemetry=False))
    collection = client.get_collection(name)
    with psycopg.connect("") as connection:
        register_vector(connection)
        with connection.cursor().copy(f"copy {table} (id, document, metadata, embedding) from stdin (format binary)") as copy:
            copy.set_types(["text", "text", "jsonb", "vector"])
            offset = 0
            while (page := collection.get(limit=page_size, offset=offset,
                                          include=["embeddings", "documents", "metadatas"]))["ids"]:
                offset += len(page["ids"])
                for row in zip(page["ids"], page["documents"], map(Jsonb, page["metadatas"]),
                               sent_vectors(page["embeddings"])):
                    copy.write_row(row)
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
