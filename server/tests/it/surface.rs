//! Every address that the server answers, and what strangers get there. The walk reads the routes out of the router itself, so
//! a new one is found by it, and is taken to be closed to strangers unless [`whose`] says otherwise.

use crate::support::{
    TestServer,
    machines::assert_documented,
    sockets::{Body, Socket},
};
use leptos_router::SsrMode;
use reqwest::{Client, Method, Response, StatusCode, header, redirect::Policy};
use serde_json::Value;
use server::forges::hooks;
use sqlx::PgPool;
use std::collections::{BTreeMap, BTreeSet};

/// What strangers get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// Everybody.
    All,
    /// Everybody, and there is nothing.
    Nothing,
    /// People who are signed in: a page sends strangers to sign in.
    People,
    /// Machines with a token: strangers get a problem.
    Machines,
    /// The page of signing in hands on to the provider; there is none in these tests.
    SignIn,
}

/// Who may use a route. What is not named here is for people who are signed in.
fn whose(route: &str) -> For {
    match route {
        "/livez" | "/readyz" | "/sign-in" => For::All,
        "/pkg/{name}" | "/favicon.ico" | "/robots.txt" => For::Nothing,
        "/auth/start" | "/auth/callback" => For::SignIn,
        // A host says who it is by a signature; to whoever has none it is as closed as it is without a token.
        "/hooks/{host}" => For::Machines,
        _ if route.starts_with("/api/") => For::Machines,
        _ => For::People,
    }
}

/// Whether a session cookie could open it, and so a browser be made to ask for it.
fn is_for_browsers(path: &str, whose: For) -> bool {
    whose != For::Machines && !["/livez", "/readyz"].contains(&path)
}

/// What has no route, and is asked for all the same.
const WITHOUT_ROUTE: [&str; 3] = ["/favicon.ico", "/robots.txt", "/nothing-here"];

/// Methods, addresses with their parameters filled in, and for whom they are.
fn surface(t: &TestServer) -> Vec<(Method, String, For)> {
    let mut all = Vec::new();
    for (route, methods) in routes(t) {
        for method in methods {
            all.push((method, filled_in(&route), whose(&route)));
        }
    }
    all.extend(WITHOUT_ROUTE.map(|path| (Method::GET, path.to_owned(), whose(path))));
    all
}

/// Every route of the router and the methods it takes, as the router writes itself down for debugging:
/// `RouteId(7): MethodRouter(… allow_header: Bytes(b"GET,HEAD") …)` and `RouteId(7): "/livez"`.
pub fn routes(t: &TestServer) -> BTreeMap<String, Vec<Method>> {
    let written = format!("{:?}", server::serve::router(t.server.clone()).unwrap());
    let (_, written) = written.split_once("PathRouter { routes: {").unwrap();
    let (endpoints, rest) = written.split_once("node: Node { paths: {").unwrap();
    let (paths, _) = rest.split_once("} } }, fallback_router").unwrap();
    let endpoints: BTreeMap<&str, Vec<Method>> = by_id(endpoints)
        .map(|(id, endpoint)| (id, methods(endpoint)))
        .collect();
    let found: BTreeMap<String, Vec<Method>> = by_id(paths)
        .map(|(id, path)| (quoted(path).to_owned(), endpoints[id].clone()))
        .collect();
    assert_eq!(found.len(), endpoints.len(), "{found:?}");
    found
}

fn by_id(list: &str) -> impl Iterator<Item = (&str, &str)> {
    let entries = list.split("RouteId(").skip(1);
    entries.map(|entry| entry.split_once("): ").unwrap())
}

/// A route that takes whatever method comes is none of ours.
fn methods(endpoint: &str) -> Vec<Method> {
    let (_, allowed) = endpoint
        .split_once("allow_header: Bytes(b")
        .unwrap_or_else(|| panic!("which methods? {endpoint}"));
    let names = quoted(allowed).split(',');
    names
        .map(|name| Method::from_bytes(name.as_bytes()).unwrap())
        .collect()
}

fn quoted(text: &str) -> &str {
    text.split('"').nth(1).unwrap()
}

/// An address that the route answers.
fn filled_in(route: &str) -> String {
    let path = route
        .replace("{id}", NOBODYS)
        .replace("{owner}", "nobody")
        .replace("{host}", "github")
        .replace("{name}", "nothing.js")
        .replace("{*name}", "nobody/nothing");
    assert!(
        !path.contains('{'),
        "what stands for the parameter of {route}?"
    );
    path
}

/// The id of nothing.
pub const NOBODYS: &str = "01a203d4-caec-7786-a033-57713e5a30e8";

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
    for (method, path, whose) in surface(&t) {
        let response = ask(&t, method.clone(), &path, "same-origin").await;
        let (status, headers) = (response.status(), response.headers().clone());
        let location = headers.get(header::LOCATION).map(|to| to.to_str().unwrap());
        match whose {
            For::All => assert_eq!(status, StatusCode::OK, "{method} {path}"),
            For::Nothing => assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}"),
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
                assert_documented(method.as_str(), &path, status.as_u16());
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
    for (method, path, whose) in surface(&t) {
        if !is_for_browsers(&path, whose) {
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

/// Also at addresses that take no writes: the guard stands before all of them.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn no_other_site_can_make_a_browser_write(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let writes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    for (_, path, whose) in surface(&t) {
        if !is_for_browsers(&path, whose) {
            continue;
        }
        for method in &writes {
            let from_elsewhere = [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"),
                ("cookie", "countersign=x"),
            ];
            for header in from_elsewhere {
                let mut socket = Socket::open(&t).await;
                socket.ask(method, &path, &[header], Body::None).await;
                assert_eq!(socket.status().await, 403, "{method} {path}: {header:?}");
            }
        }
    }
}

/// Whoever reads no page reads a document: curl at a wrong address, or a script that sends a form.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn who_reads_no_pages_is_refused_in_a_document(pool: PgPool) {
    let t = TestServer::new(pool).await;
    for (method, path, site, status, kind) in [
        (Method::GET, "/robots.txt", "none", 404, "not-found"),
        (Method::GET, "/decisions", "none", 401, "sign-in-needed"),
        (Method::POST, "/sign-out", "cross-site", 403, "cross-site"),
    ] {
        let request = browser().request(method.clone(), t.at(path));
        let request = request
            .header("sec-fetch-site", site)
            .header(header::ACCEPT, "*/*");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{method} {path}");
        let id = response.headers()["x-request-id"].clone();
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
        let said: Value = response.json().await.unwrap();
        assert_eq!(said["type"], format!("/problems/{kind}"), "{said}");
        assert_eq!(said["request_id"], id.to_str().unwrap(), "{said}");
        assert!(
            said["detail"].as_str().is_some_and(|told| !told.is_empty()),
            "{said}"
        );
    }
}

/// One byte more than is accepted, once announced and once not: each is refused as too large, or is not read at all where the
/// address takes no body.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn no_body_is_larger_than_its_address_accepts(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let authorization = format!("Bearer {}", t.ci().await.secret);
    let signature = format!("sha256={}", "0".repeat(64));
    for (method, path, whose) in surface(&t) {
        if method == Method::HEAD {
            continue;
        }
        let kind = if method == Method::PUT {
            "multipart/form-data; boundary=b"
        } else {
            "application/json"
        };
        let headers = [
            ("sec-fetch-site", "same-origin"),
            ("content-type", kind),
            ("authorization", &authorization),
            // Whose it is cannot be known before all of it is there.
            ("x-hub-signature-256", &signature),
        ];
        let ask = async |body: Body| {
            let mut socket = Socket::open(&t).await;
            socket.ask(&method, &path, &headers, body).await;
            socket.status().await
        };
        let takes_one = method != Method::GET;
        let expected = if takes_one || is_for_browsers(&path, whose) {
            413
        } else {
            ask(Body::None).await
        };
        let body = too_large(&method, &path);
        for body in [Body::Announced(&body), Body::Chunked(&body)] {
            assert_eq!(
                ask(body).await,
                expected,
                "{method} {path}: {}",
                body.name()
            );
            assert_documented(method.as_str(), &path, expected);
        }
    }
}

/// A body that is larger than this address accepts.
fn too_large(method: &Method, path: &str) -> Vec<u8> {
    if path.starts_with("/hooks/") {
        return vec![b'x'; hooks::MAX_BODY + 1];
    }
    if method != Method::PUT {
        return vec![b'x'; 64 * 1024 + 1];
    }
    let mut body = b"--b\r\nContent-Disposition: form-data; name=\"patch\"\r\n\r\n".to_vec();
    body.resize(body.len() + domain::patch::MAX_BYTES + 1, b'+');
    body.extend_from_slice(b"\r\n--b--\r\n");
    body
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn routes_and_their_document_agree(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let documented = documented(&t).await;
    let of_the_router: BTreeSet<(String, String)> = routes(&t)
        .into_iter()
        .filter(|(route, _)| whose(route) == For::Machines)
        .flat_map(|(route, methods)| methods.into_iter().map(move |verb| (route.clone(), verb)))
        .filter(|(_, verb)| verb != Method::HEAD)
        .map(|(route, verb)| (route, verb.as_str().to_lowercase()))
        .collect();
    assert_eq!(documented, of_the_router);
    for (path, _) in &documented {
        let path = filled_in(path);
        for verb in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
        ] {
            let known = documented.iter().any(|(known, method)| {
                filled_in(known) == path && method.to_uppercase() == verb.as_str()
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
            "/fn/draft-policy",
            "POST",
        ),
        (
            "/fn/end-stand-in",
            "POST",
        ),
        (
            "/fn/link-account",
            "POST",
        ),
        (
            "/fn/name-account",
            "POST",
        ),
        (
            "/fn/rule-policy",
            "POST",
        ),
        (
            "/fn/set-mode",
            "POST",
        ),
        (
            "/fn/set-policy",
            "POST",
        ),
        (
            "/fn/set-readers",
            "POST",
        ),
        (
            "/fn/settle",
            "POST",
        ),
        (
            "/fn/stand-in",
            "POST",
        ),
        (
            "/fn/theme",
            "POST",
        ),
        (
            "/fn/unlink-account",
            "POST",
        ),
        (
            "/fn/unset-policy",
            "POST",
        ),
        (
            "/fn/work-again",
            "POST",
        ),
    }
    "#);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_page_of_the_api_holds_all_that_its_document_says(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let document = t.ci().await.get("/openapi.json").await.json;
    let page = t.senior("ben").await.browser.page(&t, "/docs").await;
    let all: Vec<&str> = page.split(" id=\"").skip(1).map(up_to_quote).collect();
    let ids: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(ids.len(), all.len(), "no two operations have one name");
    for (path, verb) in documented(&t).await {
        let operation = &document["paths"][&path][&verb];
        let title = format!("<code>{} {path}</code></h3>", verb.to_uppercase());
        assert!(page.contains(&title), "{title}");
        assert!(
            ids.contains(operation["operationId"].as_str().unwrap()),
            "{path}"
        );
    }
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(ids.contains(format!("shape-{name}").as_str()), "{name}");
    }
    let links: BTreeSet<&str> = page.split("href=\"#").skip(1).map(up_to_quote).collect();
    assert!(links.len() > ids.len() / 2, "{links:?}");
    assert_eq!(
        links.difference(&ids).collect::<Vec<_>>(),
        Vec::<&&str>::new()
    );
}

fn up_to_quote(text: &str) -> &str {
    text.split_once('"').map_or(text, |(before, _)| before)
}
