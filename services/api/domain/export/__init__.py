"""Contacts as files: what is asked for, what a contact says, how each format says it."""
