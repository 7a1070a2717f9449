//! To the provider and back, in the browser that began and in no other.

use super::site::{Browser, Site};
use axum::http::StatusCode;
use serde_json::json;
use sqlx::PgPool;

const LOST: &str = "/sign-in?failed=lost";
const REFUSED: &str = "/sign-in?failed=refused";

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn people_land_where_they_were_going(pool: PgPool) {
    let site = Site::new(pool).await;
    let browser = site.browser();
    let stopped = browser.get("/decisions?by=ben").await;
    assert_eq!(stopped.status, StatusCode::SEE_OTHER);
    assert_eq!(stopped.location(), "/sign-in?next=%2Fdecisions%3Fby%3Dben");
    assert_eq!(
        browser.sign_in("/decisions?by=ben").await,
        "/decisions?by=ben"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn nobody_is_led_to_another_site(pool: PgPool) {
    let site = Site::with(pool, &[("COUNTERSIGN_LIMIT_SIGN_IN", "100")]).await;
    for next in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "",
    ] {
        assert_eq!(site.browser().sign_in(next).await, "/", "{next:?}");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_way_back_works_once(pool: PgPool) {
    let site = Site::new(pool).await;
    let browser = site.browser();
    let back = browser.back_from_provider("/decisions").await;
    assert_eq!(browser.get(&back).await.location(), "/decisions");
    assert_eq!(browser.get(&back).await.location(), LOST);
    assert!(
        browser.is_signed_in().await,
        "and trying again ends nothing"
    );
}

/// Login CSRF: somebody sends a link that would sign others in as them.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_way_back_works_in_no_other_browser(pool: PgPool) {
    let site = Site::new(pool).await;
    let (mine, theirs) = (site.browser(), site.browser());
    let back = mine.back_from_provider("/").await;
    assert_eq!(theirs.get(&back).await.location(), LOST);
    // Nor in one that began a sign-in of its own.
    theirs.start("/").await;
    assert_eq!(theirs.get(&back).await.location(), LOST);
    assert!(!theirs.is_signed_in().await);
    assert_eq!(
        mine.get(&back).await.location(),
        "/",
        "and the owner's is not spoiled"
    );
}

/// Nor can a code of one sign-in be put into another: the verifier of PKCE does not fit.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_code_fits_only_its_own_way_back(pool: PgPool) {
    let site = Site::new(pool).await;
    let (mine, theirs) = (site.browser(), site.browser());
    let (my_back, their_back) = (
        mine.back_from_provider("/").await,
        theirs.back_from_provider("/").await,
    );
    let code = |back: &str| parameter(back, "code");
    let injected = their_back.replace(&code(&their_back), &code(&my_back));
    assert_eq!(theirs.get(&injected).await.location(), REFUSED);
    assert!(!theirs.is_signed_in().await);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn two_tabs_do_not_disturb_each_other(pool: PgPool) {
    let site = Site::new(pool).await;
    let browser = site.browser();
    let one = browser.back_from_provider("/decisions").await;
    let other = browser.back_from_provider("/changes/1").await;
    assert_eq!(browser.get(&one).await.location(), "/decisions");
    assert_eq!(browser.get(&other).await.location(), "/changes/1");
}

/// RFC 9207: the answer of one provider, brought to us as another's.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_answer_of_another_issuer_is_refused(pool: PgPool) {
    let site = Site::new(pool).await;
    let with_iss = |back: &str, iss: Option<&str>| {
        let mut url = url::Url::parse(back).unwrap();
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .into_owned()
            .filter(|(name, _)| name != "iss")
            .collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
        if let Some(iss) = iss {
            url.query_pairs_mut().append_pair("iss", iss);
        }
        url.to_string()
    };
    let try_with = async |site: &Site, iss: Option<&str>| {
        let browser = site.browser();
        let back = browser.back_from_provider("/").await;
        browser.get(&with_iss(&back, iss)).await.location()
    };
    assert_eq!(
        try_with(&site, Some("https://sso.evil.example")).await,
        REFUSED
    );
    assert_eq!(
        try_with(&site, None).await,
        "/",
        "not every provider says it"
    );

    let promised = Site::new(site.owner.clone()).await;
    promised.provider.discovery(|document| {
        document["authorization_response_iss_parameter_supported"] = json!(true)
    });
    assert_eq!(
        try_with(&promised, None).await,
        REFUSED,
        "one that promised to has to"
    );
    assert_eq!(
        try_with(&promised, Some(&promised.provider.issuer)).await,
        "/"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_no_of_the_provider_counts_only_for_who_asked(pool: PgPool) {
    let site = Site::new(pool).await;
    let browser = site.browser();
    let back = browser.back_from_provider("/").await;
    let refusal = format!(
        "/auth/callback?error=access_denied&state={}",
        parameter(&back, "state")
    );
    assert_eq!(site.browser().get(&refusal).await.location(), LOST);
    assert_eq!(browser.get(&refusal).await.location(), REFUSED);
    for rubbish in ["", "?state=", "?code=x", "?error=x", "?state=a%00b&code=x"] {
        let page = browser.get(&format!("/auth/callback{rubbish}")).await;
        assert_eq!(page.location(), LOST, "{rubbish}");
    }
}

/// Some providers refuse a scope that they do not know.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn only_scopes_that_the_provider_lists_are_asked_for(pool: PgPool) {
    let site = Site::new(pool).await;
    site.browser().sign_in("/").await;
    assert_eq!(site.provider.scope(), "openid profile email groups");
    let site = Site::new(site.owner.clone()).await;
    site.provider
        .discovery(|document| document["scopes_supported"] = json!(["openid", "email", "profile"]));
    site.browser().sign_in("/").await;
    assert_eq!(site.provider.scope(), "openid profile email");
    let site = Site::with(site.owner.clone(), &[("COUNTERSIGN_OIDC_SCOPES", "roles")]).await;
    site.browser().sign_in("/").await;
    assert_eq!(site.provider.scope(), "openid roles");
}

/// Session fixation: a session that somebody prepared is never the one that is signed in.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_sign_in_has_a_new_session_and_ends_the_old_one(pool: PgPool) {
    let site = Site::new(pool).await;
    let browser = site.browser();
    browser.set_cookie("countersign=AAAAAAAAAAAAAAAAAAAAAA; Path=/");
    assert_eq!(browser.sign_in("/").await, "/");
    let first = browser.session().unwrap();
    assert_ne!(first, "AAAAAAAAAAAAAAAAAAAAAA");

    assert_eq!(browser.sign_in("/").await, "/");
    assert_ne!(browser.session().unwrap(), first);
    let thief = site.browser();
    thief.set_cookie(&format!("countersign={first}; Path=/"));
    assert!(!thief.is_signed_in().await);
    assert!(browser.is_signed_in().await);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_the_cookies_say_is_no_use_to_scripts_and_other_sites(pool: PgPool) {
    let site = Site::new(pool).await;
    let browser = site.browser();
    let start = browser.start("/").await;
    let back = browser.get(&start.location()).await.location();
    let arrived = browser.get(&back).await;
    for page in [&start, &arrived] {
        for cookie in page.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(
                cookie.contains("HttpOnly")
                    && cookie.contains("SameSite=Lax")
                    && cookie.contains("Path=/"),
                "{cookie}"
            );
        }
        assert_eq!(page.headers["cache-control"], "no-store");
    }
    let kept: String = sqlx::query_scalar("select encode(id_hash, 'hex') from session")
        .fetch_one(&site.owner)
        .await
        .unwrap();
    assert!(!kept.contains(&browser.session().unwrap()));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn sign_ins_are_limited_by_address_and_proxies_are_not_believed(pool: PgPool) {
    let site = Site::with(pool, &[("COUNTERSIGN_LIMIT_SIGN_IN", "2")]).await;
    let browser = site.browser();
    assert_eq!(browser.start("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.start("/").await.status, StatusCode::SEE_OTHER);
    let too_many = browser.start("/").await;
    assert_eq!(too_many.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = too_many.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=31).contains(&wait), "{wait}");
    assert_eq!(
        spoofed(&browser, &site, "198.51.100.1").await,
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn behind_a_trusted_proxy_each_client_has_its_own_limit(pool: PgPool) {
    let settings = [
        ("COUNTERSIGN_LIMIT_SIGN_IN", "1"),
        ("COUNTERSIGN_TRUSTED_PROXIES", "127.0.0.0/8"),
    ];
    let site = Site::with(pool, &settings).await;
    let browser = site.browser();
    assert_eq!(
        spoofed(&browser, &site, "198.51.100.1").await,
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        spoofed(&browser, &site, "198.51.100.2").await,
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        spoofed(&browser, &site, "198.51.100.1").await,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        spoofed(&browser, &site, "198.51.100.9, 198.51.100.2").await,
        StatusCode::TOO_MANY_REQUESTS
    );
}

async fn spoofed(browser: &Browser, site: &Site, forwarded_for: &str) -> StatusCode {
    let request = browser.http().get(site.url.join("/auth/start").unwrap());
    request
        .header("x-forwarded-for", forwarded_for)
        .send()
        .await
        .unwrap()
        .status()
}

fn parameter(address: &str, name: &str) -> String {
    let url = url::Url::parse(address).unwrap();
    let (_, value) = url.query_pairs().find(|(known, _)| known == name).unwrap();
    value.into_owned()
}
