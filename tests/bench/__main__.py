"""`make bench`: measures everything, prints it, and writes it to build/."""

import json
import os
from pathlib import Path
from typing import Any

from . import encoder, filtering, memory, survey, throughput

OUT = Path(__file__).parents[2] / "build"


def main() -> None:
    OUT.mkdir(exist_ok=True)
    clients = throughput.measure()
    table(
        f"Clients: {throughput.UNDER_WAY} calls under way of {throughput.LATENCY:g} s (ideal "
        f"{throughput.UNDER_WAY / throughput.LATENCY:,.0f} calls/s); calls_per_s: "
        f"{throughput.AT_ONCE} under way without latency.\n"
        "bare: sockets and fixed bytes, the server's own limit.",
        clients,
    )
    write("bench.json", clients)
    found = memory.measure()
    table("Peak memory of `goalcover score` by number of rows.", {"goalcover score": found})
    write("bench-memory.json", found)
    found = encoder.measure()
    table("The embedded judge's encoder, against plain PyTorch.", {"encoder": found})
    write("bench-encoder.json", found)
    found = survey.measure()
    table("A look of a survey, embeddings kept.", {"survey": found})
    write("bench-survey.json", found)
    if path := os.environ.get(filtering.ROWS):
        found = filtering.measure(Path(path))
        table("Scoring and filtering, by the bare encoder's time.", {"score, filter": found})
        write("bench-filtering.json", found)
    else:
        print(f"\nScoring and filtering: skipped; {filtering.ROWS} names no file of rows.")


def table(title: str, rows: dict[str, dict[str, Any]]) -> None:
    print(f"\n{title}\n")
    names = list(next(iter(rows.values())))
    print(f"{'':16}" + "".join(f"{name:>18}" for name in names))
    for name, row in rows.items():
        print(f"{name:16}" + "".join(f"{row[column]:>18,}" for column in names), flush=True)


def write(name: str, found: dict[str, Any]) -> None:
    (OUT / name).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
