-- What a stored value of a custom field is by its type; null where it does not fit (ADR 0089).  The
-- rules of `shared/events/custom_field.py`, for filters: plain expressions, so that they are inlined.

-- A text, number or boolean without blanks around it.
CREATE FUNCTION read.field_text(value json) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN nullif(btrim(
    CASE WHEN json_typeof(value) IN ('string', 'number', 'boolean') THEN value #>> '{}' END,
    E' \t\r\n'), '');

CREATE FUNCTION read.field_number(value json) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN json_typeof(value) = 'number' AND abs((value #>> '{}')::numeric) < 1e29
        THEN (value #>> '{}')::numeric
    WHEN json_typeof(value) = 'string'
        AND read.field_text(value) ~ '^[+-]?[0-9]{1,29}(\.[0-9]{1,20})?$'
        THEN read.field_text(value)::numeric
END;

CREATE FUNCTION read.field_boolean(value json) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN lower(read.field_text(value)) IN ('true', 'yes', 'y', 'on', '1') THEN true
    WHEN lower(read.field_text(value)) IN ('false', 'no', 'n', 'off', '0') THEN false
END;

-- As text: under collation C, days of this form are ordered as their letters are.
CREATE FUNCTION read.field_date(value json) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN read.field_text(value) ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
        AND pg_input_is_valid(read.field_text(value), 'date')
        THEN read.field_text(value)
END;

CREATE FUNCTION read.field_datetime(value json) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN read.field_text(value) ~ ('^[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]'
            || '(:[0-5][0-9](\.[0-9]{1,6})?)?(Z|[+-](0[0-9]|1[0-5]):[0-5][0-9])$')
        AND pg_input_is_valid(read.field_text(value), 'timestamptz')
        THEN read.field_text(value)::timestamptz
END;

CREATE FUNCTION read.field_url(value json) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN char_length(read.field_text(value)) <= 2000
        AND read.field_text(value) ~ E'^[Hh][Tt][Tt][Pp][Ss]?://[^ \t\r\n/?#]+[^ \t\r\n]*$'
        THEN read.field_text(value)
END;

CREATE FUNCTION read.field_email(value json) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN char_length(read.field_text(value)) <= 254
        AND read.field_text(value) ~ E'^[^@ \t\r\n]+@[^@ \t\r\n]+\\.[^@ \t\r\n.]+$'
        THEN lower(read.field_text(value))
END;

CREATE FUNCTION read.field_phone(value json) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN translate(read.field_text(value), ' ().-/', '') ~ '^\+[1-9][0-9]{6,14}$'
        THEN translate(read.field_text(value), ' ().-/', '')
END;

-- The parts of a list, or of a text that lists them by semicolons.
CREATE FUNCTION read.field_parts(value json) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE json_typeof(value)
    WHEN 'array' THEN ARRAY(
        SELECT coalesce(read.field_text(part), '') FROM json_array_elements(value) AS part)
    WHEN 'string' THEN ARRAY(
        SELECT btrim(part, E' \t\r\n')
        FROM string_to_table(read.field_text(value), ';') AS part)
    ELSE ARRAY[read.field_text(value)]
END;
