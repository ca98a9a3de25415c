-- A company's history is read page by page since 0020; what was without bounds has no caller left.
DROP FUNCTION IF EXISTS app.find_company_events(bigint, bigint, text);
