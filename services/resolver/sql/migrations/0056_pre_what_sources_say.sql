-- Addresses, dates and profiles are what sources say, and the ledger's current rows say it: views
-- over them cost a batch nothing and are right after every merge, split and retraction (ADR 0068).
-- The tables that 0003 made for them never had a writer.

-- step: no row is lost
DO $$
DECLARE
    one text;
    is_used boolean;
BEGIN
    FOREACH one IN ARRAY ARRAY['contact_addresses', 'contact_key_dates', 'contact_social_profiles']
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM contact.%I)', one) INTO is_used;
        IF is_used THEN
            RAISE EXCEPTION 'contact.% has rows, which no release of kith writes; they would be lost: '
                'send them as signals of their source, then delete them', one;
        END IF;
    END LOOP;
END
$$;

-- step: addresses
DROP TABLE contact.contact_addresses;

CREATE VIEW contact.contact_addresses WITH (security_invoker = true) AS
    SELECT DISTINCT ON (
            said.contact_id, place.street, place.city, place.state, place.postal_code, place.country)
        said.tenant_id, said.contact_id, place.street, place.city, place.state, place.postal_code,
        CASE WHEN place.country ~ '^[A-Z]{2}$' THEN place.country END AS country,
        CASE WHEN place.country !~ '^[A-Z]{2}$' THEN place.country END AS country_as_given,
        place.label, NULL::date AS valid_from, NULL::date AS valid_until, said.source_id,
        said.asserted_at AS created_at
    FROM contact.contact_assertion AS said
    JOIN contact.data_source AS source ON source.id = said.source_id
    CROSS JOIN LATERAL json_to_recordset(said.facts -> 'addresses') AS place (
        street text, city text, state text, postal_code text, country text, label text)
    WHERE num_nonnulls(place.street, place.city, place.state, place.postal_code, place.country) > 0
    ORDER BY said.contact_id, place.street, place.city, place.state, place.postal_code,
        place.country, source.priority DESC, said.confidence DESC, said.asserted_at DESC,
        said.record_key;
COMMENT ON VIEW contact.contact_addresses IS 'Postal addresses: each once, as the weightiest source labels it.';
COMMENT ON COLUMN contact.contact_addresses.country IS 'ISO 3166-1 alpha-2; what is no code is country_as_given.';
COMMENT ON COLUMN contact.contact_addresses.valid_until IS 'Null: a record says it at present; what none says any more is in the ledger.';

-- step: dates
DROP TABLE contact.contact_key_dates;

CREATE VIEW contact.contact_key_dates WITH (security_invoker = true) AS
    SELECT DISTINCT ON (said.contact_id, day.date, day.year_known)
        said.tenant_id, said.contact_id, 'birthday'::contact.key_date_type AS type, day.date,
        day.year_known, NULL::text AS label, said.source_id, said.asserted_at AS created_at
    FROM contact.contact_assertion AS said
    JOIN contact.data_source AS source ON source.id = said.source_id
    CROSS JOIN LATERAL (
        SELECT said.facts ->> 'birthday' AS given
    ) AS birth
    CROSS JOIN LATERAL (
        -- Without a year the year is 1604, a leap year, as address books write it.
        SELECT regexp_replace(birth.given, '^--', '1604-') AS text
    ) AS full_day
    CROSS JOIN LATERAL (
        SELECT CASE WHEN pg_input_is_valid(full_day.text, 'date') THEN full_day.text::date END
                AS date,
            birth.given NOT LIKE '--%' AS year_known
    ) AS day
    WHERE day.date IS NOT NULL
    ORDER BY said.contact_id, day.date, day.year_known, source.priority DESC,
        said.confidence DESC, said.asserted_at DESC, said.record_key;
COMMENT ON VIEW contact.contact_key_dates IS 'Days of a person''s life; birthdays are what sources tell of.';
COMMENT ON COLUMN contact.contact_key_dates.year_known IS 'False: the source gave day and month only; the year is 1604.';

-- step: profiles
DROP TABLE contact.contact_social_profiles;

CREATE VIEW contact.contact_social_profiles WITH (security_invoker = true) AS
    SELECT DISTINCT ON (said.contact_id, profile.platform, coalesce(profile.url, profile.username))
        said.tenant_id, said.contact_id, profile.platform, profile.url, profile.username,
        NULL::date AS valid_from, NULL::date AS valid_until, said.source_id,
        said.asserted_at AS created_at
    FROM contact.contact_assertion AS said
    JOIN contact.data_source AS source ON source.id = said.source_id
    CROSS JOIN LATERAL (
        SELECT known.platform, known.address || one.value AS url, one.value AS username
        FROM json_to_recordset(said.facts -> 'identifiers') AS one (type text, value text)
        JOIN (VALUES
            ('linkedin_public_id', 'linkedin'::contact.social_platform,
                'https://www.linkedin.com/in/'),
            ('twitter_handle', 'twitter', NULL),
            ('github_username', 'github', NULL),
            ('fb_user_id', 'facebook', NULL),
            ('ig_username', 'instagram', NULL)
        ) AS known (type, platform, address) ON known.type = one.type
        UNION ALL
        SELECT 'other', site.url, NULL
        FROM json_array_elements_text(said.facts -> 'websites') AS site (url)
    ) AS profile
    ORDER BY said.contact_id, profile.platform, coalesce(profile.url, profile.username),
        source.priority DESC, said.confidence DESC, said.asserted_at DESC, said.record_key;
COMMENT ON VIEW contact.contact_social_profiles IS 'Profiles on social networks, and websites, which are on none of them.';

-- step: readers
GRANT SELECT ON contact.contact_addresses, contact.contact_key_dates,
    contact.contact_social_profiles TO kith_resolver, kith_cli;
