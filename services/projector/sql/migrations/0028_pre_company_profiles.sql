-- What companies show besides their names (ADR 0086).
ALTER TABLE read.company_view
    ADD COLUMN updated_at timestamptz,
    ADD COLUMN profile jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN read.company_view.updated_at IS 'When what the newest event tells of happened; null: it was made before events were asked.';
COMMENT ON COLUMN read.company_view.profile IS 'The newest shape''s profile: values, funding, technologies, phones, origins; empty where no record tells of the company.';
CREATE TYPE read.company_profile_row AS (
    tenant_id bigint, public_id text, version integer, name text, domain text, source text,
    created_at timestamptz, survivor_public_id text, relations jsonb, updated_at timestamptz,
    profile jsonb
);

-- What people said of a company and of all that stand behind it.
CREATE FUNCTION read.company_relations(of_tenant bigint, company text) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_agg(DISTINCT said.one), '[]')
    FROM read.company_view AS home CROSS JOIN LATERAL jsonb_array_elements(home.relations) AS said (one)
    WHERE home.tenant_id = of_tenant
        AND (home.public_id = company OR home.survivor_public_id = company)
$$;
