-- Row types that no statement uses any more: blocks and terms travel as an array per column.
DROP TYPE IF EXISTS contact.block_name, contact.blocking_row, contact.term_name, contact.term_row;
