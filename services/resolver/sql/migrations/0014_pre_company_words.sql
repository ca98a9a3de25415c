-- Company names are searched as they are written: stemmed as English, `acme` was `acm` in the index
-- and found by nobody who typed it.

-- step: words of company names
CREATE INDEX CONCURRENTLY IF NOT EXISTS organisation_name_plain_words
    ON contact.organisation USING gin (tenant_id, to_tsvector('simple', name));

-- step: the index that it replaces
DROP INDEX CONCURRENTLY IF EXISTS contact.organisation_name_words;

-- step: search
-- Companies of a tenant by name: all words by prefix first, then, where there is none, what is
-- spelled alike.  Runs as owner and takes the tenant, since under a row-level policy a trigram
-- index goes unused.
CREATE OR REPLACE FUNCTION contact.find_organisations(
    tenant_id bigint, query text, max_rows integer
) RETURNS TABLE (org_id bigint, public_id text, name text, score real)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    asked CONSTANT text := lower(left(btrim(query), 200));
    room CONSTANT integer := greatest(0, least(max_rows, 1000));
    by_prefix tsquery;
BEGIN
    SELECT string_agg(quote_literal(word) || ':*', ' & ')::tsquery INTO by_prefix
    FROM regexp_split_to_table(asked, '[^[:alnum:]]+') AS word
    WHERE word <> '';
    IF by_prefix IS NULL OR room = 0 THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT hit.id, hit.public_id::text, hit.name, public.similarity(asked, hit.name) AS alike
        FROM (
            SELECT o.id, o.public_id, o.name FROM contact.organisation AS o
            WHERE o.tenant_id = tenant_id AND to_tsvector('simple', o.name) @@ by_prefix
                AND o.deleted_at IS NULL AND o.status <> 'merged'
            LIMIT 500
        ) AS hit
        ORDER BY alike DESC, hit.id
        LIMIT room;
    IF FOUND THEN
        RETURN;
    END IF;
    PERFORM set_config('pg_trgm.word_similarity_threshold', '0.5', true);
    RETURN QUERY
        SELECT hit.id, hit.public_id::text, hit.name,
               public.word_similarity(asked, hit.name) AS alike
        FROM (
            SELECT o.id, o.public_id, o.name FROM contact.organisation AS o
            WHERE o.tenant_id = tenant_id AND o.name OPERATOR(public.%>) asked
                AND o.deleted_at IS NULL AND o.status <> 'merged'
            LIMIT 500
        ) AS hit
        ORDER BY alike DESC, hit.id
        LIMIT room;
END
$$;
