"""The command line's own SQL."""
