"""Matching: how likely two source records speak of one person, and which records make a contact."""
