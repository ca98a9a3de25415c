-- The bare skeleton's tables: nine rows in seven tables for a new person, three for a known one.
CREATE TABLE inbox (signal_id bigint PRIMARY KEY, payload bytea NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE contact (id bigint PRIMARY KEY, public_id text COLLATE "C" NOT NULL UNIQUE, first_name text, last_name text, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE identifier (kind smallint NOT NULL, value text COLLATE "C" NOT NULL, contact_id bigint NOT NULL, PRIMARY KEY (kind, value));
CREATE INDEX identifier_contact ON identifier (contact_id);
CREATE TABLE email (contact_id bigint NOT NULL, email text COLLATE "C" NOT NULL, PRIMARY KEY (contact_id, email));
CREATE TABLE phone (contact_id bigint NOT NULL, phone text COLLATE "C" NOT NULL, PRIMARY KEY (contact_id, phone));
CREATE TABLE event (contact_id bigint NOT NULL, version bigint NOT NULL, payload jsonb NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (contact_id, version));
CREATE TABLE outbox (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL, value bytea NOT NULL);
CREATE SEQUENCE contact_ids INCREMENT 1000;
