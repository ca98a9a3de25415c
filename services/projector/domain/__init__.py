"""What the projector decides, without IO."""
