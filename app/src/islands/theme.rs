//! Light, dark, or as the system says; at once where there is a script, by a form where there is none.

use leptos::{prelude::*, server_fn::ServerFn, wasm_bindgen::JsCast};
use web_sys::HtmlDocument;

use crate::actions::{SetTheme, Theme};

/// Three buttons that say which is chosen. With a script nothing is sent: the same cookie is written here, and the page,
/// with whatever somebody has typed into it, stays.
#[island]
pub fn ThemeSwitch(chosen: Theme) -> impl IntoView {
    let now = RwSignal::new(chosen);
    view! {
        <form action=SetTheme::PATH method="post">
            <fieldset class="pick">
                <legend class="vh">"Colours"</legend>
                <Choice theme=Theme::System now label="As the system"/>
                <Choice theme=Theme::Light now label="Light"/>
                <Choice theme=Theme::Dark now label="Dark"/>
            </fieldset>
        </form>
    }
}

#[component]
fn Choice(theme: Theme, now: RwSignal<Theme>, label: &'static str) -> impl IntoView {
    let pressed = move || if now.get() == theme { "true" } else { "false" };
    let choose = move |event: leptos::ev::MouseEvent| {
        if choose(theme).is_some() {
            event.prevent_default();
            now.set(theme);
        }
    };
    view! { <button name="theme" value=theme.word() aria-pressed=pressed on:click=choose>{label}</button> }
}

/// Keeps and paints it; none where that cannot be done here, and the form is sent after all.
fn choose(theme: Theme) -> Option<()> {
    let root = document().document_element()?;
    document()
        .dyn_into::<HtmlDocument>()
        .ok()?
        .set_cookie(&theme.cookie())
        .ok()?;
    match theme {
        Theme::System => root.remove_attribute("data-theme").ok(),
        chosen => root.set_attribute("data-theme", chosen.word()).ok(),
    }
}
