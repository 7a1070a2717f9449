//! The way out at the provider too: a form, so that the ID token that names the session stands in no address, no log and no
//! history (OpenID Connect RP-Initiated Logout 1.0, section 2).

use leptos::{nonce::use_nonce, prelude::*};

use crate::{
    components::sprite::Icon,
    shell::{Look, alone},
};

/// What ends a session at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOut {
    /// Where the form is sent.
    pub to: String,
    /// Names and values of what it says.
    pub says: Vec<(&'static str, String)>,
}

/// The document for somebody who is signed out here and about to be at the provider. It sends itself where scripts run.
pub fn sign_out_page(provider: &str, out: SignOut, look: Look) -> String {
    let provider = provider.to_owned();
    alone("Signed out", look, move || slip(&provider, out).into_any())
}

fn slip(provider: &str, out: SignOut) -> impl IntoView + use<> {
    let says = out.says.into_iter();
    view! {
        <main id="main" class="alone">
            <section class="slip" aria-labelledby="h">
                <p class="brand"><Icon name="logo"/> "Countersign"</p>
                <div>
                    <h1 id="h">"You are signed out here"</h1>
                    <p class="note">{format!("At {provider} you still are. End that session too if others use this browser.")}</p>
                </div>
                <form method="post" action=out.to class="acts">
                    {says.map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()}
                    <button class="btn solid">{format!("Sign out of {provider}")}</button>
                    <a class="btn" href="/sign-in">"Stay signed in there"</a>
                </form>
            </section>
        </main>
        <script nonce=use_nonce()>"document.forms[0].requestSubmit()"</script>
    }
}
