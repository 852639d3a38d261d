#!/usr/bin/env python3
"""scripts/bench server: `decant serve` against the search library in process and against pgbench, and under too much load.

The catalog and the questions are those of scripts/bench search. A stand-in for a server of models has the questions'
vectors, so that what is measured is not the model; every question is asked once before, so that the server has its vector.
The load (http_load.cpp) shares the processors with the server, as search_loop and pgbench do. Figures that are compared
take turns; medians of the turns count. Prints a Markdown table.
"""
import argparse
import contextlib
import http.client
import http.server
import json
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import postgres
from processes import Failed, run_timed
from report import Report
from search_benchmark import Bench, in_turns, median
from search_catalog import Catalog, load

SEARCH = "/api/v1/pgvector/search"
CALLERS = 8
IDLE = 10_000


class Models(http.server.BaseHTTPRequestHandler):
    """OpenAI's /v1/embeddings: a text that ends with a number has the vector of that question."""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    questions = None

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
        vectors = [self.questions[number_of(text) % len(self.questions)].tolist() for text in texts]
        body = json.dumps({"object": "list", "model": asked["model"], "usage": {"prompt_tokens": 1, "total_tokens": 1},
                           "data": [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(vectors)]})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def number_of(text):
    digits = "".join(c for c in text.split()[-1] if c.isdigit())
    return int(digits or 0)


class Server:
    """`decant serve` on a free port; ended with SIGTERM. `more` goes on top of its environment."""

    def __init__(self, bench, models_port, more=None):
        environment = {**postgres.environment(), "DECANT_EMBEDDER": "openai", "DECANT_EMBEDDING_MODEL": "bench",
                       "OPENAI_BASE_URL": f"http://127.0.0.1:{models_port}/v1", "DECANT_RATE_SEARCH": "0",
                       "DECANT_RATE_CHAT": "0", "DECANT_RATE_MONITORING": "0", "LOG_LEVEL": "warning", **(more or {})}
        self.folder, self.http_load = bench.folder, bench.options.http_load
        with open(os.path.join(bench.folder, "server.log"), "wb") as log:
            self.process = subprocess.Popen([bench.options.decant, "serve", "--port", "0", "--no-worker"],
                                            stdout=subprocess.PIPE, stderr=log, env=environment, text=True)
        url = self.process.stdout.readline().strip()
        if not url.startswith("http"):
            raise Failed("the server does not start; its log: " + os.path.join(bench.folder, "server.log"))
        self.port = int(url.rsplit(":", 1)[1])

    def load(self, requests, connections, seconds, rate=0):
        return json.loads(run_timed(self._command(requests, connections, seconds, rate), dict(os.environ))[1])

    def _command(self, requests, connections, seconds, rate):
        return [self.http_load, str(self.port), str(connections), str(seconds), str(rate), requests]

    @contextlib.contextmanager
    def load_beside(self, requests, connections, seconds, rate):
        """Runs while the block does; what it is given as gets `result` at the end."""
        process = subprocess.Popen(self._command(requests, connections, seconds, rate), stdout=subprocess.PIPE, text=True)
        seen = {}
        yield seen
        output, _ = process.communicate()
        if process.returncode != 0:
            raise Failed("http_load failed")
        seen.update(json.loads(output))

    def anonymous_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("RssAnon:"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def requests_file(folder, name, lines):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
    return path


def check_answers(server, bench):
    """The server finds what the library finds."""
    ours = bench.decant(bench.all, 1, "by=text")["answers"]
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    for number in range(0, len(ours), 10):
        connection.request("POST", SEARCH, json.dumps({"query": f"question {number}", "similarity_threshold": 0}),
                           {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
        if answer["metadata"]["degraded"]:
            sys.exit(f"question {number} was answered by words: {answer['metadata']['reason']}")
        if [int(one["sku"]) for one in answer["results"]] != ours[number]["skus"]:
            sys.exit(f"the server and the library find different products for question {number}")


def measure_speed(bench, server, searches, report):
    """Returns the peak: answers a second."""
    seconds = bench.options.seconds
    ef_search = bench.decant(bench.all, 1)["answers"][0]["ef_search"]
    asked = 0
    while asked < len(bench.catalog.questions):  # until the server has the vector of each
        asked += server.load(searches, 1, seconds)["answered"]
    library, vectors, over_http, pgbench, eight = in_turns(
        bench.options.repetitions, lambda: bench.decant(bench.all, 1, "by=text"), lambda: bench.decant(bench.all, 1),
        lambda: server.load(searches, 1, seconds), lambda: bench.pgbench(CALLERS, ef_search),
        lambda: server.load(searches, CALLERS, seconds))
    report.at_most("one caller, p50: over HTTP / the library by text", median(over_http, "p50"), median(library, "p50"), 1.5, "ms")
    report.figure("one caller, p50: the library by vector", median(vectors, "p50"), "ms")
    report.at_least(f"{CALLERS} callers: over HTTP / pgbench", median(eight, "rate"), median(pgbench, "rate"), 0.7, "/s")
    return median(eight, "rate")


def measure_load(bench, server, searches, peak, report):
    health = requests_file(bench.folder, "health", ["/healthz"])
    seconds = 4 * bench.options.seconds
    half = server.load(searches, 64, seconds, peak / 2)
    report.limit(f"half of the peak ({peak / 2:,.0f} /s): p99", half["p99"], 100, "ms")
    with server.load_beside(health, 1, seconds, 50) as healthy:
        over = server.load(searches, 400, seconds, 3 * peak)
    if over["failed"] or half["failed"] or healthy["failed"]:
        sys.exit(f"requests failed: {half} {over} {healthy}")
    report.at_least("three times the peak: goodput / peak", over["rate"], peak, 0.9, "/s")
    report.limit("its refusals (503), p99", over["refused_p99"], 50, "ms")
    report.limit("/healthz meanwhile, p99", healthy["p99"], 50, "ms")


@contextlib.contextmanager
def idle_connections(port, count):
    """Each has had one answer."""
    connections = []
    try:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            connections.append(connection)
            connection.recv(4096)
        yield
    finally:
        for connection in connections:
            connection.close()


def measure_idle(bench, server, searches, peak, report):
    seconds = 2 * bench.options.seconds
    rate = peak / 4
    without = [server.load(searches, 16, seconds, rate) for _ in range(bench.options.repetitions)]
    before = server.anonymous_kib()
    with idle_connections(server.port, bench.options.idle):
        grown = (server.anonymous_kib() - before) / bench.options.idle
        beside = [server.load(searches, 16, seconds, rate) for _ in range(bench.options.repetitions)]
    report.limit(f"memory of each of {bench.options.idle:,} idle connections", grown, 8, "KiB")
    report.at_most(f"p99 at a quarter of the peak: beside {bench.options.idle:,} idle connections / without",
                   median(beside, "p99"), median(without, "p99"), 1.5, "ms")


def timed_chat(port, number, path):
    """(seconds to the first event or to the head, seconds to the end)"""
    body = json.dumps({"user_id": f"caller {number}", "message": f"busco question {number}"})
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.connect()
    start = time.perf_counter()
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    if answer.status != 200:
        sys.exit(f"{path}: {answer.status} {answer.read()}")
    answer.readline()
    first = time.perf_counter() - start
    answer.read()
    seconds = time.perf_counter() - start
    connection.close()
    return first, seconds


def measure_chat(server, report):
    answers = [timed_chat(server.port, number, "/api/v1/chat/message")[1] for number in range(200)]
    first = [timed_chat(server.port, number, "/api/v1/chat/message/stream")[0] for number in range(200, 400)]
    quantile = lambda times: 1e3 * statistics.quantiles(times, n=20)[-1]
    report.limit("template answer of the chat, the stand-in's embedding included, p95", quantile(answers), 150, "ms")
    report.limit("first event of a stream, p95", quantile(first), 50, "ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("decant", "psql", "pgbench", "search-loop", "http-load"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="of each turn")
    parser.add_argument("--idle", type=int, default=IDLE)
    parser.add_argument("--keep", action="store_true", help="use the database of the last run, and leave it there")
    options = parser.parse_args()
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    return run_on_catalog(options, measure)


def run_on_catalog(options, measure):
    """measure(options, catalog, report) on a catalog of options.rows; the exit status."""
    report = Report()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    catalog = Catalog(options.rows, 384)
    try:
        if not (options.keep and is_loaded(options.rows)):
            load(catalog, options.decant)
        measure(options, catalog, report)
    finally:
        if not options.keep:
            postgres.drop_database()
    print("load of the machine at the end: " + ", ".join(f"{load:.1f}" for load in os.getloadavg()))
    report.close()
    return 0 if report.all_passed() else 1


def is_loaded(rows):
    with contextlib.suppress(Exception), postgres.connect() as connection:
        return connection.execute("SELECT count(*) FROM products").fetchone()[0] == rows
    return False


def measure(options, catalog, report):
    Models.questions = catalog.questions
    models = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Models)
    threading.Thread(target=models.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="decant-bench-") as folder:
        bench = Bench(options, catalog, folder)
        searches = requests_file(folder, "searches", [
            f'{SEARCH} {json.dumps({"query": f"question {number}", "similarity_threshold": 0})}'
            for number in range(len(catalog.questions))])
        server = Server(bench, models.server_address[1])
        try:
            check_answers(server, bench)
            report.section(f"{options.rows:,} x 384: the server", postgres.server_settings())
            peak = measure_speed(bench, server, searches, report)
            measure_load(bench, server, searches, peak, report)
            measure_idle(bench, server, searches, peak, report)
            measure_chat(server, report)
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
