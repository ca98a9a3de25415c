-- The resolver takes orders of people over HTTP, and checks their keys by itself.
GRANT EXECUTE ON FUNCTION app.find_api_key(text) TO kith_resolver;
