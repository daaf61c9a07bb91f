"""What code refuses: near-duplicates, copies, leaks, and what it lets through."""

import numpy as np
import pytest

from goalcover.memory.records import (
    Candidate,
    Claim,
    Evidence,
    Gap,
    Quote,
    Sample,
    Source,
    Subgoal,
)
from goalcover.tools.duplicates import NearDuplicates, text_of
from goalcover.tools.embeddings import Embedder
from goalcover.tools.refusals import Screen, Written, copied, secrets_of
from goalcover.tools.row_format import format_of
from goalcover.tools.topics import embedded_text

RISKS = Subgoal(
    id="risks", name="Side effects", description="Warns of the side effects a drug has."
)
GAP = Gap(
    id="risks-gap1",
    subgoal_id="risks",
    kind="weak",
    name="No warnings",
    claims=[
        Claim(
            text="Rows name a dose and then stop before any warning is given.",
            quotes=[
                Quote(row=3, source="row", text="Take one tablet with a glass of water each night"),
                Quote(
                    row=3,
                    source="explanation",
                    text="it never mentions what could go wrong with the tablets",
                ),
            ],
        )
    ],
    prevalence=1,
    interval=(0.7, 1.0),
    shortfall=1,
    rows=9,
    analysed=9,
    low=9,
    evidence=[
        Evidence(
            row=3,
            sample_id="x",
            score=0.2,
            explanation="The row answers the question on dosing but leaves every danger out. "
            "Nearest passage: “Take one tablet with a glass of water each night”.",
            excerpt="",
        )
    ],
)
SYSTEM = "Each row has an input, as a user of the model would write it, and the output."
DATA = [
    ("Is ibuprofen safe with wine?", "A glass is mostly fine; more may make the stomach bleed."),
    ("Can I drive on antihistamines?", "The older ones make you drowsy, so leave the car at home."),
    ("May I stop my antidepressant?", "Not at once: lower the dose over weeks with your doctor."),
]
EXEMPLARS = [Source(id=f"row-{i}0{i}", input=x, output=y) for i, (x, y) in enumerate(DATA[:2])]


def candidate(text_in: str, text_out: str, name: str = "c1") -> Candidate:
    return Candidate(id=name, input=text_in, output=text_out, origin="model")


GOOD = candidate(
    "Why does my cough not go away on ramipril?",
    "A dry cough is a known effect of such tablets; ask for another kind of blood pressure drug.",
)


async def sifted(
    embedder: Embedder,
    *candidates: Candidate,
    accepted: list[Candidate] | None = None,
    judged: list[Candidate] | None = None,
) -> tuple[list[Candidate], list[Candidate]]:
    index = NearDuplicates(signs=False)
    rows = [Sample(index=i, id=str(i), input=x, output=y) for i, (x, y) in enumerate(DATA)]
    for row in rows:
        index.add(row.index, text_of(row))
    screen = Screen(
        format=format_of(rows),
        secrets=secrets_of(SYSTEM, [RISKS], GAP, [GAP.id, "plan-cell-1"], EXEMPLARS),
        exemplars=EXEMPLARS,
        data=index,
        near=await embedder.encode([embedded_text(row) for row in rows]),
        accepted=accepted or [],
        judged=judged or [],
    )
    return await screen.sift(list(candidates), embedder)


REFUSED = [
    ("empty", "  ", GOOD.output),
    ("empty", GOOD.input, "\n"),
    ("another format", GOOD.input, f"User: {GOOD.input}\nAssistant: {GOOD.output}"),
    ("copies an exemplar", GOOD.input, DATA[1][1]),
    ("copies an exemplar", "Can I drive on antihistamines?!", GOOD.output),
    ("near-duplicate of the data", DATA[2][0].upper(), DATA[2][1].replace(":", " :")),
    ("near-duplicate of the data", DATA[2][0], f"- {DATA[2][1].replace(': ', ' - ')}"),
    ("near-duplicate of the data", DATA[2][0], DATA[2][1].replace("lower", "*lower*")),
    (
        "near-duplicate of the data",  # by meaning: no three words in a row are the same
        "May I stop the antidepressant pills?",
        "Don't at once: reduce doses over many weeks along with a doctor.",
    ),
    ("leaks the prompt", GOOD.input, f"{GOOD.output} See risks-gap1."),
    ("leaks the prompt", GOOD.input, f"plan-cell-1: {GOOD.output}"),
    ("leaks the prompt", GOOD.input, f"<<<EXEMPLAR 0123456789abcdef {GOOD.output}"),
    ("leaks the prompt", GOOD.input, f"{GOOD.output} WARNS of the side effects a drug has!"),
    ("leaks the prompt", GOOD.input, f"As a user of the model would write it: {GOOD.output}"),
    ("leaks the prompt", GOOD.input, f"{GOOD.output} Rows name a dose and then stop before any."),
    ("leaks the prompt", GOOD.input, f"It never mentions what could go wrong with: {GOOD.output}"),
    ("leaks the prompt", GOOD.input, f"The row answers the question on dosing but {GOOD.output}"),
]


@pytest.mark.parametrize(("reason", "text_in", "text_out"), REFUSED)
async def test_refused_with_a_reason_and_a_sentence(
    reason: str, text_in: str, text_out: str, embedder: Embedder
) -> None:
    passed, (refused,) = await sifted(embedder, candidate(text_in, text_out))
    assert not passed and refused.refused == reason
    assert refused.explanation.endswith((".", "”.")) and len(refused.explanation) > 20


async def test_a_good_row_passes(embedder: Embedder) -> None:
    passed, refused = await sifted(embedder, GOOD)
    assert passed == [GOOD] and not refused


async def test_words_of_the_user_s_own_rows_are_no_leak(embedder: Embedder) -> None:
    """Explanations quote rows, and rows say what other rows say."""
    quoted = GAP.claims[0].quotes[0].text
    quoting = candidate(GOOD.input, f"{GOOD.output} {quoted}.")
    php = candidate("How do I write a heredoc?", "Write <<<EXEMPLAR, the text, EXEMPLAR;", "c2")
    _, refused = await sifted(embedder, quoting, php)
    assert refused == []


async def test_of_two_alike_the_first_passes(embedder: Embedder) -> None:
    twin = candidate(f"{GOOD.input} ", GOOD.output.upper(), "c2")
    passed, (refused,) = await sifted(embedder, GOOD, twin)
    assert [c.id for c in passed] == ["c1"]
    assert refused.refused == "near-duplicate of another synthetic row"
    _, (refused,) = await sifted(embedder, twin, accepted=[GOOD])
    assert refused.refused == "near-duplicate of another synthetic row"


async def test_a_rejected_row_does_not_come_back_unchanged(embedder: Embedder) -> None:
    same = GOOD.model_copy(update={"id": "c9", "input": f"{GOOD.input}!"})
    better = candidate(GOOD.input, GOOD.output.replace("known", "very common"), "c3")
    (passed,), (refused,) = await sifted(embedder, same, better, judged=[GOOD])
    assert (passed.id, refused.id) == ("c3", "c9") and "unchanged" in refused.explanation


async def test_what_comes_refused_stays_so(embedder: Embedder) -> None:
    stray = GOOD.model_copy(update={"refused": "another format"})
    assert await sifted(embedder, stray) == ([], [stray])


def test_the_data_s_way_to_ask_is_no_copy() -> None:
    frame = "Summarise the following report for an investor in three short bullet points: "
    exemplars = [
        Source(id=str(i), input=frame + text, output=text)
        for i, text in enumerate(["sales of steel rose sharply", "the harvest failed once more"])
    ]
    fresh = candidate(f"{frame}rates were left where they had been", "Rates stay.")
    assert copied(fresh, exemplars) == ""
    stale = candidate(f"{frame}sales of steel rose sharply again", "Steel does well.")
    assert copied(stale, exemplars).startswith("The input copies an exemplar")


def test_ids_that_are_words_of_any_row_do_not_leak() -> None:
    secrets = secrets_of(SYSTEM, [RISKS], GAP, ["7", "summary"], [])
    assert secrets.ids == frozenset(), "short ids, and plain words, stand in any row"


def test_sentences_of_two_exemplars_are_a_copy_of_both() -> None:
    exemplars = [
        Source(id="a", input="Q?", output="Put the label on the box. Then go to the counter."),
        Source(id="b", input="R?", output="Weigh the parcel at home first. Keep your receipt."),
    ]
    spliced = candidate("New?", "Put the label on the box. Weigh the parcel at home first.")
    assert copied(spliced, exemplars).startswith("The output copies an exemplar")
    extracted = spliced.model_copy(update={"origin": "extractive"})
    assert copied(extracted, exemplars) == "", "it is put together from them"
    extracted = extracted.model_copy(update={"output": exemplars[0].output})
    assert copied(extracted, exemplars)
    fresh = candidate("New?", "Put the label on the box, said the clerk, or weigh nothing at all.")
    assert copied(fresh, exemplars) == ""


def test_scripts_without_spaces_are_read_by_character() -> None:
    shown = Source(id="a", input="Q?", output="退回商品之前请先把标签贴在盒子上，然后交给柜台。")
    stale = candidate("如何退货？", "退回商品之前请先把标签贴在盒子上，然后交给她。")
    assert copied(stale, [shown])
    assert copied(candidate("如何退货？", "我们的店员会在门口等你，请带好收据。"), [shown]) == ""
    told = "这一行应当说明客户必须把打印好的标签贴在哪里以及怎么贴"
    goal = RISKS.model_copy(update={"description": told})
    secrets = secrets_of(SYSTEM, [goal], GAP, [], [])
    assert secrets.fault(f"你好。{told[4:24]}！").startswith("It repeats the prompt")
    assert secrets.fault(f"把{told[8:20]}贴好就行") == "", "so few characters come by chance"


def test_marks_do_not_hide_a_copy_of_another_row() -> None:
    """By words: nothing is compared by meaning here."""
    written = Written()
    other, same = np.eye(2)
    written.add(GOOD, other)
    twin = candidate(GOOD.input, f"- {GOOD.output.replace('such tablets; ', '*such* tablets = ')}")
    assert written.fault(twin, same)
    assert written.fault(candidate("Is it true?", "Yes, it is, and more."), same) is None
