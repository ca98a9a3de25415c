-- The registry of custom fields gets a writer (spec 003, 12 and 23.2; ADR 0089), and smart groups
-- theirs (ADR 0096).  The tables of 0005 hold no row that a release wrote: names become those that
-- clients use.

-- step: types
ALTER TYPE contact.field_type RENAME VALUE 'timestamp' TO 'datetime';
ALTER TYPE contact.field_type RENAME VALUE 'choice' TO 'select';
ALTER TYPE contact.field_type RENAME VALUE 'choices' TO 'multi_select';

-- step: money
ALTER TYPE contact.field_type ADD VALUE IF NOT EXISTS 'currency';

-- step: columns
ALTER TABLE contact.custom_field RENAME COLUMN choices TO options;
ALTER TABLE contact.custom_field
    ADD COLUMN currency text CHECK (currency ~ '^[A-Z]{3}$'),
    ADD COLUMN description text CHECK (char_length(description) <= 10000),
    ADD COLUMN is_required boolean NOT NULL DEFAULT false,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
COMMENT ON TABLE contact.custom_field IS 'What the values of a workspace''s own fields have to be; the values are in custom_fields of the bindings, as people and sources said them.';
COMMENT ON COLUMN contact.custom_field.key IS 'What sources and custom_fields call it; never changed.';
COMMENT ON COLUMN contact.custom_field.currency IS 'ISO 4217, of a field of money.';
COMMENT ON COLUMN contact.custom_field.is_required IS 'A person may not take its value away.';

-- step: money has a currency
ALTER TABLE contact.custom_field ADD CHECK ((type = 'currency') = (currency IS NOT NULL));

-- step: readers
GRANT SELECT ON contact.custom_field TO kith_api;
