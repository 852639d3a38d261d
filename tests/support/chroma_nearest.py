#!/usr/bin/env python3
"""What chromadb itself finds nearest in a collection, and what is nearest, as a measure of decant's search.

    chroma_nearest.py DIR COLLECTION QUESTIONS COUNT

DIR.truth.jsonl.gz tells the vectors (make_chroma.py wrote it); questions are some of them, changed a little, seeded.
Prints JSON: a list with an object a question: "question", "exact" (every [id, cosine], the nearest first) and "own"
(what Collection.query gives for n_results=COUNT: [id, distance, cosine]).
"""
import base64
import gzip
import json
import sys

import numpy as np

from chroma_client import open_client


def read_vectors(file, collection):
    """Ids and vectors; of records whose vector Chroma lost, none."""
    ids, vectors = [], []
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record.get("c") == collection and record["v"] is not None:
                ids.append(record["id"])
                vectors.append(np.frombuffer(base64.b64decode(record["v"]), "<f4"))
    return ids, np.array(vectors)


def main():
    directory, name, questions, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    ids, vectors = read_vectors(directory + ".truth.jsonl.gz", name)
    exact_vectors = vectors.astype(np.float64)
    directions = exact_vectors / np.linalg.norm(exact_vectors, axis=1, keepdims=True)
    collection = open_client(directory).get_collection(name, embedding_function=None)
    rng = np.random.default_rng(3)
    out = []
    for row in rng.integers(len(ids), size=questions):
        noise = rng.standard_normal(vectors.shape[1]) * 0.5 * np.linalg.norm(vectors[row]) / np.sqrt(vectors.shape[1])
        question = (vectors[row] + noise).astype(np.float32)
        cosines = directions @ (question / np.linalg.norm(question.astype(np.float64)))
        order = np.argsort(-cosines, kind="stable")
        cosine_of = dict(zip(ids, cosines.tolist()))
        own = collection.query(query_embeddings=[question.tolist()], n_results=count, include=["distances"])
        out.append({"question": question.tolist(), "exact": [[ids[i], cosines[i]] for i in order],
                    "own": [[found, distance, cosine_of.get(found)]
                            for found, distance in zip(own["ids"][0], own["distances"][0])]})
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
