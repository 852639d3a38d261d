"""Vectors of the records' documents: embed.py MODEL.spm MODEL.onnx MEANS RECORDS.jsonl OUT.npy

What decant's embedded multilingual-e5-small makes of them as passages: "passage: " + document, at most 512 tokens, the mean
passage subtracted, length 1. One document a call: a batch's padding would change the last bits of a vector.
"""
import json
import sys

import numpy as np
import onnxruntime
import sentencepiece

BEGIN, END, MOST_TOKENS = 0, 2, 512

tokenizer = sentencepiece.SentencePieceProcessor(model_file=sys.argv[1])
model = onnxruntime.InferenceSession(sys.argv[2], providers=["CPUExecutionProvider"])
mean_passage, _ = np.fromfile(sys.argv[3], "<f4").reshape(2, -1)
vectors = []
for line in open(sys.argv[4]):
    pieces = tokenizer.encode("passage: " + json.loads(line)["document"])[: MOST_TOKENS - 2]
    tokens = np.array([[BEGIN, *pieces, END]], np.int64)
    (found,) = model.run(["embedding"], {"input_ids": tokens, "attention_mask": np.ones_like(tokens)})
    vector = found[0] - mean_passage
    vectors.append(vector / np.linalg.norm(vector))
np.save(sys.argv[5], np.array(vectors, np.float32))
