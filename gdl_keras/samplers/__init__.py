"""How samples are drawn: pure functions, tested without a network."""
