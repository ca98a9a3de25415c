"""Audits of a whole base with Splink: a second opinion, whose findings wait in the review queue."""
