-- Filters see the numbers and times that `shared/events/custom_field.py` takes for such (ADR 0089):
-- numbers that readers of JSON hold as they are written, and times of the years 1000 to 2999.

-- Read as a double and written again it is the same (RFC 7493, 2.2). Not inlined: its argument, which
-- is read out of a document, would be so once for every time that it is named.
CREATE FUNCTION read.exact_number(written text) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    found numeric;
BEGIN
    IF NOT pg_input_is_valid(written, 'double precision') THEN
        RETURN NULL;
    END IF;
    found := written::numeric;
    IF abs(found) <= 9007199254740991 AND written::double precision::text::numeric = found THEN
        RETURN found;
    END IF;
    RETURN NULL;
END;
$$;

CREATE OR REPLACE FUNCTION read.field_number(value json) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN json_typeof(value) = 'number' THEN read.exact_number(value #>> '{}')
    WHEN json_typeof(value) = 'string'
        AND read.field_text(value) ~ '^[+-]?[0-9]{1,29}(\.[0-9]{1,20})?$'
        THEN read.exact_number(read.field_text(value))
END;

CREATE OR REPLACE FUNCTION read.field_datetime(value json) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN read.field_text(value) ~ ('^[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]'
            || '(:[0-5][0-9](\.[0-9]{1,6})?)?(Z|[+-](0[0-9]|1[0-5]):[0-5][0-9])$')
        AND pg_input_is_valid(read.field_text(value), 'timestamptz')
        THEN CASE
            WHEN read.field_text(value)::timestamptz
                <@ tstzrange('1000-01-01T00:00:00Z', '3000-01-01T00:00:00Z')
                THEN read.field_text(value)::timestamptz
        END
END;
