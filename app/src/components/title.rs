//! What stands in the browser's tab.

use leptos::prelude::*;

/// `leptos_meta` 0.8 writes a title into the head as it is, so a change named `</title><script>` would run. We escape it.
#[component]
pub fn PageTitle(#[prop(into)] text: String) -> impl IntoView {
    view! { <leptos_meta::Title text=escaped(&format!("{text} · Countersign"))/> }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_end_itself() {
        assert_eq!(
            escaped("</title><b>&amp;"),
            "&lt;/title&gt;&lt;b&gt;&amp;amp;"
        );
    }
}
