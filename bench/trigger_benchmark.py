#!/usr/bin/env python3
"""scripts/bench trigger: what decant's triggers cost those who write products.

The same UPDATE of all products by psql, with decant's triggers on and off, each in a fresh copy of one template database,
taking turns.  The table has all indexes of the catalog but the vector index, which every UPDATE that is not HOT has to
maintain, triggers or not.  Prints a Markdown table.
"""
import argparse
import statistics
import sys

import psycopg

import postgres
from processes import run_timed
from report import Report

TEMPLATE = postgres.DATABASE + "_template"
FILL = """
INSERT INTO categories (name, display_name) SELECT 'category ' || i, 'Category ' || i FROM generate_series(1, 40) i;
INSERT INTO brands (name, display_name) SELECT 'brand ' || i, 'Brand ' || i FROM generate_series(1, 200) i;
INSERT INTO products (name, description, specs, price, stock, sku, category_id, brand_id, embedding,
                      last_embedding_update, embedding_model)
SELECT 'Product ' || i || ' ' || md5(i::text), repeat(md5(i::text) || ' ', 6), 'specs', i, 5, 'sku-' || i, c.id, b.id,
       (SELECT array_agg(sin(i * k)) FROM generate_series(1, 384) k)::vector, now(), 'a model'
FROM generate_series(1, {rows}) i
JOIN categories c ON c.name = 'category ' || i % 40 + 1 JOIN brands b ON b.name = 'brand ' || i % 200 + 1
"""
OURS = ("SELECT tgname FROM pg_trigger WHERE tgrelid = 'products'::regclass AND NOT tgisinternal "
        "AND (tgname LIKE 'decant%' OR tgname = 'trigger_update_embedding_version')")
PRICES = "UPDATE products SET price = price + 1"
NAMES = "UPDATE products SET name = name || '!'"


def admin(*statements):
    with psycopg.connect(dbname="postgres", autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def drop(database):
    admin(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


def prepare(options):
    """The template, and the names of decant's triggers on products."""
    postgres.recreate_database()
    run_timed([options.decant, "schema", "up", "--dimension", "384"], postgres.environment())
    with postgres.connect() as connection:
        connection.execute("DROP INDEX idx_products_embedding_hnsw")
        connection.execute(FILL.format(rows=options.rows))
        triggers = [name for (name,) in connection.execute(OURS)]
    # VACUUM sets the hint bits and empties the list of the index of words, which the first UPDATE would have to pay for.
    with postgres.connect() as connection:
        connection.execute("VACUUM ANALYZE products")
        connection.execute("VACUUM ANALYZE decant.product_words")
    drop(TEMPLATE)
    admin(f"ALTER DATABASE {postgres.DATABASE} RENAME TO {TEMPLATE}")
    return triggers


def timed(options, update, without):
    """Seconds of the UPDATE alone, and how many products it put into the queue."""
    drop(postgres.DATABASE)
    admin(f"CREATE DATABASE {postgres.DATABASE} TEMPLATE {TEMPLATE} STRATEGY file_copy", "CHECKPOINT")
    with postgres.connect() as connection:
        for trigger in without:
            connection.execute(f"ALTER TABLE products DISABLE TRIGGER {trigger}")
        connection.execute("SELECT count(*), sum(length(embedding::text)) FROM products TABLESAMPLE SYSTEM (1)")
        before = connection.execute("SELECT count(*) FROM decant.embedding_jobs").fetchone()[0]
    seconds, _ = run_timed([options.psql, "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", update], postgres.environment())
    with postgres.connect() as connection:
        return seconds, connection.execute("SELECT count(*) FROM decant.embedding_jobs").fetchone()[0] - before


def measure(options, report, triggers, what, update, expected, target):
    taken = []
    for turn in range(options.repetitions):
        sides = {}
        # The one that is first in a round is last in the next.
        for name, without in (("on", []), ("off", triggers))[:: 1 if turn % 2 == 0 else -1]:
            sides[name], queued = timed(options, update, without)
            if queued != (expected if name == "on" else 0):
                sys.exit(f"{what}, triggers {name}: {queued} products were queued, not {expected}")
        taken.append((sides["on"] / sides["off"], sides["on"], sides["off"]))
    # The round whose ratio is the median one: seconds of other rounds would not divide to it.
    _, on, off = sorted(taken)[len(taken) // 2]
    report.at_most(f"{what}, triggers on / off", on, off, target)
    report.figure("spread of the ratio, quartiles", statistics.quantiles([t[0] for t in taken], n=4)[2]
                  - statistics.quantiles([t[0] for t in taken], n=4)[0], "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decant", required=True)
    parser.add_argument("--psql", required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repetitions", type=int, default=7)
    options = parser.parse_args()
    report = Report()
    try:
        triggers = prepare(options)
        drop(postgres.DATABASE)
        admin(f"CREATE DATABASE {postgres.DATABASE} TEMPLATE {TEMPLATE}")
        report.section(f"{options.rows:,} products, without the vector index", postgres.server_settings())
        measure(options, report, triggers, "UPDATE of all prices", PRICES, 0, 1.05)
        measure(options, report, triggers, "UPDATE of all names", NAMES, options.rows, 2)
    finally:
        drop(TEMPLATE)
        drop(postgres.DATABASE)
    report.close()
    return 0 if report.all_passed() else 1


if __name__ == "__main__":
    sys.exit(main())
