//! The drawings that a page uses, once; everything else refers to them by name.

use leptos::prelude::*;

/// Every symbol: an icon (`i-`, stroked) or a verdict (`v-`, filled; six shapes, so colour is never alone).
const SYMBOLS: &str = concat!(
    r#"<symbol id="i-logo" viewBox="0 0 20 20"><path d="M2.5 17.25h15" stroke-width="1.25"/><path d="M3.5 12.5 7 4.5" stroke-width="1.25"/><path d="m8.25 13.75 7.5-11" stroke-width="2.75"/></symbol>"#,
    r#"<symbol id="i-search" viewBox="0 0 16 16"><circle cx="7" cy="7" r="4.25"/><path d="m10.25 10.25 3.25 3.25"/></symbol>"#,
    r#"<symbol id="i-next" viewBox="0 0 16 16"><path d="m6 3.5 4.5 4.5L6 12.5"/></symbol>"#,
    r#"<symbol id="i-pen" viewBox="0 0 16 16"><path d="M2.5 13.5h11M4 10.5l.5-2.5 6-6 2 2-6 6z"/></symbol>"#,
    r#"<symbol id="v-approved" viewBox="0 0 16 16"><path fill-rule="evenodd" d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm3.9 4.3 1.15 1.1-5.6 5.8-3.5-3.3 1.1-1.2 2.35 2.2z"/></symbol>"#,
    r#"<symbol id="v-waiting" viewBox="0 0 16 16"><path fill-rule="evenodd" d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.6a5.4 5.4 0 0 1 5.4 5.4H2.6A5.4 5.4 0 0 1 8 2.6Z"/></symbol>"#,
    r#"<symbol id="v-rejected" viewBox="0 0 16 16"><path fill-rule="evenodd" d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1zM5.6 4.5 4.5 5.6 6.9 8l-2.4 2.4 1.1 1.1L8 9.1l2.4 2.4 1.1-1.1L9.1 8l2.4-2.4-1.1-1.1L8 6.9z"/></symbol>"#,
    r#"<symbol id="v-overridden" viewBox="0 0 16 16"><path fill-rule="evenodd" d="m8 .6 7.4 7.4L8 15.4.6 8zM7.2 4.4v4.4h1.6V4.4zm0 5.6v1.6h1.6V10z"/></symbol>"#,
    r#"<symbol id="v-unknown" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="2.6 2.3"/><path d="M6.1 6.6c0-1.2.8-1.9 1.95-1.9s1.95.7 1.95 1.7c0 1.4-1.85 1.5-1.85 3" fill="none" stroke="currentColor" stroke-width="1.4"/><circle cx="8.1" cy="11.3" r=".9"/></symbol>"#,
    r#"<symbol id="v-not_required" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M5 7.25h6v1.5H5z"/></symbol>"#,
);

/// Stands once at the top of a page.
#[component]
pub fn Sprite() -> impl IntoView {
    view! { <svg width="0" height="0" aria-hidden="true" focusable="false" class="vh" inner_html=SYMBOLS></svg> }
}

/// An icon, for people who can see; a word stands beside it.
#[component]
pub fn Icon(name: &'static str) -> impl IntoView {
    view! { <svg class="i" aria-hidden="true"><use href=format!("#i-{name}")></use></svg> }
}
