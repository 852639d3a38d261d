"""What the program's vectors are compared with: the same graphs on onnxruntime, one text a call.

    reference.py MODELS_FOLDER ONNX_FOLDER TEXTS OUT_FOLDER

Writes for each model NAME.tokens, a line of ids a text, and NAME.vectors, float32. The texts are taken as passages and
queries by turns.
"""
import pathlib
import sys

import numpy as np
import onnxruntime
import sentencepiece

MOST_TOKENS = 512


class Reference:
    def __init__(self, tokenizer, model, begin, end):
        self.tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
        self.model = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
        self.begin, self.end = begin, end

    def tokens(self, text):
        return [self.begin, *self.tokenizer.encode(text)[: MOST_TOKENS - 2], self.end]

    def vector(self, text):
        tokens = np.array([self.tokens(text)], np.int64)
        return self.model.run(["embedding"], {"input_ids": tokens, "attention_mask": np.ones_like(tokens)})[0][0]


def labelled_text(product):
    """The recipe `labelled` of src/catalog/embedding_text.cpp, as far as the sample needs it."""
    technical = ", ".join(f"{key}: {value}" for key, value in (product.get("technical_specs") or {}).items())
    parts = [
        ("Product", product["name"]), ("Brand", product.get("brand")), ("Category", product["category_display_name"]),
        ("Model", product.get("model")), ("Description", (product.get("description") or "")[:500]),
        ("Specifications", (product.get("specs") or "")[:300]), ("Technical", technical),
        ("Features", ", ".join(product.get("features") or []))]
    return ". ".join(f"{title}: {text.strip()}" for title, text in parts if text)


def write_all(models, graphs, texts, out):
    for name, begin, end, prefixes in (("multilingual-e5-small", 0, 2, ("passage: ", "query: ")),
                                       ("use-multilingual", 1, 2, ("", ""))):
        reference = Reference(models / name / "tokenizer.model", graphs / f"{name}.onnx", begin, end)
        means = models / name / "means"
        centres = np.fromfile(means, "<f4").reshape(2, -1) if means.exists() else np.zeros((2, 1), np.float32)
        tokens, vectors = [], []
        for place, text in enumerate(texts):
            text = prefixes[place % 2] + text
            tokens.append(" ".join(map(str, reference.tokens(text))) + "\n")
            vector = reference.vector(text) - centres[place % 2]
            vectors.append(vector / np.linalg.norm(vector))
        (out / f"{name}.tokens").write_text("".join(tokens))
        np.array(vectors, "<f4").tofile(out / f"{name}.vectors")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    models, graphs, texts, out = map(pathlib.Path, sys.argv[1:])
    write_all(models, graphs, texts.read_text().splitlines(), out)
