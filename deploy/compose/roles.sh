#!/usr/bin/env bash
# Makes kith's database roles and gives each its password; running it again changes only passwords.
# Passwords come from the environment (KITH_<ROLE>_PASSWORD): psql reads them itself, so that none is
# in the argument list of a process.
set -euo pipefail
export PGOPTIONS="--client-min-messages=warning"

psql --no-psqlrc --set ON_ERROR_STOP=1 --quiet --file "$(dirname "$0")/../sql/roles.sql"

roles="migrator resolver relay projector indexer enricher ingest api cli"
for role in $roles; do
    variable="KITH_${role^^}_PASSWORD"
    [ -n "${!variable:-}" ] || { echo "roles: $variable is empty" >&2; exit 2; }
    psql --no-psqlrc --set ON_ERROR_STOP=1 --quiet <<SQL
\getenv secret $variable
ALTER ROLE kith_$role PASSWORD :'secret';
SQL
done
echo "roles: ready"
