-- After a split a workspace may no longer know a contact that it knew while it was merged.
GRANT DELETE ON read.contact_view TO kith_projector;
