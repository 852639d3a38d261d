#!/usr/bin/env python3
"""What decant's search is compared with: a Chroma server, asked over HTTP by plain connections, a process a caller.

    rival_chroma_search.py URL COLLECTION QUESTIONS DIMENSION CALLERS SECONDS

As search_loop.cpp: the same questions in the same order, the same JSON.  Bodies are made before the clock runs, and the
answers' JSON is not read while it does, so that Python costs little.
"""
import http.client
import json
import multiprocessing
import sys
import time
import urllib.parse

import numpy as np

PATH = "/api/v2/tenants/default_tenant/databases/default_database/collections/{}/query"
WARM_UP = 20


def body(question):
    return json.dumps({"query_embeddings": [question.tolist()], "n_results": 10, "include": ["metadatas", "distances"]})


def ask(caller, options, bodies, ready, seen):
    url, collection, callers, seconds = options
    connection = http.client.HTTPConnection(url.hostname, url.port)

    def answer(number):
        connection.request("POST", PATH.format(collection), bodies[number % len(bodies)],
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        if response.status != 200:
            raise RuntimeError(f"Chroma answers {response.status}: {text[:300]}")
        return text

    for number in range(WARM_UP):
        answer(number)
    ready.wait()
    begin = time.perf_counter()
    calls, first, number = [], {}, caller
    while number < len(bodies) or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        text = answer(number)
        calls.append((time.perf_counter() - start) * 1e3)
        if number < len(bodies):
            first[number] = text
        number += callers
    elapsed = time.perf_counter() - begin
    seen.put((calls, elapsed, {number: json.loads(text)["ids"][0] for number, text in first.items()}))


def main():
    url, collection, file, dim, callers, seconds = sys.argv[1:]
    bodies = [body(question) for question in np.fromfile(file, "<f4").reshape(-1, int(dim))]
    options = (urllib.parse.urlsplit(url), collection, int(callers), float(seconds))
    context = multiprocessing.get_context("fork")
    ready, seen = context.Barrier(options[2]), context.Queue()
    processes = [context.Process(target=ask, args=(caller, options, bodies, ready, seen), daemon=True)
                 for caller in range(options[2])]
    for process in processes:
        process.start()
    results = [seen.get(timeout=600) for _ in processes]
    calls = np.concatenate([calls for calls, _, _ in results])
    answers = {number: ids for _, _, first in results for number, ids in first.items()}
    print(json.dumps({"p50": float(np.percentile(calls, 50)), "p95": float(np.percentile(calls, 95)),
                      "rate": sum(len(calls) / elapsed for calls, elapsed, _ in results),
                      "answers": [{"skus": list(map(int, answers[number]))} for number in sorted(answers)]}))


if __name__ == "__main__":
    main()
