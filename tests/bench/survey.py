"""What a survey takes beside its judgements: features from disk, the head, and all predictions.

`PYTHONPATH=tests python -m bench.survey`
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from goalcover.tools.survey.covered import Sampled, found
from goalcover.tools.survey.features import NUMBERS, PART, RowFeatures
from goalcover.tools.survey.head import predict

ROWS, SUBGOALS, SAMPLED = 100_000, 4, 800
VECTORS = 2 * 384
"""Numbers of a row: the embeddings of its input and its output, of the default encoder."""


def measure() -> dict[str, float]:
    """head_s: the head of 8 targets and its predictions of all rows; look_s: all that a look takes,
    with estimates and intervals of predicted scores; both with features kept on disk."""
    draw = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        features = RowFeatures(_parts(Path(folder), draw))
        at = draw.choice(ROWS, SAMPLED, replace=False)
        x = features.take(at)
        worth = x @ draw.standard_normal((x.shape[1], SUBGOALS)) / 6 + 0.4
        noise = draw.normal(0, 0.15, worth.shape)
        scores = np.clip(np.round((worth + noise) * 5) / 5, 0, 1)
        start = time.perf_counter()
        predict(features, at, np.hstack([scores, scores >= 0.6]), 0)
        middle = time.perf_counter()
        found(Sampled(at, scores, np.arange(ROWS), np.arange(ROWS)), features, 0)
        end = time.perf_counter()
    megabyte = 1024 if sys.platform == "linux" else 1024**2
    return {
        "rows": ROWS,
        "subgoals": SUBGOALS,
        "sampled": SAMPLED,
        "head_s": round(middle - start, 1),
        "look_s": round(end - middle, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / megabyte),
    }


def _parts(folder: Path, draw: np.random.Generator) -> list[Path]:
    """Features as they are kept: random vectors of length 1, and counts."""
    parts = []
    for start in range(0, ROWS, PART):
        vectors = draw.standard_normal((PART, 2, VECTORS // 2))
        vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
        parts.append(folder / f"{start:09}.npz")
        np.savez(
            parts[-1],
            rows=np.arange(start, start + PART),
            vectors=vectors.reshape(PART, VECTORS).astype(np.float16),
            counts=draw.random((PART, NUMBERS)).astype(np.float32),
        )
    return parts


def main() -> None:
    print(json.dumps(measure(), indent=1))


if __name__ == "__main__":
    main()
