"""The SQL of the api: statements by name, and the migrations of schema `app`."""
