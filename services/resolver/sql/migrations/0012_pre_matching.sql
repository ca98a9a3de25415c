-- What matching hands to its statements: rows of a batch as one array each, as in 0001.
CREATE TYPE contact.block_name AS (tenant_id bigint, key bigint);
CREATE TYPE contact.blocking_row AS (
    tenant_id bigint, key bigint, contact_id bigint, record_key bytea);
CREATE TYPE contact.term_name AS (tenant_id bigint, attribute text, term text);
CREATE TYPE contact.term_row AS (
    tenant_id bigint, attribute text, term text, occurrences bigint);
CREATE TYPE contact.decision_row AS (
    tenant_id bigint, a bigint, b bigint, scorer text, weights_version int,
    probability double precision, weight double precision, tier text, action text,
    merge_at double precision, flag_at double precision, review_at double precision,
    signals jsonb, vetoes text[], cause text);
CREATE TYPE contact.review_row AS (
    tenant_id bigint, a bigint, b bigint, signals jsonb, probability double precision,
    tier text, decision_id bigint);
