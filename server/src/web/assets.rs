//! The built site inside the binary: hashed names, ready-made compression, cached for good.

use std::borrow::Cow;

use app::shell::Assets;
use axum::{
    Router,
    extract::Path,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
            VARY,
        },
    },
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../dist"]
#[allow_missing = true]
struct Built;

/// A name that holds a hash never holds anything else.
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The ways a file may be packed, best first: what the browser calls it, and what the build adds to the name.
const PACKED: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Serves `/pkg/…`.
pub fn assets<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/pkg/{name}", get(file))
}

/// The names that pages link. Without a built site they link nothing, which is how tests run.
pub fn names() -> Assets {
    let manifest: serde_json::Value = Built::get("manifest.json")
        .and_then(|file| serde_json::from_slice(&file.data).ok())
        .unwrap_or_default();
    let path = |name: &str| Some(format!("/{}", manifest.get(name)?.as_str()?).into());
    Assets {
        css: path("countersign.css"),
        js: path("countersign.js"),
        wasm: path("countersign.wasm"),
    }
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let packed = PACKED.iter().any(|(_, suffix)| name.ends_with(suffix));
    // A packed file is a way to send its plain one, not a page of its own.
    match (packed, find(&name, &headers)) {
        (false, Some((file, encoding))) => send(&name, file, encoding, &headers),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn find(name: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let accepted = headers
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let packed = PACKED
        .iter()
        .filter(|(encoding, _)| accepts(accepted, encoding))
        .find_map(|(encoding, suffix)| {
            Some((Built::get(&format!("pkg/{name}{suffix}"))?, Some(*encoding)))
        });
    packed.or_else(|| Some((Built::get(&format!("pkg/{name}"))?, None)))
}

/// Whether `Accept-Encoding` names this one and does not refuse it with `q=0`.
fn accepts(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let refused = weight
            .trim()
            .strip_prefix("q=")
            .and_then(|q| q.parse::<f32>().ok())
            == Some(0.0);
        name.trim().eq_ignore_ascii_case(encoding) && !refused
    })
}

fn send(
    name: &str,
    file: EmbeddedFile,
    encoding: Option<&'static str>,
    asked: &HeaderMap,
) -> Response {
    let etag = etag(&file);
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, FOR_GOOD);
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    headers.extend(encoding.map(|encoding| (CONTENT_ENCODING, HeaderValue::from_static(encoding))));
    headers.extend(etag.clone().map(|etag| (ETAG, etag)));
    if etag.is_some() && asked.get(IF_NONE_MATCH) == etag.as_ref() {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    match file.data {
        Cow::Borrowed(bytes) => (headers, bytes).into_response(),
        Cow::Owned(bytes) => (headers, bytes).into_response(),
    }
}

/// Strong: each packing of a file has its own bytes and so its own tag.
fn etag(file: &EmbeddedFile) -> Option<HeaderValue> {
    use std::fmt::Write as _;

    let mut tag = String::from("\"");
    for byte in &file.metadata.sha256_hash()[..16] {
        write!(tag, "{byte:02x}").ok()?;
    }
    tag.push('"');
    HeaderValue::from_str(&tag).ok()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_counts_when_it_is_named_and_not_refused() {
        assert!(accepts("gzip, deflate, br, zstd", "br"));
        assert!(accepts("GZIP;q=0.5", "gzip"));
        assert!(!accepts("br;q=0, gzip", "br"));
        assert!(!accepts("brotli", "br"));
        assert!(!accepts("", "br"));
    }

    #[test]
    fn what_is_not_known_is_sent_as_bytes_that_no_browser_runs() {
        assert_eq!(content_type("countersign-1a2b.wasm"), "application/wasm");
        assert_eq!(content_type("page.html"), "application/octet-stream");
    }
}
