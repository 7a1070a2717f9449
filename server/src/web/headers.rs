//! The headers that tell a browser what our pages may do.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use crate::settings::Settings;

/// What a browser has to know about where it is.
#[derive(Clone, Debug)]
pub struct Site {
    /// Whether people reach us by https: then they are told never to come by anything else.
    pub https: bool,
    /// Scheme, host and port of the sign-in provider, where the sign-out form may lead.
    pub provider: Option<Arc<str>>,
}

impl Site {
    /// Where these settings put us.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let provider = url::Url::parse(&settings.provider.issuer)
            .ok()
            .map(|issuer| issuer.origin().ascii_serialization().into());
        Self {
            https: settings.site.is_https(),
            provider,
        }
    }
}

/// The one-time word of a response: a script runs only if it carries it.
#[derive(Clone, Debug)]
pub struct Nonce(pub Arc<str>);

/// Makes the nonce that a page will use, and puts the guarding headers on whatever comes back.
pub async fn guarding_headers(
    State(site): State<Site>,
    mut request: Request,
    next: Next,
) -> Response {
    let nonce = Nonce(leptos::nonce::Nonce::new().as_inner().clone());
    request.extensions_mut().insert(nonce.clone());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        set(headers, name, HeaderValue::from_static(value));
    }
    if site.https {
        set(
            headers,
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=63072000; includeSubDomains"),
        );
    }
    if let Ok(policy) = HeaderValue::from_str(&content_security_policy(&site, &nonce)) {
        set(headers, header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A handler that knows better keeps what it said: assets cache for good, the API's own pages load their own scripts.
fn set(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    headers.entry(name).or_insert(value);
}

const FIXED: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Forms without a script lead back to the page they came from, so our own pages see the whole address and others nothing.
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), \
         microphone=(), midi=(), payment=(), serial=(), usb=(), browsing-topics=()",
    ),
    // Pages show what one person may see, as it is now.
    (header::CACHE_CONTROL, "no-store"),
];

fn content_security_policy(site: &Site, Nonce(nonce): &Nonce) -> String {
    let provider = site
        .provider
        .as_ref()
        .map(|origin| format!(" {origin}"))
        .unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'{provider}; \
         frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_may_lead_to_us_and_to_the_provider_and_scripts_need_the_nonce() {
        let site = Site {
            https: true,
            provider: Some("https://sso.halden.example".into()),
        };
        let policy = content_security_policy(&site, &Nonce("n0nce".into()));
        assert!(
            policy.contains("form-action 'self' https://sso.halden.example;"),
            "{policy}"
        );
        assert!(
            policy.contains("script-src 'nonce-n0nce' 'strict-dynamic' 'wasm-unsafe-eval';"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe-inline"), "{policy}");
    }
}
