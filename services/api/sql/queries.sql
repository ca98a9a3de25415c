-- name: enter
-- Say for which tenant ($1) and workspace ($2) this transaction reads; row-level security goes by
-- it. Plans are made for the values at hand: an absent filter then costs nothing.
SELECT set_config('kith.tenant_id', $1::text, true), set_config('kith.workspace_id', $2::text, true),
    set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: hurry
-- Each statement of this transaction from the next on ends after $1 milliseconds.
SELECT set_config('statement_timeout', $1::integer::text, true);

-- name: find_contacts
-- Contacts of tenant $1 and workspace $2. $3 statuses; a null filter does not restrict: $4 stages,
-- $5 sources, $6 company pattern, $7 company id, $8 e-mail, $9 phone, $10 city, $11 country,
-- $12/$13 created from/before, $14/$15 updated from/before, $16 ids, $17 labels,
-- all of them, $18 groups, all of them, $19 seniorities, $20 departments in lower case, by their usual
-- or their own names, $21 time zones.
-- The store appends where the page starts, the order and the limit.
SELECT view.*, NULL AS provenance
FROM read.contact_view AS view
WHERE view.tenant_id = $1 AND view.workspace_id = $2
    AND view.status = ANY ($3::text[])
    AND ($4::text[] IS NULL OR view.stage = ANY ($4))
    AND ($5::text[] IS NULL OR view.source = ANY ($5))
    AND ($6::text IS NULL OR view.company_name ILIKE $6)
    AND ($7::text IS NULL OR view.company_public_id = $7 OR view.company_public_id IN (
        SELECT behind.public_id FROM read.company_view AS behind
        WHERE behind.tenant_id = $1 AND behind.survivor_public_id = $7))
    AND ($8::text IS NULL OR view.emails @> ARRAY[$8])
    AND ($9::text IS NULL OR view.phones @> ARRAY[$9])
    AND ($10::text IS NULL OR lower(view.city) = lower($10))
    AND ($11::text IS NULL OR lower(view.country) = lower($11))
    AND ($12::timestamptz IS NULL OR view.created_at >= $12)
    AND ($13::timestamptz IS NULL OR view.created_at < $13)
    AND ($14::timestamptz IS NULL OR view.updated_at >= $14)
    AND ($15::timestamptz IS NULL OR view.updated_at < $15)
    AND ($16::text[] IS NULL OR view.public_id = ANY ($16))
    AND ($17::text[] IS NULL OR NOT EXISTS (
        SELECT FROM unnest($17) AS wanted (name)
        WHERE NOT EXISTS (
            -- Only where the label stands somewhere is it worth parsing a row.
            SELECT FROM json_each(
                CASE WHEN strpos(view.detail::text, to_json(wanted.name)::text) > 0
                    THEN view.detail -> 'bindings' END
            ) AS binding, json_array_elements_text(binding.value -> 'labels') AS label (name)
            WHERE label.name = wanted.name
        )
    ))
    AND ($18::text[] IS NULL OR NOT EXISTS (
        SELECT FROM unnest($18) AS wanted (name)
        WHERE NOT EXISTS (
            SELECT FROM json_each(
                CASE WHEN strpos(view.detail::text, to_json(wanted.name)::text) > 0
                    THEN view.detail -> 'bindings' END
            ) AS binding, json_array_elements_text(binding.value -> 'groups') AS one (name)
            WHERE one.name = wanted.name
        )
    ))
    AND ($19::text[] IS NULL OR view.seniority = ANY ($19))
    AND ($20::text[] IS NULL OR view.departments && $20 OR lower(view.department) = ANY ($20))
    AND ($21::text[] IS NULL OR view.timezone = ANY ($21));

-- name: find_tags
-- Tags of tenant $1 and workspace $2 by name; a null does not restrict: $3 id, $4 name. After ($5)
-- or before ($6) a name, $7 rows; before one the nearest first.
SELECT public_id, name, color, created_at FROM contact.tag
WHERE tenant_id = $1 AND workspace_id = $2 AND ($3::text IS NULL OR public_id = $3)
    AND ($4::text IS NULL OR name = $4) AND ($5::text IS NULL OR name > $5)
    AND ($6::text IS NULL OR name < $6)
ORDER BY CASE WHEN $6::text IS NULL THEN name END, name DESC LIMIT $7;

-- name: find_groups
-- Groups likewise.
SELECT public_id, name, description, is_smart, query_def::text AS query_def, created_at, updated_at
FROM contact.contact_group
WHERE tenant_id = $1 AND workspace_id = $2 AND ($3::text IS NULL OR public_id = $3)
    AND ($4::text IS NULL OR name = $4) AND ($5::text IS NULL OR name > $5)
    AND ($6::text IS NULL OR name < $6)
ORDER BY CASE WHEN $6::text IS NULL THEN name END, name DESC LIMIT $7;

-- name: find_smart_groups
-- Of groups $3 of tenant $1 and workspace $2 those whose members a query finds.
SELECT public_id, query_def::text AS query_def FROM contact.contact_group
WHERE tenant_id = $1 AND workspace_id = $2 AND is_smart AND public_id = ANY ($3::text[]);

-- name: find_fields
-- The custom fields of tenant $1 and workspace $2: $3 an id or null. Archived ones last.
SELECT public_id,
    CASE entity_type WHEN 'contact' THEN 'contact' ELSE 'company' END AS entity, key, label, type::text, options, currency, description, is_required,
    archived_at IS NOT NULL AS is_archived, created_at, updated_at
FROM contact.custom_field
WHERE tenant_id = $1 AND workspace_id = $2 AND ($3::text IS NULL OR public_id = $3)
ORDER BY archived_at IS NOT NULL, entity_type, key;

-- name: find_company_bindings
-- What workspace $2 of tenant $1 keeps of company $3 and of those that stand behind it.
SELECT kept.company_id, kept.survivor_id, kept.is_own, kept.labels, kept.labels_removed,
    kept.label_order, kept.custom_fields, kept.notes, kept.updated_at
FROM app.find_kept_of_company($1, $2, $3) AS kept;

-- name: count_contacts
-- How many contacts there are. The store appends the conditions of find_contacts.
SELECT count(*)
FROM read.contact_view AS view;

-- name: find_custom_names
-- What the custom fields of contacts are called. The store appends the conditions of find_contacts
-- and an order. Only rows that have custom fields are worth parsing.
SELECT own.name
FROM read.contact_view AS view
CROSS JOIN LATERAL json_each(
    CASE WHEN view.detail::text LIKE '%"custom_fields":{"%' THEN view.detail -> 'bindings' END
) AS binding
CROSS JOIN LATERAL json_object_keys(binding.value -> 'custom_fields') AS own (name);

-- name: find_survivors
-- Of contacts $3 of tenant $1 and workspace $2 those that are known, and whom each stands behind.
SELECT view.public_id, view.detail ->> 'survivor_id' AS survivor_id
FROM read.contact_view AS view
WHERE view.tenant_id = $1 AND view.workspace_id = $2 AND view.public_id = ANY ($3::text[]);

-- name: find_facts
-- What every current source record says of contacts $3 of tenant $1 and workspace $2, ranked.
SELECT said.contact_id, said.facts FROM app.find_facts($1, $2, $3) AS said;

-- name: find_point_statuses
-- What was found out of e-mails and phones of contacts $3 of tenant $1 that workspace $2 knows.
SELECT found.contact_id, found.identifier_type, found.value, found.status
FROM app.find_point_statuses($1, $2, $3) AS found;

-- name: find_score
-- How much is known of contact $3 of tenant $1 and workspace $2.
SELECT made.score, made.parts FROM app.find_score($1, $2, $3) AS made;

-- name: find_hits
-- The best $4 contacts for a search text $3 in tenant $1 and workspace $2, best first.
SELECT hit.contact_public_id AS public_id
FROM search.find_contacts($1, $2, $3, $4) AS hit
ORDER BY hit.score DESC, hit.contact_public_id;

-- name: search_contacts
-- Search results as contacts: text $3, at most $4 hits, statuses $5, after ($6) or before ($7) the
-- score and id of a row ($8, $9), one page of $10 rows; $11 seniorities, $12 departments and $13 time
-- zones as above.
SELECT view.*, NULL AS provenance, hit.score::text AS score
FROM search.find_contacts($1, $2, $3, $4) AS hit
JOIN read.contact_view AS view
    ON view.public_id = hit.contact_public_id AND view.tenant_id = $1 AND view.workspace_id = $2
WHERE view.status = ANY ($5::text[])
    AND ($11::text[] IS NULL OR view.seniority = ANY ($11))
    AND ($12::text[] IS NULL OR view.departments && $12 OR lower(view.department) = ANY ($12))
    AND ($13::text[] IS NULL OR view.timezone = ANY ($13))
    AND (NOT $6::boolean OR hit.score < $8::text::real
         OR (hit.score = $8::text::real AND view.public_id > $9))
    AND (NOT $7::boolean OR hit.score > $8::text::real
         OR (hit.score = $8::text::real AND view.public_id < $9))
ORDER BY
    CASE WHEN $7 THEN hit.score END, CASE WHEN $7 THEN view.public_id END DESC,
    hit.score DESC, view.public_id
LIMIT $10;

-- name: get_contact
-- Contact $3 of tenant $1 and workspace $2, with all that its fold holds.
SELECT view.*, view.detail -> 'identifiers' AS identifiers, read.provenance(view.detail) AS provenance
FROM read.contact_view AS view
WHERE view.tenant_id = $1 AND view.workspace_id = $2 AND view.public_id = $3;

-- name: is_shown
-- Whether the read model has version $4 of contact $3 in tenant $1 and workspace $2; where $5, search,
-- too. That does not know who stands for somebody no more, and its version stays where it is while
-- activities raise the contact's: it lacks something where there is another event up to $4.
SELECT view.version >= $4 AND (
    NOT $5::boolean OR view.status IN ('merged', 'deleted') OR NOT EXISTS (
        SELECT FROM contact.contact AS known
        JOIN contact.contact_event AS event ON event.entity_id = known.id
        WHERE known.tenant_id = $1 AND known.public_id = view.public_id
            AND event.sequence_number > document.version AND event.sequence_number <= $4
            AND event.event_type NOT IN ('ActivityRecorded', 'ActivityWithdrawn')
    )
)
FROM read.contact_view AS view
CROSS JOIN LATERAL (
    -- Once, not for each event.
    SELECT CASE WHEN $5 THEN coalesce(search.find_version($1, $2, view.public_id), 0) END AS version
    OFFSET 0
) AS document
WHERE view.tenant_id = $1 AND view.workspace_id = $2 AND view.public_id = $3;

-- name: find_history
-- What happened to contact $3 of tenant $1 as workspace $2 may know it, newest first; backwards
-- where $6. Versions below $4 and above $5; one page of $7 rows.
SELECT line.version, line.event_type, line.occurred_at, line.recorded_at, line.source, line.summary
FROM read.timeline AS line
WHERE line.tenant_id = $1 AND (line.workspace_id IS NULL OR line.workspace_id = $2)
    AND line.contact_public_id = $3
    AND ($4::integer IS NULL OR line.version < $4)
    AND ($5::integer IS NULL OR line.version > $5)
ORDER BY CASE WHEN $6::boolean THEN line.version END, line.version DESC
LIMIT $7;

-- name: find_snapshot
-- Contact $2 of tenant $1 at its newest snapshot until $3, and what workspace $4 kept for itself
-- then. Row-level security hides what others keep.
SELECT shared.event_sequence AS version, shared.state::text AS state, own.state::text AS private
FROM contact.contact AS contact
JOIN contact.contact_event_snapshots AS shared
    ON shared.tenant_id = contact.tenant_id AND shared.entity_id = contact.id
    AND shared.workspace_id IS NULL AND shared.snapshot_at <= $3
LEFT JOIN contact.contact_event_snapshots AS own
    ON own.tenant_id = shared.tenant_id AND own.entity_id = shared.entity_id
    AND own.event_sequence = shared.event_sequence AND own.workspace_id = $4
WHERE contact.tenant_id = $1 AND contact.public_id = $2
ORDER BY shared.event_sequence DESC LIMIT 1;

-- name: find_events_until
-- The events of contact $2 of tenant $1 after version $4 that kith knew at $3, in version order:
-- all before the first that it learned of later. Row-level security hides other workspaces'
-- private events.
SELECT event.event_type, event.payload::text AS payload
FROM contact.contact AS contact
CROSS JOIN LATERAL (
    -- Found once: as a condition of the events it would be looked for with every one of them.
    SELECT COALESCE((
        SELECT later.sequence_number
        FROM contact.contact_event AS later
        LEFT JOIN read.timeline AS line
            ON line.contact_public_id = contact.public_id AND line.version = later.sequence_number
        WHERE later.entity_id = contact.id AND later.sequence_number > $4
            AND COALESCE(line.recorded_at, later.recorded_at) > $3
        ORDER BY later.sequence_number LIMIT 1
    ), 2147483647) AS version
    OFFSET 0
) AS first_unknown
CROSS JOIN LATERAL (
    SELECT known.sequence_number, known.event_type, known.payload
    FROM contact.contact_event AS known
    WHERE known.entity_id = contact.id AND known.sequence_number > $4
        AND known.sequence_number < first_unknown.version
    ORDER BY known.sequence_number
    OFFSET 0
) AS event
WHERE contact.tenant_id = $1 AND contact.public_id = $2
ORDER BY event.sequence_number;

-- name: get_lag
-- Seconds that the read model is behind.
SELECT app.read_lag();

-- name: find_applied
-- What became of the signal with record key $3 and content hash $4 in tenant $1 and workspace $2:
-- the contact and the version it led to; no row while the resolver has not seen it.
SELECT contact.public_id::text AS contact_id, record.applied_version
FROM contact.source_record AS record
LEFT JOIN contact.contact AS contact ON contact.id = record.contact_id
WHERE record.tenant_id = $1 AND record.workspace_id = $2
    AND record.record_key = $3 AND record.content_hash = $4
ORDER BY record.revision DESC
LIMIT 1;

-- name: find_company_applied
-- What became of the signal about companies alone with record keys $2 and content hashes $3 in
-- tenant $1: each company and the version it led to, but for names that none is known by; no row
-- while the resolver has not seen it.
SELECT DISTINCT ON (record.record_key)
    born.entity_public_id::text AS company_id, record.applied_version
FROM unnest($2::bytea[], $3::bytea[]) AS told (record_key, content_hash)
JOIN contact.org_source_record AS record
    ON record.tenant_id = $1 AND record.record_key = told.record_key
    AND record.content_hash = told.content_hash
JOIN contact.organisation_event AS born
    ON born.entity_id = record.org_id AND born.sequence_number = 1
ORDER BY record.record_key, record.revision DESC;

-- name: find_happened
-- What became of the activity with record key $3 and content hash $4 in tenant $1 and workspace
-- $2: every contact that it was told to, and the version that this led to; no row while the
-- resolver has not seen it.
SELECT contact.public_id::text AS contact_id, max(part.applied_version) AS applied_version
FROM contact.activity_record AS record
LEFT JOIN contact.contact_activities AS part ON part.activity_id = record.activity_id
LEFT JOIN contact.contact AS contact ON contact.id = part.contact_id
WHERE record.tenant_id = $1 AND record.workspace_id = $2
    AND record.record_key = $3 AND record.content_hash = $4
GROUP BY contact.public_id;

-- name: find_activities
-- What contact $3 of tenant $1 and those it absorbed took part in as workspace $2 knows it, newest
-- first: of kinds $4 and directions $5, from $6, before $7, beyond the row at $8 and $9 (backwards
-- where $10); one page of $11 rows. A null filter does not restrict.
SELECT activity.activity_public_id, activity.kind, activity.occurred_at, activity.source,
    activity.detail
FROM (
    -- Two who are one now may both have taken part.
    SELECT DISTINCT ON (found.occurred_at, found.activity_public_id) found.*
    FROM read.activity AS found
    WHERE found.tenant_id = $1 AND found.workspace_id = $2 AND NOT found.is_withdrawn
        AND found.contact_public_id IN (
            SELECT $3::text COLLATE "C"
            UNION ALL
            SELECT home.public_id
            FROM contact.contact AS named
            JOIN contact.contact AS home ON home.merged_into_id = named.id
            WHERE named.tenant_id = $1 AND named.public_id = $3
        )
        AND ($4::text[] IS NULL OR found.kind = ANY ($4))
        AND ($5::text[] IS NULL OR found.detail ->> 'direction' = ANY ($5))
        AND ($6::timestamptz IS NULL OR found.occurred_at >= $6)
        AND ($7::timestamptz IS NULL OR found.occurred_at < $7)
    ORDER BY found.occurred_at, found.activity_public_id, found.version DESC
) AS activity
WHERE $8::text IS NULL
    OR CASE WHEN $10::boolean
        THEN (activity.occurred_at, activity.activity_public_id) > ($8::text::timestamptz, $9::text)
        ELSE (activity.occurred_at, activity.activity_public_id) < ($8::text::timestamptz, $9::text)
    END
ORDER BY
    CASE WHEN $10 THEN activity.occurred_at END, CASE WHEN $10 THEN activity.activity_public_id END,
    activity.occurred_at DESC, activity.activity_public_id DESC
LIMIT $11;

-- name: find_company_hits
-- The companies of tenant $1 whose names fit $2 best, $3 at most.
SELECT hit.public_id FROM contact.find_organisations($1, $2, $3) AS hit;

-- name: find_companies
-- Companies of tenant $1 that stand for themselves. A null filter does not restrict: $2 ids, $3 name
-- pattern, $4 domain, $5 industry, $6 city, $7 country, $8 sizes, $9/$10 employees from/to, $11
-- funding stages, $12 technology, $13/$14 created from/before.
-- The store appends where the page starts, the order and the limit.
SELECT view.*, read.company_relations(view.tenant_id, view.public_id) AS all_relations
FROM read.company_view AS view
WHERE view.tenant_id = $1 AND view.survivor_public_id IS NULL
    AND ($2::text[] IS NULL OR view.public_id = ANY ($2))
    AND ($3::text IS NULL OR view.name ILIKE $3)
    AND ($4::text IS NULL OR lower(view.domain) = lower($4))
    AND ($5::text IS NULL OR lower(view.profile ->> 'industry') = lower($5))
    AND ($6::text IS NULL OR lower(view.profile ->> 'city') = lower($6))
    AND ($7::text IS NULL OR lower(view.profile ->> 'country') = lower($7))
    AND ($8::text[] IS NULL OR view.profile ->> 'size_range' = ANY ($8))
    AND ($9::integer IS NULL OR (view.profile ->> 'employee_count')::integer >= $9)
    AND ($10::integer IS NULL OR (view.profile ->> 'employee_count')::integer <= $10)
    AND ($11::text[] IS NULL OR view.profile ->> 'latest_funding_stage' = ANY ($11))
    AND ($12::text IS NULL OR EXISTS (
        SELECT FROM jsonb_array_elements(view.profile -> 'technologies') AS used (one)
        WHERE lower(used.one ->> 'name') = lower($12)))
    AND ($13::timestamptz IS NULL OR view.created_at >= $13)
    AND ($14::timestamptz IS NULL OR view.created_at < $14);

-- name: get_company
-- Company $2 of tenant $1.
SELECT view.*, read.company_relations(view.tenant_id, view.public_id) AS all_relations
FROM read.company_view AS view
WHERE view.tenant_id = $1 AND view.public_id = $2;

-- name: find_company_events
-- What happened to company $3 of tenant $1 as workspace $2 may know it, newest first; backwards
-- where $6. Versions below $4 and above $5; one page of $7 rows.
SELECT told.version, told.event_type, told.occurred_at, told.recorded_at, told.payload
FROM app.find_company_events($1, $2, $3, $4, $5, NULL, $6, $7) AS told
ORDER BY CASE WHEN $6::boolean THEN told.version END, told.version DESC;

-- name: find_company_at
-- The newest event of company $3 of tenant $1 that kith knew at $4, as workspace $2 may know it.
SELECT told.version, told.event_type, told.occurred_at, told.recorded_at, told.payload
FROM app.find_company_events($1, $2, $3, NULL, NULL, $4, false, 1) AS told;
