# `./dev up` and `./dev watch`: Countersign on this machine, with data that stays.

UP_PORT=
UP_FRESH=

up() {
  up_arguments "$@"
  up_start
  up_greeting
  children_watch
}

# watch: the same, and after each change of a file the server is built and started again.
watch() {
  local built
  up_arguments "$@"
  up_start
  up_greeting
  while true; do
    touch "$STATE/built"
    children_watch sources_changed
    say "Something changed; building …"
    # Not as a condition: bash would then go on after the first thing that fails.
    set +e
    (set -e && up_build)
    built=$?
    set -e
    if [ "$built" -eq 0 ]; then
      children_stop server
      server_start "$TARGET/fast/countersign"
      say "Running again."
    fi
  done
}

sources_changed() {
  [ -n "$(find app server migrations style Cargo.toml -newer "$STATE/built" -type f -print -quit)" ]
}

up_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --fresh) UP_FRESH=yes ;;
      --port)
        [ $# -gt 1 ] || misuse "--port needs a number."
        UP_PORT=$2
        shift
        ;;
      --port=*) UP_PORT=${1#--port=} ;;
      *) misuse "up does not know “$1”." ;;
    esac
    shift
  done
  [ -z "$UP_PORT" ] || { [[ $UP_PORT =~ ^[0-9]{1,5}$ ]] && [ "$UP_PORT" -ge 1 ] && [ "$UP_PORT" -le 65535 ]; } ||
    misuse "“$UP_PORT” is no port; it has to be a number between 1 and 65535."
}

up_start() {
  only_one up
  install_for run
  recall
  up_end_leftovers
  [ -z "$UP_FRESH" ] || up_forget
  up_ports
  up_build
  stop_world_at_exit
  PG_FIRST_PORT=${PG_LAST_PORT:-54600} postgres_start pg
  remember PG_LAST_PORT "$PG_PORT"
  [ "$PG_HOME" = "$STATE/pg" ] || say "The database lies in $PG_HOME, because PostgreSQL does not run as root and its user cannot reach this folder."
  database_create countersign
  world_settings "$STATE" countersign
  provider_start
  server_start "$TARGET/fast/countersign"
  remember_children
  up_demo
}

up_build() {
  build_assets
  cargo build --profile fast --package server
}

up_forget() {
  say "Starting over: the database and the demo are deleted."
  postgres_remove pg
  rm -rf "$STATE/demo" "$STATE/demo-done" "$STATE/people.json" "$STATE/env"
  unset PROVIDER_PORT PG_PASSWORD OWNER_PASSWORD APP_PASSWORD OIDC_SECRET PG_LAST_PORT
}

up_ports() {
  # The people of a database are known by their provider's address, so that one cannot move later.
  if [ -n "${PROVIDER_PORT:-}" ]; then
    port_is_free "$PROVIDER_PORT" || fail "Port $PROVIDER_PORT is in use by another program, and the people in the database are known by the OpenID
provider at that port. Stop that program, or start over with: ./dev up --fresh"
  fi

  if [ -n "$UP_PORT" ]; then
    port_is_free "$UP_PORT" || fail "Port $UP_PORT is in use by another program. Name another one, or leave --port out."
    [ "$UP_PORT" != "${PROVIDER_PORT:-}" ] || fail "Port $UP_PORT is that of the OpenID provider. Name another one, or leave --port out."
    SERVER_PORT=$UP_PORT
  else
    SERVER_PORT=$(free_port 3000 "${PROVIDER_PORT:-}")
    [ "$SERVER_PORT" = 3000 ] || say "Port 3000 is in use; Countersign takes $SERVER_PORT."
  fi

  if [ -z "${PROVIDER_PORT:-}" ]; then
    PROVIDER_PORT=$(free_port 3001 "$SERVER_PORT")
    [ "$PROVIDER_PORT" = 3001 ] || say "Port 3001 is in use; the OpenID provider takes $PROVIDER_PORT."
    remember PROVIDER_PORT "$PROVIDER_PORT"
  fi
}

# After a `kill -9` of this script its servers still run. They are ended by the pids written down, if those still are what they were.
up_end_leftovers() {
  local pid name
  [ -f "$STATE/children" ] || return 0
  while IFS=: read -r pid name; do
    if cat "/proc/$pid/cmdline" 2>/dev/null | tr '\0' ' ' | grep -qE 'countersign serve|provider\.mjs'; then
      say "Ending the $name that an earlier run left behind."
      kill "$pid" 2>/dev/null || true
      until_true 10 is_gone "$pid" || kill -9 "$pid"
    fi
  done <"$STATE/children"
  rm -f "$STATE/children"
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }

remember_children() { printf '%s\n' "${CHILDREN[@]}" >"$STATE/children"; }

up_demo() {
  [ ! -f "$STATE/demo-done" ] || return 0
  say "Making a demo week from real git repositories …"
  if (quietly demo make_demo "$TARGET/fast/countersign" "$STATE/demo"); then
    touch "$STATE/demo-done"
  else
    say "The demo week is not complete. The next ./dev up goes on with it; ./dev up --fresh starts over."
  fi
}

up_greeting() {
  say
  say "Countersign runs at $SERVER_URL"
  say
  say "Sign in as one of these; Halden SSO has a button for each and asks for no password:"
  node -e '
    const people = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
    const wide = (key) => Math.max(...people.map((person) => person[key].length));
    for (const { login, name, note } of people) console.log(`  ${login.padEnd(wide("login"))}  ${name.padEnd(wide("name"))}  ${note}`);
  ' "$PEOPLE_FILE"
  say
  say "Logs are in $LOGS. Ctrl-C stops everything; the data stays."
}
