-- An event of a company may be one workspace's own matter as a contact's may: the same wall.
ALTER POLICY tenant ON contact.organisation_event RENAME TO tenant_and_workspace;
ALTER POLICY tenant_and_workspace ON contact.organisation_event
    USING (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND (workspace_id IS NULL
             OR workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint)
    );
