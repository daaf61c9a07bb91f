"""What is known, before a call, of judging a data set: calls, tokens, money and time."""

import random
from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any

import numpy as np

from ..memory.records import Foretold, Sample, Spent, Subgoal
from ..memory.store import Store
from ..memory.usage import pace
from .chat_model import ChatModel
from .datasets import Table
from .embeddings import Embedder
from .judge import JudgeAsk, Mode, asks_of, subgoals_a_call
from .model import Model
from .scorer import EMBEDDED_CONCURRENCY, READ_AT_ONCE, judge_id
from .settings import RunConfig, open_model
from .survey.sampling import drawn
from .survey.size import expected_size
from .tokens import VERDICT, count_tokens

COUNTED = 100
"""Rows whose prompts are rendered and counted, where there are more: a seeded sample."""

LOOKED_AT = 1000
"""Judged rows, at most, by which a survey's size is expected."""


class Forecast:
    """Of the judge and the data of a configuration. Nothing is asked, and no key needed.

    spent: by the run so far, which counts for its cap. rows: those with an output.
    """

    def __init__(
        self,
        config: RunConfig,
        table: Table,
        store: Store,
        subgoals: Sequence[Subgoal],
        spent: Spent | None = None,
    ) -> None:
        self.config, self.subgoals = config, subgoals
        self._table, self._store, self._spent = table, store, spent or Spent()
        self.model = self.opened(config.batch)
        samples = [(sample.index, sample.hash) for sample in table if sample]
        self._indices = [index for index, _ in samples]
        self._hashes = [key for _, key in samples]
        self.rows = len(samples)
        self._lacking, self._tokens = cache(self._count_lacking), cache(self._count_tokens)

    def opened(self, batch: bool) -> Model:
        """The judge, for its name and price; `batch`: as it is by the Batch API."""
        config = self.config
        name = config.judge or config.model
        return open_model(name, config, Embedder(config.embedder), batch, unasked=True)

    # --- ways to judge

    def whole(self, mode: Mode) -> Foretold:
        """Every row, in calls of that mode."""
        return self._foretold(mode, range(self.rows), method=mode)

    def survey(self, precision: float | None) -> Foretold:
        """A sample: as many rows as the precision is expected to take, and as the cap allows; with
        neither, all rows."""
        mode = self.config.mode
        size = expected_size(self.known_values, self.rows, precision)
        order = drawn(self.rows, self.config.seed)[:size].tolist()
        for most in self._bounds(mode):
            calls = np.cumsum(self._calls(mode, order))
            order = order[: int(np.searchsorted(calls, most, side="right"))]
        return self._foretold(mode, order, method="survey", precision=precision)

    def _bounds(self, mode: Mode) -> list[float]:
        """Most calls that the cap allows: by their number, and by money."""
        config, price, spent = self.config, self.model.price, self._spent
        bounds = [float(config.max_calls - spent.calls)] if config.max_calls else []
        if config.budget and price and (cost := price.cost(*self._tokens(mode))):
            bounds.append((config.budget - (spent.cost_usd or 0.0)) / cost)
        return bounds

    def _foretold(self, mode: Mode, rows: Sequence[int], **way: Any) -> Foretold:
        calls = int(self._calls(mode, rows).sum())
        tokens_in, _, tokens_out = (round(calls * tokens) for tokens in self._tokens(mode))
        price = self.model.price
        return Foretold(
            rows=len(rows),
            calls=calls,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost_usd=price.cost(tokens_in, 0, tokens_out) if price else None,
            seconds=self._seconds(calls, tokens_in + tokens_out),
            **way,
        )

    # --- calls

    def _calls(self, mode: Mode, rows: Sequence[int]) -> np.ndarray:
        """Calls that each of these rows takes, (n,): none where its text came before, or where the
        store has its judgements."""
        chosen = np.asarray(rows, dtype=int)
        _, first = np.unique(self._texts[chosen], return_index=True)
        calls = np.zeros(len(chosen), dtype=int)
        calls[first] = -(-self._lacking(mode)[chosen[first]] // subgoals_a_call(mode))
        return calls

    @cached_property
    def _texts(self) -> np.ndarray:
        """A number for the text of each row, (rows,)."""
        return np.unique(np.array(self._hashes), return_inverse=True)[1]

    def _count_lacking(self, mode: Mode) -> np.ndarray:
        """On how many subgoals each row, (rows,), has no judgement yet."""
        judge, wanted = judge_id(self.model, mode), {subgoal.hash for subgoal in self.subgoals}
        judged = dict.fromkeys(self._hashes, 0)
        for start in range(0, self.rows, READ_AT_ONCE):
            known = self._store.scores.known(judge, self._hashes[start : start + READ_AT_ONCE])
            for (sample, subgoal), has_value in known.items():
                judged[sample] += has_value and subgoal in wanted
        return len(wanted) - np.array([judged[key] for key in self._hashes], dtype=int)

    def judged(self, mode: Mode) -> int:
        """Rows that the store has all judgements of."""
        return int((self._lacking(mode) == 0).sum())

    @cached_property
    def known_values(self) -> list[list[float]]:
        """By subgoal, A of the rows that are judged already, the first LOOKED_AT of the draw."""
        mode, found = self.config.mode, {subgoal.hash: list[float]() for subgoal in self.subgoals}
        order = drawn(self.rows, self.config.seed)
        some = order[self._lacking(mode)[order] < len(self.subgoals)][:LOOKED_AT]
        for key in dict.fromkeys(self._hashes[place] for place in some):
            for subgoal, score in self._store.scores.get(judge_id(self.model, mode), key).items():
                if subgoal in found and score.value is not None:
                    found[subgoal].append(score.value)
        return list(found.values())

    # --- tokens

    def _count_tokens(self, mode: Mode) -> tuple[float, float, float]:
        """Tokens in, cached and out of a call, on average over some rows."""
        asks = [ask for row in self.samples for ask in asks_of(row, self.subgoals, mode)]
        if not asks or not isinstance(self.model, ChatModel):
            return 0.0, 0.0, 0.0
        name = self.model.model
        read = sum(count_tokens(m["content"], name) for ask in asks for m in ask.messages())
        verdicts = sum(len(ask.subgoals) for ask in asks)
        return read / len(asks), 0.0, VERDICT * verdicts / len(asks)

    @cached_property
    def samples(self) -> list[Sample]:
        """The rows whose prompts are counted."""
        count = min(COUNTED, self.rows)
        chosen = sorted(random.Random(self.config.seed).sample(self._indices, count))
        return [sample for sample in map(self._table.sample, chosen) if sample]

    # --- time

    def _seconds(self, calls: int, tokens: int) -> float | None:
        """As long as replies took before, at the concurrency and the rates allowed; None where
        none is known, or where a server may take a day."""
        waited, config = self.waited, self.config
        if waited is None or config.batch:
            return None
        limits = [calls * waited / self.at_once]
        limits += [60 * calls / config.rpm] if config.rpm else []
        limits += [60 * tokens / config.tpm] if config.tpm else []
        return max(limits)

    @property
    def at_once(self) -> int:
        chat = isinstance(self.model, ChatModel)
        return self.config.max_concurrency if chat else EMBEDDED_CONCURRENCY

    @cached_property
    def waited(self) -> float | None:
        """Seconds for a reply of this judge, on average so far."""
        return pace(self._store.connection, JudgeAsk.role, self.model.name)
