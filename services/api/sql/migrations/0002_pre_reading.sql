-- What the api must know and row-level security alone does not let it see.  Both functions refer to
-- schemas contact and read, which are migrated after app: PL/pgSQL looks names up when it runs.

-- The events of a contact up to a moment, for folding.  A fold needs every version, other
-- workspaces' too: facts about a contact are the tenant's, and only what the contact shows (fields,
-- identifiers, employments) is left of them; what another workspace's record said in full (notes,
-- labels, custom fields) is cut out.  Answers nothing unless the contact is in the caller's
-- workspace.  Versions up to the first that kith learned of after the moment.
CREATE FUNCTION app.find_events_until(contact_public_id text, until timestamptz)
RETURNS TABLE (event_type text, payload text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_tenant bigint := NULLIF(current_setting('kith.tenant_id', true), '')::bigint;
    of_workspace bigint := NULLIF(current_setting('kith.workspace_id', true), '')::bigint;
    of_contact bigint;
    later integer;
BEGIN
    SELECT contact.id INTO of_contact
    FROM contact.contact AS contact
    JOIN read.contact_view AS view
        ON view.public_id = contact.public_id AND view.workspace_id = of_workspace
            AND view.tenant_id = of_tenant
    WHERE contact.public_id = contact_public_id AND contact.tenant_id = of_tenant;

    SELECT min(event.sequence_number) INTO later
    FROM contact.contact_event AS event
    LEFT JOIN read.timeline AS line
        ON line.contact_public_id = event.entity_public_id AND line.version = event.sequence_number
    WHERE event.entity_id = of_contact
        AND COALESCE(line.recorded_at, event.recorded_at) > until;

    RETURN QUERY
        SELECT event.event_type,
            (CASE
                WHEN event.workspace_id IS NULL OR event.workspace_id = of_workspace
                THEN event.payload
                ELSE jsonb_set(event.payload, '{asserted,facts}', '{}', false)
            END)::text
        FROM contact.contact_event AS event
        WHERE event.entity_id = of_contact AND event.tenant_id = of_tenant
            AND (later IS NULL OR event.sequence_number < later)
        ORDER BY event.sequence_number;
END
$$;
REVOKE ALL ON FUNCTION app.find_events_until(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.find_events_until(text, timestamptz) TO kith_api;

-- How many seconds the read model is behind: the age of the oldest event that it lacks, among the
-- newest 200; where it lacks all of those, the time since the newest signal that it shows.
CREATE FUNCTION app.read_lag() RETURNS double precision
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    newest bigint;
    missing bigint;
    oldest_missing timestamptz;
    shown_until timestamptz;
BEGIN
    SELECT count(*), count(*) FILTER (WHERE line.version IS NULL),
        min(event.recorded_at) FILTER (WHERE line.version IS NULL)
    INTO newest, missing, oldest_missing
    FROM (
        SELECT entity_public_id, sequence_number, recorded_at
        FROM contact.contact_event ORDER BY xid DESC LIMIT 200
    ) AS event
    LEFT JOIN read.timeline AS line
        ON line.contact_public_id = event.entity_public_id AND line.version = event.sequence_number;
    IF missing = 0 THEN
        RETURN 0;
    END IF;
    IF missing = newest THEN
        SELECT min(recorded_at) INTO shown_until FROM read.projection_state;
    END IF;
    RETURN GREATEST(
        0, extract(epoch FROM clock_timestamp() - LEAST(oldest_missing, shown_until))
    );
END
$$;
REVOKE ALL ON FUNCTION app.read_lag() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.read_lag() TO kith_api;
