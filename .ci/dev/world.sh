# A whole Countersign with its OpenID provider, for `up`, `watch` and the browser's stories: start, wait, stop.

# Where the changes of the demo are.
DEMO_REPOSITORIES='payments/*,payouts/*,risk/*,checkout/*,platform/*,support/*'

# What was started here and still runs, newest first, as pid:name.
CHILDREN=()

# world_settings FOLDER DATABASE: every setting of the server, from SERVER_PORT, PROVIDER_PORT and the cluster that runs.
world_settings() {
  remember_secret OIDC_SECRET
  SERVER_URL=http://127.0.0.1:$SERVER_PORT
  PROVIDER_URL=http://127.0.0.1:$PROVIDER_PORT
  PEOPLE_FILE=$1/people.json
  export DATABASE_URL COUNTERSIGN_OWNER_URL
  DATABASE_URL=$(app_url "$2")
  COUNTERSIGN_OWNER_URL=$(owner_url "$2")
  export COUNTERSIGN_LISTEN=127.0.0.1:$SERVER_PORT COUNTERSIGN_URL=$SERVER_URL
  export COUNTERSIGN_OIDC_ISSUER=$PROVIDER_URL COUNTERSIGN_OIDC_CLIENT_ID=countersign COUNTERSIGN_OIDC_CLIENT_SECRET=$OIDC_SECRET
  export COUNTERSIGN_OIDC_NAME="Halden SSO"
  export COUNTERSIGN_LEVEL_GROUPS=junior=eng-junior,mid=eng-mid,senior=eng-senior
  export COUNTERSIGN_TEAM_GROUPS=payments=team-payments,platform=team-platform
  # One machine is everybody here: the demo and the stories do in a minute what a company does in a week.
  export COUNTERSIGN_LIMIT_SIGN_IN=6000 COUNTERSIGN_LIMIT_SUBMIT=60000 COUNTERSIGN_LIMIT_DECIDE=6000
  export COUNTERSIGN_ADMIN_GROUPS=countersign-admins COUNTERSIGN_MANAGER_GROUPS=eng-managers
}

provider_start() {
  mkdir -p "$(dirname "$PEOPLE_FILE")"
  [ -f "$PEOPLE_FILE" ] || cp end2end/people.json "$PEOPLE_FILE"
  child provider env PORT="$PROVIDER_PORT" ISSUER="$PROVIDER_URL" CLIENT_SECRET="$OIDC_SECRET" PEOPLE="$PEOPLE_FILE" \
    REDIRECT_URIS="$SERVER_URL/auth/callback" node end2end/provider.mjs
  until_true 30 answers "$PROVIDER_URL/.well-known/openid-configuration" || child_failed provider
}

# server_start BINARY
server_start() {
  quietly migrate "$1" migrate
  child server "$1" serve
  until_true 30 answers "$SERVER_URL/readyz" || child_failed server
}

# make_demo BINARY FOLDER: a week of changes and decisions, sent to the server that runs.
make_demo() {
  local token
  token=$("$1" token create --name demo --scope submit --repository "$DEMO_REPOSITORIES" --expires 1d)
  COUNTERSIGN_TOKEN=$token "$1" demo --server "$SERVER_URL" --provider "$PROVIDER_URL" --dir "$2"
}

# child NAME COMMAND…: runs in the background, its output in a log.
child() {
  local name=$1
  shift
  mkdir -p "$LOGS"
  NO_COLOR=1 "$@" >"$LOGS/$name.log" 2>&1 </dev/null 9>&- &
  CHILDREN=("$!:$name" ${CHILDREN[@]+"${CHILDREN[@]}"})
}

child_failed() {
  tail -n 20 "$LOGS/$1.log" >&2
  fail "The $1 does not answer (all of its output: $LOGS/$1.log)."
}

# children_stop [NAME]: ends all, or the one, and waits for them.
children_stop() {
  local entry left=()
  for entry in ${CHILDREN[@]+"${CHILDREN[@]}"}; do
    if [ -z "${1:-}" ] || [ "${entry#*:}" = "$1" ]; then
      kill "${entry%%:*}" 2>/dev/null || true
      wait "${entry%%:*}" 2>/dev/null || true
    else
      left+=("$entry")
    fi
  done
  CHILDREN=(${left[@]+"${left[@]}"})
}

# children_watch: returns when one of them has ended, and says which.
children_watch() {
  local entry
  while true; do
    for entry in "${CHILDREN[@]}"; do
      if ! kill -0 "${entry%%:*}" 2>/dev/null; then
        tail -n 20 "$LOGS/${entry#*:}.log" >&2
        fail "The ${entry#*:} has ended (all of its output: $LOGS/${entry#*:}.log)."
      fi
    done
    ! "${1:-false}" || return 0
    sleep 0.5
  done
}

world_stop() {
  children_stop
  postgres_stop
}

# At the end of this script, however it comes: nothing that it started goes on.
stop_world_at_exit() {
  trap world_stop EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}
