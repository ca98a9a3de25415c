"""The indexer's SQL: statements by name and the migrations of schema `search`."""
