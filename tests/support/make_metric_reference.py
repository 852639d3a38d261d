"""Writes tests/fixtures/quality/: made-up judgments and rankings, and what ir_measures says of them.

Run with ir_measures 0.4.3 and pytrec_eval-terrier 0.5.11. Gains of nDCG are given as a table, because trec_eval itself
takes the grade for the gain.
"""

import random
from pathlib import Path

import ir_measures
from ir_measures import RR, R, nDCG

folder = Path(__file__).parent.parent / "fixtures" / "quality"
folder.mkdir(parents=True, exist_ok=True)
random.seed(7)
qrels, run, lines = [], [], []
for q in range(40):
    docs = [f"d{i}" for i in range(30)]
    judged = random.sample(docs, random.randint(1, 25))
    grades = {d: random.choice([0, 0, 0, 1, 2, 3]) for d in judged}
    grades[judged[0]] = random.choice([2, 3])
    found = random.sample(docs, random.choice([0, 1, 3, 10, 10, 10]))
    qrels += [ir_measures.Qrel(f"q{q}", d, g) for d, g in grades.items()]
    run += [ir_measures.ScoredDoc(f"q{q}", d, 100.0 - i) for i, d in enumerate(found)]
    lines.append((f"q{q}", grades, found))

gains = {g: 2**g - 1 for g in range(4)}
measures = {"ndcg": nDCG(gains=gains) @ 10, "recall": R @ 10, "recall2": R(rel=2) @ 10, "rr": RR @ 10, "rr2": RR(rel=2) @ 10}
values = {}
for metric in ir_measures.iter_calc(list(measures.values()), qrels, run):
    values[metric.query_id, metric.measure] = metric.value

with open(folder / "metrics.jsonl", "w") as out:
    import json

    for q, grades, found in lines:
        row = {"query": q, "judged": sorted(grades.values()), "found": [grades.get(d, 0) for d in found]}
        row |= {name: round(values.get((q, m), 0.0), 12) for name, m in measures.items()}
        out.write(json.dumps(row) + "\n")
