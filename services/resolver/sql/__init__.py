"""The resolver's SQL: statements by name and the migrations of schema `contact`."""
