-- One plan for all contacts, made once a connection: each is looked up by its key, and making a plan
-- takes longer than reading the contact.
ALTER FUNCTION app.find_score(bigint, bigint, text) SET plan_cache_mode = 'force_generic_plan';
