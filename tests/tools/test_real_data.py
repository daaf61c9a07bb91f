"""Real data sets load as they are, where they lie beside the project."""

from pathlib import Path

import pytest

from goalcover.tools.datasets import DataSource, load

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the data is not part of the project")


def test_pubmedqa_by_its_columns(tmp_path: Path) -> None:
    source = DataSource(
        path=str(DATA / "pubmedqa.jsonl"), input_columns=["question"], output_column="long_answer"
    )
    table = load(source, tmp_path)
    samples = list(table)
    assert len(samples) == 1000, "a row holds U+2028, which ends no line"
    assert all(samples)


def test_codealpaca_untouched(tmp_path: Path) -> None:
    table = load(DataSource(path=str(DATA / "codealpaca_20k.jsonl")), tmp_path)
    assert table.format == "instruction/output"
    assert len(table) == 20_022
    assert sum(sample is None for sample in table) == 6, "six outputs are empty"
