-- Young tables grow by half within seconds: they are not analysed for every tenth of it, and what no
-- statement compares is not looked at. New versions of rows stay on their page (HOT) and are cleared
-- there; a vacuum for every twentieth row read all that had just been written.

-- step: contacts
ALTER TABLE read.contact_view
    SET (autovacuum_analyze_scale_factor = 0.5, autovacuum_vacuum_scale_factor = 0.2),
    ALTER COLUMN detail SET STATISTICS 0;

-- step: timelines
ALTER TABLE read.timeline SET (autovacuum_analyze_scale_factor = 0.5),
    ALTER COLUMN summary SET STATISTICS 0;
