"""`kith docs`: pages and contracts that are generated from the code, and checked against it."""
