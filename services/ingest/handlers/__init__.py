"""What ingest does by itself: with a topic's batches, and with files that were uploaded."""
