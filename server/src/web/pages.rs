//! Mounts the pages and the calls of `app`, and hands them what they may use.

use app::{
    pages::theme_of,
    shell::{Shell, ShellProps},
};
use axum::{Router, http::request::Parts};
use leptos::{
    config::LeptosOptions,
    context::{provide_context, use_context},
    nonce::Nonce as PageNonce,
};
use leptos_axum::{LeptosRoutes, generate_route_list};
use leptos_router::SsrMode;

use super::{assets, headers::Nonce, problem::nothing_here};

/// Every page and every call of a form, the built site, and a page for what is not there.
pub fn pages(site: app::caller::Site) -> Router {
    let names = assets::names();
    let shell = move || {
        Shell(ShellProps {
            assets: names.clone(),
            theme: use_context().unwrap_or_default(),
        })
    };
    // Leptos asks for its options and uses none of them: names, nonces and addresses are ours.
    let options = LeptosOptions::builder().output_name("countersign").build();
    Router::new()
        .leptos_routes_with_context(
            &options,
            generate_route_list(shell.clone()),
            move || request_context(&site),
            shell,
        )
        .merge(assets::assets())
        .fallback(nothing_here)
        .with_state(options)
}

/// The address of every page, as the router knows it, and how it is rendered.
#[must_use]
pub fn listing() -> Vec<(String, SsrMode)> {
    let shell = || {
        Shell(ShellProps {
            assets: assets::names(),
            theme: use_context().unwrap_or_default(),
        })
    };
    generate_route_list(shell)
        .into_iter()
        .map(|route| (route.path().to_owned(), route.mode().clone()))
        .collect()
}

/// What a page or a call may read of the request, beside its parts, which Leptos provides.
fn request_context(site: &app::caller::Site) {
    provide_context(site.clone());
    let Some(parts) = use_context::<Parts>() else {
        return;
    };
    provide_context(theme_of(&parts.headers));
    if let Some(Nonce(nonce)) = parts.extensions.get::<Nonce>() {
        provide_context(PageNonce::from_value(nonce.clone()));
    }
}
