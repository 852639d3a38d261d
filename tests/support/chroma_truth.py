"""Truth files: what chromadb itself returns for a directory, the measure of what decant reads.

JSON lines, gzipped.  For each collection a head {"collection", "tenant", "database", "uuid", "metadata", "count",
"returned", "chromadb"[, "get_errors"]} and then its records {"c", "t", "db", "id", "v": base64 of little-endian float32
or null, "document", "metadata"}.
"""
import base64
import gzip
import json
import os
import shutil
import sqlite3
import tempfile


def list_collections(directory):
    """(tenant, database, name) of every collection, straight from sqlite: clients list one database only."""
    connection = sqlite3.connect(os.path.join(directory, "chroma.sqlite3"))
    try:
        return connection.execute("select d.tenant_id, d.name, c.name from collections c"
                                  " join databases d on d.id = c.database_id order by 1, 2, 3").fetchall()
    finally:
        connection.close()


def get_one_by_one(collection, errors):
    """For where a get() of everything fails (0.4.24: an id deleted and added again in one batch has no vector)."""
    parts = {"ids": [], "embeddings": [], "documents": [], "metadatas": []}
    for record_id in collection.get(include=[])["ids"]:
        try:
            got = collection.get(ids=[record_id], include=["embeddings", "documents", "metadatas"])
        except Exception as failure:
            errors[record_id] = f"{type(failure).__name__}: {failure}"
            continue
        vectors = [] if got["embeddings"] is None else list(got["embeddings"])
        parts["ids"] += got["ids"]
        parts["documents"] += got["documents"]
        parts["metadatas"] += got["metadatas"]
        parts["embeddings"] += vectors or [None]
    return parts


def records_of(collection, head):
    import numpy as np
    errors = {}
    try:
        got = collection.get(include=["embeddings", "documents", "metadatas"])
    except Exception as failure:
        errors[""] = f"{type(failure).__name__}: {failure}"
        got = get_one_by_one(collection, errors)
    head.update(returned=len(got["ids"]), **({"get_errors": errors} if errors else {}))
    yield head
    for position, record_id in enumerate(got["ids"]):
        vector = got["embeddings"][position]
        encoded = None if vector is None else base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode()
        yield {"c": head["collection"], "t": head["tenant"], "db": head["database"], "id": record_id, "v": encoded,
               "document": got["documents"][position], "metadata": got["metadatas"][position]}


def write(directory, file):
    """Asks a copy of `directory`, because opening one with chromadb may change it."""
    import chromadb
    from chroma_client import open_client
    scratch = tempfile.mkdtemp(prefix="truth-")
    try:
        copy = shutil.copytree(directory, os.path.join(scratch, "copy"))
        with gzip.GzipFile(file, "wb", compresslevel=1, mtime=0) as out:
            for tenant, database, name in list_collections(copy):
                collection = open_client(copy, tenant, database).get_collection(name)
                head = {"collection": name, "tenant": tenant, "database": database, "uuid": str(collection.id),
                        "metadata": collection.metadata, "count": collection.count(), "chromadb": chromadb.__version__}
                for line in records_of(collection, head):
                    out.write((json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n").encode())
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def read(file):
    """{(tenant, database, collection): (head, [records])} of a truth file."""
    collections = {}
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            if "collection" in line:
                collections[line["tenant"], line["database"], line["collection"]] = (line, [])
            else:
                collections[line["t"], line["db"], line["c"]][1].append(line)
    return collections
