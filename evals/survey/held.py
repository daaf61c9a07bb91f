"""Features that are held in memory, for thousands of repeats."""

from dataclasses import dataclass

import numpy as np

from ...tools.survey.head import Features


@dataclass(frozen=True)
class Held:
    """Satisfies `head.Features`. x: (m, p)."""

    x: np.ndarray

    @classmethod
    def of(cls, features: Features) -> "Held":
        return cls(features.take(np.arange(len(features))))

    def __len__(self) -> int:
        return len(self.x)

    def take(self, at: np.ndarray) -> np.ndarray:
        return self.x[at]

    def times(self, weights: np.ndarray) -> np.ndarray:
        return self.x @ weights.astype(self.x.dtype)

    def only(self, at: np.ndarray) -> "Held":
        return Held(self.x[at])

    def shuffled(self, seed: int) -> "Held":
        """Each row with the features of another: nothing can be predicted from them."""
        return self.only(np.random.default_rng(seed).permutation(len(self)))
