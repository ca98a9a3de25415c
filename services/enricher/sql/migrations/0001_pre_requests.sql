-- Schema enrichment: what vendors were asked, and what became of it (spec 004, DESIGN 6).

GRANT USAGE ON SCHEMA enrichment TO kith_enricher, kith_api, kith_cli;

CREATE TYPE enrichment.entity_type AS ENUM ('contact', 'organisation');

CREATE TYPE enrichment.request_status AS ENUM (
    'pending', 'processing', 'success', 'failed', 'cached', 'cancelled'
);

CREATE TABLE enrichment.enrichment_requests (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text COLLATE "C" NOT NULL UNIQUE CHECK (public_id ~ '^req_[0-9A-HJKMNP-TV-Z]{26}$'),
    tenant_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    entity_type enrichment.entity_type NOT NULL,
    entity_public_id text COLLATE "C" NOT NULL,
    source text NOT NULL,
    status enrichment.request_status NOT NULL,
    reason text,
    idempotency_key text COLLATE "C" NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    question jsonb,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    faults integer NOT NULL DEFAULT 0 CHECK (faults >= 0),
    not_before timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz,
    credits_charged integer NOT NULL DEFAULT 0 CHECK (credits_charged >= 0),
    credit_txn_id text,
    response_summary jsonb,
    signal bytea,
    signal_sent_at timestamptz,
    traceparent text,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    completed_at timestamptz,
    UNIQUE (tenant_id, idempotency_key),
    CHECK ((status = 'processing') = (lease_until IS NOT NULL)),
    CHECK ((status IN ('pending', 'processing')) = (completed_at IS NULL)),
    CHECK (status NOT IN ('pending', 'processing') OR question IS NOT NULL),
    CHECK (signal IS NULL OR status = 'success')
) WITH (fillfactor = 70);

COMMENT ON TABLE enrichment.enrichment_requests IS
    'One question to one vendor about one contact; the same idempotency key is never charged twice.';
COMMENT ON COLUMN enrichment.enrichment_requests.reason IS
    'Why it failed or waits; the values are listed in services/enricher/domain/lifecycle.py.';
COMMENT ON COLUMN enrichment.enrichment_requests.question IS
    'What the vendor is shown; personal data, forgotten as soon as the request is settled.';
COMMENT ON COLUMN enrichment.enrichment_requests.attempts IS
    'Calls begun; also the token by which a call proves that the request is still its own.';
COMMENT ON COLUMN enrichment.enrichment_requests.faults IS
    'Calls that the vendor answered with its own error.';
COMMENT ON COLUMN enrichment.enrichment_requests.lease_until IS
    'When a call that is still without answer counts as lost, and its outcome as unknown.';
COMMENT ON COLUMN enrichment.enrichment_requests.signal IS
    'The signal still to be published (the row is its outbox); forgotten when Kafka has it.';
COMMENT ON COLUMN enrichment.enrichment_requests.response_summary IS
    'What the answer held, in counts; no personal data.';

CREATE INDEX enrichment_requests_due ON enrichment.enrichment_requests (source, not_before, id)
    WHERE status = 'pending';
CREATE INDEX enrichment_requests_running ON enrichment.enrichment_requests (lease_until)
    WHERE status = 'processing';
CREATE INDEX enrichment_requests_unsent ON enrichment.enrichment_requests (id)
    WHERE signal IS NOT NULL;
CREATE INDEX enrichment_requests_of_entity
    ON enrichment.enrichment_requests (tenant_id, entity_public_id, source, id DESC);

-- The same steps as TRANSITIONS in services/enricher/domain/lifecycle.py; a test compares the two.
CREATE FUNCTION enrichment.refuse_illegal_step() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT (
        (OLD.status = 'pending' AND NEW.status IN ('processing', 'cancelled', 'cached'))
        OR (OLD.status = 'processing' AND NEW.status IN ('pending', 'success', 'failed'))
        OR (OLD.status = 'failed' AND OLD.reason = 'outcome_unknown' AND NEW.status = 'success')
    ) THEN
        RAISE EXCEPTION 'request % cannot go from % to %', OLD.public_id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER refuse_illegal_step
    BEFORE UPDATE OF status ON enrichment.enrichment_requests
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION enrichment.refuse_illegal_step();

CREATE TABLE enrichment.kafka_offset (
    consumer_group text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer_group, topic, partition)
) WITH (fillfactor = 50);

-- Rights and walls.  The enricher works for every tenant; readers see their own workspace, and
-- neither the question nor the signal, which hold personal data.
GRANT SELECT, INSERT, UPDATE ON enrichment.enrichment_requests TO kith_enricher;
GRANT SELECT, INSERT, UPDATE ON enrichment.kafka_offset TO kith_enricher;
GRANT SELECT ON enrichment.kafka_offset TO kith_cli;
GRANT SELECT (id, public_id, tenant_id, workspace_id, entity_type, entity_public_id, source, status,
              reason, idempotency_key, attempts, faults, not_before, credits_charged,
              credit_txn_id, response_summary, signal_sent_at, created_at, started_at, completed_at)
    ON enrichment.enrichment_requests TO kith_api, kith_cli;

ALTER TABLE enrichment.enrichment_requests ENABLE ROW LEVEL SECURITY;
CREATE POLICY enricher ON enrichment.enrichment_requests TO kith_enricher
    USING (true) WITH CHECK (true);
CREATE POLICY operator ON enrichment.enrichment_requests FOR SELECT TO kith_cli USING (true);
CREATE POLICY tenant_and_workspace ON enrichment.enrichment_requests FOR SELECT TO kith_api
    USING (
        tenant_id = NULLIF(current_setting('kith.tenant_id', true), '')::bigint
        AND workspace_id = NULLIF(current_setting('kith.workspace_id', true), '')::bigint
    );
