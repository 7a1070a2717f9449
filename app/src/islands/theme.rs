//! Light, dark, or as the system says; at once where there is a script, by a form where there is none.

use leptos::{form::ActionForm, prelude::*};

use crate::actions::{SetTheme, Theme};

/// Three buttons that say which is chosen.
#[island]
pub fn ThemeSwitch(chosen: Theme) -> impl IntoView {
    let set = ServerAction::<SetTheme>::new();
    let now = Memo::new(move |before: Option<&Theme>| match set.input().get() {
        Some(asked) => asked.theme,
        None => before.copied().unwrap_or(chosen),
    });
    Effect::new(move |_| paint(now.get()));

    view! {
        <ActionForm action=set>
            <fieldset class="pick">
                <legend class="vh">"Colours"</legend>
                <Choice theme=Theme::System now label="As the system"/>
                <Choice theme=Theme::Light now label="Light"/>
                <Choice theme=Theme::Dark now label="Dark"/>
            </fieldset>
        </ActionForm>
    }
}

#[component]
fn Choice(theme: Theme, now: Memo<Theme>, label: &'static str) -> impl IntoView {
    let pressed = move || if now.get() == theme { "true" } else { "false" };
    view! { <button name="theme" value=theme.word() aria-pressed=pressed>{label}</button> }
}

/// Effects run in the browser only, so this never paints on the server.
fn paint(theme: Theme) {
    if let Some(root) = document().document_element() {
        // Where the attribute cannot be set, the page keeps its colours until it is loaded again.
        let _ = match theme {
            Theme::System => root.remove_attribute("data-theme"),
            chosen => root.set_attribute("data-theme", chosen.word()),
        };
    }
}
