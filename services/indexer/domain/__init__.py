"""What the indexer decides, without IO."""
