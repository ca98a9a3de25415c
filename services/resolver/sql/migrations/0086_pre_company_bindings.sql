-- What workspaces keep of companies gets a writer (ADR 0102).
ALTER TABLE contact.org_bindings
    ADD COLUMN labels_removed text[] NOT NULL DEFAULT '{}',
    ALTER COLUMN bound_by_user_id SET DEFAULT contact.acting_user();
COMMENT ON COLUMN contact.org_bindings.labels IS 'What people of the workspace call the company, in their order.';
COMMENT ON COLUMN contact.org_bindings.labels_removed IS 'Labels of companies that were merged into this one which people took off: they show again when those are split off.';
COMMENT ON COLUMN contact.org_bindings.custom_fields IS 'Values as their fields write them (ADR 0089); null hides the value of a company that was merged into this one.';
COMMENT ON COLUMN contact.org_bindings.notes IS 'Empty: hides those of companies that were merged into this one.';
COMMENT ON COLUMN contact.org_bindings.data_owner IS 'Always user: no source writes here.';
COMMENT ON COLUMN contact.org_bindings.bound_by_user_id IS 'Who said the first of it, where the API key names somebody.';
