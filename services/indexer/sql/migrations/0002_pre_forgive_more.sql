-- Search forgives one slip in each of two words, and finds a phone by 8 digits too.

-- Contacts of one workspace for a search text: exact e-mail or phone first, then all words by
-- prefix, then, where there is none, what is spelled alike.  Runs as owner: under a row-level
-- policy the trigram index goes unused (measured: 767 ms against 28).
CREATE OR REPLACE FUNCTION search.find_contacts(
    tenant_id bigint, workspace_id bigint, query text, max_rows integer
) RETURNS TABLE (contact_public_id text, score real)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    asked CONSTANT text := left(btrim(search.plain(query)), 200);
    digits CONSTANT text := regexp_replace(asked, '[^0-9]', '', 'g');
    room CONSTANT integer := greatest(0, least(max_rows, 1000));
    exactly tsquery;
    by_prefix tsquery;
    alike text[];
    found integer;
BEGIN
    IF asked IS NULL OR asked = '' OR room = 0 THEN
        RETURN;
    END IF;
    exactly := CASE
        WHEN asked LIKE '%_@_%' THEN quote_literal(asked)::tsquery
        WHEN asked ~ '^[-+0-9 ()./]+$' AND length(digits) >= 7 THEN
            (quote_literal(right(digits, CASE WHEN length(digits) < 9 THEN 7 ELSE 9 END))
             || '|' || quote_literal('+' || digits))::tsquery
    END;
    SELECT string_agg(quote_literal(word) || ':*', ' & ')::tsquery INTO by_prefix
    FROM regexp_split_to_table(asked, '[^[:alnum:]]+') AS word
    WHERE word <> '';

    IF exactly IS NOT NULL THEN
        RETURN QUERY
            SELECT d.public_id::text, 1.0::real
            FROM search.document AS d
            WHERE d.workspace_id = workspace_id AND d.tenant_id = tenant_id AND d.words @@ exactly
            LIMIT room;
        GET DIAGNOSTICS found = ROW_COUNT;
        IF found > 0 THEN
            RETURN;
        END IF;
    END IF;

    IF by_prefix IS NOT NULL THEN
        -- Ranked are the first 1,000 hits: a single letter would hit half of everything.
        RETURN QUERY
            SELECT hit.public_id::text,
                (0.6 + 0.3 * public.similarity(asked, hit.name)
                 + 0.1 * ts_rank(hit.words, by_prefix))::real AS rank
            FROM (
                SELECT d.public_id, d.name, d.words
                FROM search.document AS d
                WHERE d.workspace_id = workspace_id AND d.tenant_id = tenant_id
                    AND d.words @@ by_prefix
                LIMIT 1000
            ) AS hit
            ORDER BY rank DESC, hit.public_id
            LIMIT room;
        GET DIAGNOSTICS found = ROW_COUNT;
    ELSE
        found := 0;
    END IF;

    -- Spelled alike, where nothing was spelled so: by the two longest words, each of which must be
    -- like one of the row's.  Further ones bring trigrams that half of all rows have, and words
    -- looked for together need a threshold so high that one slip in each is not forgiven.
    SELECT array_agg(long.word ORDER BY long.place) INTO alike
    FROM (
        SELECT w.word, w.place FROM regexp_split_to_table(asked, '[^[:alnum:]]+')
            WITH ORDINALITY AS w (word, place)
        WHERE length(w.word) >= 3
        ORDER BY length(w.word) DESC, w.place LIMIT 2
    ) AS long;
    IF found = 0 AND alike IS NOT NULL THEN
        PERFORM set_config('pg_trgm.word_similarity_threshold', '0.5', true);
        RETURN QUERY
            SELECT hit.public_id::text,
                (0.6 * public.word_similarity(array_to_string(alike, ' '), hit.haystack))::real AS rank
            FROM (
                SELECT d.public_id, d.haystack
                FROM search.document AS d
                WHERE d.workspace_id = workspace_id AND d.tenant_id = tenant_id
                    AND d.haystack OPERATOR(public.%>) alike[1]
                    AND d.haystack OPERATOR(public.%>) alike[cardinality(alike)]
                LIMIT 500
            ) AS hit
            ORDER BY rank DESC, hit.public_id
            LIMIT room;
    END IF;
END
$$;
