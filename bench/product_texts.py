"""Products of a wanted length for the embedding benchmark, the same in every making: sentences of the sample's products,
mixed anew."""
import gzip
import json
import os
import random
import re

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Characters of description and specifications: texts of about 60 and about 200 tokens of multilingual-e5-small.
LENGTHS = {60: (90, 0), 200: (430, 150)}


def sample_products():
    with gzip.open(os.path.join(ROOT, "sample", "products.jsonl.gz"), "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def mixed(chance, pieces, length, joint):
    text = chance.choice(pieces)
    while len(text) < length:
        text += joint + chance.choice(pieces)
    return text if length else ""


def products(tokens, count):
    """Products as `decant products load` takes them."""
    chance = random.Random(tokens)
    sample = sample_products()
    sentences = sorted({part.rstrip(".") for one in sample for part in re.split(r"(?<=\.) ", one["description"])})
    technical = sorted({part for one in sample for part in one["specs"].split(", ")})
    description, specs = LENGTHS[tokens]
    for number in range(count):
        one = chance.choice(sample)
        yield {"sku": f"B-{number:05}", "name": f"{one['name']} {number}", "brand": one.get("brand", "ASUS"),
               "category": one["category"], "category_display_name": one["category_display_name"],
               "price": 10 + number % 990, "stock": number % 50,
               "description": mixed(chance, sentences, description * chance.uniform(0.7, 1.1), ". "),
               "specs": mixed(chance, technical, specs * chance.uniform(0.7, 1.3), ", ")}


def labelled_text(product):
    """What decant embeds of such a product with multilingual-e5-small."""
    parts = [("Product", product["name"]), ("Brand", product["brand"]), ("Category", product["category_display_name"]),
             ("Description", product["description"][:500].strip()), ("Specifications", product["specs"][:300].strip())]
    return ". ".join(f"{label}: {text}" for label, text in parts if text)
