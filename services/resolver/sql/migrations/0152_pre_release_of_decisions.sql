-- A decision by the release's weights names the release: a later one brings others (ADR 0152).
ALTER TABLE contact.match_decision ADD COLUMN weights_release text;
COMMENT ON COLUMN contact.match_decision.weights_release IS 'The release whose weights decided; null: the tenant''s own (weights_version), none (spec), or the first release.';
