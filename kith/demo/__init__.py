"""`kith demo`: the whole system on real parts and known people, and a report of what came of it."""
