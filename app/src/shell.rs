//! The document around every page: what it links, what it starts, and the colours it has before any script runs.

use std::sync::Arc;

use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::{MetaTags, provide_meta_context};

use crate::{actions::Theme, pages::Pages};

/// Where the built site lies: hashed names, known since the binary was built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assets {
    /// Path of the one stylesheet.
    pub css: Option<Arc<str>>,
    /// Path of the module that loads the islands.
    pub js: Option<Arc<str>>,
    /// Path of the islands themselves.
    pub wasm: Option<Arc<str>>,
}

/// Wakes the islands when the browser has time. The same walk as Leptos's own start script, without what we do not use
/// (a router, nested pages), and with names that are known at build time instead of read from a file beside the binary.
const START: &str = include_str!("start.js");

/// A whole document. `Pages` reads what it needs from the request; the shell needs only names and the theme.
#[component]
pub fn Shell(assets: Assets, theme: Theme) -> impl IntoView {
    provide_meta_context();
    view! {
        <Document assets theme head=|| view! { <MetaTags/> }.into_any()>
            <Pages/>
        </Document>
    }
}

/// The same document for what answers before any page runs: a path that nobody knows, a body that is too large.
#[component]
pub fn Document(
    assets: Assets,
    theme: Theme,
    #[prop(into)] head: ViewFnOnce,
    children: Children,
) -> impl IntoView {
    // A `data-theme` that says nothing would still be matched by CSS that asks whether it is there.
    let chosen = (theme != Theme::System).then(|| theme.word());
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=chosen>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="data:,"/>
                {assets.css.clone().map(|css| view! { <link rel="stylesheet" href=css.to_string()/> })}
                {start(&assets)}
                {head.run()}
            </head>
            <body>{children()}</body>
        </html>
    }
}

fn start(assets: &Assets) -> Option<impl IntoView + use<>> {
    let (js, wasm) = (
        assets.js.as_deref()?.to_owned(),
        assets.wasm.as_deref()?.to_owned(),
    );
    let nonce = use_nonce();
    Some(view! {
        <link rel="modulepreload" href=js.clone() nonce=nonce.clone()/>
        <link rel="preload" href=wasm.clone() r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
        <script type="module" nonce=nonce inner_html=format!("{START}({js:?}, {wasm:?})")></script>
    })
}
