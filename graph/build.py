"""The whole machine, from the goal to the report."""

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from . import gaps, nodes, review, routes, scoring, specify
from .state import State
from .synthesis import synthesis_graph
from .toolbox import Toolbox


def build(checkpointer: BaseCheckpointSaver) -> CompiledStateGraph[State, Toolbox]:
    """Compiles the graph; nothing is compiled or opened at import."""
    builder = StateGraph(State, context_schema=Toolbox)
    builder.add_node("profile", specify.profile)
    builder.add_node("clarify", specify.clarify)
    builder.add_node("ask_person", review.ask_person)
    builder.add_node("decompose", specify.decompose)
    builder.add_node("check", specify.check)
    builder.add_node("review_subgoals", review.review_subgoals)
    builder.add_node("remember", specify.remember)
    builder.add_node("foretell", scoring.foretell)
    builder.add_node("score", scoring.score)
    builder.add_node("audit", scoring.audit)
    builder.add_node("assess", scoring.assess)
    builder.add_node("analyze", gaps.analyze)
    builder.add_node("recommend", gaps.recommend)
    builder.add_node("review_synthesis", review.review_synthesis)
    builder.add_node("synthesize", synthesis_graph().compile())
    builder.add_node("ledger", nodes.ledger)
    builder.add_node("filter", nodes.filter_rows)
    builder.add_node("report", nodes.report)

    builder.add_conditional_edges(START, routes.after_start)
    builder.add_conditional_edges("profile", routes.after_profile)
    builder.add_conditional_edges("clarify", routes.after_clarify)
    builder.add_edge("ask_person", "clarify")
    builder.add_edge("decompose", "check")
    builder.add_conditional_edges("review_subgoals", routes.after_subgoals)
    builder.add_edge("remember", "foretell")
    builder.add_edge("foretell", "score")
    builder.add_edge("score", "audit")
    builder.add_edge("audit", "assess")
    builder.add_conditional_edges("assess", routes.after_assess, ["analyze", "filter"])
    builder.add_edge("analyze", "recommend")
    builder.add_conditional_edges("recommend", routes.after_recommend)
    builder.add_conditional_edges(
        "review_synthesis", routes.after_synthesis_review, ["synthesize", "filter"]
    )
    builder.add_edge("synthesize", "ledger")
    builder.add_edge("ledger", "filter")
    builder.add_edge("filter", "report")
    builder.add_edge("report", END)
    return builder.compile(checkpointer=checkpointer)
