#!/usr/bin/env python3
"""What decant's search is compared with: a Chroma server, a process a caller.

    rival_chroma_search.py client|http URL COLLECTION QUESTIONS DIMENSION CALLERS SECONDS

As search_loop.cpp: the same questions in the same order, the same JSON.  `client` asks as an application does, by chromadb's
own HttpClient.  `http` asks by a plain connection: bodies are made before the clock runs, and the JSON of the answers is
not read while it does, so that Python costs next to nothing.
"""
import argparse
import http.client
import json
import multiprocessing
import time
import urllib.parse

import numpy as np

PATH = "/api/v2/tenants/default_tenant/databases/default_database/collections/{}/query"
WARM_UP = 20


def body(question):
    return json.dumps({"query_embeddings": [question.tolist()], "n_results": 10, "include": ["metadatas", "distances"]})


def by_http(options, questions):
    """Asks question `number`; the answer is read by ids_of."""
    bodies = [body(question) for question in questions]
    connection = http.client.HTTPConnection(options.url.hostname, options.url.port)

    def answer(number):
        connection.request("POST", PATH.format(options.collection), bodies[number % len(bodies)],
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        if response.status != 200:
            raise RuntimeError(f"Chroma answers {response.status}: {text[:300]}")
        return text

    return answer


def by_client(options, questions):
    import chromadb

    client = chromadb.HttpClient(host=options.url.hostname, port=options.url.port,
                                 settings=chromadb.Settings(anonymized_telemetry=False))
    collection = client.get_collection("products")
    return lambda number: collection.query(query_embeddings=questions[number % len(questions)], n_results=10,
                                           include=["metadatas", "distances"])


def ids_of(answer):
    return (json.loads(answer) if isinstance(answer, bytes) else answer)["ids"][0]


def ask(caller, options, questions, ready, seen):
    answer = (by_client if options.way == "client" else by_http)(options, questions)
    for number in range(WARM_UP):
        answer(number)
    ready.wait()
    begin = time.perf_counter()
    calls, first, number = [], {}, caller
    while number < len(questions) or time.perf_counter() - begin < options.seconds:
        start = time.perf_counter()
        given = answer(number)
        calls.append((time.perf_counter() - start) * 1e3)
        if number < len(questions):
            first[number] = given
        number += options.callers
    elapsed = time.perf_counter() - begin
    seen.put((calls, elapsed, {number: ids_of(given) for number, given in first.items()}))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=["client", "http"])
    parser.add_argument("url", type=urllib.parse.urlsplit)
    parser.add_argument("collection")
    parser.add_argument("questions")
    for name, kind in (("dim", int), ("callers", int), ("seconds", float)):
        parser.add_argument(name, type=kind)
    options = parser.parse_args()
    questions = np.fromfile(options.questions, "<f4").reshape(-1, options.dim)
    context = multiprocessing.get_context("fork")
    ready, seen = context.Barrier(options.callers), context.Queue()
    processes = [context.Process(target=ask, args=(caller, options, questions, ready, seen), daemon=True)
                 for caller in range(options.callers)]
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
