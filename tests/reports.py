"""Reports for tests: every part filled with a text, which may be hostile."""

from goalcover.memory.records import (
    Agreement,
    Analysis,
    Answer,
    Candidate,
    Cell,
    Claim,
    ClauseCover,
    Contract,
    DataProfile,
    DataTopic,
    Draft,
    Evidence,
    Example,
    FilterResult,
    Finding,
    Gap,
    Goal,
    LedgerEntry,
    OddRow,
    OrderEffect,
    Overlap,
    OverlapRow,
    PlanItem,
    Probe,
    Question,
    Quote,
    Recommendation,
    Round,
    RowCounts,
    Specification,
    Stability,
    Standing,
    Subgoal,
    Subset,
    SynthesisOutcome,
    SynthesisPlan,
    Usage,
)
from goalcover.tools.coverage import coverage_of
from goalcover.tools.report import Failure, HeatMap, Provenance, Report

HOSTILE = (
    "<script>alert(1)</script> <img src=http://evil.example/a onerror=x> \"'> </title></style> "
    "![x](https://evil.example/b.png) {{ 71117 * 3 }} {% raw %} <!-- &lt; javascript:x"
)


def contract(text: str) -> Contract:
    """Each kind of finding, clause and probe that the page tells apart."""
    row = Example(input=text, output=text)
    finding = Finding(
        id="f", check="disjoint", subgoal_ids=["s", "t", text], clause=text, message=text,
        evidence=[text],
    )  # fmt: skip
    return Contract(
        findings=[finding, finding.model_copy(update={"overruled": text})],
        matrix=[
            ClauseCover(id="c", field=text, text=text, subgoal_ids=["s", text]),
            ClauseCover(id="d", field="language", text=text, qualifies=True),
            ClauseCover(id="e", field="goal", text=text),
        ],
        probes=[
            Probe(fits="s", not_fits="t", row=row, shown_by=["s"], note=text),
            Probe(fits="s", not_fits="t", row=row, shown_by=["s", "t"]),
            Probe(fits="t", not_fits=text, note=text),
        ],
        how=[text],
    )


def profile(text: str) -> DataProfile:
    return DataProfile(
        read=4, looked_at=4, embedded=3, format=text, input_lengths=(1, 2, 3),
        output_lengths=(1, 2, 3), languages={text: 1.0}, forms={"code": 0.5}, copies=1,
        topics=[DataTopic(name=text, share=1.0, example=Example(input=text, output=text))],
        odd=[OddRow(row=1, reason=text, excerpt=text)], how=text,
    )  # fmt: skip


def overlap(text: str, **changes: object) -> Overlap:
    row = OverlapRow(row=1, first=0.8, second=0.2, excerpt=text)
    fields = {
        "first": "s", "second": "t", "rows": 60, "correlation": 0.9, "interval": (0.8, 0.95),
        "both": 20, "first_only": 1, "second_only": 2, "together": True, "examples": [row],
        "parting": [row],
    }  # fmt: skip
    return Overlap.model_validate(fields | changes)


def gap(text: str) -> Gap:
    evidence = Evidence(row=0, sample_id="<b>", score=0.2, explanation=text, excerpt=text)
    quotes = [Quote(row=0, source="explanation", text=text), Quote(row=0, source="row", text=text)]
    return Gap(
        id="g", subgoal_id="s", kind="weak", name=text, claims=[Claim(text=text, quotes=quotes)],
        prevalence=1.0, interval=(0.2, 1.0), shortfall=1.0, rows=1, analysed=1, low=2, members=[0],
        evidence=[evidence], origin=text,
    )  # fmt: skip


def report(text: str = HOSTILE, **changes: object) -> Report:
    row = Example(input=text, output=text)
    subgoals = [
        Subgoal(id="s", name=text, description=text, counts=text, does_not_count=text, example=row),
        Subgoal(id="t", name=text + ".", description=text, target_share=0.5),
    ]
    item = PlanItem(gap_id="g", subgoal_id="s", rows=2)
    candidate = Candidate(
        id="c", input=text, output=text, origin="model", score=0.8, explanation=text,
        sources=[text], explanations={"correctness": text}, correctness=0.8, anchor=0.8,
        cell=Cell(scenario=text, difficulty=text, persona=text, also="t"),
    )  # fmt: skip
    question = Question(id="q", dimension="d", text=text, reason=text, default=text)
    rounds = [
        Round(number=1, asked=3, written=2, accepted=1, refused={"below the bar": 1}, failed=[text])
    ]
    subset = Subset(rows=1, means={"s": 0.4, "t": None}, supporting={"s": 1, "t": 0}, diversity=0.5)
    settled = {field: [text, text] for field in Draft.model_fields}
    within = {"both": 20, "first_only": 0, "second_only": 30, "together": False, "rows": 400}
    fields = {
        "run": "r1",
        "specification": Specification(
            goal=Goal(text=text, domain=text, task=text), open_points=[text], ended=text,
            based_on=text, answers=[Answer(question=question, text=text, given=False)], **settled,
        ),
        "provenance": Provenance(
            version="0", judge=text, model=text, embedder=text, rubric=[text], tau=0.5, seed=0,
            data=text, cut_rule=text, verdict_rule=text, order_rule=text,
            overlap_rules=[text], overlap_note=text, notes=[text, text],
        ),
        "rows": RowCounts(read=4, usable=3, format=text),
        "contract": contract(text),
        "profile": profile(text),
        "coverage": [coverage_of(s, {0.2: 2, 0.8: 1, None: 1}, 0.5, 1) for s in subgoals],
        "heat_map": HeatMap(topics=[text], shares=[1], subgoals=[text, text],
                            values=[[0.4], [None]], sampled=3),
        "overlaps": [overlap(text), overlap(text, **within), overlap(text, correlation=None,
                     interval=None, both=0, first_only=0, together=False)],
        "standing": [Standing(subgoal_id="s", supporting=20, parted=1, apart=False),
                     Standing(subgoal_id="t", supporting=20, parted=9, apart=True)],
        "near_duplicates": 1,
        "gaps": [gap(text)],
        "analyses": [Analysis(subgoal_id="s", low=9, analysed=9, absent=4, clusters=3, unassigned=2,
                              seeds=Stability(runs=5, mean=0.9, least=0.75), how=[text])],
        "recommendations": [
            Recommendation(gap_id="g", subgoal_id=s, rank=1, action=text, source=text,
                           scenarios=[text, text], rows_wanted=n, rows_enough=n, rows_next=n and 1,
                           next_verdict="thin", remove=[4, 7], remove_reason=text,
                           suits_synthesis=True, reason=text) for s, n in (("t", 0), ("s", 3))],
        "plan": SynthesisPlan(items=[item], calls=1, tokens_in=1, tokens_out=1, cost_usd=0.5,
                              how=text, model=text, judge=text),
        "synthesis": [SynthesisOutcome(
            item=item, rounds=rounds, note=text,
            accepted=[candidate, candidate.model_copy(update={"by_hand": "accepted"})],
            rejected=[candidate, candidate.model_copy(update={"by_hand": "dropped"})],
        )],
        "order_effect": OrderEffect(groups=1, rows=4, difference=0.1, flips=1, interval=(0.1, 0.7)),
        "ledger": [LedgerEntry(subgoal_id="s", target=True, supporting_before=1,
                               wanted_before=2, before=0.4, after=None, added=1,
                               added_mean=None)],
        "filtered": FilterResult(rule=text, total=3, kept=1, reached=1, aligned=subset,
                                 random=subset, original=subset, how_diverse=text, seed=0),
        "to_add_to_kept": {"s": 4, "t": 0},
        "usage": [Usage(role=text, model=text, cost_usd=None)],
        "failures": [Failure(reason=text, pairs=1)],
        "audit": [Agreement(subgoal_id="s", rows=2, spearman=None, kappa=0.5, error=0.1,
                            shift=-0.1, shift_interval=(-0.2, 0.05))],
        "prices": {text: text},
        "files": {"rows": text},
    }  # fmt: skip
    return Report.model_validate(fields | changes)
