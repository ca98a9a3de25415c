-- Companies merge, come apart and are related (ADR 0060).
ALTER TABLE read.company_view
    ADD COLUMN survivor_public_id text COLLATE "C",
    ADD COLUMN relations jsonb NOT NULL DEFAULT '[]';
CREATE INDEX company_view_survivor_idx ON read.company_view (survivor_public_id)
    WHERE survivor_public_id IS NOT NULL;
COMMENT ON COLUMN read.company_view.survivor_public_id IS 'Whom the company stands behind: jobs at it are jobs at the survivor.';
COMMENT ON COLUMN read.company_view.relations IS 'Array of {kind, from_id, to_id, since, until}: what people said of this company by itself.';
CREATE TYPE read.company_shape_row AS (
    tenant_id bigint, public_id text, version integer, name text, domain text, source text,
    created_at timestamptz, survivor_public_id text, relations jsonb
);
