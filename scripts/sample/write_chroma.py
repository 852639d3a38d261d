"""The Chroma directory, written by the real chromadb: write_chroma.py RECORDS.jsonl VECTORS.npy FOLDER"""
import json
import sys

import chromadb
import numpy as np

BATCH = 100

records = [json.loads(line) for line in open(sys.argv[1])]
vectors = np.load(sys.argv[2])
client = chromadb.PersistentClient(path=sys.argv[3], settings=chromadb.Settings(anonymized_telemetry=False))
collection = client.create_collection("products_all_products", metadata={"hnsw:space": "cosine"},
                                      embedding_function=None)
for start in range(0, len(records), BATCH):
    part = records[start : start + BATCH]
    collection.add(ids=[record["id"] for record in part], documents=[record["document"] for record in part],
                   metadatas=[record["metadata"] for record in part], embeddings=vectors[start : start + BATCH])
print(f"{collection.count()} records of chromadb {chromadb.__version__} in {sys.argv[3]}")
