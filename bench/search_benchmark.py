#!/usr/bin/env python3
"""scripts/bench search: decant's search by vectors against the same SQL through pgbench, and against a Chroma server.

All search the same 100,000 clustered vectors (search_catalog.py) in the same run, taking turns; figures are medians of the
turns.  Then questions with filters, against the exact answers, and `decant search` from the shell.  Prints a Markdown
table.
"""
import argparse
import contextlib
import glob
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import chromadb
import numpy as np

import postgres
from copy_benchmark import BENCH, CACHE
from processes import Failed, run_timed
from report import Report
from search_catalog import Catalog, load, make_chroma, recall

# The statement and the settings of src/search/vector_search.cpp; that it finds the same is checked before it is timed.
NEAREST = """
WITH nearest AS MATERIALIZED (
    SELECT p.id, p.embedding <=> {question} AS distance FROM products p WHERE p.active AND p.embedding IS NOT NULL
    ORDER BY p.embedding <=> {question} LIMIT {limit}::bigint + {offset}::bigint + 0)
SELECT p.id, coalesce(p.sku, ''), p.name, coalesce(b.name, ''), coalesce(c.name, ''), p.price, p.stock,
       coalesce(p.model, ''), left(coalesce(nullif(p.short_description, ''), p.description, ''), 300),
       coalesce(p.image_url, ''), 1 - n.distance, found.rows
FROM (SELECT count(*) AS rows FROM nearest) found
LEFT JOIN (SELECT * FROM nearest WHERE 1 - distance >= {least}::float8 ORDER BY distance + 0, id LIMIT {limit}
           OFFSET {offset}) n ON true
LEFT JOIN products p ON p.id = n.id
LEFT JOIN categories c ON c.id = p.category_id LEFT JOIN brands b ON b.id = p.brand_id
ORDER BY n.distance, n.id"""
QUESTION = "(SELECT embedding FROM questions WHERE number = {})"
SETTINGS = {"hnsw.iterative_scan": "off", "enable_seqscan": "off", "enable_sort": "off", "enable_hashjoin": "off",
            "enable_mergejoin": "off", "plan_cache_mode": "force_generic_plan", "jit": "off"}
FILTERED = 300  # questions with each filter: all are asked in every turn, some by scans that take long
EF_SEARCH = [20, 30, 40, 50, 60, 80, 100, 150, 200]


class Bench:
    def __init__(self, options, catalog, folder):
        self.options, self.catalog, self.folder = options, catalog, folder
        self.all = self.written(catalog.questions)

    def written(self, questions):
        path = os.path.join(self.folder, f"questions-{len(os.listdir(self.folder))}")
        questions.astype("<f4").tofile(path)
        return path

    def decant(self, questions, callers, *more):
        command = [self.options.search_loop, questions, str(self.catalog.dim), str(callers), str(self.options.seconds), *more]
        return json.loads(run_timed(command, postgres.environment())[1])

    def pgbench(self, callers, ef_search):
        """As decant(), without the answers."""
        script = os.path.join(self.folder, "nearest.sql")
        with open(script, "w", encoding="utf-8") as file:
            file.write(f"\\set number random(0, {len(self.catalog.questions) - 1})\n\\set k 10\n\\set o 0\n\\set least -1\n"
                       + NEAREST.format(question=QUESTION.format(":number"), limit=":k", offset=":o", least=":least")
                       .replace("\n", " ") + "\n")
        settings = {**SETTINGS, "hnsw.ef_search": ef_search}
        environment = {**postgres.environment(), "PGOPTIONS": " ".join(f"-c {name}={value}" for name, value in settings.items())}
        log = os.path.join(self.folder, "latency")
        _, output = run_timed([self.options.pgbench, "-n", "-M", "prepared", "-f", script, "-c", str(callers), "-j",
                               str(min(callers, 2)), "-T", str(max(1, round(self.options.seconds))), "-l",
                               f"--log-prefix={log}"], environment)
        calls = []
        for path in glob.glob(log + ".*"):
            with open(path, encoding="ascii") as file:
                calls += [int(line.split()[2]) / 1e3 for line in file]
            os.unlink(path)
        return {"p50": float(np.percentile(calls, 50)), "p95": float(np.percentile(calls, 95)),
                "rate": float(re.search(r"tps = ([\d.]+)", output).group(1))}

    def check_statement(self, answer):
        """pgbench's statement finds what decant found."""
        with postgres.connect() as connection:
            for name, value in {**SETTINGS, "hnsw.ef_search": answer["answers"][0]["ef_search"]}.items():
                connection.execute(f"SET {name} = {value}")
            statement = NEAREST.format(question=QUESTION.format("%(number)s"), limit="%(k)s", offset="%(o)s", least="%(l)s")
            for number, one in enumerate(answer["answers"]):
                rows = connection.execute(statement, {"number": number, "k": 10, "o": 0, "l": -1}).fetchall()
                if [int(row[1]) for row in rows] != one["skus"]:
                    sys.exit(f"pgbench's statement and decant find different products for question {number}")


def skus(answer):
    return [one["skus"] for one in answer["answers"]]


def median(turns, name):
    return statistics.median(turn[name] for turn in turns)


def in_turns(repetitions, *measures):
    """What each measure gave in its turns; the one that is first in a round is last in the next."""
    taken = [[] for _ in measures]
    for turn in range(repetitions):
        order = list(range(len(measures)))
        for number in order if turn % 2 == 0 else reversed(order):
            taken[number].append(measures[number]())
    return taken


def measure_pgbench(bench, report):
    first = bench.decant(bench.all, 1)
    bench.check_statement(first)
    ef_search = first["answers"][0]["ef_search"]
    one, one_pgbench, eight, eight_pgbench = in_turns(
        bench.options.repetitions, lambda: bench.decant(bench.all, 1), lambda: bench.pgbench(1, ef_search),
        lambda: bench.decant(bench.all, 8), lambda: bench.pgbench(8, ef_search))
    report.least(f"recall@10, ef_search {ef_search}", recall(skus(first), bench.catalog.nearest(bench.catalog.questions)), 0.98)
    report.at_most("one caller, p50: search/ / pgbench", median(one, "p50"), median(one_pgbench, "p50"), 1.2, "ms")
    report.at_least("8 callers: search/ / pgbench", median(eight, "rate"), median(eight_pgbench, "rate"), 0.9, "/s")
    report.figure("one caller, p95: search/", median(one, "p95"), "ms")
    report.figure("one caller, p95: pgbench", median(one_pgbench, "p95"), "ms")


class Chroma:
    """A server of the real chromadb over a copy of the cached directory."""

    def __init__(self, bench, directory):
        self.bench, self.directory = bench, directory
        self.start()

    def start(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        with open(self.directory + ".log", "wb") as log:
            self.process = subprocess.Popen(
                [os.path.join(os.path.dirname(sys.executable), "chroma"), "run", "--path", self.directory, "--host",
                 "127.0.0.1", "--port", str(port)], stdout=log, stderr=log, cwd=self.bench.folder,
                env={**os.environ, "ANONYMIZED_TELEMETRY": "False"})
        self.wait()
        self.client = chromadb.HttpClient(host="127.0.0.1", port=port,
                                          settings=chromadb.Settings(anonymized_telemetry=False))

    def wait(self):
        for _ in range(600):
            with contextlib.suppress(OSError), urllib.request.urlopen(self.url + "/api/v2/heartbeat") as answer:
                if answer.status == 200:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise Failed("the Chroma server does not start")

    def search(self, way, callers):
        command = [sys.executable, os.path.join(BENCH, "rival_chroma_search.py"), way, self.url,
                   str(self.client.get_collection("products").id), self.bench.all, str(self.bench.catalog.dim), str(callers),
                   str(self.bench.options.seconds)]
        return json.loads(run_timed(command, dict(os.environ))[1])

    def set_ef_search(self, ef_search):
        """Holds for an index that is opened afterwards, so the server starts anew."""
        self.client.get_collection("products").modify(configuration={"hnsw": {"ef_search": ef_search}})
        self.stop()
        self.start()

    def stop(self):
        self.process.terminate()
        self.process.wait()


@contextlib.contextmanager
def chroma_server(bench):
    catalog = bench.catalog
    cached = os.path.join(CACHE, f"search-chromadb-1.5.9-{catalog.rows}x{catalog.dim}")
    if not os.path.isdir(cached):
        print(f"making {os.path.basename(cached)}", file=sys.stderr)
        shutil.rmtree(cached + ".new", ignore_errors=True)
        make_chroma(catalog, cached + ".new")
        os.rename(cached + ".new", cached)
    directory = os.path.join(bench.folder, "chroma")
    shutil.copytree(cached, directory)
    server = Chroma(bench, directory)
    try:
        yield server
    finally:
        server.stop()


def least_ef_search(chroma, exact, wanted):
    """(ef_search, recall) of Chroma, the least one whose recall is at most 0.005 below what is wanted."""
    for ef_search in EF_SEARCH:
        chroma.set_ef_search(ef_search)
        reached = recall(skus(chroma.search("http", 1)), exact)
        if reached >= wanted - 0.005:
            break
    return ef_search, reached


def recall_setting(bench, exact, wanted):
    """(setting, answer): search/ is asked for the recall that brings it nearest to Chroma's."""
    tried = [(setting, bench.decant(bench.all, 1, setting)) for setting in
             (f"recall={recall}" for recall in (0.97, 0.98, 0.985, 0.99, 0.993, 0.996, 0.998))]
    return min(tried, key=lambda one: abs(recall(skus(one[1]), exact) - wanted))


def measure_chroma(bench, report):
    exact = bench.catalog.nearest(bench.catalog.questions)
    with chroma_server(bench) as chroma:
        default = recall(skus(bench.decant(bench.all, 1)), exact)
        ef_search, reached = least_ef_search(chroma, exact, default)
        setting, answer = recall_setting(bench, exact, reached)
        one, one_client, one_http, eight, eight_client, eight_http = in_turns(
            bench.options.repetitions, lambda: bench.decant(bench.all, 1, setting), lambda: chroma.search("client", 1),
            lambda: chroma.search("http", 1), lambda: bench.decant(bench.all, 8, setting),
            lambda: chroma.search("client", 8), lambda: chroma.search("http", 8))
    ours = recall(skus(answer), exact)
    report.least(f"recall@10: Chroma, ef_search {ef_search}", reached, 0.97)
    report.least(f"recall@10: decant, ef_search {answer['answers'][0]['ef_search']}", ours, round(reached - 0.005, 4))
    for name, one_rival, eight_rival in (("its Python client", one_client, eight_client),
                                         ("bare HTTP", one_http, eight_http)):
        report.at_least(f"one caller, p50: Chroma by {name} / search/", median(one_rival, "p50"), median(one, "p50"), 3, "ms")
        report.at_least(f"8 callers: search/ / Chroma by {name}", median(eight, "rate"), median(eight_rival, "rate"), 3, "/s")


def filters(catalog):
    """(share, name, arguments of search_loop, what passes, questions)"""
    price = lambda share: 10 + 9990 * share
    cheap = lambda share: catalog.price <= price(share)
    in_category, brand = catalog.category == 0, lambda number: catalog.brand == number
    about = catalog.question_category == 0
    every = np.ones(len(about), bool)
    category = "category=category-0"
    return [
        (0.5, "50 %: price", [f"max-price={price(0.5)}"], cheap(0.5), every),
        (0.1, "10 %: price", [f"max-price={price(0.1)}"], cheap(0.1), every),
        (0.1, "10 %: brand", ["brand=brand-0"], brand(0), every),
        (0.1, "10 %: category, asked for", [category], in_category, about),
        (0.1, "10 %: category, not asked for", [category], in_category, ~about),
        (0.01, "1 %: price", [f"max-price={price(0.01)}"], cheap(0.01), every),
        (0.01, "1 %: brand", ["brand=brand-1"], brand(1), every),
        (0.01, "1 %: category and price", [category, f"max-price={price(0.1)}"], in_category & cheap(0.1), every),
        (0.001, "0.1 %: price", [f"max-price={price(0.001)}"], cheap(0.001), every),
        (0.001, "0.1 %: brand", ["brand=brand-2"], brand(2), every),
        (0.001, "0.1 %: category, brand and price", [category, "brand=brand-0", f"max-price={price(0.1)}"],
         in_category & brand(0) & cheap(0.1), every),
    ]


def measure_filters(bench, report):
    for share, name, arguments, passing, chosen in filters(bench.catalog):
        questions = bench.catalog.questions[chosen][:FILTERED]
        file = bench.written(questions)
        plain, filtered = in_turns(bench.options.repetitions, lambda: bench.decant(bench.all, 1),
                                   lambda file=file, arguments=arguments: bench.decant(file, 1, *arguments))
        answers = filtered[0]["answers"]
        exact = bench.catalog.nearest(questions, passing)
        scans = sorted({one["scan"] for one in answers})
        report.least(f"{name}, {' or '.join(scans)}: recall@10", recall(skus(filtered[0]), exact), 0.98)
        if any(len(one["skus"]) != min(10, passing.sum()) for one in answers):
            sys.exit(f"{name}: some answers have fewer than 10 products")
        report.at_most("p95 / p95 unfiltered", median(filtered, "p95"), median(plain, "p95"), 3 if share >= 0.1 else 10, "ms")


def measure_shell(bench, report):
    command = [bench.options.decant, "search", "notebook liviana para viajar", "--threshold", "-1", "--json"]
    environment = {**postgres.environment(), "DECANT_EMBEDDER": "local"}
    run_timed(command, environment)
    seconds = statistics.median(run_timed(command, environment)[0] for _ in range(5))
    report.limit("decant search TEXT from the shell", seconds, 1.5, "s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("decant", "psql", "pgbench", "search-loop"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="of each turn")
    options = parser.parse_args()
    report = Report()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends Chroma too
    catalog = Catalog(options.rows, 384)
    try:
        load(catalog, options.decant)
        with tempfile.TemporaryDirectory(prefix="decant-bench-") as folder:
            bench = Bench(options, catalog, folder)
            report.section(f"{options.rows:,} x 384: search/ and pgbench", postgres.server_settings())
            measure_pgbench(bench, report)
            report.section("Chroma 1.5.9")
            measure_chroma(bench, report)
            report.section("With filters")
            measure_filters(bench, report)
            report.section("From the shell")
            measure_shell(bench, report)
    finally:
        postgres.drop_database()
    print("load of the machine at the end: " + ", ".join(f"{load:.1f}" for load in os.getloadavg()))
    report.close()
    return 0 if report.all_passed() else 1


if __name__ == "__main__":
    sys.exit(main())
