-- Who said what people say of companies (ADR 0087): as of every order that a user gives.
ALTER TABLE contact.org_source_record ALTER COLUMN captured_by SET DEFAULT contact.acting_user();
