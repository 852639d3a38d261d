"""What multilingual-e5-small's 8-bit products cost, against float32 on the same processor.

    measure_precision.py MODELS_FOLDER PRODUCTS.jsonl [EVERY]

with the packages of scripts/requirements-convert.txt. Takes every EVERY-th product (1). Prints the cosine between each
text's two vectors, and how often known-item questions find their product: 400 products, each asked for by its category,
brand, two of its technical values and a word of its name.
"""
import json
import pathlib
import random
import sys

import numpy as np
import openvino
import sentencepiece

BEGIN, END, MOST_TOKENS = 0, 2, 512
PRECISIONS = {"float32": {"DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}, "8-bit": {"DYNAMIC_QUANTIZATION_GROUP_SIZE": 32}}


def text_of(product):
    """Enough of the recipe `labelled` for the sample."""
    technical = ", ".join(f"{key}: {value}" for key, value in product["technical_specs"].items())
    parts = [("Product", product["name"]), ("Brand", product.get("brand")), ("Category", product["category_display_name"]),
             ("Model", product.get("model")), ("Description", product["description"][:500]),
             ("Specifications", product["specs"][:300]), ("Technical", technical),
             ("Features", ", ".join(product.get("features") or []))]
    return ". ".join(f"{label}: {text.strip()}" for label, text in parts if text)


def question_of(product, chance):
    values = list(product["technical_specs"].values())
    chance.shuffle(values)
    words = [word for word in product["name"].split() if word != product.get("brand")]
    chance.shuffle(words)
    return " ".join([product["category_display_name"], product.get("brand", ""), *values[:2], *words[:1]]).lower()


class Model:
    def __init__(self, folder, settings):
        self.tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
        self.means = np.fromfile(folder / "means", "<f4").reshape(2, -1)
        settings = {"INFERENCE_PRECISION_HINT": "f32", **settings}
        self.request = openvino.Core().compile_model(folder / "model.xml", "CPU", settings).create_infer_request()

    def vectors(self, prefix, mean, texts):
        found = []
        for text in texts:
            tokens = np.array([[BEGIN, *self.tokenizer.encode(prefix + text)[: MOST_TOKENS - 2], END]], np.int64)
            self.request.infer({"input_ids": tokens, "attention_mask": np.ones_like(tokens)})
            vector = self.request.get_output_tensor(0).data[0] - self.means[mean]
            found.append(vector / np.linalg.norm(vector))
        return np.array(found)


def main(models, products, every=1):
    items = [json.loads(line) for line in open(products)][:: int(every)]
    chance = random.Random(7)
    asked = chance.sample(range(len(items)), min(400, len(items)))
    questions = [question_of(items[place], chance) for place in asked]
    vectors = {}
    for name, settings in PRECISIONS.items():
        model = Model(pathlib.Path(models) / "multilingual-e5-small", settings)
        stored, wanted = model.vectors("passage: ", 0, map(text_of, items)), model.vectors("query: ", 1, questions)
        vectors[name] = stored, wanted
        scores = wanted @ stored.T
        ranks = (scores > scores[np.arange(len(asked)), asked][:, None]).sum(axis=1)
        print(f"{name}: recall@1 {(ranks < 1).mean():.3f}, recall@10 {(ranks < 10).mean():.3f}, "
              f"MRR {(1 / (ranks + 1)).mean():.4f} of {len(asked)} questions")
    for kind, exact, fast in zip(("products", "questions"), *vectors.values()):
        cosines = (exact * fast).sum(axis=1)
        print(f"cosine of {len(cosines)} {kind}: least {cosines.min():.4f}, mean {cosines.mean():.4f}")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
