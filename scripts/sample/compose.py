"""Writes the sample's products and the records that Chroma gets: compose.py PARTS.json PRODUCTS.jsonl RECORDS.jsonl

1,500 products, of which 1,200 are records. The same parts give the same bytes: what varies is chosen by each name.
"""
import json
import pathlib
import random
import sys
import uuid

from shop_products import all_products
from spanish_parts import COMPOSERS, brand_of

PRODUCTS, RECORDS, ALWAYS_RECORDS = 1500, 1200, 3
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://decant.example/sample")


def product_of(part):
    """The sku's letters and the product."""
    chance = random.Random(part["part"] + part["name"] + str(part["price"]))
    letters, composer = COMPOSERS[part["part"]]
    category, display, subcategory, name, technical, text = composer(part, lambda *choices: chance.choice(choices))
    return letters, {
        "name": name, "brand": brand_of(part["name"]), "model": None, "price": part["price"],
        "stock": chance.choice([0, 0, 1, 2, 3, 5, 8, 12, 15, 20, 30, 50]), "category": category,
        "category_display_name": display, "subcategory": subcategory, "description": text.strip(),
        "technical_specs": technical, "features": None}


def embedding_text(product):
    """What Chroma keeps as the document: the guide's text, without the parts that are empty."""
    technical = ", ".join(f"{key}: {value}" for key, value in (product.get("technical_specs") or {}).items())
    parts = [
        ("Product", product["name"]), ("Brand", product.get("brand")), ("Category", product["category_display_name"]),
        ("Model", product.get("model")), ("Description", (product.get("description") or "")[:500]),
        ("Specifications", (product.get("specs") or "")[:300]), ("Technical", technical),
        ("Features", ", ".join(product.get("features") or []))]
    return ". ".join(f"{title}: {text}" for title, text in parts if text)


def record_of(product):
    metadata = {
        "product_id": product["id"], "sku": product["sku"], "name": product["name"], "price": product["price"],
        "stock": product["stock"], "brand_name": product["brand"], "category_name": product["category"],
        "category_display_name": product["category_display_name"], "description": product["description"],
        "specs": product["specs"], "active": True}
    if "model" in product:
        metadata["model"] = product["model"]
    return {"id": f"product_{product['id']}", "document": embedding_text(product), "metadata": metadata}


def write(path, values):
    pathlib.Path(path).write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values))


def main(parts_path, products_path, records_path):
    composed = all_products() + [product_of(part) for part in json.loads(pathlib.Path(parts_path).read_text())]
    products, numbers, names = [], {}, set()
    for letters, product in composed:
        numbers[letters] = numbers.get(letters, 0) + 1
        sku = f"{letters}-{numbers[letters]:04}"
        specs = ", ".join(f"{key} {value}" for key, value in list(product["technical_specs"].items())[:4])
        # As jsonb orders its keys, so that the text made of the table is that of the document.
        technical = sorted(product["technical_specs"].items(), key=lambda entry: (len(entry[0].encode()), entry[0].encode()))
        whole = {"id": str(uuid.uuid5(NAMESPACE, sku)), "sku": sku, **product, "specs": specs,
                 "technical_specs": dict(technical), "active": True}
        whole = {key: value for key, value in whole.items() if value is not None}
        if whole["name"] in names:
            raise SystemExit(f"compose: two products are named '{whole['name']}'")
        names.add(whole["name"])
        products.append(whole)
    if len(products) != PRODUCTS:
        raise SystemExit(f"compose: {len(products)} products, not {PRODUCTS}")
    with_record = set(range(ALWAYS_RECORDS))
    with_record |= set(random.Random("records").sample(range(ALWAYS_RECORDS, PRODUCTS), RECORDS - ALWAYS_RECORDS))
    write(products_path, products)
    write(records_path, [record_of(product) for index, product in enumerate(products) if index in with_record])


main(*sys.argv[1:])
