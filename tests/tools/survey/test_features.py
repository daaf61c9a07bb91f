"""Features of rows: what they are, that they are made once, and that memory stays flat."""

import json
from pathlib import Path

import numpy as np
import pytest

from goalcover.memory.records import Sample
from goalcover.tools.datasets import DataSource, Table, load
from goalcover.tools.survey import features as module
from goalcover.tools.survey.features import NUMBERS, SHARE, counts_of, features_of
from goalcover.tools.survey.head import predict

EMPTY = (0, 4, 5, 6, 7)
"""Rows without an output; 4 to 7 are a part of their own."""


class Encoder:
    """Unit vectors made of a text's characters; keeps what it was asked."""

    def __init__(self, version: str = "1", fails_at: int = 10**9) -> None:
        self.version = version
        self.fails_at = fails_at
        self.texts: list[str] = []

    async def encode(self, texts: list[str]) -> np.ndarray:
        if len(self.texts) + len(texts) > self.fails_at:
            raise KeyboardInterrupt
        self.texts += texts
        found = np.array([[1 + len(t), t.count("1"), t.count("2")] for t in texts], np.float32)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch) -> None:
    monkeypatch.setattr(module, "PART", 4)
    monkeypatch.setattr(module, "AT_ONCE", 3)


def table(folder: Path, count: int = 11, source: type[DataSource] = DataSource) -> Table:
    path = folder / "rows.jsonl"
    rows = ({"prompt": f"user: old\n\nuser: q{i}", "completion": "" if i in EMPTY else f"a{i}; {i}"}
            for i in range(count))  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return load(source(path=str(path)), folder / "tables")


async def made(rows: Table, encoder: Encoder, cache: Path, seen: list | None = None):
    told = [] if seen is None else seen
    return await features_of(rows, encoder, cache, lambda *now: told.append(now))  # type: ignore


async def plain(rows: Table) -> np.ndarray:
    """The same in the plainest way, for the rows with an output."""
    samples = [sample for sample in rows if sample]
    x = await Encoder().encode([s.input.rpartition("user: ")[2] for s in samples])
    y = await Encoder().encode([s.output for s in samples])
    counts = np.array([counts_of(s) for s in samples])
    spread = counts.std(axis=0)
    scaled = SHARE * (counts - counts.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return np.hstack([x, y, scaled])


async def test_rows_with_an_output_have_vectors_and_scaled_counts(tmp_path):
    rows, seen = table(tmp_path), []
    found = await made(rows, Encoder(), tmp_path / "cache", seen)
    assert found.rows.tolist() == [1, 2, 3, 8, 9, 10] and len(found) == 6
    whole = found.take(np.arange(6))
    assert whole == pytest.approx(await plain(rows), abs=1e-3)  # kept with half precision
    assert found.take(np.array([5, 0, 5])).tolist() == whole[[5, 0, 5]].tolist()
    weights = np.random.default_rng(0).normal(size=(whole.shape[1], 2))
    assert found.times(weights) == pytest.approx(whole @ weights, abs=1e-4)
    assert seen[0] == (4, 11) and seen[-1] == (11, 11)


async def test_what_was_encoded_is_not_encoded_again(tmp_path):
    rows, cache = table(tmp_path), tmp_path / "cache"
    first = await made(rows, Encoder(), cache)
    again = Encoder()
    second = await made(rows, again, cache)
    assert again.texts == []
    assert second.take(np.arange(6)).tolist() == first.take(np.arange(6)).tolist()


async def test_a_kill_loses_the_part_that_was_under_way(tmp_path):
    rows, cache = table(tmp_path), tmp_path / "cache"
    with pytest.raises(KeyboardInterrupt):
        await made(rows, Encoder(fails_at=7), cache)  # in the third part
    rest = Encoder()
    found = await made(rows, rest, cache)
    assert rest.texts == ["q8", "q9", "q10", "a8; 8", "a9; 9", "a10; 10"]
    assert found.take(np.arange(6)) == pytest.approx(await plain(rows), abs=1e-3)


async def test_a_damaged_part_is_made_again(tmp_path):
    rows, cache = table(tmp_path), tmp_path / "cache"
    await made(rows, Encoder(), cache)
    last = sorted(cache.glob("*/*.npz"))[-1]
    last.write_bytes(last.read_bytes()[:100])
    again = Encoder()
    found = await made(rows, again, cache)
    assert len(again.texts) == 6
    assert found.take(np.arange(6)) == pytest.approx(await plain(rows), abs=1e-3)


async def test_other_content_another_way_of_reading_and_another_encoder_are_kept_apart(tmp_path):
    cache = tmp_path / "cache"
    await made(table(tmp_path), Encoder(), cache)
    more = table(tmp_path, 12)
    shorter = Table(more.source.model_copy(update={"max_chars": 200}), more.rows, more.format, 0)
    for rows, version in ((more, "1"), (shorter, "1"), (more, "2")):
        encoder = Encoder(version)
        await made(rows, encoder, cache)
        assert len(encoder.texts) == 14
    assert len([*cache.iterdir()]) == 4


async def test_nothing_is_kept_of_rows_without_a_digest(tmp_path, monkeypatch):
    """Those of a hub data set: tomorrow there may be others under its name."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path / "temporary"))
    rows = table(tmp_path)
    rows.source.path = "a hub name"
    found = await made(rows, Encoder(), tmp_path / "cache")
    assert found.take(np.arange(6)) == pytest.approx(await plain(rows), abs=1e-3)
    assert not (tmp_path / "cache").exists()
    del found
    with pytest.raises(KeyboardInterrupt):
        await made(rows, Encoder(fails_at=7), tmp_path / "cache")
    assert [*(tmp_path / "temporary").iterdir()] == []


async def test_no_row_with_an_output(tmp_path):
    rows = table(tmp_path, 1)
    found = await made(rows, Encoder(), tmp_path / "cache")
    assert len(found) == 0 and found.times(np.zeros((3, 2))).shape == (0, 2)


async def test_the_head_predicts_from_them(tmp_path):
    """Alignments that go with a count of the text are predicted of rows it has not seen."""
    rows = table(tmp_path, 80)
    found = await made(rows, Encoder(), tmp_path / "cache")
    truth = np.array([str(row).count("1") / 2 for row in found.rows])[:, None]
    at = np.arange(0, len(found), 2)
    predicted = predict(found, at, truth[at], seed=0).everywhere
    rest = np.arange(1, len(found), 2)
    assert np.corrcoef(predicted[rest, 0], truth[rest, 0])[0, 1] > 0.9


def test_counts_by_hand():
    text = "NASA paid $5 in 2021:\n- 20% [x]\n# end?\n```"
    sample = Sample(index=0, id="", input="a1b22", output=text)
    found = counts_of(sample)
    assert len(found) == NUMBERS
    words = text.lower().split()
    numbers = [5, len(text), len(words), 3]  # characters of x, of y, words of y, digits of x
    # line breaks, numbers, currency marks, code marks, list items, years, percentages, capitals,
    # comment marks
    numbers += [3, 3, 1, 2, 1, 1, 1, 1, 1]
    assert np.expm1(found[:13]) == pytest.approx(numbers)
    assert found[13:] == [1, 1, len(set(words)) / (1 + len(words))]
