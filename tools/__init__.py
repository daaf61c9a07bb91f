"""The parts that do the work, without any role or graph: model, judge, data, figures."""
