# `./dev test`: each check is a step with its time; all of them run, also after a failure, and the end says what failed.

STEPS=()
FAILED=
RELEASE=
LONG=

run_tests() {
  local part=all argument
  for argument in "$@"; do
    case $argument in
      rules | store | http | races | browser)
        [ "$part" = all ] || misuse "test takes one part, not $part and $argument."
        part=$argument
        ;;
      --release) RELEASE=yes ;;
      --long) LONG=yes ;;
      *) misuse "test does not know “$argument”; its parts are rules, store, http, races and browser." ;;
    esac
  done
  [ -z "$LONG" ] || [ "$part" = races ] || misuse "only the races have a long form."
  only_one test
  case $part in
    rules) install_for rules ;;
    store | http | races) install_for database ;;
    *) install_for test ;;
  esac
  recall
  [ "$part" = rules ] || PG_HOME=$(postgres_home test-pg)
  stop_world_at_exit
  "test_$part"
  tests_summary
  [ "$part" != races ] || races_line
}

test_all() {
  step "formatting" cargo fmt --all --check
  step "shell scripts" check_shell
  step "invariants of the design" node .ci/invariants.mjs
  step "licences" node .ci/licences.mjs
  step "unused dependencies" node .ci/unused-dependencies.mjs
  step "lints, server half" cargo clippy --workspace --exclude hydrate --all-targets -- -D warnings
  step "lints, browser half" lint_browser_half
  step "test database" test_database
  step "queries match the schema" check_queries
  step "tests" cargo_tests --workspace --exclude hydrate
  test_browser
}

test_rules() {
  step "rules" cargo_tests --package domain
}

test_store() {
  step "test database" test_database
  step "store" cargo_tests --package store
}

test_http() {
  step "test database" test_database
  step "server and pages" cargo_tests --package server --package app
}

# The long form is optimised a little, since the servers are what takes the time.
test_races() {
  if [ -n "$LONG" ]; then
    export COUNTERSIGN_RACES_TRIES=${COUNTERSIGN_RACES_TRIES:-100000}
    step "races, the long form" races --profile fast
  else
    step "races" races
  fi
}

test_browser() {
  step "assets" build_assets
  step "page weight" page_weight
  step "server for the browser" build_tested_server
  step "stories in Chromium" browser_stories
}

# step NAME COMMAND…: runs it in a subshell, so that it ends where it fails, and notes how long it took.
step() {
  local name=$1 started=$SECONDS code result=passed
  shift
  printf '\n== %s\n' "$name"
  set +e
  (
    trap - EXIT INT TERM HUP
    set -e
    "$@"
  )
  code=$?
  set -e
  if [ "$code" -ne 0 ]; then
    result=FAILED
    FAILED=yes
  fi
  STEPS+=("$(printf '%-28s %-7s %5d s' "$name" "$result" $((SECONDS - started)))")
  printf '== %s: %s in %d s\n' "$name" "$result" $((SECONDS - started))
}

tests_summary() {
  printf '\n'
  printf '%s\n' "${STEPS[@]}"
  [ -z "$FAILED" ] || fail "Not everything passed, after $SECONDS s."
  say "All ${#STEPS[@]} steps passed in $SECONDS s."
}

check_shell() {
  local file
  for file in dev .ci/run .ci/second-opinion .ci/dev/*.sh; do bash -n "$file"; done
}

lint_browser_half() {
  cargo_for_browser clippy --package hydrate -- -D warnings
  cargo_for_browser clippy --package app --features hydrate -- -D warnings
}

# A cluster for this run alone, quick because nobody needs its data after a crash.
test_database() {
  postgres_remove test-pg
  postgres_start test-pg "fsync = off" "synchronous_commit = off" "full_page_writes = off" "max_connections = 400"
}

# The committed .sqlx has to be what these queries give against these migrations, no more and no less.
check_queries() {
  if ! grep -rqE 'query(_as|_scalar)?!' server/store/src; then
    say "There are no checked queries yet."
    return 0
  fi
  join_test_database
  local made=$STATE/sqlx file
  rm -rf "$made" && mkdir -p "$made"
  printf 'drop database if exists queries with (force);\ncreate database queries;\n' | sql postgres
  for file in migrations/*.sql; do sql queries -1 <"$file"; done
  # Cargo does not know that the macros read a database.
  touch server/store/src/lib.rs
  SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$made DATABASE_URL=$(superuser_url queries) cargo check --package store --all-targets
  diff -r "$made" server/store/.sqlx ||
    fail "server/store/.sqlx is not what the queries give. Copy the files from $made there, and remove those it lacks."
}

# cargo_tests ARGUMENTS…: with nextest where it is, else with cargo; documentation's examples too.
cargo_tests() {
  if join_test_database; then
    DATABASE_URL=$(superuser_url postgres)
    export DATABASE_URL
  fi
  export INSTA_UPDATE=no
  if cargo nextest --version >/dev/null 2>&1; then
    cargo test --doc --quiet "$@"
    cargo nextest run --no-fail-fast --no-tests=pass "$@"
  else
    cargo test --no-fail-fast "$@"
  fi
}

# A step has its own shell: this finds the cluster that an earlier step started.
join_test_database() {
  recall
  PG_HOME=$(postgres_home test-pg)
  [ -f "$PG_HOME/data/postmaster.pid" ] || return 1
  PG_PORT=$(sed -n 4p "$PG_HOME/data/postmaster.pid")
}

# They start a database of their own, which remembers when each transaction was committed.
races() {
  cargo test "$@" --package server --test races -- --nocapture --test-threads 1 | tee "$STATE/races.log"
}

# What they came to, once more as the last line.
races_line() {
  grep -E '^races: .* overlapping$' "$STATE/races.log" | tail -n 1
}

build_tested_server() {
  if [ -n "$RELEASE" ]; then
    cargo build --release --package server
  else
    cargo build --profile fast --package server
  fi
}

# Countersign, its provider and a database of their own; the stories get to know all three from the environment.
browser_stories() {
  local profile=fast
  [ -z "$RELEASE" ] || profile=release
  trap children_stop EXIT
  join_test_database || test_database
  SERVER_PORT=$(free_port 4100)
  PROVIDER_PORT=$(free_port 4101 "$SERVER_PORT")
  printf 'drop database if exists stories with (force);\n' | sql postgres
  database_create stories
  rm -rf "$STATE/stories"
  world_settings "$STATE/stories" stories
  provider_start
  server_start "$TARGET/$profile/countersign"
  export CHROMIUM PEOPLE_FILE PROVIDER_URL COUNTERSIGN_BINARY=$TARGET/$profile/countersign
  (cd end2end && npx --no-install playwright test)
}
