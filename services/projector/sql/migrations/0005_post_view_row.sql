-- What rows were sent as before their lists became texts.
DROP TYPE read.view_row;
