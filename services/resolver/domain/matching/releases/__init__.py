"""The weights that releases brought, by version; decisions name theirs, so none ever changes."""
