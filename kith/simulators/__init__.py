"""Stand-ins for systems that kith talks to and does not own: for demos, tests and drills."""
