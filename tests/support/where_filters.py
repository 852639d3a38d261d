"""A collection of awkward records, and what chromadb finds in it with generated filters.

    where_filters.py OUT --filters N [--seed N] [--space S]    the directory OUT/chroma with the collection `filters`, and OUT/filters.jsonl

Lines of the file: {"where": TEXT or null, "where_document": TEXT or null, and either "refused": MESSAGE, or "ids": [...]
in no order, and for every tenth "query": [...] with "nearest": [[id, distance], ...]}. Filters stand in it as the JSON text
that chromadb's own client would send. Seeded: the same filters each time.
"""
import argparse
import json
import os
import random

from chroma_client import open_client, put

RECORDS = 400
DIMENSION = 8
NEAREST = 12

TEXTS = ["", "a", "A", "abc", "ABC", "ñandú", "Ñandú", 'quo"te', "it's", "100%", "a_b", "back\\slash", "line\nbreak", "😀",
         "3", "3.0", "true", "null", " space ", "\t", "é", "e\u0301", "$eq", "{}", "[1]", "'; DROP TABLE x;--", "%", "_", "\\"]
WHOLES = [0, 1, 2, 3, 4, -1, -3, 100, 2**53 - 1, 2**53, 2**53 + 1, -2**53 - 1, 2**60, 2**60 + 1, 2**63 - 1, 2**63 - 2, -2**63]
REALS = [0.0, -0.0, 1.0, 2.5, 3.0, 3.5, -0.5, -3.0, -3.5, 0.1, 0.1 + 0.2, 0.3, 2.0**53, 2.0**53 + 2, 2.0**60, 2.0**63, -2.0**63,
         1e19, -1e19, 1e300, 1e-300, 5e-324, 1.7976931348623157e308, 99.99, 123456.789, 1 / 3]
BOOLS = [True, False]
KINDS = {"text": TEXTS, "whole": WHOLES, "real": REALS, "bool": BOOLS}
# One kind of value a key, or any.
KEYS = {"name": "text", "stock": "whole", "price": "real", "active": "bool", "mixed": "any", "tags": "texts",
        "sizes": "wholes", "shares": "reals", "flags": "bools", "many": "any list", "ñ key": "any", 'quo"ted': "text",
        "it's": "whole", "per%cent": "text", "back\\slash": "any", "a.b": "real", "a/b~c": "whole", " ": "any", "😀": "text",
        "line\nbreak": "whole", "a" * 300: "text"}
MISSING = ["absent", "Name", "name ", "chroma:document", "NULL"]
WORDS = ["Cámara", "camara", "USB", "usb-c", "100%", "a_b", "a\\b", "ñandú", "ÑANDÚ", "línea\nnueva", "tab\there", "😀", "日本語",
         "it's", '"quoted"', "x", "2.5", "2025-01-31", "K", "\u212a", "ß", "ẞ", "straße", "foo_bar1", "e\u0301", "é", " ", "--"]
PATTERNS = [r"usb", r"(?i)usb", r"(?i)ñandú", r"^Cámara", r"(?m)^nueva$", r"\d{4}-\d{2}-\d{2}", r"\bnueva\b", r"\Bnueva", r"\w+_\w+\d",
            r"a.b", r"a\\b", r"100%", r"línea.nueva", r"(?s)línea.nueva", r"[[:upper:]]{3}", r"[^a-z\s]$", r"\p{Han}+", r"\pS", r"\P{L}\z",
            r"\p{Greek}|\p{Lu}", r"(?i)k", r"(?i)[k-l]", r"(?i)[^k]x", r"(?i)STRASSE|straße", r"[0-9&&[^3-9]]", r"[\w--\d]_", r"[a-c~~b-d]",
            r"(?:a|b)?x", r"(?P<name>USB)[- ]", r"x{2,3}|x$", r"\A\z", r"^$", r"(?-s:.)\t", r"\x41|\u{e1}", r"[\]\-\\]", r"\.5", r"[é]",
            r"(camara|usb)(-c)? .*x", r"(?i:K)a", r"\<x\>", r"\S\s\S", r"\D+$", r"\W{2}", r"(?U)a.*?b", r"a|", r"(a*)*b", r"[-x]{2}", r"\*|\+|\?"]
LIST_OPERATORS = ["$contains", "$not_contains"]
OPERATORS = ["", "$eq", "$ne", "$in", "$nin", "$gt", "$gte", "$lt", "$lte"]
REFUSED = [{}, {"stock": 1, "price": 2}, {"stock": {}}, {"stock": {"$gt": 1, "$lt": 3}}, {"stock": None}, {"stock": [1]},
           {"stock": {"$eq": None}}, {"stock": {"$eq": [1]}}, {"stock": {"$in": []}}, {"stock": {"$nin": []}}, {"stock": {"$in": 3}},
           {"stock": {"$in": [1, 2.0]}}, {"stock": {"$in": [True, 1]}}, {"stock": {"$in": [1, "a"]}}, {"stock": {"$in": [[1]]}},
           {"stock": {"$in": [None]}}, {"stock": {"$gt": "a"}}, {"stock": {"$lte": True}}, {"stock": {"$like": "a"}},
           {"stock": {"$contains": [1]}}, {"stock": {"$contains": None}}, {"stock": {"$regex": "a"}}, {"stock": {"$eq": 2**63}}, {"$and": []},
           {"$and": [{"stock": 1}]}, {"$or": [{"stock": 1}]}, {"$and": {"stock": 1}}, {"$and": [{"stock": 1}, {}]}, {"$not": {"stock": 1}},
           {"$eq": 1}, {"$gt": 1}, {"$in": [1]}, {"$contains": "a"}, {"$stock": 1}, {"#document": "a"}, {"#document": {"$contains": 3}},
           {"stock": {"stock": 1}}, {"$or": [{"stock": 1}, {"stock": {"$foo": 1}}]}]
REFUSED_DOCUMENT = [{}, {"$contains": ""}, {"$regex": ""}, {"$contains": 3}, {"$contains": ["a"]}, {"$eq": "a"}, {"name": "a"},
                    {"$contains": "a", "$regex": "b"}, {"$and": [{"$contains": "a"}]}, {"$or": []}, {"$and": [{"$contains": "a"}, {"x": "b"}]},
                    {"$regex": "("}, {"$regex": ")"}, {"$regex": "[a"}, {"$regex": "*a"}, {"$regex": "(?=a)"}, {"$regex": r"(a)\1"},
                    {"$regex": r"\Z"}, {"$regex": "[z-a]"}, {"$regex": "a{2,1}"}, {"$regex": "a{,2}"}, {"$regex": "a{"}, {"$regex": "(?y)a"},
                    {"$regex": r"[a-\d]"}, {"$regex": "(?)"}, {"$regex": r"\p{Nothing}"}, {"$regex": "(?<n>a)(?<n>b)"}, {"$not_regex": "a|*"}]


def metadata_of(rng, number):
    metadata = {}
    for key, kind in KEYS.items():
        if rng.random() < 0.45:
            continue
        is_list = kind.endswith("s") or kind == "any list"
        scalar = kind if kind in KINDS else kind[:-1] if kind[:-1] in KINDS else rng.choice(sorted(KINDS))
        pool = KINDS[scalar]
        value = [rng.choice(pool) for _ in range(rng.randint(1, 4))] if is_list else rng.choice(pool)
        if scalar == "real" and rng.random() < 0.6 and not is_list:
            value = rng.uniform(-1, 1) * 10 ** rng.randint(-5, 20)
        metadata[key] = value
    return metadata if metadata and number % 29 else None


def document_of(rng, number):
    if number % 7 == 0:
        return None
    return "" if number % 31 == 0 else " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 6)))


def make_records(rng):
    ids = [f"r{number}" if number % 5 else f"Ñ {number}'\"/%_\\" for number in range(RECORDS)]
    vectors = [[rng.gauss(0, 1) for _ in range(DIMENSION)] for _ in ids]
    return ids, vectors, [document_of(rng, n) for n in range(RECORDS)], [metadata_of(rng, n) for n in range(RECORDS)]


class Generator:
    def __init__(self, rng, documents, metadatas):
        self.rng, self.documents, self.metadatas = rng, documents, metadatas

    def value(self, key):
        """One that a record has under the key, or any."""
        stored = [m[key] for m in self.metadatas if m and key in m]
        if stored and self.rng.random() < 0.75:
            value = self.rng.choice(stored)
            return self.rng.choice(value) if isinstance(value, list) else value
        return self.rng.choice(KINDS[self.rng.choice(sorted(KINDS))])

    def number(self, key):
        for _ in range(20):
            value = self.value(key)
            if not isinstance(value, (str, bool)):
                return value
        return self.rng.choice(WHOLES + REALS)

    def leaf(self):
        rng = self.rng
        key = rng.choice(MISSING) if rng.random() < 0.07 else rng.choice(sorted(KEYS))
        kind = KEYS.get(key, "any")
        of_lists = kind.endswith("s") or kind == "any list"
        if rng.random() < 0.1:
            of_lists = not of_lists
        operator = rng.choice(LIST_OPERATORS if of_lists else OPERATORS if kind in ("whole", "real", "any") else OPERATORS[:5])
        if operator in ("$gt", "$gte", "$lt", "$lte"):
            return {key: {operator: self.number(key)}}
        if operator in ("$in", "$nin"):
            first = self.value(key)
            pool = next(p for p in KINDS.values() if any(type(first) is type(v) for v in p))
            more = rng.choice([0, 1, 3, 40])
            return {key: {operator: [first] + [rng.choice(pool) for _ in range(more)]}}
        if key == "chroma:document" and operator not in ("$contains", "$not_contains"):
            value = rng.choice([d for d in self.documents if d])
        elif operator in ("$contains", "$not_contains") and key == "chroma:document":
            return {"#document": {operator: self.part_of_document()}}
        else:
            value = self.value(key)
        return {key: {operator: value}} if operator else {key: value}

    def part_of_document(self):
        text = self.rng.choice([d for d in self.documents if d])
        start = self.rng.randrange(len(text))
        return text[start:start + self.rng.randint(1, 8)]

    def document_leaf(self):
        operator = self.rng.choice(["$contains", "$not_contains", "$regex", "$not_regex"])
        if operator.endswith("regex"):
            return {operator: self.rng.choice(PATTERNS)}
        return {operator: self.part_of_document() if self.rng.random() < 0.7 else self.rng.choice(WORDS)}

    def tree(self, leaf, depth=0):
        if depth == 3 or self.rng.random() < (0.5, 0.6, 0.8)[depth]:
            return leaf()
        parts = [self.tree(leaf, depth + 1) for _ in range(self.rng.randint(2, 4))]
        return {self.rng.choice(["$and", "$or"]): parts}

    def filters(self):
        has = self.rng.random()
        return (self.tree(self.leaf) if has < 0.8 else None, self.tree(self.document_leaf) if has > 0.65 else None)


def ask(collection, where, where_document, query):
    line = {"where": None if where is None else json.dumps(where),
            "where_document": None if where_document is None else json.dumps(where_document)}
    arguments = {name: value for name, value in (("where", where), ("where_document", where_document)) if value is not None}
    try:
        line["ids"] = collection.get(**arguments, include=[])["ids"]
    except Exception as refusal:
        return {**line, "refused": f"{type(refusal).__name__}: {refusal}"}
    if query:
        found = collection.query(query_embeddings=[query], n_results=NEAREST, include=["distances"], **arguments)
        line.update(query=query, nearest=list(zip(found["ids"][0], found["distances"][0])))
    return line


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--filters", type=int, required=True)
    parser.add_argument("--space", default="cosine")
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    ids, vectors, documents, metadatas = make_records(rng)
    collection = open_client(os.path.join(options.out, "chroma")).create_collection(
        "filters", embedding_function=None, metadata={"hnsw:space": options.space, "hnsw:search_ef": RECORDS})
    put(collection, "add", ids, vectors, documents, metadatas)
    generator = Generator(rng, documents, metadatas)
    asked = [(where, None) for where in REFUSED] + [(None, where) for where in REFUSED_DOCUMENT]
    asked += [(None, {"$regex": pattern}) for pattern in PATTERNS]
    asked += [generator.filters() for _ in range(options.filters)]
    with open(os.path.join(options.out, "filters.jsonl"), "w", encoding="utf-8") as out:
        for number, (where, where_document) in enumerate(asked):
            query = [rng.gauss(0, 1) for _ in range(DIMENSION)] if number % 10 == 0 else None
            out.write(json.dumps(ask(collection, where, where_document, query)) + "\n")


if __name__ == "__main__":
    main()
