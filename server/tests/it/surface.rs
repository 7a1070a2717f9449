//! Every address that the server answers, and what strangers get there. A new route that is not in this list is found by it.

use crate::support::TestServer;
use leptos_router::SsrMode;
use reqwest::{Client, Method, Response, StatusCode, header, redirect::Policy};
use serde_json::Value;
use sqlx::PgPool;
use std::collections::BTreeSet;

/// What strangers get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// Everybody.
    All,
    /// People who are signed in: a page sends strangers to sign in.
    People,
    /// Machines with a token: strangers get a problem.
    Machines,
    /// The page of signing in hands on to the provider; there is none in these tests.
    SignIn,
}

/// Everything that is not a page, a call of a form, or in `/openapi.json`.
const FIXED: &[(&str, &str, For)] = &[
    ("GET", "/livez", For::All),
    ("GET", "/readyz", For::All),
    ("GET", "/auth/callback", For::SignIn),
    ("POST", "/sign-out", For::People),
    ("GET", "/openapi.json", For::People),
    ("GET", "/docs/", For::People),
    ("GET", "/nothing-here", For::People),
];

/// Methods, addresses with ids filled in, and for whom they are.
async fn surface(t: &TestServer) -> Vec<(Method, String, For)> {
    let method = |name: &str| Method::from_bytes(name.to_uppercase().as_bytes()).unwrap();
    let mut all: Vec<_> = FIXED
        .iter()
        .map(|&(name, path, whose)| (method(name), path.to_owned(), whose))
        .collect();
    for (path, _) in server::web::listing() {
        let whose = if path == "/sign-in" {
            For::All
        } else {
            For::People
        };
        all.push((Method::GET, path.replace("{id}", NOBODYS), whose));
    }
    for (path, verb) in leptos::server_fn::axum::server_fn_paths() {
        all.push((verb, path.to_owned(), For::People));
    }
    for (path, verb) in documented(t).await {
        all.push((method(&verb), path.replace("{id}", NOBODYS), For::Machines));
    }
    all
}

/// The id of nothing.
const NOBODYS: &str = "01a203d4-caec-7786-a033-57713e5a30e8";

/// The addresses and methods of `/openapi.json`.
async fn documented(t: &TestServer) -> BTreeSet<(String, String)> {
    let document = t.ci().await.get("/openapi.json").await.json;
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    let methods = |(path, methods): (&String, &Value)| -> Vec<(String, String)> {
        methods
            .as_object()
            .unwrap()
            .keys()
            .map(|verb| (path.clone(), verb.clone()))
            .collect()
    };
    paths.iter().flat_map(methods).collect()
}

fn browser() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().redirect(Policy::none()).build().unwrap()
}

/// As a page of ours would, unless `site` says otherwise.
async fn ask(t: &TestServer, method: Method, path: &str, site: &str) -> Response {
    let request = browser()
        .request(method, t.at(path))
        .header("sec-fetch-site", site)
        .header(header::ACCEPT, "text/html");
    request
        .header(header::COOKIE, "countersign=nonsense")
        .send()
        .await
        .unwrap()
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn strangers_get_nothing_but_the_way_in(pool: PgPool) {
    let t = TestServer::new(pool).await;
    for (method, path, whose) in surface(&t).await {
        let response = ask(&t, method.clone(), &path, "same-origin").await;
        let (status, headers) = (response.status(), response.headers().clone());
        let location = headers.get(header::LOCATION).map(|to| to.to_str().unwrap());
        match whose {
            For::All => assert_eq!(status, StatusCode::OK, "{method} {path}"),
            For::People => assert!(
                location.is_some_and(|to| to.starts_with("/sign-in")),
                "{method} {path}: {status} {location:?}"
            ),
            For::SignIn => assert!(
                location.is_some_and(|to| to.starts_with("/sign-in?failed=")),
                "{method} {path}: {status}"
            ),
            For::Machines => {
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
                assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
                assert!(headers.contains_key(header::WWW_AUTHENTICATE));
            }
        }
        assert!(headers.contains_key("x-request-id"), "{method} {path}");
        assert_eq!(
            headers[header::X_CONTENT_TYPE_OPTIONS],
            "nosniff",
            "{method} {path}"
        );
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_browsers_get_is_guarded_by_its_headers(pool: PgPool) {
    let t = TestServer::new(pool).await;
    for (method, path, whose) in surface(&t).await {
        if whose == For::Machines || ["/livez", "/readyz"].contains(&path.as_str()) {
            continue;
        }
        let response = ask(&t, method.clone(), &path, "same-origin").await;
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
                .unwrap_or_default()
        };
        let csp = header("content-security-policy");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(csp.contains(part), "{method} {path}: {csp}");
        }
        assert!(
            !csp.contains("script-src 'unsafe-inline'") && !csp.contains("'unsafe-eval'"),
            "{path}: {csp}"
        );
        assert_eq!(header("referrer-policy"), "same-origin", "{method} {path}");
        assert_eq!(
            header("cross-origin-opener-policy"),
            "same-origin",
            "{method} {path}"
        );
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn no_other_site_can_make_a_browser_write(pool: PgPool) {
    let t = TestServer::new(pool).await;
    for (method, path, whose) in surface(&t).await {
        if method != Method::POST || whose == For::Machines {
            continue;
        }
        for site in ["cross-site", "same-site"] {
            assert_eq!(
                ask(&t, method.clone(), &path, site).await.status(),
                StatusCode::FORBIDDEN,
                "{path} from {site}"
            );
        }
        let silent = browser()
            .request(method, t.at(&path))
            .header(header::COOKIE, "countersign=x")
            .send()
            .await
            .unwrap();
        assert_eq!(
            silent.status(),
            StatusCode::FORBIDDEN,
            "{path} from nowhere"
        );
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn no_body_is_larger_than_its_address_accepts(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let secret = t.ci().await.secret;
    for (method, path, whose) in surface(&t).await {
        if method == Method::GET {
            continue;
        }
        let size = if method == Method::PUT {
            30_000_000
        } else {
            1_000_000
        };
        let body = vec![b'x'; size];
        let request = browser()
            .request(method.clone(), t.at(&path))
            .header("sec-fetch-site", "same-origin")
            .body(body);
        let request = request.header(
            header::CONTENT_TYPE,
            if method == Method::PUT {
                "multipart/form-data; boundary=b"
            } else {
                "application/json"
            },
        );
        let request = if whose == For::Machines {
            request.bearer_auth(&secret)
        } else {
            request
        };
        // A server that answers before it has read everything may close the connection on who still writes.
        let Ok(response) = request.send().await else {
            continue;
        };
        let status = response.status();
        assert!(
            status.is_client_error() || status.is_redirection(),
            "{method} {path}: {status}"
        );
        assert_ne!(status, StatusCode::OK, "{method} {path}");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn routes_and_their_document_agree(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let documented = documented(&t).await;
    assert_eq!(documented.len(), 9, "{documented:?}");
    for (path, _) in &documented {
        let path = path.replace("{id}", NOBODYS);
        for verb in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
        ] {
            let known = documented.iter().any(|(known, method)| {
                known.replace("{id}", NOBODYS) == path && method.to_uppercase() == verb.as_str()
            });
            let reply = browser()
                .request(verb.clone(), t.at(&path))
                .bearer_auth(&ci.secret)
                .send()
                .await
                .unwrap();
            assert_eq!(
                reply.status() != StatusCode::METHOD_NOT_ALLOWED,
                known,
                "{verb} {path}: {}",
                reply.status()
            );
        }
    }
}

#[test]
fn every_page_decides_its_status_before_its_first_byte() {
    for (path, mode) in server::web::listing() {
        assert_eq!(mode, SsrMode::Async, "{path}");
    }
}

#[test]
fn every_call_of_a_form_is_a_post_under_its_own_prefix() {
    let calls: BTreeSet<_> = leptos::server_fn::axum::server_fn_paths()
        .map(|(path, method)| (path, method.to_string()))
        .collect();
    insta::assert_debug_snapshot!(calls, @r#"
    {
        (
            "/fn/decide",
            "POST",
        ),
        (
            "/fn/settle",
            "POST",
        ),
        (
            "/fn/theme",
            "POST",
        ),
    }
    "#);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_docs_are_shown_from_files_of_our_own(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let secret = t.ci().await.secret;
    for (path, kind) in [
        ("/docs/", "text/html"),
        ("/docs/swagger-ui-bundle.js", "text/javascript"),
        ("/docs/swagger-initializer.js", "text/javascript"),
        ("/docs/swagger-ui.css", "text/css"),
    ] {
        let asked = browser().get(t.at(path));
        assert_eq!(
            asked.send().await.unwrap().status(),
            401,
            "{path} for strangers"
        );
        let shown = browser()
            .get(t.at(path))
            .bearer_auth(&secret)
            .send()
            .await
            .unwrap();
        assert_eq!(shown.status(), 200, "{path}");
        assert!(
            shown.headers()[header::CONTENT_TYPE]
                .to_str()
                .unwrap()
                .starts_with(kind),
            "{path}"
        );
    }
}
