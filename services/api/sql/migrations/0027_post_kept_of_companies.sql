-- app.find_kept_of_company says more.
DROP FUNCTION IF EXISTS app.find_company_bindings(bigint, bigint, text);
