#!/usr/bin/env python3
"""Writes a persisted Chroma directory of any size without running Chroma: for benchmarks past what Chroma builds quickly.

    synthetic_chroma.py DIR --rows N --dim D [--space cosine|l2|ip]

One collection, `products`, laid out as chromadb 1.5 leaves it after a persist (docs/formats/chroma.md), except that the
graph has no links and the full-text table is empty: decant reads it, Chroma cannot search it.  Clustered unit vectors,
documents of about 100 characters, six metadata keys.  Seeded.  Needs numpy.
"""
import argparse
import math
import os
import shutil
import sqlite3
import struct
import uuid

import numpy as np

CHUNK = 20_000
M = 16
KINDS = ["Televisor", "Notebook", "Cámara", "Teléfono", "Parlante", "Monitor", "Teclado", "Ratón", "Batería"]
BRANDS = ["Samsung", "Noblex", "Ñandú", "Philips", "BGH", "Lenovo", "JBL", "Peabody"]
CATEGORIES = ["Audio", "Video", "Informática", "Telefonía", "Electrodomésticos", "Accesorios"]
INDICES = """
CREATE INDEX embedding_metadata_int_value ON embedding_metadata (key, int_value) WHERE int_value IS NOT NULL;
CREATE INDEX embedding_metadata_float_value ON embedding_metadata (key, float_value) WHERE float_value IS NOT NULL;
CREATE INDEX embedding_metadata_string_value ON embedding_metadata (key, string_value) WHERE string_value IS NOT NULL;
CREATE INDEX embedding_metadata_array_id_key ON embedding_metadata_array (id, key);
"""


def record_id(number):
    return f"product-{number:07d}"


def write_hnsw(folder, rows, dim, rng):
    """header.bin, data_level0.bin and length.bin; element i has label i + 1."""
    links_size = 4 + 4 * 2 * M
    element = np.dtype([("links", np.uint8, links_size), ("vector", "<f4", dim), ("label", "<u8")])
    header = struct.pack("<i6QiI3QdQ", 1, 0, rows, rows, element.itemsize, links_size + 4 * dim, links_size, 0, 0, M,
                         2 * M, M, 1 / math.log(M), 100)
    with open(os.path.join(folder, "header.bin"), "wb") as file:
        file.write(header)
    centres = unit(rng.standard_normal((500, dim), dtype=np.float32))
    with open(os.path.join(folder, "data_level0.bin"), "wb") as data, \
            open(os.path.join(folder, "length.bin"), "wb") as lengths:
        for start in range(0, rows, CHUNK):
            count = min(CHUNK, rows - start)
            noise = rng.standard_normal((count, dim), dtype=np.float32) * np.float32(0.6 / math.sqrt(dim))
            elements = np.zeros(count, element)
            elements["vector"] = unit(centres[rng.integers(len(centres), size=count)] + noise)
            elements["label"] = np.arange(start + 1, start + count + 1, dtype=np.uint64)
            elements.tofile(data)
            np.ones(count, "<f4").tofile(lengths)
    with open(os.path.join(folder, "link_lists.bin"), "wb") as links:
        links.write(bytes(4 * rows))


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def write_pickle(folder, rows):
    """Protocol 3 with the opcodes of 1.x: no memo, BINUNICODE and BININT only, dicts in runs of 1,000."""
    text = lambda value: b"X" + struct.pack("<I", len(value.encode())) + value.encode()
    number = lambda value: b"J" + struct.pack("<i", value)
    with open(os.path.join(folder, "index_metadata.pickle"), "wb") as file:
        file.write(b"\x80\x03}(" + text("dimensionality") + b"N" + text("total_elements_added") + number(rows)
                   + text("max_seq_id") + b"N")
        for name, entry in (("id_to_label", lambda i: text(record_id(i)) + number(i + 1)),
                            ("label_to_id", lambda i: number(i + 1) + text(record_id(i)))):
            file.write(text(name) + b"}")
            for start in range(0, rows, 1000):
                file.write(b"(" + b"".join(map(entry, range(start, min(start + 1000, rows)))) + b"u")
        file.write(text("id_to_seq_id") + b"}u.")


def metadata_rows(number, rng_values):
    """The embedding_metadata rows of one record."""
    kind, brand, category, model, price, stock, active = rng_values
    name = f"{KINDS[kind]} {BRANDS[brand]} {model}"
    document = (f"Product: {name} con garantía. Brand: {BRANDS[brand]}. Category: {CATEGORIES[category]}. "
                f"Description: portátil, ultra delgado.")
    yield number, "chroma:document", document, None, None, None
    yield number, "name", name, None, None, None
    yield number, "brand", BRANDS[brand], None, None, None
    yield number, "category", CATEGORIES[category], None, None, None
    yield number, "price", None, None, price, None
    yield number, "stock", None, stock, None, None
    yield number, "active", None, None, None, active


def write_records(database, rows, segment, rng):
    for start in range(0, rows, CHUNK):
        count = min(CHUNK, rows - start)
        numbers = range(start, start + count)
        columns = [rng.integers(high, size=count).tolist() for high in (len(KINDS), len(BRANDS), len(CATEGORIES), 9999)]
        columns.append(np.round(rng.uniform(10, 900_000, count), 2).tolist())
        columns += [rng.integers(high, size=count).tolist() for high in (500, 2)]
        database.executemany("insert into embeddings (id, segment_id, embedding_id, seq_id) values (?, ?, ?, ?)",
                             ((i + 1, segment, record_id(i), i + 1) for i in numbers))
        database.executemany("insert into embedding_metadata values (?, ?, ?, ?, ?, ?)",
                             (row for i, values in zip(numbers, zip(*columns)) for row in metadata_rows(i + 1, values)))


def write_database(directory, options, rng):
    """Returns the name of the vector segment's folder."""
    collection, vectors, metadata = (str(uuid.UUID(int=rng.integers(2**63).item() << 64)) for _ in range(3))
    database = sqlite3.connect(os.path.join(directory, "chroma.sqlite3"), isolation_level=None)
    database.executescript("PRAGMA page_size = 4096; PRAGMA journal_mode = off; PRAGMA synchronous = off;")
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "chroma-1.5-schema.sql"), encoding="utf-8") as sql:
        database.executescript(sql.read())
    database.execute("begin")
    no_database = str(uuid.UUID(int=0))
    database.execute("insert into tenants values ('default_tenant')")
    database.execute("insert into databases values (?, 'default_database', 'default_tenant')", (no_database,))
    database.execute("insert into collections values (?, 'products', ?, ?, '{}', null)",
                     (collection, options.dim, no_database))
    database.execute("insert into collection_metadata values (?, 'hnsw:space', ?, null, null, null)",
                     (collection, options.space))
    database.execute("insert into segments values (?, 'urn:chroma:segment/vector/hnsw-local-persisted', 'VECTOR', ?)",
                     (vectors, collection))
    database.execute("insert into segments values (?, 'urn:chroma:segment/metadata/sqlite', 'METADATA', ?)",
                     (metadata, collection))
    database.executemany("insert into max_seq_id values (?, ?)", [(vectors, options.rows), (metadata, options.rows)])
    # A purge keeps the last applied row.
    database.execute("insert into embeddings_queue (seq_id, operation, topic, id, metadata) values (?, 1, ?, ?, '{}')",
                     (options.rows, f"persistent://default/default/{collection}", record_id(options.rows - 1)))
    database.execute("""insert into embeddings_queue_config values (1, '{"automatically_purge":true}')""")
    write_records(database, options.rows, metadata, rng)
    database.execute("commit")
    database.executescript(INDICES)
    database.executescript("PRAGMA journal_mode = delete;")
    database.close()
    return vectors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--dim", type=int, required=True)
    parser.add_argument("--space", choices=["cosine", "l2", "ip"], default="cosine")
    options = parser.parse_args()
    shutil.rmtree(options.directory, ignore_errors=True)
    os.makedirs(options.directory)
    rng = np.random.default_rng(1)
    folder = os.path.join(options.directory, write_database(options.directory, options, rng))
    os.makedirs(folder)
    write_hnsw(folder, options.rows, options.dim, rng)
    write_pickle(folder, options.rows)


if __name__ == "__main__":
    main()
