"""PostgreSQL: pool, SQL by name, migrations, stored Kafka offsets, errors as delivery policy."""
