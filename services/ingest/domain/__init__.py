"""What makes a signal well-formed: pure, no clock, no IO."""
