"""The projector's SQL: statements by name and the migrations of schema `read`."""
