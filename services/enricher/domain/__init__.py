"""Decisions of the enricher: whom to ask about, what an answer means, when to try again."""
