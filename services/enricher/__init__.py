"""The enricher asks vendors about contacts: within rates, and never twice for one question.

Consumes: `contact.events.v1` (new contacts that a rule selects), `contact.enrichment.requests.v1`.
Produces: `contact.signals.normalized.v1`: what a vendor knows comes back as a signal.
Owns:     schema `enrichment`.
"""
