"""Mail as a source: messages of files and mailboxes become activities and contacts (ADR 0055)."""
