"""Whether intervals of place effects hold the truth."""

from collections import Counter

import numpy as np
from passports import domain, holds, labels_of

from goalcover.evals.passport.places import places_of
from goalcover.evals.passport.retest import Judged, passes_of, places
from goalcover.evals.reliability import weights_of


def test_intervals_of_places_hold_the_truth_about_as_often_as_they_say() -> None:
    """Noise alone, and a bonus of 0.1 for what is asked for first, in 40 samples of 60 rows."""
    hits, passes = Counter[str](), passes_of(1, order=True, pairwise=False, seed=0)
    for seed in range(40):
        draw, own = np.random.default_rng(seed), domain(labels_of(60, 4, seed))
        for bonus in (0.0, 0.1):
            values = {
                made.name: [own.labels + draw.normal(0, 0.1, own.labels.shape)
                            + bonus * (places(own, made)[1] == 0)]
                for made in passes
            }  # fmt: skip
            found = places_of(Judged("j", "", values), [own], passes, [weights_of(60, seed, 300)])
            assert found
            hits[f"asked {bonus}"] += holds(found.first_asked, bonus)
            hits[f"listed {bonus}"] += holds(found.first_listed, 0)
    assert len(hits) == 4 and min(hits.values()) >= 34, hits
