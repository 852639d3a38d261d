"""What scripts/bench search searches: a catalog with clustered vectors in PostgreSQL, the same vectors in Chroma, questions.

Seeded.  A category is the category of whole clusters, as laptops lie together; brands and prices are anywhere.  The texts
are long enough that PostgreSQL stores the vectors apart (TOAST), as it does with a catalog's own.
"""
import math
import os
import sys

import numpy as np
import psycopg

import postgres
from processes import run_timed

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "support"))
from make_chroma import unit_vectors  # noqa: E402

CLUSTERS, SPREAD = 200, 0.6  # as of make_chroma.clustered_vectors
CATEGORIES, BRANDS = 20, 200
SHARES = {0: 0.1, 1: 0.01, 2: 0.001}  # of the first brands; the others share what is left
QUESTIONS = 1_000
STAGING = """
CREATE UNLOGGED TABLE vectors (number int, category int, brand int, price float8, stock int, embedding vector);
CREATE UNLOGGED TABLE texts (number int, name text, description text, specs text);
CREATE UNLOGGED TABLE questions (number int PRIMARY KEY, embedding vector);
"""
FILL = f"""
INSERT INTO categories (name, display_name) SELECT 'category-' || i, 'Category ' || i FROM generate_series(0, {CATEGORIES - 1}) i;
INSERT INTO brands (name, display_name) SELECT 'brand-' || i, 'Brand ' || i FROM generate_series(0, {BRANDS - 1}) i;
INSERT INTO products (sku, name, description, specs, price, stock, category_id, brand_id, embedding, embedding_model,
                      last_embedding_update)
SELECT v.number, t.name, t.description, t.specs, v.price, v.stock, c.id, b.id, v.embedding, 'multilingual-e5-small', now()
FROM vectors v JOIN texts t USING (number) JOIN categories c ON c.name = 'category-' || v.category
JOIN brands b ON b.name = 'brand-' || v.brand;
DROP TABLE vectors, texts;
ALTER TABLE questions ALTER embedding SET STORAGE PLAIN;
"""


class Catalog:
    """Product i has sku i; prices tell every selectivity: they are evenly spread from 10 to 10,000."""

    def __init__(self, rows, dim):
        rng = np.random.default_rng(6)
        self.rows, self.dim = rows, dim
        centres = unit_vectors(rng, CLUSTERS, dim)
        cluster = rng.integers(CLUSTERS, size=rows + QUESTIONS)
        noise = rng.standard_normal((len(cluster), dim)).astype(np.float32) * np.float32(SPREAD / math.sqrt(dim))
        every = centres[cluster] + noise
        every /= np.linalg.norm(every, axis=1, keepdims=True)
        self.vectors, self.questions = every[:rows], every[rows:]
        # The first category has a tenth of the clusters, the others the rest.
        category = np.where(cluster < CLUSTERS // 10, 0, 1 + cluster % (CATEGORIES - 1))
        self.category, self.question_category = category[:rows], category[rows:]
        others = (1 - sum(SHARES.values())) / (BRANDS - len(SHARES))
        self.brand = rng.choice(BRANDS, size=rows, p=[SHARES.get(brand, others) for brand in range(BRANDS)])
        self.price = np.round(rng.uniform(10, 10_000, rows), 2)
        self.stock = rng.integers(0, 50, rows)
        words = ["".join(rng.choice(list("abcdefghilmnoprstuvz"), size=length)) for length in rng.integers(3, 10, 2_000)]
        self.texts = rng.choice(words, size=(rows, 120))

    def nearest(self, questions, passing=None, count=10):
        """The exact answers: skus, one row a question."""
        passing = np.arange(self.rows) if passing is None else np.flatnonzero(passing)
        answers = []
        for start in range(0, len(questions), 100):
            products = questions[start:start + 100] @ self.vectors[passing].T
            answers.append(passing[np.argsort(-products, axis=1)[:, :count]])
        return np.concatenate(answers)


def recall(found, exact):
    """Mean share of the exact answers that were found."""
    return float(np.mean([len(set(map(int, one)) & set(map(int, right))) / len(right) for one, right in zip(found, exact)]))


def copy_binary(connection, table, columns):
    """`columns`: name and array of the numbers; the last one holds vectors."""
    dim = columns[-1].shape[1]
    fields = [("count", ">i2")]
    for number, column in enumerate(columns[:-1]):
        fields += [(f"size{number}", ">i4"), (f"value{number}", column.dtype.newbyteorder(">"))]
    fields += [("size", ">i4"), ("dim", ">i2"), ("unused", ">i2"), ("vector", ">f4", dim)]
    rows = np.zeros(len(columns[-1]), np.dtype(fields))
    rows["count"] = len(columns)
    for number, column in enumerate(columns[:-1]):
        rows[f"size{number}"], rows[f"value{number}"] = column.dtype.itemsize, column
    rows["size"], rows["dim"], rows["vector"] = 4 + 4 * dim, dim, columns[-1]
    with connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows.tobytes() + b"\xff\xff")


def load(catalog, decant):
    """The benchmark's database: the catalog's schema and indexes, analysed."""
    postgres.recreate_database()
    run_timed([decant, "schema", "up", "--dimension", str(catalog.dim)], postgres.environment())
    numbers = np.arange(catalog.rows, dtype=np.int32)
    with postgres.connect() as connection:
        (index,) = connection.execute("SELECT pg_get_indexdef('idx_products_embedding_hnsw'::regclass)").fetchone()
        connection.execute("DROP INDEX idx_products_embedding_hnsw")
        connection.execute(STAGING)
        copy_binary(connection, "vectors", [numbers, catalog.category.astype(np.int32), catalog.brand.astype(np.int32),
                                            catalog.price, catalog.stock.astype(np.int32), catalog.vectors])
        copy_binary(connection, "questions", [np.arange(len(catalog.questions), dtype=np.int32), catalog.questions])
        with connection.cursor().copy("COPY texts FROM STDIN") as copy:
            for number, words in enumerate(catalog.texts.tolist()):
                copy.write_row((number, f"Product {number} " + " ".join(words[:4]), " ".join(words[4:90]),
                                " ".join(words[90:])))
        connection.execute("SET session_replication_role = replica")  # nothing is to be embedded
        connection.execute(FILL)
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute(index)
        connection.execute("VACUUM ANALYZE products")


def make_chroma(catalog, directory):
    """The same vectors in a collection of a directory; metadata as decant's own export has it."""
    import chromadb

    client = chromadb.PersistentClient(directory, settings=chromadb.Settings(anonymized_telemetry=False))
    collection = client.create_collection("products", metadata={"hnsw:space": "cosine"})
    for start in range(0, catalog.rows, 1_000):
        numbers = range(start, min(start + 1_000, catalog.rows))
        collection.add(ids=[str(i) for i in numbers], embeddings=catalog.vectors[start:start + 1_000], metadatas=[
            {"name": f"Product {i}", "brand": f"Brand {catalog.brand[i]}", "category": f"Category {catalog.category[i]}",
             "price": float(catalog.price[i]), "stock": int(catalog.stock[i])} for i in numbers])
