-- What the database watches by itself: changes of bindings past the resolver, and circles among
-- parents.  And company search, which needs the indexes of 0008.

-- Whoever is not the resolver and updates a binding leaves its trace in the audit, a row per
-- changed field; of custom fields, per field within.  One call per statement, whatever its rows
-- (measured: half a microsecond a row for the resolver's own updates, which it lets pass).
CREATE FUNCTION contact.audit_binding_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO contact.contact_field_audit
        (tenant_id, entity_type, entity_id, workspace_id, field_name, old_value, new_value,
         changed_by, cause)
    SELECT (fresh.row ->> 'tenant_id')::bigint,
           CASE TG_TABLE_NAME WHEN 'org_bindings' THEN 'org_binding' ELSE 'contact_binding' END,
           (fresh.row ->> 'id')::bigint, (fresh.row ->> 'workspace_id')::bigint,
           field.name, stale.fields ->> field.name, fresh.fields ->> field.name,
           NULLIF(current_setting('kith.user_id', true), '')::bigint,
           'role ' || session_user
    FROM (SELECT to_jsonb(o) AS row,
                 to_jsonb(o) - 'custom_fields' || coalesce(custom.fields, '{}') AS fields
          FROM before_it AS o
          CROSS JOIN LATERAL (
              SELECT jsonb_object_agg('custom_fields.' || key, value) AS fields
              FROM jsonb_each(o.custom_fields)
          ) AS custom) AS stale
    JOIN (SELECT to_jsonb(n) AS row,
                 to_jsonb(n) - 'custom_fields' || coalesce(custom.fields, '{}') AS fields
          FROM after_it AS n
          CROSS JOIN LATERAL (
              SELECT jsonb_object_agg('custom_fields.' || key, value) AS fields
              FROM jsonb_each(n.custom_fields)
          ) AS custom) AS fresh
        ON fresh.row -> 'id' = stale.row -> 'id'
    CROSS JOIN LATERAL jsonb_object_keys(stale.fields || fresh.fields) AS field (name)
    WHERE field.name NOT IN ('updated_at', 'synced_at')
        AND stale.fields ->> field.name IS DISTINCT FROM fresh.fields ->> field.name;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION contact.audit_binding_changes() FROM PUBLIC;

CREATE TRIGGER audit_other_writers AFTER UPDATE ON contact.workspace_contact_binding
    REFERENCING OLD TABLE AS before_it NEW TABLE AS after_it
    FOR EACH STATEMENT WHEN (current_user <> 'kith_resolver')
    EXECUTE FUNCTION contact.audit_binding_changes();
CREATE TRIGGER audit_other_writers AFTER UPDATE ON contact.org_bindings
    REFERENCING OLD TABLE AS before_it NEW TABLE AS after_it
    FOR EACH STATEMENT WHEN (current_user <> 'kith_resolver')
    EXECUTE FUNCTION contact.audit_binding_changes();

-- A company is never its own ancestor.  Two writers that would close a circle between them take
-- turns, by a lock of the tenant.
CREATE FUNCTION contact.refuse_circular_parents() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(format('parents %s', NEW.tenant_id), 0));
    IF EXISTS (
        WITH RECURSIVE above (id) AS (
            SELECT NEW.parent_org_id
            UNION
            SELECT parent.parent_org_id FROM above
            JOIN contact.organisation AS parent ON parent.id = above.id
            WHERE parent.parent_org_id IS NOT NULL
        )
        SELECT FROM above WHERE id = NEW.id
    ) THEN
        RAISE EXCEPTION 'company % would be its own ancestor', NEW.public_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER refuse_circular_parents
    AFTER INSERT OR UPDATE OF parent_org_id ON contact.organisation
    FOR EACH ROW WHEN (NEW.parent_org_id IS NOT NULL)
    EXECUTE FUNCTION contact.refuse_circular_parents();

-- Companies of a tenant by name: all words by prefix first, then what is spelled alike.  Runs as
-- owner and takes the tenant, since under a row-level policy a trigram index goes unused.
CREATE FUNCTION contact.find_organisations(tenant_id bigint, query text, max_rows integer)
RETURNS TABLE (org_id bigint, public_id text, name text, score real)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    asked CONSTANT text := left(btrim(query), 200);
    room CONSTANT integer := greatest(0, least(max_rows, 1000));
    by_prefix tsquery;
BEGIN
    SELECT string_agg(quote_literal(word) || ':*', ' & ') INTO by_prefix
    FROM regexp_split_to_table(lower(asked), '[^[:alnum:]]+') AS word
    WHERE word <> '';
    IF by_prefix IS NULL OR room = 0 THEN
        RETURN;
    END IF;
    PERFORM set_config('pg_trgm.similarity_threshold', '0.3', true);
    RETURN QUERY
        SELECT hit.id, hit.public_id::text, hit.name, public.similarity(asked, hit.name)
        FROM (
            (SELECT o.id, o.public_id, o.name FROM contact.organisation AS o
             WHERE o.tenant_id = tenant_id AND to_tsvector('english', o.name) @@ by_prefix
                 AND o.deleted_at IS NULL AND o.status <> 'merged' LIMIT 500)
            UNION
            (SELECT o.id, o.public_id, o.name FROM contact.organisation AS o
             WHERE o.tenant_id = tenant_id AND o.name OPERATOR(public.%) asked
                 AND o.deleted_at IS NULL AND o.status <> 'merged' LIMIT 500)
        ) AS hit
        ORDER BY 4 DESC, hit.id
        LIMIT room;
END
$$;
REVOKE ALL ON FUNCTION contact.find_organisations(bigint, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION contact.find_organisations(bigint, text, integer)
    TO kith_resolver, kith_api;

-- Sources are the release's: every row that names one may rely on it without a foreign key.
REVOKE INSERT, UPDATE, DELETE ON contact.data_source FROM kith_resolver;
