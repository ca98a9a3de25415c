"""How right the production path is on labelled records: `kith eval`; parts of `make accuracy`."""
