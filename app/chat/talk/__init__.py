"""The conversation: questions, answers, and the specification that grows from them."""
