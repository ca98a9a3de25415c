"""One file per format: bytes in, one `Row` or `BadRow` per person out, lazily."""
