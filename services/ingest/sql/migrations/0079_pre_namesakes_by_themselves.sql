-- An erasure must not fail by what else a preview says: JSON with an escaped NUL cannot be read here.

-- step: all but these
-- As before (0078), but nothing of a preview is read but its last field, whose names are the database's.
CREATE OR REPLACE FUNCTION ingest.less_alike(preview text, contacts text[])
RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN found.place > 0
        THEN left(preview, found.place + 7) || coalesce(kept.alike, '[]') || '}'
        ELSE preview END
    FROM (SELECT strpos(preview, '"alike":[{') AS place) AS found
    CROSS JOIN LATERAL (
        SELECT json_agg(u.one ORDER BY u.place)::text AS alike
        FROM json_array_elements(
            CASE WHEN found.place > 0 THEN left(substr(preview, found.place + 8), -1) ELSE '[]' END::json
        ) WITH ORDINALITY AS u (one, place)
        WHERE (u.one ->> 'contact') IS NULL OR u.one ->> 'contact' <> ALL (contacts)
    ) AS kept
$$;
