"""What an operator sees: logs, metrics and traces, without personal data in any of them."""
