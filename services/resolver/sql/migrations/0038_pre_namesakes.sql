-- An import's preview asks who is called just so: by a digest of four bytes, since names are long.

-- step: namesakes
CREATE INDEX CONCURRENTLY IF NOT EXISTS workspace_contact_binding_namesake
    ON contact.workspace_contact_binding (workspace_id, hashtext(lower(full_name)))
    WHERE deleted_at IS NULL;
