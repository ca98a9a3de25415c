-- What rows were sent as before they had derived columns.
DROP TYPE read.contact_row;
