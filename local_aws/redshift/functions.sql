-- Functions that Amazon Redshift has and PostgreSQL has not, in a schema at the end of the search path.
CREATE SCHEMA IF NOT EXISTS redshift_functions;
GRANT USAGE ON SCHEMA redshift_functions TO PUBLIC;

CREATE OR REPLACE FUNCTION redshift_functions.round(value double precision, places integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.round(value::numeric, places)::double precision;

CREATE OR REPLACE FUNCTION redshift_functions.trunc(value double precision, places integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.trunc(value::numeric, places)::double precision;

CREATE OR REPLACE FUNCTION redshift_functions.strtol(digits text, base integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        SELECT sum((strpos('0123456789abcdefghijklmnopqrstuvwxyz', lower(substr(digits, place, 1))) - 1)
            * power(base::numeric, length(digits) - place))
        FROM generate_series(1, length(digits)) AS place
    )::bigint;

CREATE OR REPLACE FUNCTION redshift_functions.json_extract_path_text(document text, VARIADIC path text[]) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN document::json #>> path;
