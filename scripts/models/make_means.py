"""What multilingual-e5-small's vectors are centred with: make_means.py TOKENIZER MODEL.onnx PRODUCTS.jsonl OUT

The mean vector of every third product of the sample as a passage, then that of queries.txt as queries, both float32. They
are constants of the model: other values give vectors that cannot be compared with those that are stored.
"""
import json
import pathlib
import sys

import numpy as np

from reference import Reference, labelled_text

model = Reference(sys.argv[1], sys.argv[2], begin=0, end=2)
products = [json.loads(line) for line in open(sys.argv[3])][::3]
queries = (pathlib.Path(__file__).parent / "queries.txt").read_text().splitlines()
means = [np.mean([model.vector(prefix + text) for text in texts], axis=0, dtype=np.float64)
         for prefix, texts in (("passage: ", map(labelled_text, products)), ("query: ", queries))]
np.concatenate(means).astype("<f4").tofile(sys.argv[4])
