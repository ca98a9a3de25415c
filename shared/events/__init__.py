"""The wire: what travels on Kafka, as frozen pydantic models. They are the one source.

JSON Schemas and the AsyncAPI document in `docs/events/` are generated from them.
"""
