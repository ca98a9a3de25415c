"""What the resolver does with a topic's batches: one file per kind of message."""
