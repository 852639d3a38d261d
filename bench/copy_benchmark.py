#!/usr/bin/env python3
"""scripts/bench copy: decant copy against psql's \\copy, against Python, and against its own targets.

Every comparison is made in one run with the two sides taking turns; figures are medians.  Prints a Markdown table and
leaves nothing behind but the cached directories under .deps/bench/.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

import postgres
from processes import run_timed, run_watched
from report import Report

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BENCH = os.path.join(ROOT, "bench")
CACHE = os.path.join(ROOT, ".deps", "bench")
COLLECTION = "products"
MEBIBYTE = 1 << 20


def real_directory(rows, dim):
    """Made by the real chromadb, once."""
    directory = os.path.join(CACHE, f"chromadb-1.5.9-{rows}x{dim}")
    make_once(directory, [os.path.join(ROOT, "tests", "support", "make_chroma.py"), "bulk", directory + ".new", "--rows",
                          str(rows), "--dim", str(dim), "--clustered"])
    return directory


def synthetic_directory(rows, dim):
    directory = os.path.join(CACHE, f"synthetic-{rows}x{dim}")
    make_once(directory, [os.path.join(BENCH, "synthetic_chroma.py"), directory + ".new", "--rows", str(rows), "--dim",
                          str(dim)])
    return directory


def make_once(directory, command):
    if not os.path.isdir(directory):
        print(f"making {os.path.basename(directory)}", file=sys.stderr)
        os.makedirs(CACHE, exist_ok=True)
        subprocess.check_call([sys.executable, *command])
        os.rename(directory + ".new", directory)


class Bench:
    """The programs under measure and the directory they read."""

    def __init__(self, options, directory, scratch):
        self.decant = options.decant
        self.psql = options.psql
        self.directory = directory
        self.binary_file = os.path.join(scratch, "rows.bin")

    def copy_command(self, *more):
        return [self.decant, "copy", "--from", self.directory, "--collection", COLLECTION, *more]

    def prepare(self):
        """One copy to take the table's shape and the ready binary file from."""
        postgres.recreate_database()
        self.run_decant("--index", "none", "--no-verify")
        postgres.remember_shape()
        self.run_psql(f"\\copy {postgres.TABLE} to '{self.binary_file}' (format binary)")

    def run_decant(self, *more):
        """(seconds of the whole process, its JSON)."""
        postgres.drop_decant_state()
        postgres.settle()
        seconds, output = run_timed(self.copy_command("--json", *more), postgres.environment())
        return seconds, json.loads(output)

    def run_psql(self, *statements):
        command = [self.psql, "-XqAt", "-v", "ON_ERROR_STOP=1"]
        for statement in statements:
            command += ["-c", statement]
        return run_timed(command, postgres.environment())[0]

    def run_reference_copy(self, *after):
        """psql's \\copy of the same rows into an empty table with the same columns and primary key."""
        postgres.create_reference()
        postgres.settle()
        return self.run_psql(f"\\copy {postgres.REFERENCE} from '{self.binary_file}' (format binary)", *after)

    def run_rival(self):
        """Seconds without starting Python and importing."""
        postgres.create_reference()
        postgres.settle()
        return float(run_timed([sys.executable, os.path.join(BENCH, "rival_chromadb_psycopg.py"), self.directory,
                                COLLECTION, postgres.REFERENCE], postgres.environment())[1])

    def anonymous_peak(self, *more):
        postgres.drop_decant_state()
        postgres.settle()
        return run_watched(self.copy_command("--json", *more), postgres.environment())[0]


def phase_seconds(result, name):
    return next(phase["seconds"] for phase in result["phases"] if phase["name"] == name)


def index_settings(memory, workers):
    return [f"set maintenance_work_mem = '{memory}'", f"set max_parallel_maintenance_workers = {workers}"]


def settings_of(result):
    """Those with which decant built its index (src/store/index_builder.cpp)."""
    return [*index_settings(f"{result['maintenance_work_mem_kib']}kB", result["parallel_workers"]),
            "set min_parallel_table_scan_size = '64kB'"]


def in_turns(repetitions, *measures):
    """Medians of each measure, taken in turns."""
    taken = [[] for _ in measures]
    for _ in range(repetitions):
        for measure, values in zip(measures, taken):
            values.append(measure())
    return [statistics.median(values) for values in taken]


def measure_load(bench, report, repetitions, rows):
    """Without an index: \\copy, decant, decant with one page for all, Python."""
    copy, decant, one_page, rival = in_turns(
        repetitions, bench.run_reference_copy, lambda: bench.run_decant("--index", "none", "--no-verify")[0],
        lambda: bench.run_decant("--index", "none", "--no-verify", "--batch-size", str(rows))[0], bench.run_rival)
    if postgres.table_digest(postgres.TABLE) != postgres.table_digest(postgres.REFERENCE):
        sys.exit("the table that decant copied and the one that Python copied differ: nothing was compared")
    report.at_most("load, no index / psql \\copy of a ready file", decant, copy, 1.5)
    report.at_least("Python chromadb + psycopg COPY / load, no index", rival, decant, 5)
    report.at_most("pages with checkpoints / one page for all", decant, one_page, 1.03)


def measure_whole(bench, report, repetitions, recall_limit):
    """With index, verification and recall probe."""
    results = []

    def whole():
        seconds, result = bench.run_decant()
        results.append(result)
        return seconds

    whole()
    statements = settings_of(results.pop()) + postgres.index_statements()
    seconds, plain, reference = in_turns(repetitions, whole, lambda: bench.run_decant("--no-verify")[0],
                                         lambda: bench.run_reference_copy(*statements))
    median = lambda name: statistics.median(phase_seconds(result, name) for result in results)
    report.at_most("load and index / \\copy + CREATE INDEX, same settings", plain, reference, 1.05)
    report.at_most("read back and compare / load", median("verify"), median("load"), 1.0)
    report.limit("recall probe", median("recall"), recall_limit, "s")
    report.figure("everything (load, index, verify, recall)", seconds, "s")


def measure_default_settings(bench, report):
    """Against pgvector's defaults: what CREATE INDEX gets when nobody sizes anything."""
    plain, = in_turns(1, lambda: bench.run_decant("--no-verify")[0])
    slow = bench.run_reference_copy(*index_settings("64MB", 2), *postgres.index_statements())
    report.at_least("\\copy + CREATE INDEX, default settings / load and index", slow, plain, 3)


def measure_million(bench, report):
    """Copied, indexed, verified, searched, once: rows by the million take too long for turns."""
    postgres.recreate_database()
    report.limit("anonymous memory, without index", bench.anonymous_peak("--index", "none") / MEBIBYTE, 256, "MiB")
    bench.prepare()
    copy, load = bench.run_reference_copy(), bench.run_decant("--index", "none", "--no-verify")[0]
    report.at_most("load, no index / psql \\copy of a ready file", load, copy, 1.5)
    os.remove(bench.binary_file)
    postgres.drop_reference()
    seconds, result = bench.run_decant()
    for name in ("load", "index", "verify", "recall"):
        report.figure(name, phase_seconds(result, name), "s")
    report.figure("everything (load, index, verify, recall)", seconds, "s")
    report.figure("maintenance_work_mem of the build", result["maintenance_work_mem_kib"] / 1024, "MiB")
    report.figure("table with its TOAST", postgres.table_bytes() / MEBIBYTE, "MiB")
    report.figure("HNSW index", postgres.index_bytes("hnsw") / MEBIBYTE, "MiB")
    report.figure("decant verify, from the run's digests", run_timed([bench.decant, "verify", "products"],
                                                                     postgres.environment())[0], "s")
    measure_search(report)


def measure_search(report):
    """The ten nearest of rows taken evenly from the table, by comparing every row and by the index."""
    with postgres.connect() as connection:
        questions = postgres.evenly_taken_vectors(connection, 100)
        connection.execute("set enable_indexscan = off")
        exact = postgres.nearest(connection, questions)
    median = lambda answers: statistics.median(seconds for seconds, _ in answers) * 1000
    report.figure("every row compared, p50", median(exact), "ms")
    for ef_search in (40, 100, 200):
        with postgres.connect() as connection:
            connection.execute(f"set hnsw.ef_search = {ef_search}")
            postgres.nearest(connection, questions)  # reads what it needs of the index into memory
            answers = postgres.nearest(connection, questions)
        found = sum(len(ids & true) for (_, ids), (_, true) in zip(answers, exact))
        report.at_least(f"every row compared / the index with ef_search {ef_search}, p50", median(exact), median(answers),
                        20, "ms")
        report.figure("its p95", sorted(seconds for seconds, _ in answers)[len(answers) * 95 // 100] * 1000, "ms")
        share = found / (10 * len(questions))
        if ef_search < 200:
            report.figure("its recall@10", 100 * share, "%")
        else:
            report.least("its recall@10", share, 0.95)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench copy", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--large", action="store_true", help="100,000 rows too: index against pgvector's default settings")
    parser.add_argument("--million", action="store_true", help="1,000,000 rows too, once")
    parser.add_argument("--decant", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--psql", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()

    report = Report()
    with tempfile.TemporaryDirectory(prefix="decant-bench-") as scratch:
        try:
            bench = Bench(options, real_directory(options.rows, options.dim), scratch)
            bench.prepare()
            report.section(f"{options.rows:,} x {options.dim}, made by chromadb 1.5.9", postgres.server_settings())
            measure_load(bench, report, options.repetitions, options.rows)
            measure_whole(bench, report, max(3, options.repetitions // 2), 1.0)
            report.limit("anonymous memory", bench.anonymous_peak() / MEBIBYTE, 128, "MiB")
            if options.large:
                bench = Bench(options, synthetic_directory(100_000, options.dim), scratch)
                bench.prepare()
                report.section(f"100,000 x {options.dim}, synthetic")
                measure_whole(bench, report, 1, 4.0)
                measure_default_settings(bench, report)
            if options.million:
                bench = Bench(options, synthetic_directory(1_000_000, options.dim), scratch)
                report.section(f"1,000,000 x {options.dim}, synthetic")
                measure_million(bench, report)
        finally:
            postgres.drop_database()
    report.close()
    sys.exit(0 if report.all_passed() else 1)


if __name__ == "__main__":
    main()
