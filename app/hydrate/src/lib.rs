//! The only WebAssembly module: it starts the islands of `app` in the browser.

// Without this name in use the linker would leave the islands out.
use app as _;

/// Called once by the page's start script; it then wakes each island that the page holds.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
