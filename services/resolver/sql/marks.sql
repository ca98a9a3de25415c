-- Tags and groups of workspaces, and who has them (ADR 0088).

-- name: lock_marks
-- Nobody else makes, changes or deletes a workspace's tags and groups, or says them: $1 class, $2
-- workspace.
SELECT pg_advisory_xact_lock($1::integer, ($2::bigint % 2147483647)::integer);

-- name: lock_marks_shared
-- What tags and groups are called stays until this is over: $1 class, $2 workspaces, sorted.
SELECT count(pg_advisory_xact_lock_shared($1::integer, (workspace_id % 2147483647)::integer))
FROM unnest($2::bigint[]) AS workspace_id;

-- name: get_tag
-- $1 tenant, $2 workspace, $3 public id.
SELECT public_id, name, color, aliases, created_at, NULL AS description, NULL::timestamptz AS updated_at,
    false AS is_smart
FROM contact.tag WHERE tenant_id = $1 AND workspace_id = $2 AND public_id = $3;

-- name: get_group
-- $1 tenant, $2 workspace, $3 public id.
SELECT public_id, name, NULL AS color, '{}'::text[] AS aliases, created_at, description, updated_at,
    is_smart, query_def::text AS query_def
FROM contact.contact_group WHERE tenant_id = $1 AND workspace_id = $2 AND public_id = $3;

-- name: find_tag_named
-- $1 tenant, $2 workspace, $3 name.
SELECT public_id FROM contact.tag WHERE tenant_id = $1 AND workspace_id = $2 AND name = $3;

-- name: find_tag_called
-- Which other tag was called so before: $1 tenant, $2 workspace, $3 name, $4 public id.
SELECT public_id FROM contact.tag
WHERE tenant_id = $1 AND workspace_id = $2 AND public_id <> $4
    AND aliases <> '{}' AND aliases @> ARRAY[$3::text];

-- name: find_group_named
-- $1 tenant, $2 workspace, $3 name.
SELECT public_id FROM contact.contact_group
WHERE tenant_id = $1 AND workspace_id = $2 AND name = $3;

-- name: count_tags
-- $1 tenant, $2 workspace.
SELECT count(*) FROM contact.tag WHERE tenant_id = $1 AND workspace_id = $2;

-- name: count_groups
-- $1 tenant, $2 workspace.
SELECT count(*) FROM contact.contact_group WHERE tenant_id = $1 AND workspace_id = $2;

-- name: insert_tag
-- $1 tenant, $2 workspace, $3 public id, $4 name, $5 color, $6 now. A name is nobody else's alias.
WITH others AS (
    UPDATE contact.tag SET aliases = array_remove(aliases, $4)
    WHERE tenant_id = $1 AND workspace_id = $2 AND aliases <> '{}' AND aliases @> ARRAY[$4::text]
)
INSERT INTO contact.tag (tenant_id, workspace_id, public_id, name, color, created_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, workspace_id, name) DO NOTHING;

-- name: insert_group
-- $1 tenant, $2 workspace, $3 public id, $4 name, $5 description, $6 now, $7 query of a smart one. Whose it
-- is: acting_user().
INSERT INTO contact.contact_group
    (tenant_id, workspace_id, public_id, name, description, owner_id, created_at, updated_at,
     is_smart, query_def)
VALUES ($1, $2, $3, $4, $5, contact.acting_user(), $6, $6, $7::text IS NOT NULL, $7::text::jsonb)
ON CONFLICT (tenant_id, workspace_id, name) DO NOTHING;

-- name: insert_tags
-- Tags that sources brought: $1 tenants, $2 workspaces, $3 public ids, $4 names, $5 now. What a tag
-- was called before is no other tag.
INSERT INTO contact.tag (tenant_id, workspace_id, public_id, name, is_brought, created_at)
SELECT u.tenant_id, u.workspace_id, u.public_id, u.name, true, $5
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[])
    AS u (tenant_id, workspace_id, public_id, name)
WHERE NOT EXISTS (
    SELECT FROM contact.tag AS known WHERE known.tenant_id = u.tenant_id
        AND known.workspace_id = u.workspace_id
        AND known.name = u.name
) AND NOT EXISTS (
    SELECT FROM contact.tag AS former WHERE former.tenant_id = u.tenant_id
        AND former.workspace_id = u.workspace_id
        AND former.aliases <> '{}' AND former.aliases @> ARRAY[u.name]
)
ORDER BY u.tenant_id, u.workspace_id, u.name
ON CONFLICT (tenant_id, workspace_id, name) DO NOTHING;

-- name: find_renamed
-- What labels are called by now: $1 tenants, $2 workspaces, $3 labels.
SELECT u.tenant_id, u.workspace_id, u.label, tag.name
FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS u (tenant_id, workspace_id, label)
JOIN contact.tag ON tag.tenant_id = u.tenant_id AND tag.workspace_id = u.workspace_id
    AND tag.aliases <> '{}' AND tag.aliases @> ARRAY[u.label];

-- name: change_tag
-- $1 tenant, $2 workspace, $3 public id, $4 name, $5 color. The old name stays an alias; a name is
-- nobody else's alias.
WITH others AS (
    UPDATE contact.tag SET aliases = array_remove(aliases, $4)
    WHERE tenant_id = $1 AND workspace_id = $2 AND public_id <> $3
        AND aliases <> '{}' AND aliases @> ARRAY[$4::text]
)
UPDATE contact.tag
SET name = $4, color = $5, is_brought = false,
    aliases = array_remove(CASE WHEN name = $4 THEN aliases ELSE aliases || name END, $4)
WHERE tenant_id = $1 AND workspace_id = $2 AND public_id = $3;

-- name: change_group
-- $1 tenant, $2 workspace, $3 public id, $4 name, $5 description, $6 now, $7 query of a smart one.
UPDATE contact.contact_group
SET name = $4, description = $5, updated_at = $6, query_def = $7::text::jsonb
WHERE tenant_id = $1 AND workspace_id = $2 AND public_id = $3;

-- name: delete_tag
-- $1 tenant, $2 workspace, $3 public id.
DELETE FROM contact.tag WHERE tenant_id = $1 AND workspace_id = $2 AND public_id = $3;

-- name: delete_group
-- $1 tenant, $2 workspace, $3 public id.
DELETE FROM contact.contact_group WHERE tenant_id = $1 AND workspace_id = $2 AND public_id = $3;

-- name: find_marked
-- Contacts of which a present record ever said one of these words in one of these lists, at most $5: $1
-- tenant, $2 workspace, $3 words, $4 lists.
SELECT DISTINCT present.contact_id AS id
FROM contact.source_record AS said
JOIN contact.source_record AS present ON present.tenant_id = said.tenant_id
    AND present.record_key = said.record_key AND present.superseded_at IS NULL
WHERE said.tenant_id = $1 AND said.workspace_id = $2
    AND contact.marks_said(said.facts) ?| $3::text[]
    AND (said.facts::text LIKE '%"labels%' OR said.facts::text LIKE '%"groups%')
    AND EXISTS (
        SELECT FROM unnest($4::text[]) AS list
        WHERE jsonb_exists_any((said.facts -> list)::jsonb, $3::text[])
    )
ORDER BY id LIMIT $5;

-- name: find_saying
-- All that present records of contacts ever said in a workspace that has one of these words in one of
-- these lists: $1 contacts, $2 workspace, $3 words, $4 lists.
SELECT present.contact_id, record.record_key, record.revision,
       record.superseded_at IS NULL AS current, record.facts
FROM contact.source_record AS present
JOIN contact.source_record AS record
    ON record.tenant_id = present.tenant_id AND record.record_key = present.record_key
WHERE present.contact_id = ANY($1::bigint[]) AND present.workspace_id = $2
    AND present.superseded_at IS NULL
    AND EXISTS (
        SELECT FROM unnest($4::text[]) AS list
        WHERE jsonb_exists_any((record.facts -> list)::jsonb, $3::text[])
    );

-- name: rewrite_facts
-- $1 tenant, $2 record keys, $3 revisions, $4 facts.
UPDATE contact.source_record AS record SET facts = u.facts::json
FROM unnest($2::bytea[], $3::integer[], $4::text[]) AS u (record_key, revision, facts)
WHERE record.tenant_id = $1 AND record.record_key = u.record_key
    AND record.revision = u.revision;

-- name: note_rewritten
-- Nobody remembers what was claimed of these contacts before: $1 contacts, $2 now.
UPDATE contact.contact SET reshaped_at = $2 WHERE id = ANY($1::bigint[]);

-- name: keep_private
-- What a workspace keeps on bindings: $1 ids, $2 labels as JSON lists, $3 custom fields, $4 groups as JSON
-- lists, $5 now.
UPDATE contact.workspace_contact_binding AS b
SET labels = ARRAY(SELECT json_array_elements_text(u.labels::json)),
    custom_fields = u.custom_fields::jsonb,
    groups = ARRAY(SELECT json_array_elements_text(u.groups::json)), updated_at = $5
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[])
    AS u (id, labels, custom_fields, groups)
WHERE b.id = u.id;

-- name: keep_groups
-- Groups of bindings that merges and splits made others: $1 ids, $2 groups as JSON lists.
UPDATE contact.workspace_contact_binding AS b
SET groups = ARRAY(SELECT json_array_elements_text(u.groups::json))
FROM unnest($1::bigint[], $2::text[]) AS u (id, groups)
WHERE b.id = u.id;
