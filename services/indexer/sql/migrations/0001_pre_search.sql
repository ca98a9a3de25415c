-- Schema search: full text and trigrams over contacts.  May be dropped and rebuilt from events.
-- Needs the extensions pg_trgm, unaccent and btree_gin, in schema public.

CREATE SCHEMA IF NOT EXISTS search;
GRANT USAGE ON SCHEMA search TO kith_indexer, kith_api, kith_cli;

-- One row per contact and workspace that knows it, with that workspace's labels.
CREATE TABLE search.document (
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    public_id text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    name text NOT NULL,
    haystack text NOT NULL,
    words tsvector NOT NULL,
    PRIMARY KEY (public_id, workspace_id)
) WITH (fillfactor = 85, toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.05);
-- The workspace stands in both indexes: whoever searches a small one pays for a small one.
CREATE INDEX document_words_idx ON search.document USING gin (workspace_id, words);
CREATE INDEX document_trigrams_idx ON search.document
    USING gin (workspace_id, haystack public.gin_trgm_ops);
COMMENT ON COLUMN search.document.name IS 'What ranks a hit: the name, plain.';
COMMENT ON COLUMN search.document.haystack IS 'Name, company, title, place, e-mails: plain, for trigrams.';
COMMENT ON COLUMN search.document.words IS 'All words, and e-mails and phones as words of their own.';

CREATE TABLE search.kafka_offset (
    consumer_group text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL CHECK (partition >= 0),
    next_offset bigint NOT NULL CHECK (next_offset >= 0),
    saved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer_group, topic, partition)
) WITH (fillfactor = 50);

-- Letters without case or accents: what is written and what is asked must agree on it.
CREATE FUNCTION search.plain(given text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$ SELECT lower(public.unaccent('public.unaccent', normalize(given, NFC))) $$;

-- The words of a document: text by weight; e-mails whole and in parts; phones whole and by their
-- last 9 and 7 digits, as people leave the country or the trunk prefix out.
CREATE FUNCTION search.words_of(
    plain_name text, plain_work text, plain_rest text, emails text[], phones text[]
) RETURNS tsvector
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT setweight(to_tsvector('simple', plain_name), 'A')
        || setweight(to_tsvector('simple', plain_work) || to_tsvector('english', plain_work), 'B')
        || setweight(to_tsvector('simple', plain_rest || ' '
            || translate(array_to_string(emails, ' '), '@._+-', '     ')), 'C')
        || array_to_tsvector(
            emails || phones
            || ARRAY(SELECT right(phone, 9) FROM unnest(phones) AS phone)
            || ARRAY(SELECT right(phone, 7) FROM unnest(phones) AS phone)
        )
$$;

-- Contacts of one workspace for a search text: exact e-mail or phone first, then all words by
-- prefix, then, where there is none, what is spelled alike.  Runs as owner: under a row-level
-- policy the trigram index goes unused (measured: 767 ms against 28).
CREATE FUNCTION search.find_contacts(
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
    alike text;
    found integer;
BEGIN
    IF asked IS NULL OR asked = '' OR room = 0 THEN
        RETURN;
    END IF;
    exactly := CASE
        WHEN asked LIKE '%_@_%' THEN quote_literal(asked)::tsquery
        WHEN asked ~ '^[-+0-9 ()./]+$' AND length(digits) >= 7 THEN
            (quote_literal(right(digits, 9)) || '|' || quote_literal('+' || digits)
             || CASE WHEN length(digits) = 7 THEN '|' || quote_literal(digits) ELSE '' END)::tsquery
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

    -- Spelled alike, where nothing was spelled so: by the two longest words, since each further
    -- one brings trigrams that half of all rows have.  Ranked are the first 500.
    SELECT string_agg(long.word, ' ' ORDER BY long.place) INTO alike
    FROM (
        SELECT w.word, w.place FROM regexp_split_to_table(asked, '[^[:alnum:]]+')
            WITH ORDINALITY AS w (word, place)
        ORDER BY length(w.word) DESC, w.place LIMIT 2
    ) AS long;
    IF found = 0 AND length(alike) >= 3 THEN
        PERFORM set_config('pg_trgm.word_similarity_threshold', '0.6', true);
        RETURN QUERY
            SELECT hit.public_id::text,
                (0.6 * public.word_similarity(alike, hit.haystack))::real AS rank
            FROM (
                SELECT d.public_id, d.haystack
                FROM search.document AS d
                WHERE d.workspace_id = workspace_id AND d.tenant_id = tenant_id
                    AND d.haystack OPERATOR(public.%>) alike
                LIMIT 500
            ) AS hit
            ORDER BY rank DESC, hit.public_id
            LIMIT room;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION search.find_contacts(bigint, bigint, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search.find_contacts(bigint, bigint, text, integer) TO kith_api;

ALTER TABLE search.document ENABLE ROW LEVEL SECURITY;
ALTER TABLE search.kafka_offset ENABLE ROW LEVEL SECURITY;
CREATE POLICY writer ON search.document TO kith_indexer USING (true) WITH CHECK (true);
CREATE POLICY writer ON search.kafka_offset TO kith_indexer USING (true) WITH CHECK (true);
CREATE POLICY operator ON search.document FOR SELECT TO kith_cli USING (true);
CREATE POLICY operator ON search.kafka_offset FOR SELECT TO kith_cli USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON search.document TO kith_indexer;
GRANT SELECT, INSERT, UPDATE ON search.kafka_offset TO kith_indexer;
GRANT SELECT ON search.document, search.kafka_offset TO kith_cli;
