"""What the enricher does: with events, with orders, with requests that are due, with answers."""
