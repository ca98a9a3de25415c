-- A row type that no statement uses any more: what was published is deleted by two arrays.
DROP TYPE IF EXISTS contact.outbox_name;
