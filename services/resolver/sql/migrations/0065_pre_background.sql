-- What somebody learned and can do is what sources say, and the ledger's current rows say it: views
-- over them cost a batch nothing and are right after every merge, split and retraction (ADR 0068).
-- The tables that 0003 made for them never had a writer.

-- step: no row is lost
DO $$
DECLARE
    one text;
    is_used boolean;
BEGIN
    FOREACH one IN ARRAY ARRAY['contact_education', 'contact_skills', 'contact_certifications',
                               'contact_languages']
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM contact.%I)', one) INTO is_used;
        IF is_used THEN
            RAISE EXCEPTION 'contact.% has rows, which no release of kith writes; they would be lost: '
                'send them as signals of their source, then delete them', one;
        END IF;
    END LOOP;
END
$$;

-- step: education
DROP TABLE contact.contact_education;

CREATE VIEW contact.contact_education WITH (security_invoker = true) AS
    SELECT DISTINCT ON (said.contact_id, lower(one.school), lower(one.degree),
            lower(one.field_of_study))
        said.tenant_id, said.contact_id, one.school AS school_name, one.degree, one.field_of_study,
        one.start_date, one.end_date, said.source_id, said.asserted_at AS created_at
    FROM contact.contact_assertion AS said
    JOIN contact.data_source AS source ON source.id = said.source_id
    CROSS JOIN LATERAL json_to_recordset(said.facts -> 'education') AS one (
        school text, degree text, field_of_study text, start_date date, end_date date)
    ORDER BY said.contact_id, lower(one.school), lower(one.degree), lower(one.field_of_study),
        source.priority DESC, said.confidence DESC, said.asserted_at DESC, said.record_key;
COMMENT ON VIEW contact.contact_education IS 'Schools and degrees: each once, as the weightiest source tells of it.';

-- step: skills
DROP TABLE contact.contact_skills;

CREATE VIEW contact.contact_skills WITH (security_invoker = true) AS
    SELECT DISTINCT ON (said.contact_id, lower(one.name))
        said.tenant_id, said.contact_id, one.name AS skill_name,
        coalesce(one.endorsements, 0) AS endorsements, said.source_id,
        said.asserted_at AS created_at
    FROM contact.contact_assertion AS said
    JOIN contact.data_source AS source ON source.id = said.source_id
    CROSS JOIN LATERAL json_to_recordset(said.facts -> 'skills') AS one (
        name text, endorsements integer)
    ORDER BY said.contact_id, lower(one.name), source.priority DESC, said.confidence DESC,
        said.asserted_at DESC, said.record_key;
COMMENT ON VIEW contact.contact_skills IS 'Skills: each once, as the weightiest source tells of it.';
COMMENT ON COLUMN contact.contact_skills.endorsements IS 'How many others say so; 0 where the source counts none.';

-- step: certifications
DROP TABLE contact.contact_certifications;

CREATE VIEW contact.contact_certifications WITH (security_invoker = true) AS
    SELECT DISTINCT ON (said.contact_id, lower(one.name), lower(one.authority), one.license_number)
        said.tenant_id, said.contact_id, one.name, one.authority, one.license_number,
        one.start_date, one.end_date, said.source_id, said.asserted_at AS created_at
    FROM contact.contact_assertion AS said
    JOIN contact.data_source AS source ON source.id = said.source_id
    CROSS JOIN LATERAL json_to_recordset(said.facts -> 'certifications') AS one (
        name text, authority text, license_number text, start_date date, end_date date)
    ORDER BY said.contact_id, lower(one.name), lower(one.authority), one.license_number,
        source.priority DESC, said.confidence DESC, said.asserted_at DESC, said.record_key;
COMMENT ON VIEW contact.contact_certifications IS 'Certificates: each once, as the weightiest source tells of it.';

-- step: languages
DROP TABLE contact.contact_languages;

CREATE VIEW contact.contact_languages WITH (security_invoker = true) AS
    SELECT DISTINCT ON (said.contact_id, lower(one.language))
        said.tenant_id, said.contact_id, one.language,
        CASE WHEN pg_input_is_valid(one.proficiency, 'contact.language_proficiency')
            THEN one.proficiency::contact.language_proficiency END AS proficiency,
        said.source_id, said.asserted_at AS created_at
    FROM contact.contact_assertion AS said
    JOIN contact.data_source AS source ON source.id = said.source_id
    CROSS JOIN LATERAL json_to_recordset(said.facts -> 'languages') AS one (
        language text, proficiency text)
    ORDER BY said.contact_id, lower(one.language), one.proficiency IS NULL, source.priority DESC,
        said.confidence DESC, said.asserted_at DESC, said.record_key;
COMMENT ON VIEW contact.contact_languages IS 'Languages: each once, as the weightiest source that says how well.';

-- step: readers
GRANT SELECT ON contact.contact_education, contact.contact_skills, contact.contact_certifications,
    contact.contact_languages TO kith_resolver, kith_cli;
