-- Who it was: a transaction that carries out a person's order says so by `kith.user_id`, and what
-- it writes names the user (spec 004, changed_by and merged_by; spec 003, actor_id).  As a default
-- it costs statements that many rows go through 0.1 us a row, and no one forgets it.

-- step: the acting user
CREATE FUNCTION contact.acting_user() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN NULLIF(current_setting('kith.user_id', true), '')::bigint;
COMMENT ON FUNCTION contact.acting_user() IS 'Number of the user in app.user_account whose order this transaction carries out; null: nobody''s in particular, or a machine.';

-- step: audit
ALTER TABLE contact.contact_field_audit ALTER COLUMN changed_by SET DEFAULT contact.acting_user();

-- step: merges
ALTER TABLE contact.contact_merge_log ALTER COLUMN merged_by SET DEFAULT contact.acting_user();

-- step: merges of companies
ALTER TABLE contact.org_merge_log ALTER COLUMN merged_by SET DEFAULT contact.acting_user();

-- step: judgements
ALTER TABLE contact.identity_judgement ALTER COLUMN decided_by SET DEFAULT contact.acting_user();

-- step: relations of companies
ALTER TABLE contact.org_relation ALTER COLUMN created_by SET DEFAULT contact.acting_user();

-- step: settings
ALTER TABLE contact.match_settings ALTER COLUMN created_by SET DEFAULT contact.acting_user();
ALTER TABLE contact.match_weights ALTER COLUMN created_by SET DEFAULT contact.acting_user();

-- step: events
ALTER TABLE contact.contact_event
    ALTER COLUMN actor_id SET DEFAULT contact.acting_user()::text;

-- step: events of companies
ALTER TABLE contact.organisation_event
    ALTER COLUMN actor_id SET DEFAULT contact.acting_user()::text;

-- step: commands
ALTER TABLE contact.command_log ADD COLUMN ordered_by bigint;
ALTER TABLE contact.command_log ALTER COLUMN ordered_by SET DEFAULT contact.acting_user();
COMMENT ON COLUMN contact.command_log.ordered_by IS 'The user in app.user_account; null: nobody''s in particular. Events that it led to name the command as their cause.';
