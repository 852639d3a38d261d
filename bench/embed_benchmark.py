#!/usr/bin/env python3
"""scripts/bench embed: decant embed into PostgreSQL against the bare graph on OpenVINO, and against Python's onnxruntime.

All sides embed the same texts with the same weights of multilingual-e5-small, taking turns; decant's time is its whole
process, that of the others the runs of the model alone. A real Ollama is compared where DECANT_TEST_OLLAMA names one. Then what one question, the start, memory, the sample's 1,500
products and a new product with a worker running take. Prints a Markdown table.
"""
import argparse
import contextlib
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import postgres
import rival_ollama
from copy_benchmark import ROOT
from processes import Failed, run_timed
from product_texts import labelled_text, products, sample_products
from report import Report

MODELS = os.path.join(ROOT, ".deps", "models")
E5, USE = "multilingual-e5-small", "use-multilingual"
DIMENSIONS = {E5: 384, USE: 512}
HERE = os.path.dirname(os.path.abspath(__file__))


def written(folder, name, lines):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
    return path


def environment(**settings):
    return {**postgres.environment(), "DECANT_EMBEDDER": "local", **settings}


def processor_seconds():
    """Of all programs that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder

    def load(self, items, model):
        """A database of its own that holds the products, without vectors."""
        postgres.recreate_database()
        file = written(self.folder, "products.jsonl", (json.dumps(one) for one in items))
        run_timed([self.options.decant, "schema", "up", "--dimension", str(DIMENSIONS[model])], environment())
        run_timed([self.options.decant, "products", "load", file], environment())
        with postgres.connect() as connection:
            connection.execute("DELETE FROM decant.embedding_jobs")
        postgres.settle()

    def embed(self, items, model, precision="fast"):
        """(seconds of decant embed, its processor seconds, peak of its resident bytes) for products without a vector."""
        self.load(items, model)
        used = processor_seconds()
        command = [self.options.decant, "embed", "--all", "--json", "--model", model]
        start = time.perf_counter()
        with subprocess.Popen(command, env=environment(DECANT_EMBEDDING_PRECISION=precision), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            peak = watch_resident(process)
        seconds = time.perf_counter() - start
        with postgres.connect() as connection:
            (done,) = connection.execute("SELECT count(*) FROM products WHERE embedding IS NOT NULL").fetchone()
        if process.returncode != 0 or done != len(items):
            raise Failed(f"{' '.join(command)}: exit {process.returncode}, {done} of {len(items)} products have a vector")
        return seconds, processor_seconds() - used, peak

    def bare(self, texts, precision):
        return self.others_seconds([self.options.embed_loop, "bare", MODELS, E5, precision, texts])

    def onnxruntime(self, texts):
        model = self.options.onnx_model
        command = [self.options.onnx_python, os.path.join(HERE, "rival_onnxruntime.py"), f"{model}/e5.spm",
                   f"{model}/e5.onnx", texts]
        return self.others_seconds(command)

    @staticmethod
    def others_seconds(command):
        """(seconds of the model's runs, processor seconds of the whole process)."""
        used = processor_seconds()
        seconds = json.loads(run_timed(command, environment())[1])["seconds"]
        return seconds, processor_seconds() - used


def watch_resident(process):
    """Peak of the process's resident bytes, mapped weights included, until it ends."""
    peak = 0
    while process.poll() is None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
                open(f"/proc/{process.pid}/status", encoding="ascii") as status:
            peak = next((int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")), peak)
        time.sleep(0.02)
    return peak


def measure_throughput(bench, report, tokens, count, repetitions):
    items = list(products(tokens, count))
    texts = written(bench.folder, "texts", map(labelled_text, items))
    taken = []
    for _ in range(repetitions):
        taken.append((bench.bare(texts, "fast"), bench.embed(items, E5)[:2], bench.onnxruntime(texts),
                      bench.bare(texts, "f32"), bench.embed(items, E5, "f32")[:2]))
    # The fastest turn of each: other load on the machine only ever adds.
    sides = [[min(values) for values in zip(*side)] for side in zip(*taken)]
    (bare, bare_used), (shipped, shipped_used), (rival, _), (bare32, _), (f32, _) = sides
    report.section(f"{count:,} texts of about {tokens} tokens")
    report.at_least("bare OpenVINO / decant embed, as shipped", bare, shipped, 0.9)
    report.at_least("bare OpenVINO / decant embed, float32", bare32, f32, 0.9)
    report.at_least("onnxruntime / decant embed, as shipped", rival, shipped, 1.4)
    report.at_least("onnxruntime / decant embed, float32", rival, f32, 1.0)
    report.figure("decant embed, as shipped", count / shipped, "texts/s")
    report.figure("bare OpenVINO, the whole process: processor time", bare_used, "s")
    report.figure("decant embed, as shipped: processor time", shipped_used, "s")
    if rival_ollama.is_given():
        some = [labelled_text(one) for one in items[: count // 4]]
        with rival_ollama.served() as seconds_for:
            ollama = seconds_for(["passage: " + text for text in some]) * count / len(some)
        report.at_least("Ollama (from a quarter of the texts) / decant embed, as shipped", ollama, shipped, 4)


def measure_start_and_question(bench, report, model, limits):
    queries = os.path.join(ROOT, "scripts", "models", "queries.txt")
    first, answers = [], []
    for _ in range(5):
        start = time.perf_counter()
        with subprocess.Popen([bench.options.embed_loop, "query", MODELS, model, "fast", queries],
                              stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            first.append(time.perf_counter() - start)
            answers.append(json.loads(process.stdout.readline())["p50"])
    report.limit(f"{model}: one question, p50", statistics.median(answers), limits["question"], "ms")
    report.limit(f"{model}: start to the first vector", statistics.median(first), limits["start"], "s")


def measure_sample(bench, report, model, limits):
    seconds, _, peak = bench.embed(sample_products(), model)
    report.limit(f"{model}: decant embed --all, the sample's 1,500 products", seconds, limits["sample"], "s")
    report.limit(f"{model}: resident memory of it, weights included", peak / (1 << 20), limits["memory"], "MiB")


def measure_freshness(bench, report, count):
    """From the commit of a new product until it has its vector, with a worker running."""
    bench.load(sample_products()[:100], E5)
    run_timed([bench.options.decant, "embed", "--all"], environment())
    waits = []
    with subprocess.Popen([bench.options.decant, "worker"], env=environment(), stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as worker, postgres.connect() as connection:
        try:
            for number in range(count + 1):
                connection.execute(
                    "INSERT INTO products (id, sku, name, specs, description, price, stock, active, category_id, brand_id) "
                    "SELECT gen_random_uuid(), %s, name || %s, specs, description, price, stock, true, category_id, "
                    "brand_id FROM products WHERE embedding IS NOT NULL ORDER BY sku LIMIT 1",
                    (f"NEW-{number}", f" {number}"))
                waits.append(wait_for_vector(connection, worker, f"NEW-{number}"))
                time.sleep(0.05)
        finally:
            worker.terminate()
    waits = sorted(waits[1:])  # the first waits for the worker's start
    report.limit("a new product has its vector, p95", waits[len(waits) * 95 // 100], 1, "s")
    report.figure("the same, median", waits[len(waits) // 2], "s")


def wait_for_vector(connection, worker, sku):
    start = time.perf_counter()
    while not connection.execute("SELECT embedding IS NOT NULL FROM products WHERE sku = %s", (sku,)).fetchone()[0]:
        if worker.poll() is not None or time.perf_counter() - start > 60:
            raise Failed(f"the worker gave product {sku} no vector in a minute, or ended")
        time.sleep(0.005)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("decant", "psql", "embed-loop", "onnx-python", "onnx-model"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    report = Report()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends Ollama and the worker too
    try:
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(options, folder)
            for tokens in (60, 200):
                measure_throughput(bench, report, tokens, options.texts, options.repetitions)
            report.section("Start, questions, memory, freshness", postgres.server_settings())
            for model, limits in ((E5, {"question": 10, "start": 1.2, "sample": 30, "memory": 600}),
                                  (USE, {"question": 2, "start": 0.6, "sample": 8, "memory": 400})):
                measure_start_and_question(bench, report, model, limits)
                measure_sample(bench, report, model, limits)
            measure_freshness(bench, report, 60)
    finally:
        postgres.drop_database()
    report.close()
    return 0 if report.all_passed() else 1


if __name__ == "__main__":
    sys.exit(main())
