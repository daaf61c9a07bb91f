"""Libraries are whole before threads share them."""

import subprocess
import sys

CODE = """
import sys
from goalcover.tools.loading import load_libraries

load_libraries()
known = {*sys.modules}

import numpy as np
from goalcover.tools.clustering import cluster, distinguishing_terms, find_clusters, rand_index
from goalcover.tools.coverage import share_interval

rng = np.random.default_rng(0)
vectors = np.vstack([rng.normal(mean, 0.1, (20, 4)) for mean in (-1, 1)]).astype(np.float32)
labels = cluster(vectors, 0)
find_clusters(vectors, 0)
rand_index(labels, labels)
distinguishing_terms(["a lamp"] * 40, labels)
share_interval(3, 9)
new = {name for name in sys.modules if name.split(".")[0] in ("scipy", "sklearn")} - known
raise SystemExit(f"imported later: {sorted(new)}" if new else 0)
"""


def test_stages_import_no_further_part_of_them() -> None:
    """Threads that import parts of them at the same time may find a deadlock. In a process of its
    own: here all is imported already."""
    found = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
