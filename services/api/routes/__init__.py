"""The api's HTTP side: the gate every request passes, one file per resource, errors, docs."""
