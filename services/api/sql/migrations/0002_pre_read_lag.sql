-- How many seconds the read model is behind: the age of the oldest event that it lacks, among the
-- newest 200; where it lacks all of those, the time since the newest signal that it shows.  A
-- number about the whole install, hence past row-level security.  Schemas contact and read are
-- migrated after app: PL/pgSQL looks names up when it runs.
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
