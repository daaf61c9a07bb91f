"""GoalCover: which capabilities does fine-tuning data fail to support, and how to close the gaps.

The floors, from the ground up: `memory`, `tools`, `agents`, `graph`, `evals`, `app`.
Scripts start at `goalcover.graph.session.run`.
"""

__version__ = "0.1.0"
