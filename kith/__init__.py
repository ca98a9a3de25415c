"""kith's command line: the only package that may import services."""
