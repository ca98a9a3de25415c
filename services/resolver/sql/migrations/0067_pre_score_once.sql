-- The same scores (0066), their parts computed once: without the fence the planner wrote them out twice,
-- once for the sum and once for the list, and planned for 50 ms.

CREATE OR REPLACE VIEW contact.contact_score WITH (security_invoker = true) AS
    SELECT c.tenant_id, c.id AS contact_id, round(100 * made.score)::smallint AS enrichment_score,
        made.score::real AS intelligence_score, made.parts
    FROM contact.contact AS c
    JOIN contact.contact_latest_data AS latest ON latest.contact_id = c.id
    JOIN contact.workspace_contact_binding AS b ON b.id = latest.workspace_contact_binding_id
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE is_current) AS present,
            count(*) FILTER (WHERE is_current AND title IS NOT NULL) AS titled,
            count(*) FILTER (WHERE NOT is_current) AS past
        FROM contact.contact_employment WHERE contact_id = c.id
    ) AS jobs
    CROSS JOIN LATERAL (
        -- A vendor that found it, or a person who typed it in, stands for an e-mail or a number.
        SELECT coalesce(bool_or(said.facts -> 'emails' IS NOT NULL), false) AS emails,
            coalesce(bool_or(said.facts -> 'phones' IS NOT NULL), false) AS phones
        FROM contact.contact_assertion AS said
        JOIN contact.data_source AS s ON s.id = said.source_id
            AND (s.source_type = 'enrichment' OR s.source_provider = 'manual_entry')
        WHERE said.contact_id = c.id
    ) AS vouched
    CROSS JOIN LATERAL (
        SELECT
            CASE num_nonnulls(b.first_name, b.last_name) WHEN 2 THEN 0.15 WHEN 1 THEN 0.08
                ELSE CASE WHEN b.full_name IS NULL THEN 0 ELSE 0.08 END END AS name,
            CASE WHEN EXISTS (
                SELECT FROM contact.contact_email AS e
                WHERE e.contact_id = c.id AND e.valid_until IS NULL
                    AND (e.status = 'verified' OR (e.status = 'unverified' AND vouched.emails))
            ) THEN 0.15 ELSE 0 END AS email,
            CASE WHEN EXISTS (
                SELECT FROM contact.contact_phones AS p
                WHERE p.contact_id = c.id AND p.valid_until IS NULL
                    AND (p.status IN ('valid', 'dnc') OR (p.status = 'unverified' AND vouched.phones))
            ) THEN 0.10 ELSE 0 END AS phone,
            CASE WHEN jobs.present > 0 THEN 0.10 ELSE 0 END AS company,
            CASE WHEN jobs.titled > 0 THEN 0.08 ELSE 0 END AS title,
            0.035 * (
                SELECT count(*) FROM (
                    SELECT FROM contact.contact_social_profiles AS p
                    WHERE p.contact_id = c.id AND p.platform <> 'other' LIMIT 2
                ) AS two
            ) AS social_profiles,
            CASE WHEN b.avatar_url IS NULL THEN 0 ELSE 0.05 END AS photo,
            CASE WHEN EXISTS (
                SELECT FROM contact.contact_addresses AS a WHERE a.contact_id = c.id
            ) THEN 0.05 ELSE 0 END AS address,
            0.05 * least(jobs.past, 2) AS employment_history,
            CASE WHEN c.last_enriched_at IS NULL THEN 0 ELSE 0.10 END AS enrichment,
            CASE WHEN EXISTS (
                SELECT FROM contact.contact_activities AS a WHERE a.contact_id = c.id
                UNION ALL
                SELECT FROM contact.contact AS absorbed
                JOIN contact.contact_activities AS a ON a.contact_id = absorbed.id
                WHERE absorbed.merged_into_id = c.id
            ) THEN 0.05 ELSE 0 END AS communication
        OFFSET 0
    ) AS part
    CROSS JOIN LATERAL (
        SELECT part.name + part.email + part.phone + part.company + part.title
                + part.social_profiles + part.photo + part.address + part.employment_history
                + part.enrichment + part.communication AS score,
            to_jsonb(part) AS parts
    ) AS made
    WHERE c.status NOT IN ('merged', 'deleted');
