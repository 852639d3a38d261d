#!/usr/bin/env python3
"""scripts/bench sync: decant sync dux --once --full from a local stand-in for the ERP that has no pace.

decant's time is its whole process, reading all pages over HTTP included.  psql's bare UPDATE takes the same new figures
from a table in which they stand ready, in a copy of the same database.  Prints a Markdown table.
"""
import argparse
import contextlib
import json
import subprocess
import sys
import time

import psycopg

import postgres
from processes import Failed, anonymous_bytes, run_timed
from report import Report

TEMPLATE = postgres.DATABASE + "_template"
VECTORS = """
DROP INDEX idx_products_embedding_hnsw;
SELECT setseed(0.5);
UPDATE products SET embedding = (SELECT array_agg(random() - 0.5 + CASE WHEN k = abs(hashtext(sku)) % 200 THEN 2 ELSE 0 END)
                                 FROM generate_series(1, 384) k)::vector,
                    last_embedding_update = now(), embedding_model = 'a model';
SET maintenance_work_mem = '1GB';
CREATE INDEX idx_products_embedding_hnsw ON products USING hnsw (embedding vector_cosine_ops);
DELETE FROM decant.embedding_jobs;
"""
# What a person would write who has the new figures in a table.
BARE_UPDATE = """UPDATE products p SET price = n.price, cost = n.cost, stock = n.stock, updated_at = now()
FROM new_figures n WHERE n.sku = p.sku"""


def admin(*statements):
    with psycopg.connect(dbname="postgres", autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def drop(database):
    admin(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


class StandIn:
    """The ERP: a process of its own, whose catalog can be made another one."""

    def __init__(self, program, items):
        self._process = subprocess.Popen([program, str(items)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self._process.stdout.readline().strip()

    def edition(self, prices=0, stocks=0, names=0):
        self._process.stdin.write(f"{prices} {stocks} {names}\n")
        self._process.stdin.flush()
        if self._process.stdout.readline() != "ready\n":
            raise Failed("the stand-in has ended")

    def close(self):
        self._process.stdin.close()
        self._process.wait()


class Bench:
    def __init__(self, options, stand_in):
        self.options = options
        self.stand_in = stand_in

    def environment(self):
        return {**postgres.environment(), "DUX_API_BASE_URL": self.stand_in.url, "DUX_API_KEY": "key",
                "DUX_API_RATE_LIMIT_SECONDS": "0", "DECANT_EMBEDDER": "local"}

    def sync(self, **expected):
        """(items a second, peak of anonymous bytes) of one whole scan, whose report must say what is expected."""
        command = [self.options.decant, "sync", "dux", "--once", "--full", "--json"]
        start = time.perf_counter()
        with subprocess.Popen(command, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            peak = 0
            while process.poll() is None:
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    peak = max(peak, anonymous_bytes(process.pid))
                time.sleep(0.002)
            seconds = time.perf_counter() - start
            out, err = process.communicate()
        if process.returncode != 0:
            raise Failed(f"{' '.join(command)}: exit {process.returncode}\n{err[-2000:]}\n{out[-2000:]}")
        report = json.loads(out)
        for name, count in {"read": self.options.items, **expected}.items():
            if report[name] != count:
                raise Failed(f"{name} is {report[name]}, not {count}: {out}")
        return self.options.items / seconds, peak

    def restore(self, statistics=True):
        drop(postgres.DATABASE)
        admin(f"CREATE DATABASE {postgres.DATABASE} TEMPLATE {TEMPLATE} STRATEGY file_copy", "CHECKPOINT")
        if statistics:
            with postgres.connect() as connection:  # the first to read pays for hint bits and the cache
                connection.execute("SELECT count(*), sum(length(name)) FROM products")


def make_template():
    drop(TEMPLATE)
    admin(f"ALTER DATABASE {postgres.DATABASE} RENAME TO {TEMPLATE}")


def measure_without_vectors(bench, report, peaks):
    items = bench.options.items
    postgres.recreate_database()
    run_timed([bench.options.decant, "schema", "up", "--dimension", "384"], postgres.environment())
    postgres.settle()
    bench.stand_in.edition()
    rate, peak = bench.sync(created=items)
    report.rate("created", rate, 2000)
    peaks.append(peak)
    with postgres.connect() as connection:
        connection.execute("DELETE FROM decant.embedding_jobs")
        connection.execute("VACUUM ANALYZE products")
    for what, edition, expected, target in (
            ("unchanged", {}, {"unchanged": items}, 5000),
            ("updated: price and stock", {"prices": 1, "stocks": 1}, {"updated": items}, 2000),
            ("updated: name", {"prices": 1, "stocks": 1, "names": 1}, {"updated": items}, 2000)):
        postgres.settle()
        bench.stand_in.edition(**edition)
        rate, peak = bench.sync(**expected)
        report.rate(what, rate, target)
        peaks.append(peak)


def new_figures(items, prices, stocks):
    with postgres.connect() as connection:
        connection.execute("CREATE TABLE new_figures AS SELECT 'SKU-' || lpad(i::text, 6, '0') AS sku, "
                           f"1000 + (i + {prices}) % 5000 + 0.5 AS price, 1000 + (i + {prices}) % 5000 + 0.25 AS cost, "
                           f"1 + (i + {stocks}) % 90 AS stock FROM generate_series(0, {items - 1}) i")
        connection.execute("ANALYZE new_figures")


def measure_with_vectors(bench, report, peaks):
    """Against psql, taking turns, each in a fresh copy."""
    items = bench.options.items
    with postgres.connect() as connection:
        connection.execute(VECTORS)
        connection.execute("VACUUM ANALYZE products")
    # The catalog as the last sync left it: prices, stocks and names of edition 1.
    make_template()
    for what, prices, stocks in (("price alone", 2, 1), ("price and stock", 2, 2)):
        taken = []
        for turn in range(bench.options.repetitions):
            sides = {}
            for side in ("decant", "psql")[:: 1 if turn % 2 == 0 else -1]:
                bench.restore()
                if side == "decant":
                    bench.stand_in.edition(prices, stocks, 1)
                    rate, peak = bench.sync(updated=items)
                    peaks.append(peak)
                    sides[side] = rate
                else:
                    new_figures(items, prices, stocks)
                    postgres.settle()
                    seconds, _ = run_timed([bench.options.psql, "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", BARE_UPDATE],
                                           postgres.environment())
                    sides[side] = items / seconds
            taken.append((sides["decant"] / sides["psql"], sides["decant"], sides["psql"]))
        _, decant, psql = sorted(taken)[len(taken) // 2]
        report.at_least(f"with vectors and index, {what}: decant / bare UPDATE", decant, psql, 0.8, "items/s")


QUEUE_IS_EMPTY = "SELECT NOT EXISTS (SELECT FROM decant.embedding_jobs)"
AGAIN = """UPDATE products SET embedding = NULL, embedding_hash = NULL, last_embedding_update = NULL;
INSERT INTO decant.embedding_jobs (product_id) SELECT id FROM products;
NOTIFY decant_embedding_jobs"""


def seconds_until(connection, question, process):
    start = time.perf_counter()
    while not connection.execute(question).fetchone()[0]:
        if process.poll() is not None:
            raise Failed("the worker has ended")
        time.sleep(0.02)
    return time.perf_counter() - start


def measure_embedding(bench, report):
    """New items with a worker beside, against the same worker when all products wait for it and nothing else is done."""
    items = bench.options.embedded
    stand_in = StandIn(bench.options.stand_in, items)
    small = Bench(argparse.Namespace(**{**vars(bench.options), "items": items}), stand_in)
    try:
        postgres.recreate_database()
        run_timed([bench.options.decant, "schema", "up", "--dimension", "384"], postgres.environment())
        with subprocess.Popen([bench.options.decant, "worker"], env=small.environment(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as worker, postgres.connect() as connection:
            try:
                small.sync(created=items)  # loads the model
                seconds_until(connection, QUEUE_IS_EMPTY, worker)
                connection.execute(AGAIN)
                alone = items / seconds_until(connection, QUEUE_IS_EMPTY, worker)
                connection.execute("TRUNCATE products, decant.sync_items, decant.sync_runs CASCADE")
                start = time.perf_counter()
                small.sync(created=items)
                seconds_until(connection, QUEUE_IS_EMPTY, worker)
                together = items / (time.perf_counter() - start)
            finally:
                worker.terminate()
        report.at_least(f"{items:,} new items embedded during the sync / by the worker alone", together, alone, 0.9,
                        "items/s")
    finally:
        stand_in.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("decant", "psql", "stand-in"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--embedded", type=int, default=3_000)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    report, peaks = Report(), []
    stand_in = StandIn(options.stand_in, options.items)
    try:
        bench = Bench(options, stand_in)
        report.section(f"{options.items:,} items", postgres_settings())
        measure_without_vectors(bench, report, peaks)
        measure_with_vectors(bench, report, peaks)
        report.limit("anonymous memory, the most of all scans", max(peaks) / (1 << 20), 128, "MiB")
        measure_embedding(bench, report)
    finally:
        stand_in.close()
        drop(TEMPLATE)
        drop(postgres.DATABASE)
    report.close()
    return 0 if report.all_passed() else 1


def postgres_settings():
    postgres.recreate_database()
    return postgres.server_settings()


if __name__ == "__main__":
    sys.exit(main())
