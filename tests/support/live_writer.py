"""A client that keeps writing to a directory while decant reads it, in steps that a reader can check.

Step k is one call of chromadb, so one transaction of the queue: an upsert of BATCH records with all of their parts made
from (id, k), or, every fifth step, a delete.  `state_after(k)` tells what the collection holds then; a consistent read
equals the state after some whole number of steps.
"""
import os
import random

COLLECTION = "live"
DIMENSION = 32
BATCH = 25
POPULATION = 600


def step(number):
    """("upsert" | "delete", ids) of step `number`, counted from 1."""
    rng = random.Random(number)
    ids = [f"live-{i}" for i in rng.sample(range(POPULATION), BATCH)]
    return ("delete" if number % 5 == 0 else "upsert"), ids


def vector_of(record_id, number):
    """Small whole numbers and halves: exact in float32 and in every sum."""
    base = int(record_id.split("-")[1])
    return [float(number % 4096), float(base)] + [((base * 7 + number * 13 + k) % 101) / 2 for k in range(DIMENSION - 2)]


def record_of(record_id, number):
    return {"vector": vector_of(record_id, number), "document": f"{record_id} as of step {number}",
            "metadata": {"step": number, "whole": float(number)}}


def state_after(number):
    """{id: step that wrote it last}."""
    state = {}
    for k in range(1, number + 1):
        verb, ids = step(k)
        for record_id in ids:
            if verb == "upsert":
                state[record_id] = k
            else:
                state.pop(record_id, None)
    return state


def add_arguments(parser):
    parser.add_argument("directory")
    parser.add_argument("--stop", required=True, help="ends when this file exists")
    parser.add_argument("--most", type=int, default=5000, help="ends after so many steps in any case")
    parser.add_argument("--space", default="l2")
    # A threshold this small makes Chroma rewrite the HNSW files, and purge the queue, every few steps.
    parser.add_argument("--sync-threshold", type=int, default=100)
    parser.add_argument("--ready-after", type=int, default=30, help="prints `ready` after so many steps")


def run(options):
    from chroma_client import open_client
    collection = open_client(options.directory).create_collection(
        COLLECTION, metadata={"hnsw:space": options.space, "hnsw:batch_size": 50, "hnsw:sync_threshold": options.sync_threshold})
    number = 0
    while number < options.ready_after or number < options.most and not os.path.exists(options.stop):
        number += 1
        verb, ids = step(number)
        if verb == "delete":
            collection.delete(ids=ids)
        else:
            records = [record_of(i, number) for i in ids]
            collection.upsert(ids=ids, embeddings=[r["vector"] for r in records],
                              documents=[r["document"] for r in records], metadatas=[r["metadata"] for r in records])
        if number == options.ready_after:
            print("ready", flush=True)
    print(f"steps {number}", flush=True)
