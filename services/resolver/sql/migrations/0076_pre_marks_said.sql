-- A rename or a deletion of a tag or a group reaches every record that says it, whatever contacts show
-- at present (ADR 0088): the ledger is looked through by the words of people's and sources' marks.

-- step: words
CREATE OR REPLACE FUNCTION contact.marks_said(facts json) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce((facts -> 'labels')::jsonb, '[]') || coalesce((facts -> 'labels_removed')::jsonb, '[]')
    || coalesce((facts -> 'groups')::jsonb, '[]') || coalesce((facts -> 'groups_left')::jsonb, '[]');
COMMENT ON FUNCTION contact.marks_said(json) IS 'Labels and groups that a record gives and takes, as one list.';

-- step: by word
CREATE INDEX CONCURRENTLY IF NOT EXISTS source_record_marks
    ON contact.source_record USING gin (workspace_id, contact.marks_said(facts))
    WHERE facts::text LIKE '%"labels%' OR facts::text LIKE '%"groups%';

-- step: no reader
REVOKE SELECT ON contact.custom_field FROM kith_api;
