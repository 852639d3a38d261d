#!/usr/bin/env python3
"""scripts/bench migrate: decant migrate against one UPDATE ... FROM a ready staging table by psql.

Both sides write the same vectors into the same products table with the same indexes (the catalog's, without the vector
index: decant builds that afterwards, which is measured apart), each in a fresh copy of one template database, taking
turns.  Prints a Markdown table.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

import psycopg

import postgres
from copy_benchmark import COLLECTION, ROOT, synthetic_directory
from processes import run_timed, run_watched
from report import Report

TEMPLATE = postgres.DATABASE + "_template"
GIN_INDEXES = ("SELECT indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = indexrelid "
               "JOIN pg_am a ON a.oid = c.relam WHERE indrelid = 'products'::regclass AND amname = 'gin'")
FILL = f"""
INSERT INTO categories (id, name, display_name)
SELECT gen_random_uuid(), category, category FROM (SELECT DISTINCT metadata->>'category' AS category FROM staging) s;
INSERT INTO brands (id, name, display_name)
SELECT gen_random_uuid(), brand, brand FROM (SELECT DISTINCT metadata->>'brand' AS brand FROM staging) s;
INSERT INTO products (id, name, specs, description, price, stock, sku, category_id, brand_id, active)
SELECT gen_random_uuid(), s.metadata->>'name', '', s.document, 1, 1, s.id, c.id, b.id, true
FROM staging s JOIN categories c ON c.name = s.metadata->>'category' JOIN brands b ON b.name = s.metadata->>'brand';
CREATE TABLE ready AS SELECT p.id, s.embedding FROM products p JOIN staging s ON s.id = p.sku;
ANALYZE;
"""
UPDATE = ("UPDATE products p SET embedding = r.embedding, embedding_model = 'multilingual-e5-small', "
          "last_embedding_update = now() AT TIME ZONE 'UTC' FROM ready r WHERE p.id = r.id")


def admin(*statements):
    with psycopg.connect(dbname="postgres", autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


class Bench:
    def __init__(self, options, rows):
        self.decant = options.decant
        self.psql = options.psql
        self.directory = synthetic_directory(rows, 384)
        self.rows = rows

    def migrate_command(self, *more):
        return [self.decant, "migrate", "--from", self.directory, "--collection", COLLECTION, "--embedder", "none",
                "--json", *more]

    def prepare(self, with_gin):
        """The template: products, and their vectors ready in a table."""
        postgres.recreate_database()
        run_timed([self.decant, "schema", "up", "--dimension", "384"], postgres.environment())
        run_timed([self.decant, "copy", "--from", self.directory, "--collection", COLLECTION, "--to", "staging",
                   "--index", "none", "--no-verify"], postgres.environment())
        with postgres.connect() as connection:
            if not with_gin:
                for (index,) in connection.execute(GIN_INDEXES).fetchall():
                    connection.execute(f"DROP INDEX {index}")
            connection.execute(FILL)
            connection.execute("DROP TABLE staging")
            connection.execute("VACUUM ANALYZE products")
        admin(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)",
              f"ALTER DATABASE {postgres.DATABASE} RENAME TO {TEMPLATE}")

    def reset(self):
        admin(f"DROP DATABASE IF EXISTS {postgres.DATABASE} WITH (FORCE)",
              f"CREATE DATABASE {postgres.DATABASE} TEMPLATE {TEMPLATE} STRATEGY file_copy", "CHECKPOINT")

    def run_update(self):
        self.reset()
        with postgres.connect() as connection:
            connection.execute("DROP INDEX idx_products_embedding_hnsw")
        return run_timed([self.psql, "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", UPDATE], postgres.environment())[0]

    def run_migrate(self, connections):
        """(seconds without the index, the report)."""
        self.reset()
        seconds, output = run_timed(self.migrate_command("--connections", str(connections)), postgres.environment())
        report = json.loads(output)
        if report["migrated"] != self.rows or not report["verified"]:
            sys.exit(f"migrate wrote {report['migrated']} of {self.rows} products: nothing was compared")
        aside = sum(phase["seconds"] for phase in report["phases"] if phase["name"] in ("index", "recall"))
        return seconds - aside, seconds


def measure(bench, report, repetitions, name):
    taken = [(bench.run_update(), bench.run_migrate(1)[0], bench.run_migrate(2)[0]) for _ in range(repetitions)]
    update, one, two = (statistics.median(values) for values in zip(*taken))
    report.at_most(f"migrate {name}, one connection / UPDATE FROM", one, update, 1.3)
    report.at_most(f"migrate {name}, two connections / UPDATE FROM", two, update, 1.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decant", required=True)
    parser.add_argument("--psql", required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    report = Report()
    try:
        small = Bench(options, 1_500)
        small.prepare(with_gin=True)
        report.section("1,500 products")
        report.limit("migrate, index and verification included",
                     statistics.median(small.run_migrate(2)[1] for _ in range(options.repetitions)), 2, "s")
        large = Bench(options, options.rows)
        for with_gin in (True, False):
            large.prepare(with_gin)
            large.reset()
            name = f"{options.rows:,} products, {'with' if with_gin else 'without'} the catalog's GIN indexes"
            report.section(name, postgres.server_settings() if with_gin else None)
            measure(large, report, options.repetitions, "with GIN" if with_gin else "without GIN")
        large.reset()
        peak, seconds = run_watched(large.migrate_command(), postgres.environment())
        report.limit("anonymous memory at its peak", peak / (1 << 20), 256, "MiB")
        report.figure("the whole, index and recall included", seconds, "s")
    finally:
        admin(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)", f"DROP DATABASE IF EXISTS {postgres.DATABASE} WITH (FORCE)")
    report.close()
    return 0 if report.all_passed() else 1


if __name__ == "__main__":
    sys.exit(main())
