#!/usr/bin/env python3
"""Makes persisted Chroma directories with the chromadb of the running interpreter (0.4.24 to 1.5).

    make_chroma.py case NAME OUT               OUT/NAME and OUT/NAME.truth.jsonl.gz; NAME: see CASES
    make_chroma.py bulk OUT --rows N --dim D   OUT itself; OUT.truth.jsonl.gz with --truth
    make_chroma.py truth DIR FILE              what chromadb itself returns for a copy of DIR
    make_chroma.py writer DIR --stop FILE      writes until FILE exists (live_writer.py says what)

Seeded: the same records each time; Chroma's own uuids differ.
"""
import argparse
import os
import shutil
import subprocess
import sys

import numpy as np

import chroma_truth
import live_writer
from chroma_client import chromadb_version, open_client, put

SMALL_SEGMENTS = {"hnsw:batch_size": 50, "hnsw:sync_threshold": 200}
KINDS = ["Televisor", "Notebook", "Cámara", "Teléfono", "Parlante", "Monitor", "Teclado", "Ratón", "Batería"]
BRANDS = ["Samsung", "Noblex", "Ñandú", "Philips", "BGH", "Lenovo", "JBL", "Peabody"]
CATEGORIES = ["Audio", "Video", "Informática", "Telefonía", "Electrodomésticos", "Accesorios"]
WORDS = ["inalámbrico", "portátil", "ultra delgado", "con garantía", "español", "4K", "🔋 larga duración", "negro mate"]


def unit_vectors(rng, rows, dim):
    vectors = rng.standard_normal((rows, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).astype(np.float32)


def clustered_vectors(rng, rows, dim, clusters=200, spread=0.6):
    """Unit vectors around `clusters` unit centres, as embeddings of product texts lie."""
    centres = unit_vectors(rng, clusters, dim)
    noise = rng.standard_normal((rows, dim)).astype(np.float32) * np.float32(spread / np.sqrt(dim))
    vectors = centres[rng.integers(clusters, size=rows)] + noise
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).astype(np.float32)


def product(number, rng):
    """A document of 80 to 120 characters and metadata with every scalar type."""
    pick = lambda words: words[rng.integers(len(words))]
    kind, brand, category = pick(KINDS), pick(BRANDS), pick(CATEGORIES)
    name = f"{kind} {brand} {rng.integers(100, 9999)}"
    document = f"Product: {name} {pick(WORDS)}. Brand: {brand}. Category: {category}. Description: {pick(WORDS)}."
    while len(document) < 80:
        document += f" {pick(WORDS)}"
    metadata = {"name": name, "brand": brand, "category": category, "price": round(float(rng.uniform(10, 900000)), 2),
                "stock": int(rng.integers(500)), "active": bool(rng.integers(2))}
    return document[:120], metadata


def odd_product(number, rng):
    """product(), but some records lack a document or metadata, or hold values at the edge of their type."""
    document, metadata = product(number, rng)
    if number % 97 == 0:
        document = None
    if number % 101 == 0:
        metadata = None if number else {"sku": "SKU-ñ-0", "big": 2**53 + 1, "neg": -7, "zero": 0.0, "tiny": 1e-300,
                                        "whole": 3.0, "vacío": ""}
    if number == 5:
        document = "Descripción larga: " + " ".join(f"párrafo {k} «ñandú» 😀 línea\n" for k in range(300))
    return document, metadata


def add_products(collection, rng, ids, dim, scale=1.0):
    records = [odd_product(i, rng) for i in range(len(ids))]
    vectors = unit_vectors(rng, len(ids), dim) * np.float32(scale)
    for s in range(0, len(ids), 100):
        put(collection, "add", ids[s:s + 100], vectors[s:s + 100], [r[0] for r in records[s:s + 100]],
            [r[1] for r in records[s:s + 100]])


def fill_with_history(collection, dim, rng):
    """1,200 adds, updates, deletes and upserts that reach HNSW, then a tail that stays in the queue."""
    ids = [f"prod-{i}" if i % 3 else f"ÑÚ {i}/é" for i in range(1200)]
    add_products(collection, rng, ids, dim, scale=1.7)
    put(collection, "update", ids[100:130], unit_vectors(rng, 30, dim) * np.float32(2))
    put(collection, "update", ids[130:160],
        metadatas=[{"stock": -i, "updated": True, "price": 1} for i in range(30)])
    put(collection, "update", ids[160:180], unit_vectors(rng, 20, dim), [f"documento nuevo {i} ñ" for i in range(20)])
    collection.delete(ids=ids[200:260])
    put(collection, "upsert", ids[300:340] + [f"nuevo-{i}" for i in range(20)], unit_vectors(rng, 60, dim),
        [f"upsert {i} 🆕" for i in range(60)], [{"name": f"reemplazo {i}", "only_new": 1.5} for i in range(60)])
    put(collection, "add", [f"wal-{i}" for i in range(30)], unit_vectors(rng, 30, dim) * np.float32(0.5),
        [f"sólo en la cola {i}" for i in range(30)], [{"name": f"cola {i}", "wal": True} for i in range(30)])
    put(collection, "update", [ids[400]], unit_vectors(rng, 1, dim))
    put(collection, "update", [ids[401]], metadatas=[{"brand": "CambiadaEnWAL"}])
    collection.delete(ids=[ids[402], ids[403]])
    put(collection, "add", [ids[200], "efímero"], unit_vectors(rng, 2, dim), ["otra vez", "x"],
        [{"again": 1}, {"again": 2}])
    put(collection, "add", [ids[404]], unit_vectors(rng, 1, dim), ["ignored: the id exists"], [{"ignored": True}])
    collection.delete(ids=["efímero"])


def case_products(path):
    """Each distance space, with history; an empty and a deleted collection beside them."""
    client = open_client(path)
    for number, (space, dim) in enumerate({"cosine": 64, "l2": 48, "ip": 16}.items()):
        collection = client.create_collection(f"products_{space}", metadata={"hnsw:space": space, **SMALL_SEGMENTS})
        fill_with_history(collection, dim, np.random.default_rng(number))
    client.create_collection("vacia")
    deleted = client.create_collection("borrada", metadata=SMALL_SEGMENTS)
    add_products(deleted, np.random.default_rng(9), [f"b{i}" for i in range(220)], 8)
    client.delete_collection("borrada")


def case_tenants(path):
    """The same collection name in three databases of two tenants; only in the queue."""
    open_client(path)
    for number, (tenant, database) in enumerate([("default_tenant", "default_database"), ("default_tenant", "tienda"),
                                                 ("inquilino ñ", "tienda")]):
        client = open_client(path, tenant, database, create=True)
        collection = client.create_collection("productos")
        add_products(collection, np.random.default_rng(number), [f"p{i}" for i in range(20 + number)], 8)


def accept(collection, record_id, vector, document=None, metadata=None):
    """Adds one record unless this version of chromadb refuses it."""
    try:
        put(collection, "add", [record_id], [vector], [document], [metadata])
    except Exception as refusal:  # versions differ in what they take: the truth file tells what was stored
        print(f"  refused {record_id[:20]!r}: {type(refusal).__name__}")


def case_edge(path):
    """Odd ids, texts, values and vectors, as far as this chromadb takes them."""
    client = open_client(path)
    edge = client.create_collection("edge", metadata={"hnsw:batch_size": 10, "hnsw:sync_threshold": 20})
    rng = np.random.default_rng(9)
    for record_id in [" ", "a/b\\c", "😀", "ñ" * 300, "1", "01", "None", "'; DROP TABLE embeddings;--", "line\nbreak",
                      "tab\t", "NULL", "\\N", "\\."]:
        accept(edge, record_id, unit_vectors(rng, 1, 4)[0], "d", {"k": 1})
    values = {"i64max": 2**63 - 1, "i64min": -2**63, "huge": 1e308, "negzero": -0.0, "tenth": 0.1, "whole": 3.0,
              "empty": "", "long": "x" * 5000, "json": '{"a":[1]}', "escape": 'a"b\\c\td\x01'}
    for key, value in values.items():
        accept(edge, "value-" + key, unit_vectors(rng, 1, 4)[0], None, {key: value, "t": key})
    for key, vector in {"zero": [0, 0, 0, 0], "big": [3e38, 1, 1, 1], "denormal": [1e-42, 0, 0, 0],
                        "ints": [1, 2, 3, 4]}.items():
        accept(edge, "vector-" + key, vector, "doc")
    emptied = client.create_collection("all_deleted", metadata={"hnsw:batch_size": 5, "hnsw:sync_threshold": 10})
    put(emptied, "add", [f"d{i}" for i in range(20)], unit_vectors(rng, 20, 4), ["x"] * 20)
    emptied.delete(ids=[f"d{i}" for i in range(20)])
    if chromadb_version() >= (1, 5):
        arrays = client.create_collection("arrays", metadata={"hnsw:sync_threshold": 40})
        put(arrays, "add", [f"a{i}" for i in range(60)], unit_vectors(rng, 60, 8), [f"doc {i}" for i in range(60)],
            [{"tags": ["ñ", f"t{i}"], "nums": [i, -i], "shares": [0.5, 3.0], "flags": [True, False], "s": i}
             for i in range(60)])


CASES = {"products": case_products, "tenants": case_tenants, "edge": case_edge}


def make_bulk(path, rows, dim, clustered):
    collection = open_client(path).create_collection("products", metadata={"hnsw:space": "cosine"})
    rng = np.random.default_rng(20)
    vectors = clustered_vectors(rng, rows, dim) if clustered else unit_vectors(rng, rows, dim)
    for start in range(0, rows, 1000):
        numbers = range(start, min(start + 1000, rows))
        records = [product(i, rng) for i in numbers]
        put(collection, "add", [f"product-{i:07d}" for i in numbers], vectors[start:start + 1000],
            [r[0] for r in records], [r[1] for r in records])


def in_fresh_process(*arguments):
    """Chroma writes its last state when the process ends, so each directory is made and read by a process of its own."""
    subprocess.check_call([sys.executable, os.path.abspath(__file__), *map(str, arguments)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    case = commands.add_parser("case")
    case.add_argument("name", choices=CASES)
    case.add_argument("out")
    fill = commands.add_parser("fill")
    fill.add_argument("name", choices=CASES)
    fill.add_argument("directory")
    for name in ("bulk", "fill-bulk"):
        bulk = commands.add_parser(name)
        bulk.add_argument("out")
        bulk.add_argument("--rows", type=int, required=True)
        bulk.add_argument("--dim", type=int, required=True)
        bulk.add_argument("--clustered", action="store_true")
        bulk.add_argument("--truth", action="store_true")
    truth = commands.add_parser("truth")
    truth.add_argument("directory")
    truth.add_argument("file")
    live_writer.add_arguments(commands.add_parser("writer"))
    options = parser.parse_args()

    if options.command == "case":
        directory = os.path.join(options.out, options.name)
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(options.out, exist_ok=True)
        in_fresh_process("fill", options.name, directory)
        in_fresh_process("truth", directory, directory + ".truth.jsonl.gz")
    elif options.command == "fill":
        CASES[options.name](options.directory)
    elif options.command == "bulk":
        shutil.rmtree(options.out, ignore_errors=True)
        in_fresh_process("fill-bulk", options.out, "--rows", options.rows, "--dim", options.dim,
                         *(["--clustered"] if options.clustered else []))
        if options.truth:
            in_fresh_process("truth", options.out, options.out + ".truth.jsonl.gz")
    elif options.command == "fill-bulk":
        make_bulk(options.out, options.rows, options.dim, options.clustered)
    elif options.command == "truth":
        chroma_truth.write(options.directory, options.file)
    else:
        live_writer.run(options)


if __name__ == "__main__":
    main()
