"""The services: each owns its tables, its SQL and its migrations; they meet only on Kafka."""
