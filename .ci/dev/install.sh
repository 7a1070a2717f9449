# What has to be on the machine. Each piece that is missing is named with its reason before it is installed.

MISSING=()

# install_for PURPOSE: what `rules` (tests without anything), `database` (tests with one), `build`, `run` or `test` (all of them) need.
install_for() {
  need_room
  need_debian_packages "$1"
  need_rust
  case $1 in
    build | run | test)
      need_node
      need_npm_packages
      need_wasm_target
      need_wasm_bindgen
      ;;
    database) need_node ;;
  esac
  [ -f dist/manifest.json ] || empty_dist
}

# A full disk fails tests in strange places, long after it could have been said. What CI keeps can be compiled again.
need_room() {
  local free
  free=$(gigabytes_free)
  if [ "$free" -lt 5 ] && [ -n "$KEPT" ] && [ -d "$TARGET" ]; then
    say "Only $free GB are free: what was compiled before is removed, and everything is compiled anew."
    rm -rf "$TARGET"
    free=$(gigabytes_free)
  fi
  [ "$free" -ge 5 ] || say "Only $free GB are free. Compiling everything and testing it takes about 12; make room if it ends with “No space left on device”."
}

gigabytes_free() {
  local at=$ROOT
  [ ! -d "$TARGET" ] || at=$TARGET
  df -Pk "$at" | awk 'NR == 2 { print int($4 / 1048576) }'
}

need_debian_packages() {
  MISSING=()
  have git || missing git "for the repositories of the demo and of the tests"
  have cc || missing build-essential "to link Rust programs"
  if [ "$1" != rules ]; then
    have curl || missing curl "to see that servers answer"
    have node || missing nodejs "for the OpenID provider and the browser's assets"
    have npm || missing npm "to install what those need"
  fi
  needs_postgres "$1" && ! find_postgres &&
    missing postgresql "for a private database under .dev/ (Debian starts one of its own as well, which stays unused)"
  [ "$1" = test ] && ! find_chromium && missing chromium "for the tests in a browser"
  install_debian_packages

  if needs_postgres "$1"; then
    find_postgres || fail "No PostgreSQL 15 or newer. Install one and put its bin folder on the PATH (found: ${PG_FOUND:-none})."
  fi
  if [ "$1" = test ]; then
    find_chromium || fail "No Chromium. Install one, or name it: CHROMIUM=/path/to/chromium ./dev test"
  fi
}

needs_postgres() { [ "$1" != rules ] && [ "$1" != build ]; }

missing() {
  say "Missing: $1, $2."
  MISSING+=("$1")
}

install_debian_packages() {
  [ ${#MISSING[@]} -gt 0 ] || return 0
  have apt-get || fail "This is no Debian or Ubuntu. Please install these by hand, then try again: ${MISSING[*]}"
  local as_administrator=()
  if ! is_root; then
    have sudo || fail "There is no sudo here. As root run: apt-get install ${MISSING[*]}"
    as_administrator=(sudo)
    # Without a terminal sudo cannot ask for a password.
    [ -t 0 ] || sudo -n true 2>/dev/null || fail "sudo asks for a password. Please run: sudo apt-get install ${MISSING[*]}"
    sudo -v
  fi
  say "Installing ${MISSING[*]} …"
  quietly apt-update ${as_administrator[@]+"${as_administrator[@]}"} apt-get update
  quietly apt-install ${as_administrator[@]+"${as_administrator[@]}"} env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends "${MISSING[@]}"
}

# Sets PG_BIN to the folder of the newest PostgreSQL that is new enough.
find_postgres() {
  local folder version best=0
  PG_FOUND=
  for folder in /usr/lib/postgresql/*/bin "$(dirname "$(command -v initdb 2>/dev/null || echo /none/initdb)")"; do
    [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] || continue
    version=$("$folder/postgres" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')
    PG_FOUND="$PG_FOUND $folder ($version)"
    if [ "$version" -ge 15 ] && [ "$version" -gt "$best" ]; then
      best=$version
      PG_BIN=$folder
    fi
  done
  [ "$best" -gt 0 ]
}

# Sets CHROMIUM.
find_chromium() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    if [ -n "$name" ] && have "$name"; then
      CHROMIUM=$(command -v "$name")
      return 0
    fi
  done
  return 1
}

need_node() {
  local version
  version=$(node --version | sed -E 's/v([0-9]+).*/\1/')
  [ "$version" -ge 20 ] || fail "Node $version is too old: the OpenID provider and Playwright need 20 or newer. Please install a newer one."
}

need_rust() {
  local version
  have cargo || fail "No Rust. Please install it with rustup (https://rustup.rs) or your packages; 1.94 or newer is needed."
  version=$(rustc --version | cut -d ' ' -f 2)
  at_least "$version" 1.94 || fail "Rust $version is too old; 1.94 or newer is needed. With rustup: rustup update stable"
}

# at_least HAVE WANT: compares two versions.
at_least() {
  [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

need_npm_packages() {
  local lock
  lock=$(sha256sum end2end/package-lock.json | cut -d ' ' -f 1)
  [ "$(cat end2end/node_modules/.lock-hash 2>/dev/null)" != "$lock" ] || return 0
  say "Installing the npm packages of end2end/: the OpenID provider, Playwright, and the tools for stylesheet and WebAssembly …"
  quietly npm-ci env PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm --prefix end2end ci
  printf '%s\n' "$lock" >end2end/node_modules/.lock-hash
}

need_wasm_bindgen() {
  local version
  version=$(locked_version wasm-bindgen)
  [ "$("$TOOLS/wasm-bindgen" --version 2>/dev/null)" != "wasm-bindgen $version" ] || return 0
  say "Installing wasm-bindgen-cli $version, which has to equal the wasm-bindgen of Cargo.lock (about 2 minutes, once) …"
  # Without --locked: what its own lock names is old. CI's target folder would only fill up with it.
  quietly wasm-bindgen env -u CARGO_TARGET_DIR cargo install wasm-bindgen-cli --version "$version" --root "$(dirname "$TOOLS")" --bin wasm-bindgen --force
}

locked_version() {
  grep -A 1 "^name = \"$1\"$" Cargo.lock | sed -nE 's/^version = "(.*)"$/\1/p' | head -n 1
}

# A build without assets must still compile: what the server embeds is then an empty site.
empty_dist() {
  mkdir -p dist
  printf '{}\n' >dist/manifest.json
}
