"""multilingual-e5-small by Python's onnxruntime, from the same weights: rival_onnxruntime.py TOKENIZER MODEL.onnx TEXTS

As embed_loop bare: tokens are ready, sorted by length, 32 texts a batch. Prints {"seconds": ...}.
"""
import json
import sys
import time

import numpy as np
import onnxruntime
import sentencepiece

BEGIN, END, PADDING, MOST_TOKENS, BATCH = 0, 2, 1, 512, 32

tokenizer = sentencepiece.SentencePieceProcessor(model_file=sys.argv[1])
model = onnxruntime.InferenceSession(sys.argv[2], providers=["CPUExecutionProvider"])
texts = [[BEGIN, *tokenizer.encode("passage: " + line)[: MOST_TOKENS - 2], END] for line in open(sys.argv[3])]
texts.sort(key=len, reverse=True)
batches = []
for first in range(0, len(texts), BATCH):
    rows = texts[first : first + BATCH]
    ids = np.full((len(rows), len(rows[0])), PADDING, np.int64)
    mask = np.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1
    batches.append({"input_ids": ids, "attention_mask": mask})
model.run(["embedding"], batches[len(batches) // 2])
start = time.perf_counter()
for batch in batches:
    model.run(["embedding"], batch)
print(json.dumps({"seconds": time.perf_counter() - start}))
