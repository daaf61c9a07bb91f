"""All tests of survey scoring in which the truth is known."""

from collections.abc import Callable
from pathlib import Path

from ...memory.errors import UserError
from ...memory.records import Spent
from ...tools.scorer import ScoreProgress
from ...tools.settings import ModelConfig
from ..corruption.removals import read_domains
from . import curves, proxies, resampled, simulation, whole
from .found import SurveyFound

Progress = Callable[[int, int, Spent], None]

REPEATS = 500

WHOLE_REPEATS, SHUFFLED_REPEATS = 200, 50
"""At most, as the real head takes a hundred times as long as the simulated one."""

WORTH = 20
"""Repeats for which it is worth while to start further processes."""

JUDGING = 50
"""Steps that are shown of judging a data set and of its features."""


async def run(
    config: ModelConfig, data: Path | None, repeats: int, on_progress: Progress
) -> tuple[SurveyFound, Spent]:
    """repeats: surveys of a simulated cell. data: the folder with the data, None for the simulation
    alone. The judge is the embedded one whatever `config` names. Raises UserError where a file is
    missing, before anything is done."""
    config = config.model_copy(update={"model": None, "judge": None})
    check(data)
    workers = -1 if repeats >= WORTH else 1
    settings = simulation.settings()
    steps = _Steps(on_progress, len(settings) + simulation.LOWEST, data is not None, repeats)
    cells = simulation.run(settings, repeats, config.seed, workers, steps.at)
    steps.end()
    found = SurveyFound(
        cells=cells,
        curves=curves.simulated(config.seed, curves.draws(repeats)),
        repeats=repeats,
        seed=config.seed,
    )
    if data:
        found.resampled = await resampled.run(data / "gold", repeats, config.seed)
        found.proxies = proxies.run(data / proxies.FILE, repeats, config.seed)
        for name in whole.DOMAINS:
            judged = await whole.judged(name, data, config, steps.judging)
            steps.end()
            if name == whole.DOMAINS[0]:
                found.curves.append(curves.real(judged, config.seed, curves.draws(repeats)))
            for shuffled in (False, True):
                most = SHUFFLED_REPEATS if shuffled else WHOLE_REPEATS
                found.whole.append(
                    whole.whole(
                        judged, shuffled, min(repeats, most), config.seed, workers, steps.at
                    )
                )
                steps.end()
    return found, Spent()


def check(data: Path | None) -> None:
    """Raises UserError, naming the file, where the folder lacks one."""
    if data is None:
        return
    domains = read_domains()
    wanted = [domains[name].file for name in whole.DOMAINS]
    wanted += [f"gold/{name}.subgoals.json" for name in whole.DOMAINS]
    lacking = [name for name in [proxies.FILE, *wanted] if not (data / name).is_file()]
    if lacking:
        raise UserError(
            f"there is no file {data / lacking[0]}: give --data a folder that has it, or leave "
            "--data out for the simulation alone."
        )


class _Steps:
    """Counts the steps of all parts in one row."""

    def __init__(self, tell: Progress, simulated: int, data: bool, repeats: int) -> None:
        self._tell, self._before, self._now = tell, 0, 0
        surveys = min(repeats, WHOLE_REPEATS) + min(repeats, SHUFFLED_REPEATS)
        self._total = simulated + data * len(whole.DOMAINS) * (JUDGING + surveys)

    def at(self, done: int, _: int = 0) -> None:
        """Steps of this part that are done."""
        self._now = done
        self._tell(self._before + done, self._total, Spent())

    def judging(self, progress: ScoreProgress) -> None:
        self.at(JUDGING * progress.done // max(1, progress.total))

    def end(self) -> None:
        """This part is over."""
        self._before, self._now = self._before + self._now, 0
