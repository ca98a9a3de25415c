-- The database roles of kith: run once per cluster, by a superuser, before the first migration.
--
--     psql -v ON_ERROR_STOP=1 -d kith -f deploy/sql/roles.sql
--
-- Running it again changes nothing.  It sets no password: give each login role its own
-- (`ALTER ROLE kith_api PASSWORD '...'`), or let it sign in by certificate.  The grants on tables
-- are not here: every service's migrations grant what it owns.
--
-- kith_migrator  owns every schema, runs the migrations, and serves no traffic
-- kith_resolver  the single writer of contacts (schema contact)
-- kith_relay     outbox → Kafka
-- kith_projector read models (schema read)
-- kith_indexer   search documents (schema search)
-- kith_enricher  enrichment requests and credits (schema enrichment)
-- kith_ingest    ways in, imports (schema ingest)
-- kith_api       answers readers; row-level security walls it by tenant and workspace
-- kith_cli       the operator's command line: tenants, keys, dead letters (schema app)
--
-- No role is a superuser or has BYPASSRLS: the walls between tenants hold for all of them.

DO $roles$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'kith_migrator', 'kith_resolver', 'kith_relay', 'kith_projector', 'kith_indexer',
        'kith_enricher', 'kith_ingest', 'kith_api', 'kith_cli'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', wanted);
        END IF;
    END LOOP;
    -- Schemas are the migrator's to create; nobody else may create anything anywhere.
    EXECUTE format('GRANT CREATE ON DATABASE %I TO kith_migrator', current_database());
    EXECUTE format('REVOKE CREATE ON DATABASE %I FROM PUBLIC', current_database());
END
$roles$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- Search needs these; where extensions are installed by somebody else, the lines do nothing.
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;
