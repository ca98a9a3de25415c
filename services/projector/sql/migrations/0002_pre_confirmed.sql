-- Contacts that a batch only confirms move on without being written anew.
CREATE TYPE read.confirmed_row AS (
    public_id text, workspace_id bigint, from_version integer, to_version integer,
    occurred_at timestamptz
);
COMMENT ON COLUMN read.contact_view.detail IS 'The fold itself but for version and time of change, which have columns: fields, provenance (an index into origins), identifiers, employments, candidates, and this workspace''s binding. Type json, not jsonb: it is written and read as a whole, and parsing it cost 30 us a row.';
