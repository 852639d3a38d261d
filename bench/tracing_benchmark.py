#!/usr/bin/env python3
"""scripts/bench tracing: what a server that traces to LangSmith costs its callers while LangSmith is away.

Two servers over the catalog of scripts/bench search take turns under the same load (http_load.cpp): one without LangSmith,
one whose LangSmith is dead (nobody listens), a black hole (connections are taken, nothing is ever answered), slow (answers
after five seconds) or answers 500. Then the second one is ended, LangSmith is well again, and a new server of the same
spool delivers what waited: each run is to come once. Before them, two servers without LangSmith: what turns differ by
without a cause. Prints a Markdown table.
"""
import argparse
import collections
import contextlib
import http.server
import json
import multiprocessing
import os
import random
import re
import socket
import sys
import tempfile
import threading
import time
import types
import urllib.request
import uuid

import postgres
from processes import Failed
from server_benchmark import SEARCH, Models, Server, requests_file, run_on_catalog

ALIKE = "alike"
CONDITIONS = {"dead": "nobody listens", "hole": "a black hole", "slow": "answers after 5 s", "errors": "answers 500"}
CHAT = "/api/v1/chat/message"
CHATTERS = 500
SLOW = 5
PATIENCE = 120


class LangSmith:
    """A stand-in on a port of its own, in one of CONDITIONS or well. It answers from a process of its own, because the
    models' stand-in, which chats wait for, is in this one."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder  # of the bodies that it took
        os.mkdir(folder)
        self.heads = {}
        self.again = self.changed = 0
        self._hole = self._server = None

    def become(self, condition):
        self.stop()
        if condition == "hole":
            self._hole = socket.socket()
            self._hole.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._hole.bind(("127.0.0.1", self.port))
            self._hole.listen(64)
        elif condition != "dead":
            server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), handler_of(condition, self.folder))
            server.daemon_threads = True
            self._server = multiprocessing.get_context("fork").Process(target=server.serve_forever, daemon=True)
            self._server.start()
            server.socket.close()  # the other process has it

    def stop(self):
        if self._hole:
            self._hole.close()
        if self._server:
            self._server.terminate()
            self._server.join()
        self._hole = self._server = None

    def read(self):
        """Of multipart bodies without compression: the part of each run holds all but its large members."""
        for name in sorted(os.listdir(self.folder)):
            with open(os.path.join(self.folder, name), "rb") as file:
                body = file.read()
            for run, head in re.findall(rb'name="post\.([0-9a-f-]{36})"\r\n.*?\r\n\r\n(.*?)\r\n--', body, re.S):
                before = self.heads.setdefault(run, head)
                self.again += before is not head
                self.changed += before != head

    def told(self, name):
        return sum(json.loads(head)["name"] == name for head in self.heads.values())


def handler_of(condition, folder):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status, body=b"{}"):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handle_any(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if condition == "errors":
                return self.answer(500)
            if condition == "slow":
                time.sleep(SLOW)
            if self.path == "/info":
                return self.answer(200, b'{"version": "0.13.0"}')
            with open(os.path.join(folder, str(uuid.uuid4())), "wb") as file:
                file.write(body)
            return self.answer(202)

        do_GET = do_POST = handle_any

        def handle_one_request(self):
            with contextlib.suppress(ConnectionError):  # the sink gave up waiting
                super().handle_one_request()

        def log_message(self, *_):
            pass

    return Handler


def traced(bench, models, langsmith, spool):
    return Server(bench, models, {"LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "bench", "LANGSMITH_FAILED_TRACES_MAX_MB": "2000",
                                  "LANGSMITH_ENDPOINT": f"http://127.0.0.1:{langsmith.port}", "LANGSMITH_FAILED_TRACES_DIR": spool})


def traces_of(server, sink):
    """{what: number} of one sink, by the server's own metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
        text = answer.read().decode()
    found = dict(re.findall(rf'^decant_trace_runs_total{{[^}}]*outcome="(\w+)"[^}}]*sink="{sink}"[^}}]*}} (\S+)$', text, re.M))
    found.update(re.findall(rf'^decant_trace_runs_total{{[^}}]*sink="{sink}"[^}}]*outcome="(\w+)"[^}}]*}} (\S+)$', text, re.M))
    for name, key in (("decant_trace_runs_waiting", "waiting"), ("decant_trace_spool_bytes", "stored")):
        found[key] = re.search(rf'^{name}{{[^}}]*sink="{sink}"[^}}]*}} (\S+)$', text, re.M).group(1)
    return {what: float(value) for what, value in found.items()}


class Loads:
    """The same load for both servers, in turns; remembers what each answered."""

    def __init__(self, options, searches, chats):
        self.options, self.searches, self.chats = options, searches, chats
        self.answered = collections.Counter()

    def run(self, server, kind):
        requests, rate = (self.searches, self.options.rate) if kind == "search" else (self.chats, self.options.chat_rate)
        seen = server.load(requests, 16, self.options.seconds, rate)
        if seen["failed"] or seen["refused"]:
            raise Failed(f"requests failed: {seen}")
        self.answered[server, kind] += seen["answered"]
        return seen["milliseconds"]


def percentile(turns, percent):
    """Of all answers of all turns."""
    every = sorted(milliseconds for turn in turns for milliseconds in turn)
    return every[len(every) * percent // 100]


def growth_interval(plain, tested, percent):
    """95 %, by bootstrap over whole turns: slow answers come together, when the disk or a neighbour is busy."""
    draws = sorted(percentile(random.choices(tested, k=len(tested)), percent) -
                   percentile(random.choices(plain, k=len(plain)), percent) for _ in range(400))
    return draws[10], draws[389]


def report_growth(report, kind, plain, tested, limit):
    report.figure(f"{kind}, p50 without LangSmith", percentile(plain, 50), "ms")
    report.figure(f"{kind}, p50: growth", percentile(tested, 50) - percentile(plain, 50), "ms")
    report.figure(f"{kind}, p99 without LangSmith", percentile(plain, 99), "ms")
    growth = percentile(tested, 99) - percentile(plain, 99)
    if limit is None:
        report.figure(f"{kind}, p99: growth", growth, "ms")
    else:
        report.limit(f"{kind}, p99: growth", growth, limit, "ms")
    low, high = growth_interval(plain, tested, 99)
    report.figure(f"{kind}, p99: growth, 95 % interval from", low, "ms")
    report.figure(f"{kind}, p99: growth, 95 % interval to", high, "ms")


def warm(server, loads, questions):
    """At the rate of the turns: as fast as it can, steps would come faster than a delivery that hangs lets them go."""
    asked = 0
    while asked < questions:
        seen = server.load(loads.searches, 16, loads.options.seconds, loads.options.rate)
        asked += seen["answered"]
        loads.answered[server, "search"] += seen["answered"]
    loads.run(server, "chat")


def timed_end(server):
    start = time.perf_counter()
    server.stop()
    return time.perf_counter() - start


def measure_turns(bench, servers, loads, report, limit):
    """Of two servers: the second's answers against the first's."""
    for server in servers:
        warm(server, loads, len(bench.catalog.questions))
    seen = collections.defaultdict(list)
    for turn in range(loads.options.repetitions):
        for kind in ("search", "chat"):
            for server in servers if turn % 2 == 0 else reversed(servers):
                seen[server, kind].append(loads.run(server, kind))
    for kind in ("search", "chat"):
        report_growth(report, kind, *(seen[server, kind] for server in servers), limit)


def measure_alike(bench, models, loads, report):
    servers = Server(bench, models), Server(bench, models)
    try:
        measure_turns(bench, servers, loads, report, None)
    finally:
        for server in servers:
            server.stop()


def measure_condition(bench, models, condition, loads, report):
    langsmith = LangSmith(os.path.join(bench.folder, "told-" + condition))
    langsmith.become(condition)
    spool = os.path.join(bench.folder, "spool-" + condition)
    plain, tested = Server(bench, models), traced(bench, models, langsmith, spool)
    try:
        measure_turns(bench, (plain, tested), loads, report, 1)
        report.limit("memory above the server without", max(0.0, (tested.anonymous_kib() - plain.anonymous_kib()) / 1024), 128, "MiB")
        dropped = traces_of(tested, "langsmith").get("dropped", 0)
    finally:
        ends = [timed_end(server) for server in (plain, tested)]
    report.figure("end of the process without LangSmith", ends[0], "s")
    report.limit("end of the process: growth", max(0.0, ends[1] - ends[0]), 2, "s")
    report.limit("steps dropped", dropped, 0, "steps")
    langsmith.become("well")
    deliver(bench, models, langsmith, spool)
    answered = [loads.answered.pop((tested, kind)) for kind in ("search", "chat")]
    langsmith.read()
    told = [langsmith.told("product_search"), langsmith.told("product_agent")]
    report.least("searches told when it is back / answered", told[0] / answered[0], 1)
    report.least("chats told when it is back / answered", told[1] / answered[1], 1)
    report.figure("steps that came again, because their answer was not waited for", langsmith.again, "steps")
    report.limit("of them those that were others", langsmith.changed, 0, "steps")
    langsmith.stop()


def deliver(bench, models, langsmith, spool):
    server = traced(bench, models, langsmith, spool)
    try:
        for _ in range(PATIENCE * 10):
            left = traces_of(server, "langsmith")
            if left["stored"] == 0 and left["waiting"] == 0:
                return
            time.sleep(0.1)
        raise Failed(f"not delivered after {PATIENCE} s: {left}")
    finally:
        server.stop()


def measure_peak(bench, models, loads, report):
    """What PostgreSQL, which gets all traces, does not keep up with."""
    server = Server(bench, models)
    try:
        warm(server, loads, len(bench.catalog.questions))
        seen = server.load(loads.searches, 8, 4 * loads.options.seconds)
        for _ in range(100):
            if traces_of(server, "postgresql")["waiting"] == 0:
                break
            time.sleep(0.1)
        traces = traces_of(server, "postgresql")
    finally:
        server.stop()
    report.figure("8 callers, as fast as they can: searches", seen["rate"], "/s")
    report.figure("their p99", seen["p99"], "ms")
    report.limit("of their steps PostgreSQL drops", 100 * traces.get("dropped", 0) / (traces.get("dropped", 0) + traces["sent"]), 0, "%")


def measure(options, catalog, report):
    Models.questions = catalog.questions
    models = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Models)
    threading.Thread(target=models.serve_forever, daemon=True).start()
    port = models.server_address[1]
    with tempfile.TemporaryDirectory(prefix="decant-bench-") as folder:
        bench = types.SimpleNamespace(options=options, catalog=catalog, folder=folder)
        questions = range(len(catalog.questions))
        searches = requests_file(folder, "searches", [
            f'{SEARCH} {json.dumps({"query": f"question {number}", "similarity_threshold": 0})}' for number in questions])
        chats = requests_file(folder, "chats", [
            f'{CHAT} {json.dumps({"user_id": f"caller {number}", "message": f"busco question {number}"})}'
            for number in range(CHATTERS)])
        loads = Loads(options, searches, chats)
        report.section(f"{options.rows:,} x 384: traces in PostgreSQL", postgres.server_settings())
        measure_peak(bench, port, loads, report)
        rates = f"{options.rate:g} searches/s, {options.chat_rate:g} chats/s"
        if not options.only or ALIKE in options.only:
            report.section(f"No LangSmith for either: what turns differ by; {rates}")
            measure_alike(bench, port, loads, report)
        for condition, told in CONDITIONS.items():
            if options.only and condition not in options.only:
                continue
            report.section(f"LangSmith is {condition}: {told}; {rates}")
            measure_condition(bench, port, condition, loads, report)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("decant", "psql", "http-load"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repetitions", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=4, help="of each turn")
    parser.add_argument("--rate", type=float, default=200, help="searches a second")
    parser.add_argument("--chat-rate", type=float, default=50, help="chats a second")
    parser.add_argument("--only", action="append", choices=[ALIKE, *CONDITIONS], help="this condition; may be given again")
    parser.add_argument("--keep", action="store_true", help="use the database of the last run, and leave it there")
    options = parser.parse_args()
    return run_on_catalog(options, measure)


if __name__ == "__main__":
    sys.exit(main())
