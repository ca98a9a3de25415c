"""People as the APIs of address books and CRMs write them, as contact signals."""
