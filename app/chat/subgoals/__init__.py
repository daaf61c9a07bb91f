"""The approval of subgoals: cards, edits that are collected, the decision."""
