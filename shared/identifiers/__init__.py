"""Spelling identifiers in one way: two spellings of "the same phone" would be two contacts.

Every normaliser is pure and returns the value, or a `Refused` that says what would be right
without repeating what was given (it may be personal data).
"""
