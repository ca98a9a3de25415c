"""The demo's SQL, by name."""
