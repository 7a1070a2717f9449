//! The one page for strangers: who vouches for them, and where they will come back to.

use leptos::prelude::*;

use super::encoded;
use crate::components::{
    sprite::{Icon, Sprite},
    text::Theirs,
    title::PageTitle,
};

/// Everything that the page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInPage {
    /// What the provider is called, such as `Halden SSO`.
    pub provider: String,
    /// A local path to come back to.
    pub next: String,
    /// Why the last try failed.
    pub failed: Option<Failed>,
}

/// Why signing in failed. Closed: an address cannot put words on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The browser came back without what it was sent away with: another tab, another browser, too late.
    Lost,
    /// The provider said no, or something that does not add up.
    Refused,
    /// The provider does not answer.
    Unreachable,
    /// Too many tries.
    TooOften,
    /// An operator deactivated them.
    Inactive,
}

impl Failed {
    /// The failure of that word in the address.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "lost" => Some(Failed::Lost),
            "refused" => Some(Failed::Refused),
            "unreachable" => Some(Failed::Unreachable),
            "too-often" => Some(Failed::TooOften),
            "inactive" => Some(Failed::Inactive),
            _ => None,
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Failed::Lost => {
                "That sign-in was begun elsewhere or too long ago, so it was not finished. Begin again here."
            }
            Failed::Refused => {
                "The provider did not vouch for you in a way that can be checked. Nobody was signed in."
            }
            Failed::Unreachable => "The provider does not answer. Try again in a minute.",
            Failed::TooOften => "Too many tries. Wait a minute, then begin again.",
            Failed::Inactive => "Your account here is not active. An operator can activate it.",
        }
    }
}

/// The whole page.
pub fn show(page: SignInPage) -> AnyView {
    let SignInPage {
        provider,
        next,
        failed,
    } = page;
    let back = (next != "/").then(|| next.clone());
    view! {
        <PageTitle text="Sign in"/>
        <a class="skip" href="#main">"Skip to content"</a>
        <Sprite/>
        <main id="main" class="alone">
            <section class="slip" aria-labelledby="h">
                <p class="brand"><Icon name="logo"/> "Countersign"</p>
                <div>
                    <h1 id="h">"Sign in"</h1>
                    <p class="note">{format!("What you decide here is recorded under the identity that {provider} vouches for.")}</p>
                </div>
                {failed.map(|failed| view! { <p class="told" role="alert">{failed.sentence()}</p> })}
                <p class="note">"Your name is shown as your company knows it. No password is asked or kept here."</p>
                <a class="btn solid" href=format!("/auth/start?next={}", encoded(&next))>{format!("Continue with {provider}")}</a>
                {back.map(|path| view! { <p class="dim">"You will come back to " <code><Theirs text=path/></code> "."</p> })}
            </section>
        </main>
    }
    .into_any()
}
