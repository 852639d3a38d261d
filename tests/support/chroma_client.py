"""The few calls of chromadb that differ between its versions."""
import logging
import os

os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
logging.disable(logging.CRITICAL)

import chromadb  # noqa: E402  (reads the environment when imported)
from chromadb.config import Settings  # noqa: E402

DEFAULT_TENANT = "default_tenant"
DEFAULT_DATABASE = "default_database"


def chromadb_version():
    return tuple(int(part) for part in chromadb.__version__.split(".")[:2])


def open_client(path, tenant=DEFAULT_TENANT, database=DEFAULT_DATABASE, create=False):
    """A client of one database; with `create`, tenant and database are made first where they are not there."""
    if create and (tenant, database) != (DEFAULT_TENANT, DEFAULT_DATABASE):
        settings = Settings(anonymized_telemetry=False, is_persistent=True, persist_directory=path)
        if chromadb_version() >= (1, 0):
            settings.chroma_api_impl = "chromadb.api.rust.RustBindingsAPI"
        admin = chromadb.AdminClient(settings)
        if tenant != DEFAULT_TENANT:
            admin.create_tenant(tenant)
        admin.create_database(database, tenant)
    return chromadb.PersistentClient(path=path, settings=Settings(anonymized_telemetry=False), tenant=tenant,
                                     database=database)


def put(collection, verb, ids, vectors=None, documents=None, metadatas=None):
    """collection.add, update or upsert in groups of one shape: Chroma wants all documents of a call, or none."""
    groups = {}
    for position, record_id in enumerate(ids):
        document = documents[position] if documents is not None else None
        metadata = metadatas[position] if metadatas is not None else None
        group = groups.setdefault((document is None, metadata is None), {"ids": [], "positions": []})
        group["ids"].append(record_id)
        group["positions"].append(position)
    for (no_document, no_metadata), group in groups.items():
        arguments = {"ids": group["ids"]}
        if vectors is not None:
            arguments["embeddings"] = [[float(x) for x in vectors[k]] for k in group["positions"]]
        if not no_document:
            arguments["documents"] = [documents[k] for k in group["positions"]]
        if not no_metadata:
            arguments["metadatas"] = [metadatas[k] for k in group["positions"]]
        getattr(collection, verb)(**arguments)
