# The standard library for WebAssembly, and the ways to get it: the ordinary one first, then those for machines out of rustup's reach.

WASM=wasm32-unknown-unknown

need_wasm_target() {
  local sysroot way
  has_wasm_target && return 0
  sysroot=$(rustc --print sysroot)
  say "Missing: Rust's standard library for $WASM, for the interactive parts of the pages."
  for way in with_rustup from_tarball from_rust_src with_rustc_web; do
    if "wasm_$way" "$sysroot"; then
      return 0
    fi
  done
  fail "No way was left to get the $WASM library. On a machine with network: rustup target add $WASM. Otherwise set COUNTERSIGN_WASM_STD to a
tarball of lib/rustlib/$WASM made for exactly this compiler: $(rustc --version)"
}

# Compiling something tells more than looking for files: a library of another compiler is refused here.
has_wasm_target() {
  local folder code=0
  folder=$(mktemp -d)
  printf 'fn main() {}' | rustc --target "$WASM" -o "$folder/out.wasm" - >"$folder/out" 2>&1 || code=1
  rm -rf "$folder"
  return "$code"
}

wasm_with_rustup() {
  have rustup || { say "  rustup target add: there is no rustup."; return 1; }
  say "  rustup target add $WASM …"
  mkdir -p "$LOGS"
  timeout 120 rustup target add "$WASM" >"$LOGS/rustup.log" 2>&1 </dev/null || { say "  did not work: $(tail -n 1 "$LOGS/rustup.log")"; return 1; }
  has_wasm_target
}

wasm_from_tarball() {
  local tarball=${COUNTERSIGN_WASM_STD:-} unpacked
  [ -n "$tarball" ] || { say "  COUNTERSIGN_WASM_STD names no tarball."; return 1; }
  [ -f "$tarball" ] || { say "  COUNTERSIGN_WASM_STD: there is no $tarball."; return 1; }
  have zstd || { MISSING=(); missing zstd "to unpack $tarball"; install_debian_packages; }
  say "  unpacking $tarball …"
  unpacked=$(mktemp -d "$1/lib/rustlib/.wasm.XXXXXX") || return 1
  zstd -dc "$tarball" | tar -x -C "$unpacked" && place_wasm_library "$unpacked/$WASM" "$1"
  rm -rf "$unpacked"
  has_wasm_target || { say "  it was made for another compiler than $(rustc --version)."; rm -rf "$1/lib/rustlib/$WASM"; return 1; }
}

# Puts a finished library into the sysroot in one step, so that a broken-off run leaves none or all of it.
place_wasm_library() {
  rm -rf "$2/lib/rustlib/$WASM" && mv "$1" "$2/lib/rustlib/$WASM"
}

# Debian's source of the standard library for this very version, built here with the compiler that is installed.
wasm_from_rust_src() {
  local version work
  have apt-get || { say "  Debian's rust-src: this is no Debian."; return 1; }
  version=$(rustc --version | cut -d ' ' -f 2)
  say "  looking for rust-src $version in Debian's trixie-backports …"
  work=$(mktemp -d)
  if download_rust_src "$version" "$work" && build_wasm_library "$version" "$work" "$1"; then
    rm -rf "$work"
    has_wasm_target
  else
    say "  did not work (see $LOGS/rust-src.log)."
    rm -rf "$work"
    return 1
  fi
}

# apt checks signatures for us; lists and sources of its own leave those of the system alone.
download_rust_src() {
  local mirror apt_version
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
  [ -n "$mirror" ] || return 1
  mkdir -p "$LOGS" "$2/lists/partial" "$2/cache/archives/partial"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s trixie-backports main\n' "$mirror" >"$2/sources.list"
  local options=(-o "Dir::Etc::SourceList=$2/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::Lists=$2/lists" -o "Dir::Cache=$2/cache")
  apt-get "${options[@]}" update >"$LOGS/rust-src.log" 2>&1 || return 1
  apt_version=$(apt-cache "${options[@]}" madison rust-src | awk '{ print $3 }' | grep -E "^$1[+~-]" | head -n 1)
  [ -n "$apt_version" ] || { say "  there is no rust-src $1."; return 1; }
  (cd "$2" && apt-get "${options[@]}" download "rust-src=$apt_version") >>"$LOGS/rust-src.log" 2>&1 || return 1
  dpkg-deb -x "$2"/rust-src_*.deb "$2/src"
}

build_wasm_library() {
  local library target=$2/target
  library=$(find "$2/src/usr/src" -maxdepth 2 -type d -name library | head -n 1)
  [ -n "$library" ] || return 1
  if [ ! -d "$3/lib/rustlib/src/rust/library" ]; then
    mkdir -p "$3/lib/rustlib/src/rust" && cp -r "$library" "$3/lib/rustlib/src/rust/library" || return 1
  fi
  say "  building it (under a minute) …"
  empty_crate "$2/crate"
  # Bitcode, or link-time optimisation cannot take the library in.
  (cd "$2/crate" && RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes CARGO_TARGET_DIR=$target \
    cargo build --release --target "$WASM" -Zbuild-std=std,panic_abort,panic_unwind,proc_macro) >>"$LOGS/rust-src.log" 2>&1 || return 1
  mkdir -p "$2/library/lib"
  cp "$target/$WASM"/release/deps/*.rlib "$2/library/lib/"
  rm -f "$2/library/lib/"libempty-*.rlib
  place_wasm_library "$2/library" "$3"
}

empty_crate() {
  mkdir -p "$1/src"
  printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n' >"$1/Cargo.toml"
  printf '\n' >"$1/src/lib.rs"
}

# Last: Debian's own compiler for browsers with the sources of its library, used for the browser half alone.
wasm_with_rustc_web() {
  have apt-get || { say "  Debian's rustc-web: this is no Debian."; return 1; }
  MISSING=()
  is_installed rustc-web || missing rustc-web "a compiler that comes with …"
  is_installed rust-web-src || missing rust-web-src "… the sources of its own library"
  (install_debian_packages) || return 1
  say "  using Debian's rustc-web for the browser half."
}

is_installed() { dpkg-query --show --showformat '${Status}' "$1" 2>/dev/null | grep -q "install ok installed"; }

# cargo_for_browser ARGUMENTS…: cargo for the WebAssembly target, with whichever compiler has its library.
cargo_for_browser() {
  local command=$1
  shift
  if has_wasm_target; then
    cargo "$command" --target "$WASM" "$@"
  elif [ "$command" = clippy ]; then
    say "Skipped: clippy belongs to a compiler without the $WASM library (rustc-web has no clippy)."
  else
    RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$(find "$(rustc --print sysroot)" -name rust-lld -type f | head -n 1) \
      cargo "$command" --target "$WASM" -Zbuild-std=std,panic_abort "$@"
  fi
}
