"""What is given before a run: data, goal, models, and what else can be chosen."""
