"""Names of persons and companies: read as sources write them, compared as people would."""
