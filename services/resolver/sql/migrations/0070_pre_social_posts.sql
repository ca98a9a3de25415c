-- Public posts are what sources say, and the ledger's current rows say it (ADR 0068).  The table that
-- 0003 made for them never had a writer.

-- step: no row is lost
DO $$
BEGIN
    IF EXISTS (SELECT FROM contact.contact_social_posts) THEN
        RAISE EXCEPTION 'contact.contact_social_posts has rows, which no release of kith writes; '
            'they would be lost: send them as signals of their source, then delete them';
    END IF;
END
$$;

-- step: posts
DROP TABLE contact.contact_social_posts;

CREATE VIEW contact.contact_social_posts WITH (security_invoker = true) AS
    SELECT DISTINCT ON (said.contact_id, one.url)
        said.tenant_id, said.contact_id,
        CASE WHEN pg_input_is_valid(one.platform, 'contact.social_platform')
            THEN one.platform::contact.social_platform ELSE 'other' END AS platform,
        one.url AS post_url, one.posted_at, one.snippet AS content_snippet, said.source_id,
        said.asserted_at AS fetched_at
    FROM contact.contact_assertion AS said
    JOIN contact.data_source AS source ON source.id = said.source_id
    CROSS JOIN LATERAL json_to_recordset(said.facts -> 'social_posts') AS one (
        platform text, url text, posted_at timestamptz, snippet text)
    ORDER BY said.contact_id, one.url, source.priority DESC, said.confidence DESC,
        said.asserted_at DESC, said.record_key;
COMMENT ON VIEW contact.contact_social_posts IS 'Public posts: each once, as the weightiest source tells of it.';

-- step: readers
GRANT SELECT ON contact.contact_social_posts TO kith_resolver, kith_cli;
