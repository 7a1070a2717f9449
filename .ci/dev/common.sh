# What every part of `./dev` uses: words, waiting, ports, and what is remembered between runs.

CACHE=${XDG_CACHE_HOME:-${HOME:?}/.cache}/countersign
STATE=$ROOT/.dev
LOGS=$STATE/log
TOOLS=$CACHE/tools/bin

# CI keeps what it compiled outside of the checkout, which is new each time.
KEPT=
if [ "${CI:-}" = true ] && [ -z "${CARGO_TARGET_DIR:-}" ]; then
  export CARGO_TARGET_DIR=$CACHE/target KEPT=yes
  # Which part of a crate changed is of use to whoever compiles it again in a minute, and takes gigabytes.
  export CARGO_INCREMENTAL=0
fi
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}

# Queries are checked against the committed .sqlx data; a database of the caller's must not change what is built.
export SQLX_OFFLINE=true
unset DATABASE_URL

say() { printf '%s\n' "$*"; }

fail() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

misuse() {
  printf 'dev: %s `./dev help` lists what there is.\n' "$*" >&2
  exit 2
}

have() { command -v "$1" >/dev/null 2>&1; }

is_root() { [ "$(id -u)" -eq 0 ]; }

# quietly NAME COMMAND…: runs it with its output in a log, and shows the end of that when it fails.
quietly() {
  local log=$LOGS/$1.log started=$SECONDS
  shift
  mkdir -p "$LOGS"
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    fail "This failed: $* (all of its output: $log)"
  fi
  [ $((SECONDS - started)) -lt 10 ] || say "  took $((SECONDS - started)) s"
}

# until_true SECONDS COMMAND…: asks ten times a second; false when time is up.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

port_is_free() {
  node -e 'require("net").createServer().on("error", () => process.exit(1)).listen(+process.argv[1], "127.0.0.1", () => process.exit(0))' "$1"
}

# free_port FIRST [TAKEN]: the first free port from FIRST on that is not TAKEN, which may be free still but is spoken for.
free_port() {
  local port=$1
  until [ "$port" != "${2:-}" ] && port_is_free "$port"; do
    port=$((port + 1))
    [ "$port" -lt $(($1 + 200)) ] || fail "No free port between $1 and $port."
  done
  printf '%s\n' "$port"
}

answers() { curl --silent --fail --max-time 2 --output /dev/null "$1"; }

secret() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }

# checksum_of PATH…: one hash over the names and contents of all files below.
checksum_of() {
  find "$@" -type f -not -path '*/node_modules/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1
}

# remember NAME VALUE: sets the variable and keeps it, secrets among them, in .dev/env for the next run.
remember() {
  local file=$STATE/env
  mkdir -p "$STATE"
  [ -f "$file" ] || (umask 077 && : >"$file")
  { grep -v "^$1=" "$file" || true; printf '%s=%q\n' "$1" "$2"; } >"$file.new"
  chmod 600 "$file.new" && mv "$file.new" "$file"
  printf -v "$1" %s "$2"
}

# recall: the variables of the last runs.
recall() {
  # shellcheck source=/dev/null
  [ ! -f "$STATE/env" ] || source "$STATE/env"
}

# remember_secret NAME: makes it once.
remember_secret() {
  [ -n "${!1:-}" ] || remember "$1" "$(secret)"
}

# only_one COMMAND: two of it at once would share one database folder. Descriptor 9 holds the lock; children are started without it.
only_one() {
  mkdir -p "$STATE"
  have flock || return 0
  exec 9>"$STATE/$1.lock"
  flock -n 9 || fail "./dev $1 runs in this checkout already. Stop it there first, with Ctrl-C."
}
