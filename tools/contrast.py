"""Nearness by contrast: how much nearer a text is to a subgoal than to capabilities in general.

Some texts are near to everything, so a plain cosine says little of what a text is about.
"""

from functools import lru_cache

import numpy as np

GENERAL = tuple(
    """
Explains a topic of physics or chemistry.
Describes plants, animals and ecosystems.
Answers questions about health and medicine.
Gives advice on food, cooking and nutrition.
Discusses sport, exercise and games.
Tells about historical events and their causes.
Explains a law, a right or a legal procedure.
Describes how government and politics work.
Explains economics, business and finance.
Gives advice on personal money and taxes.
Writes program code.
Explains computers, networks and software.
Analyses data with statistics.
Solves a problem of mathematics.
Describes machines, engineering and construction.
Gives travel tips and describes places.
Talks about music, film and art.
Discusses literature and books.
Writes a story or a poem.
Writes a letter or an e-mail.
Translates a text into another language.
Corrects grammar and spelling.
Summarises a long text.
Extracts facts from a document.
Classifies a text into categories.
Compares several options and recommends one.
Plans a project step by step.
Gives instructions for a task at home.
Teaches a lesson to pupils.
Supports a customer who has a problem with a product.
Advertises a product or a service.
Answers a question about religion or philosophy.
Discusses psychology, feelings and relationships.
Gives career advice and helps with applications.
Reports the news.
Chats politely about everyday things.
Refuses a harmful request and says why.
Asks for details that are missing.
Reasons step by step to a conclusion.
Lists facts, names and numbers.
""".strip().split("\n")
)
"""Capabilities of many fields and kinds of work, written before any figure was seen."""

NEAREST = 5
"""So many of them, the nearest ones to a text, are what it is compared with."""


def to_general(vectors: np.ndarray, general: np.ndarray) -> np.ndarray:
    """Mean cosine of each text, shape (n, d), with the general capabilities nearest to it: (n,)."""
    near = vectors @ general.T
    return np.partition(near, -NEAREST, axis=1)[:, -NEAREST:].mean(axis=1)


def spread(general: np.ndarray) -> float:
    """Standard deviation of the cosines between the general capabilities: an embedder's scale."""
    return _spread(general.astype(np.float32).tobytes(), len(general))


@lru_cache(8)
def _spread(vectors: bytes, count: int) -> float:
    general = np.frombuffer(vectors, dtype=np.float32).reshape(count, -1)
    near = (general @ general.T)[np.triu_indices(count, 1)]
    return max(float(near.std()), 1e-6)  # an embedder that tells nothing apart has no scale
