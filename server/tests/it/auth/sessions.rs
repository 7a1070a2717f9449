//! How long somebody stays signed in, and what ends it.

use super::site::{Browser, Site};
use axum::http::StatusCode;
use sqlx::PgPool;
use store::people;
use time::Duration;

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn strangers_get_nothing_but_the_way_in(pool: PgPool) {
    let site = Site::new(pool).await;
    let stranger = site.browser();
    for closed in [
        "/",
        "/changes/1",
        "/decisions",
        "/nothing-here",
        "/sign-in/x",
        "/fn/x",
    ] {
        let page = stranger.get(closed).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{closed}");
        assert!(page.location().starts_with("/sign-in"), "{closed}");
    }
    for open in ["/sign-in", "/livez", "/readyz"] {
        assert_eq!(stranger.get(open).await.status, StatusCode::OK, "{open}");
    }
    let call = stranger.http().post(site.url.join("/fn/decide").unwrap());
    assert_eq!(
        call.send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED,
        "a program is told so"
    );
    let form = stranger.post("/fn/decide").await;
    assert_eq!(
        form.location(),
        "/sign-in?next=%2Fchanges%2F1%3Ffile%3D2",
        "a form leads back to its page"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_session_ends_when_nobody_uses_it(pool: PgPool) {
    let site = Site::new(pool).await;
    let browser = site.signed_in("ben").await;
    for _ in 0..2 {
        site.pass(Duration::hours(7));
        assert!(
            browser.is_signed_in().await,
            "it was used within eight hours"
        );
    }
    site.pass(Duration::hours(8));
    assert!(!browser.is_signed_in().await);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_session_ends_after_a_day_however_much_it_is_used(pool: PgPool) {
    let site = Site::new(pool).await;
    let browser = site.signed_in("ben").await;
    for _ in 0..3 {
        site.pass(Duration::hours(7));
        assert!(browser.is_signed_in().await);
    }
    site.pass(Duration::hours(3));
    assert!(!browser.is_signed_in().await);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn signing_out_ends_it_here_and_at_the_provider(pool: PgPool) {
    let site = Site::new(pool).await;
    let browser = site.signed_in("ben").await;
    let copy = copy_of(&site, &browser);
    let other = site.signed_in("ben").await;
    let out = browser.post("/sign-out").await;
    assert_eq!(out.status, StatusCode::SEE_OTHER);
    let leads_to = url::Url::parse(&out.location()).unwrap();
    assert_eq!(
        leads_to.as_str().split('?').next(),
        Some(format!("{}/end", site.provider.issuer).as_str())
    );
    let asked: std::collections::HashMap<_, _> = leads_to.query_pairs().into_owned().collect();
    assert_eq!(asked["post_logout_redirect_uri"], site.url.as_str());
    assert_eq!(asked["client_id"], "countersign");
    assert_eq!(asked["id_token_hint"].split('.').count(), 3);

    assert_eq!(browser.session(), None);
    assert!(!browser.is_signed_in().await);
    assert!(
        !copy.is_signed_in().await,
        "also where the cookie was copied to"
    );
    assert!(other.is_signed_in().await, "and nowhere else");
}

/// With many groups an ID token fits in no address; the provider then asks who is to be signed out.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_id_token_that_is_too_long_is_left_out(pool: PgPool) {
    let site = Site::new(pool).await;
    site.provider
        .lie(|token| token.claims["groups"] = (0..500).map(|n| format!("group-{n}")).collect());
    let browser = site.signed_in("ben").await;
    let out = browser.post("/sign-out").await.location();
    assert!(
        out.starts_with(&format!(
            "{}/end?client_id=countersign",
            site.provider.issuer
        )),
        "{out}"
    );
    assert!(!out.contains("id_token_hint"), "{out}");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn without_the_database_nobody_is_let_in_or_signed_out(pool: PgPool) {
    let site = Site::new(pool).await;
    let (browser, arriving) = (site.signed_in("ben").await, site.browser());
    let back = arriving.back_from_provider("/").await;
    site.db.pool().close().await;
    for page in [
        browser.get("/decisions").await,
        browser.post("/sign-out").await,
        arriving.get(&back).await,
    ] {
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
        let cookies = page.headers.get_all("set-cookie").iter();
        assert!(
            cookies
                .into_iter()
                .all(|cookie| !cookie.to_str().unwrap().starts_with("countersign="))
        );
    }
    assert!(browser.session().is_some());
    assert_eq!(browser.get("/livez").await.status, StatusCode::OK);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_provider_without_a_way_out_is_no_reason_to_stay(pool: PgPool) {
    let site = Site::new(pool).await;
    site.provider.discovery(|document| {
        document
            .as_object_mut()
            .unwrap()
            .remove("end_session_endpoint");
    });
    let browser = site.signed_in("ben").await;
    assert_eq!(browser.post("/sign-out").await.location(), "/sign-in");
    assert!(!browser.is_signed_in().await);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn no_other_site_signs_anybody_out(pool: PgPool) {
    let site = Site::new(pool).await;
    let browser = site.signed_in("ben").await;
    let forged = browser.post_from("https://evil.example", "/sign-out").await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert_eq!(
        browser.get("/sign-out").await.status,
        StatusCode::METHOD_NOT_ALLOWED,
        "nor does a link"
    );
    assert!(browser.is_signed_in().await);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn who_is_deactivated_is_out_with_the_next_request(pool: PgPool) {
    let site = Site::new(pool).await;
    let (browser, elsewhere) = (site.signed_in("ben").await, site.signed_in("ben").await);
    let ben = site.only_person().await.id;
    site.deactivate(ben).await;
    assert!(!browser.is_signed_in().await);
    assert!(!elsewhere.is_signed_in().await);
    assert_eq!(browser.sign_in("/").await, "/sign-in?failed=inactive");
    assert!(!browser.is_signed_in().await);

    let mut tx = site.db.begin().await.unwrap();
    people::activate(&mut tx, ben).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!browser.is_signed_in().await, "the old sessions stay ended");
    assert_eq!(browser.sign_in("/").await, "/");
    assert!(browser.is_signed_in().await);
}

/// A session without the revocation, as if the two had raced: who it belongs to is still asked each time.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_open_session_of_somebody_inactive_opens_nothing(pool: PgPool) {
    let site = Site::new(pool).await;
    let browser = site.signed_in("ben").await;
    site.deactivate(site.only_person().await.id).await;
    let reopened = sqlx::query("update session set revoked_at = null")
        .execute(&site.owner)
        .await
        .unwrap();
    assert_eq!(reopened.rows_affected(), 1);
    assert!(!browser.is_signed_in().await);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn writes_of_one_person_are_limited(pool: PgPool) {
    let site = Site::with(pool, &[("COUNTERSIGN_LIMIT_DECIDE", "2")]).await;
    let (ben, li) = (site.signed_in("ben").await, site.signed_in("li").await);
    for _ in 0..2 {
        assert_ne!(
            ben.post("/fn/x").await.status,
            StatusCode::TOO_MANY_REQUESTS
        );
    }
    let too_many = ben.post("/fn/x").await;
    assert_eq!(too_many.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(too_many.headers.contains_key("retry-after"));
    assert_ne!(li.post("/fn/x").await.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(ben.is_signed_in().await, "reading goes on");
}

fn copy_of(site: &Site, browser: &Browser) -> Browser {
    let copy = site.browser();
    copy.set_cookie(&format!(
        "countersign={}; Path=/",
        browser.session().unwrap()
    ));
    copy
}
