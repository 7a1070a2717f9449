# Private PostgreSQL clusters: one that keeps the demo's data, and throw-away ones for tests and measurements.

# postgres_start NAME [SETTING…]: makes the cluster when there is none, starts it, and sets PG_HOME and PG_PORT.
# Its superuser is `postgres` with the password PG_PASSWORD.
postgres_start() {
  local name=$1
  shift
  remember_secret PG_PASSWORD
  PG_HOME=$(postgres_home "$name")
  if [ ! -f "$PG_HOME/data/PG_VERSION" ]; then
    postgres_create "$@"
  fi
  # One that a killed run left behind is used further, where it is.
  if ! as_postgres "$PG_BIN/pg_ctl" -D "$PG_HOME/data" status >/dev/null 2>&1; then
    PG_PORT=$(free_port "${PG_FIRST_PORT:-54600}")
    as_postgres "$PG_BIN/pg_ctl" -D "$PG_HOME/data" -l "$PG_HOME/log" -o "-p $PG_PORT" -w -t 60 start >/dev/null </dev/null 9>&- ||
      fail "PostgreSQL did not start: $(tail -n 5 "$PG_HOME/log")"
  fi
  PG_PORT=$(sed -n 4p "$PG_HOME/data/postmaster.pid")
}

postgres_stop() {
  [ -z "${PG_HOME:-}" ] || as_postgres "$PG_BIN/pg_ctl" -D "$PG_HOME/data" -m fast -w stop >/dev/null 2>&1 || true
}

# postgres_remove NAME: stops the cluster and deletes it with its data.
postgres_remove() {
  PG_HOME=$(postgres_home "$1")
  [ -d "$PG_HOME" ] || return 0
  postgres_stop
  rm -rf "$PG_HOME"
}

postgres_create() {
  local setting
  rm -rf "$PG_HOME"
  mkdir -p "$PG_HOME"
  ! is_root || chown postgres "$PG_HOME"
  (umask 077 && printf '%s\n' "$PG_PASSWORD" >"$PG_HOME/password")
  ! is_root || chown postgres "$PG_HOME/password"
  mkdir -p "$LOGS"
  as_postgres "$PG_BIN/initdb" -D "$PG_HOME/data" --username=postgres --pwfile="$PG_HOME/password" --auth=scram-sha-256 --encoding=UTF8 --locale=C \
    >"$LOGS/initdb.log" 2>&1 || fail "initdb did not work: $(tail -n 5 "$LOGS/initdb.log")"
  rm -f "$PG_HOME/password"
  for setting in "listen_addresses = '127.0.0.1'" "unix_socket_directories = ''" "max_connections = 200" "timezone = 'UTC'" "$@"; do
    printf '%s\n' "$setting" >>"$PG_HOME/data/postgresql.conf"
  done
}

# Where a cluster lies. PostgreSQL refuses to run as root; then it is `postgres`, who may be unable to reach the checkout.
postgres_home() {
  mkdir -p "$STATE"
  if ! is_root || as_postgres test -x "$STATE"; then
    printf '%s\n' "$STATE/$1"
  else
    printf '%s\n' "/var/tmp/countersign-$(printf %s "$ROOT" | sha256sum | cut -c 1-12)-$1"
  fi
}

as_postgres() {
  if is_root; then
    id postgres >/dev/null 2>&1 || fail "PostgreSQL does not run as root, and there is no user “postgres” to run it as. Run ./dev as an ordinary user."
    (cd / && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

# sql DATABASE [ARGUMENTS…]: psql as the superuser; the statements come on standard input.
sql() {
  local database=$1
  shift
  PGPASSWORD=$PG_PASSWORD PGOPTIONS=--client-min-messages=warning "$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$PG_PORT" -U postgres -d "$database" "$@"
}

superuser_url() { printf 'postgres://postgres:%s@127.0.0.1:%s/%s\n' "$PG_PASSWORD" "$PG_PORT" "$1"; }

# database_create NAME: a database of the owner's role; prints nothing and does nothing when it is there.
database_create() {
  remember_secret OWNER_PASSWORD
  remember_secret APP_PASSWORD
  if [ -z "$(sql postgres -At -c "select 1 from pg_roles where rolname = 'countersign_owner'")" ]; then
    printf "create role countersign_owner login createrole password '%s';\n" "$OWNER_PASSWORD" | sql postgres
  fi
  if [ -z "$(sql postgres -At -c "select 1 from pg_database where datname = '$1'")" ]; then
    printf 'create database "%s" owner countersign_owner;\n' "$1" | sql postgres
  fi
}

owner_url() { printf 'postgres://countersign_owner:%s@127.0.0.1:%s/%s\n' "$OWNER_PASSWORD" "$PG_PORT" "$1"; }
app_url() { printf 'postgres://countersign:%s@127.0.0.1:%s/%s\n' "$APP_PASSWORD" "$PG_PORT" "$1"; }
