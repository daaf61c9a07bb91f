"""The rubric's six anchors (section 3.3 of the paper)."""

RUBRIC_VERSION = 1
"""Counts up when rubric or prompt change: old judgements are not mixed in."""

ANCHORS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)

RUBRIC = """\
1.0 perfect: the row directly demonstrates the capability; a model trained on it learns just this.
0.8 strong: clearly relevant to the capability, with minor gaps.
0.6 good: relevant content that supports the capability.
0.4 weak: some relevance, but not what one would choose to teach the capability.
0.2 poor: minimal connection.
0.0 none: irrelevant to the capability, or counterproductive (wrong, unsafe, bad practice)."""
