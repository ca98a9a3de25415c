-- Merges read all bindings of a contact, those put aside too, which the unique index leaves out.

-- step: bindings
CREATE INDEX CONCURRENTLY IF NOT EXISTS workspace_contact_binding_contact
    ON contact.workspace_contact_binding (contact_id);
