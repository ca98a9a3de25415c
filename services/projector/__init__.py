"""The projector: folds contact events into what people read.

consumes  `contact.events.v1`, group `projector`
produces  nothing
owns      schema `read`: contact views, company views, timelines, how far they are
reads     `app.tenant`, `app.workspace`; `contact.contact_event` to fill a version gap or rebuild
"""
