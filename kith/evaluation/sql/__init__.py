"""What an evaluation asks of its scratch database."""
