"""Vectors of the records' documents: embed.py MODEL.spm MODEL.onnx RECORDS.jsonl OUT.npy

multilingual-e5-small on "passage: " + document, at most 512 tokens, one document a call: a batch's padding would change
the last bits of a vector.
"""
import json
import sys

import numpy as np
import onnxruntime
import sentencepiece

BEGIN, END, MOST_TOKENS = 0, 2, 512

tokenizer = sentencepiece.SentencePieceProcessor(model_file=sys.argv[1])
model = onnxruntime.InferenceSession(sys.argv[2], providers=["CPUExecutionProvider"])
vectors = []
for line in open(sys.argv[3]):
    pieces = tokenizer.encode("passage: " + json.loads(line)["document"])[: MOST_TOKENS - 2]
    tokens = np.array([[BEGIN, *pieces, END]], np.int64)
    (found,) = model.run(["embedding"], {"input_ids": tokens, "attention_mask": np.ones_like(tokens)})
    vectors.append(found[0])
np.save(sys.argv[4], np.array(vectors, np.float32))
