//! Keys for those who clear a queue all day: move, open, go to a field. Nothing is ever signed by a single key.

use leptos::{
    ev::{KeyboardEvent, keydown},
    prelude::*,
    wasm_bindgen::JsCast,
};
use serde::{Deserialize, Serialize};
use web_sys::{Element, HtmlElement};

/// A key that leads to one place on the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jump {
    /// The key.
    pub key: char,
    /// Which element gets the focus.
    pub to: String,
    /// What to call it.
    pub label: String,
}

impl Jump {
    /// From a page, which knows its own places.
    #[cfg(feature = "ssr")]
    pub fn new(key: char, to: &str, label: &str) -> Self {
        Self {
            key,
            to: to.to_owned(),
            label: label.to_owned(),
        }
    }
}

/// `j` and `k` move the focus among `items`, `o` opens the one that has it, and each jump goes to its place. The keys are
/// listed where there is room for them.
#[island]
pub fn Keys(items: String, jumps: Vec<Jump>, listed: bool) -> impl IntoView {
    let places = jumps.clone();
    Effect::new(move |_| {
        let (items, places) = (items.clone(), places.clone());
        let listening = window_event_listener(keydown, move |event| {
            if !is_for_us(&event) {
                return;
            }
            let key = event.key();
            let went = match key.as_str() {
                "j" => step(&items, 1),
                "k" => step(&items, -1),
                "o" => open(&items),
                key => places
                    .iter()
                    .any(|jump| key.chars().eq([jump.key]) && focus(&jump.to)),
            };
            if went {
                event.prevent_default();
            }
        });
        on_cleanup(move || listening.remove());
    });

    listed.then(|| {
        view! {
            <footer class="keys" aria-label="Keys">
                <span><kbd>"j"</kbd><kbd>"k"</kbd>"move"</span>
                <span><kbd>"o"</kbd>"open"</span>
                {jumps
                    .into_iter()
                    .map(|jump| view! { <span><kbd>{jump.key.to_string()}</kbd>{jump.label}</span> })
                    .collect_view()}
            </footer>
        }
    })
}

/// Not while somebody types, and not with a modifier, which belongs to the browser.
fn is_for_us(event: &KeyboardEvent) -> bool {
    let types = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
        .is_some_and(|element| {
            matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
        });
    let modified = event.ctrl_key() || event.alt_key() || event.meta_key();
    !types && !modified && !event.default_prevented()
}

fn all(selector: &str) -> Vec<HtmlElement> {
    let Ok(found) = document().query_selector_all(selector) else {
        return Vec::new();
    };
    (0..found.length())
        .filter_map(|n| found.item(n)?.dyn_into().ok())
        .collect()
}

fn step(items: &str, by: isize) -> bool {
    let items = all(items);
    let next = match items.iter().position(has_focus) {
        Some(at) => at.checked_add_signed(by),
        None => Some(0),
    };
    next.and_then(|next| items.get(next))
        .is_some_and(|item| item.focus().is_ok())
}

fn open(items: &str) -> bool {
    let at = all(items).into_iter().find(has_focus);
    at.inspect(HtmlElement::click).is_some()
}

fn focus(selector: &str) -> bool {
    all(selector)
        .first()
        .is_some_and(|place| place.focus().is_ok())
}

fn has_focus(item: &HtmlElement) -> bool {
    document()
        .active_element()
        .is_some_and(|active| active == **item)
}
