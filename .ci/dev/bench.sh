# `./dev bench`: the figures, one a line; each ratio is against a reference measured in the same run.

# Connections and seconds of each measurement.
BENCH_CONNECTIONS=32
BENCH_SECONDS=10

bench() {
  local name=${1:-} figures=(page-weight verdict marks pages gate gate-latency submit intake)
  [ $# -le 1 ] || misuse "bench takes one name, not “$*”."
  if [ -n "$name" ]; then
    [[ " ${figures[*]} " = *" $name "* ]] || misuse "There is no figure “$name”; there are ${figures[*]}."
    figures=("$name")
  fi
  only_one bench
  if [ "${figures[*]}" = verdict ]; then
    bench_verdict
    return
  fi
  if [ "${figures[*]}" = marks ]; then
    bench_marks
    return
  fi
  install_for run
  build_assets >&2
  if [ "${figures[*]}" = page-weight ]; then
    page_weight
    return
  fi
  recall
  cargo build --release --package server --bin countersign --example load >&2
  stop_world_at_exit
  bench_world >&2
  for name in "${figures[@]}"; do
    "bench_${name//-/_}"
  done
}

# A cluster with PostgreSQL's own settings for durability, the demo, and 100,000 changes cloned from it.
bench_world() {
  postgres_remove bench-pg
  postgres_start bench-pg "shared_buffers = 1GB" "max_wal_size = 4GB"
  printf 'create database reference;\n' | sql postgres
  PGPASSWORD=$PG_PASSWORD quietly pgbench-init pgbench_here -i -s 20
  database_create bench
  SERVER_PORT=$(free_port 4200)
  PROVIDER_PORT=$(free_port 4201 "$SERVER_PORT")
  rm -rf "$STATE/bench"
  world_settings "$STATE/bench" bench
  bench_host
  provider_start
  RUST_LOG=warn server_start "$TARGET/release/countersign"
  say "Making the demo, and 100,000 changes like those in it …"
  quietly demo make_demo "$TARGET/release/countersign" "$STATE/bench/demo"
  BENCH_TOKEN=$("$TARGET/release/countersign" token create --name bench --scope submit,gate --repository "$DEMO_REPOSITORIES,bench/*" 2>/dev/null)
  bench_templates
  sql bench <.ci/bench/seed.sql
  sql bench -At -F ' ' -c 'select repository, head, verdict from bench.question order by random()' >"$STATE/bench/questions"
  printf 'vacuum analyze;\ncheckpoint;\n' | sql bench
}

# Which of the demo's changes are waiting, approved and rejected is what the gate says of them.
bench_templates() {
  printf 'create schema bench;\ncreate table bench.template (revision_id uuid, verdict text);\n' | sql bench
  printf 'create table bench.size as select 100000 as changes;\n' | sql bench
  local repository head revision verdict
  sql bench -At -F ' ' -c "select name, head, standing.revision_id from standing join repository on repository.id = standing.repository_id" |
    while read -r repository head revision; do
      verdict=$(curl --silent --get -H "Authorization: Bearer $BENCH_TOKEN" --data-urlencode "repository=$repository" --data-urlencode "commit=$head" \
        "$SERVER_URL/api/v1/gate" | sed -nE 's/.*"verdict":"([a-z_]+)".*/\1/p')
      printf '%s\t%s\n' "$revision" "$verdict"
    done >"$STATE/bench/templates"
  sql bench -c '\copy bench.template from pstdin' <"$STATE/bench/templates"
}

bench_page_weight() { page_weight; }

bench_verdict() {
  local name median
  cargo bench --quiet --package domain --bench verdict >&2
  for name in verdict verdict-waiting verdict-matching-once; do
    median=$(node -p "require('${CARGO_TARGET_DIR:-$ROOT/target}/criterion/$name/new/estimates.json').median.point_estimate / 1000")
    printf '%s %.1f us\n' "$name" "$median"
  done
}

bench_marks() {
  cargo bench --quiet --package domain --bench marks >&2
  # Eight messages are judged in one round.
  node -p "'marks ' + (require('${CARGO_TARGET_DIR:-$ROOT/target}/criterion/marks/commits/new/estimates.json').median.point_estimate / 8e6 * 100).toFixed(1) + ' s for 100,000 commits'"
}

bench_gate() {
  local ours reference
  ours=$(load gate "127.0.0.1:$SERVER_PORT" "$BENCH_TOKEN" "$STATE/bench/questions" "$BENCH_SECONDS" "$BENCH_CONNECTIONS")
  reference=$(pgbench_per_second -S -M prepared)
  ratio gate "$(figure "$ours" per_second)" answers/s "$reference" transactions/s
}

bench_gate_latency() {
  local ours
  ours=$(load gate "127.0.0.1:$SERVER_PORT" "$BENCH_TOKEN" "$STATE/bench/questions" "$BENCH_SECONDS" "$BENCH_CONNECTIONS" 500)
  printf 'gate-p50-at-500 %.2f ms\ngate-p99-at-500 %.2f ms\n' "$(figure "$ours" p50_ms)" "$(figure "$ours" p99_ms)"
}

bench_submit() {
  local ours reference
  ours=$(load submit "127.0.0.1:$SERVER_PORT" "$BENCH_TOKEN" bench/submit "$BENCH_SECONDS" "$BENCH_CONNECTIONS")
  reference=$(pgbench_per_second -N)
  ratio submit "$(figure "$ours" per_second)" changes/s "$reference" transactions/s
}

# The load generator plays this host while it measures.
bench_host() {
  BENCH_HOST=127.0.0.1:$(free_port 4300)
  export COUNTERSIGN_GITHUB_API=http://$BENCH_HOST COUNTERSIGN_GITHUB_TOKEN=bench COUNTERSIGN_GITHUB_REPOSITORIES=bench/intake
  export COUNTERSIGN_GITHUB_HOOK_SECRET=the-secret-of-the-bench
}

# Deliveries that are stored, and how long it takes from one until the gate knows the head that it tells of.
bench_intake() {
  local ours reference
  ours=$(load deliveries "127.0.0.1:$SERVER_PORT" "$COUNTERSIGN_GITHUB_HOOK_SECRET" "$BENCH_SECONDS" "$BENCH_CONNECTIONS")
  reference=$(pgbench_per_second -N)
  ratio intake "$(figure "$ours" per_second)" deliveries/s "$reference" transactions/s
  printf 'intake-p99 %.1f ms\n' "$(figure "$ours" p99_ms)"
  until_true 900 deliveries_are_done
  ours=$(load heads "127.0.0.1:$SERVER_PORT" "$COUNTERSIGN_GITHUB_HOOK_SECRET" "$BENCH_TOKEN" "$BENCH_HOST" "$BENCH_SECONDS" 50)
  printf 'head-known-p50-at-50 %.0f ms\nhead-known-p99-at-50 %.0f ms\n' "$(figure "$ours" p50_ms)" "$(figure "$ours" p99_ms)"
}

deliveries_are_done() { [ "$(sql bench -At -c "select count(*) from delivery where due_at is not null")" = 0 ]; }

# One connection: the time of the server, without waiting for each other.
bench_pages() {
  local cookie change ours
  cookie=$(signed_in_cookie ben)
  change=$(sql bench -At -c 'select change_id from revision where id in (select revision_id from bench.template) order by added + removed desc limit 1')
  ours=$(load page "127.0.0.1:$SERVER_PORT" "$cookie" / 5 1)
  printf 'queue-page-p50 %.1f ms\nqueue-page-p99 %.1f ms\n' "$(figure "$ours" p50_ms)" "$(figure "$ours" p99_ms)"
  ours=$(load page "127.0.0.1:$SERVER_PORT" "$cookie" "/changes/$change" 5 1)
  printf 'change-page-3000-lines-p50 %.1f ms\nchange-page-3000-lines-p99 %.1f ms\n' "$(figure "$ours" p50_ms)" "$(figure "$ours" p99_ms)"
}

# load ARGUMENTS…: the load generator's line; a wrong answer is a failure, however fast it was.
load() {
  local line
  line=$("$TARGET/release/examples/load" "$@")
  [ "$(figure "$line" wrong)" = 0 ] || fail "Wrong answers: $line"
  printf '%s\n' "$line"
}

# figure JSON NAME
figure() { node -p 'JSON.parse(process.argv[1])[process.argv[2]]' "$1" "$2"; }

# ratio NAME OURS UNIT REFERENCE UNIT
ratio() {
  node -e '
    const [name, ours, unit, reference, of] = process.argv.slice(1);
    console.log(`${name} ratio ${(ours / reference).toFixed(3)} (ours ${Math.round(ours)} ${unit}, reference ${Math.round(reference)} ${of})`);
  ' "$@"
}

pgbench_here() { "$PG_BIN/pgbench" -h 127.0.0.1 -p "$PG_PORT" -U postgres "$@" reference; }

pgbench_per_second() {
  PGPASSWORD=$PG_PASSWORD pgbench_here -n -c "$BENCH_CONNECTIONS" -j 2 -T "$BENCH_SECONDS" "$@" 2>/dev/null | sed -nE 's/^tps = ([0-9.]+).*/\1/p'
}

# signed_in_cookie LOGIN: the Cookie header of somebody who signed in at the provider just now.
signed_in_cookie() {
  local jar=$STATE/bench/cookies page
  rm -f "$jar"
  page=$(curl --silent --fail --location --cookie-jar "$jar" --cookie "$jar" --output /dev/null --write-out '%{url_effective}' "$SERVER_URL/auth/start?next=/")
  curl --silent --fail --location --cookie-jar "$jar" --cookie "$jar" --output /dev/null --data "login=$1" "$page"
  # Cookies know no ports: the provider's are in the same jar, and do no harm.
  awk '/^(#HttpOnly_)?127/ { printf "%s%s=%s", separator, $6, $7; separator = "; " }' "$jar"
}
