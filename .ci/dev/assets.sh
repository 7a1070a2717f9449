# What a browser gets: the islands as WebAssembly, the stylesheet and its files, in dist/ under names that carry their content.

# build_assets: does nothing when nothing that goes into them has changed.
build_assets() {
  local inputs version
  inputs=$({ checksum_of app style Cargo.toml end2end/package-lock.json .ci/assets.mjs .ci/dev/assets.sh; locked_version wasm-bindgen; rustc --version; } | sha256sum)
  if [ "$(cat "$STATE/assets-of" 2>/dev/null)" = "$inputs$(sha256sum <dist/manifest.json)" ]; then
    return 0
  fi
  say "Building the browser's half …"
  cargo_for_browser build --package hydrate --profile wasm-release
  bind_wasm
  node .ci/assets.mjs "$TARGET/browser" style dist
  mkdir -p "$STATE"
  printf '%s\n' "$inputs$(sha256sum <dist/manifest.json)" >"$STATE/assets-of"
}

bind_wasm() {
  local out=$TARGET/browser
  rm -rf "$out"
  "$TOOLS/wasm-bindgen" --target web --no-typescript --out-name countersign --out-dir "$out" "$TARGET/$WASM/wasm-release/hydrate.wasm"
  # The features are those that rustc's own output already asks of a browser.
  end2end/node_modules/.bin/wasm-opt -Oz --enable-bulk-memory --enable-bulk-memory-opt --enable-nontrapping-float-to-int --enable-sign-ext \
    --enable-mutable-globals --enable-reference-types --enable-multivalue --enable-call-indirect-overlong \
    "$out/countersign_bg.wasm" --output "$out/countersign.wasm"
  rm "$out/countersign_bg.wasm"
}

# build: the release binary with everything inside.
build() {
  [ $# -eq 0 ] || misuse "build takes no arguments, not “$*”."
  install_for build
  build_assets
  cargo build --release --package server
  say
  say "Built $(du -h "$TARGET/release/countersign" | cut -f 1)B: $TARGET/release/countersign"
  page_weight
}

page_weight() { node .ci/page-weight.mjs dist; }
