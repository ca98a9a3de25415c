-- Labels of merged companies show in the order that people gave them (ADR 0102).
ALTER TABLE contact.org_bindings ADD COLUMN label_order text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN contact.org_bindings.label_order IS 'All that were to show when people last ordered labels of companies that were merged into this one, in their order; others come after them.';
