//! What a provider has to prove. The names in brackets are the modules of the OpenID conformance suite for clients.

use super::{
    provider::{IdToken, Key, Signed, at_hash},
    site::Site,
};
use axum::{http::StatusCode, response::IntoResponse};
use serde_json::{Value, json};
use sqlx::PgPool;

/// What changes an ID token before it is signed.
type Lie = Box<dyn Fn(&mut IdToken) + Send + Sync>;

const REFUSED: &str = "/sign-in?failed=refused";
const UNREACHABLE: &str = "/sign-in?failed=unreachable";

/// [oidcc-client-test and -signing-key-rotation] The happy path, in both kinds of signature that providers use.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_proved_token_signs_in(pool: PgPool) {
    let site = Site::new(pool).await;
    for key in [site.provider.key(), Key::rsa("rsa")] {
        site.provider.rotate(key);
        let browser = site.browser();
        assert_eq!(browser.sign_in("/decisions").await, "/decisions");
        assert!(browser.is_signed_in().await);
    }
    assert_eq!(site.only_person().await.name, "The person ben");
}

/// Every lie is told to the same server, and none leaves a person, a session or a cookie behind.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_token_that_lies_signs_nobody_in(pool: PgPool) {
    let site = Site::new(pool).await;
    let stranger = Key::p256("first");
    let stranger_rsa_header = json!({ "alg": "RS256", "typ": "JWT", "kid": "first" });
    let lies: Vec<(&str, Lie)> = vec![
        (
            "IdTokenSigAlgNone",
            Box::new(|token| {
                token.header["alg"] = json!("none");
                token.signed = Signed::NotAtAll;
            }),
        ),
        (
            "InvalidIdTokenSignatureWithES256",
            Box::new(move |token| token.signed = Signed::By(stranger.clone())),
        ),
        (
            "InvalidIdTokenSignatureWithRS256",
            Box::new(move |token| {
                token.header = stranger_rsa_header.clone();
                token.signed = Signed::By(Key::rsa("first"));
            }),
        ),
        (
            "InvalidIdTokenSignatureWithHS256: our own secret proves nothing",
            Box::new(|token| {
                token.header = json!({ "alg": "HS256", "typ": "JWT" });
                token.signed = Signed::BySecret;
            }),
        ),
        (
            "no signature under an honest header",
            Box::new(|token| token.signed = Signed::NotAtAll),
        ),
        ("InvalidAudInIdToken", claim("aud", json!("somebody else"))),
        ("MissingAud", without("aud")),
        (
            "another audience beside us",
            claim("aud", json!(["countersign", "somebody else"])),
        ),
        (
            "another authorized party",
            claim("azp", json!("somebody else")),
        ),
        (
            "InvalidIssuerInIdToken",
            claim("iss", json!("https://sso.evil.example")),
        ),
        ("missing issuer", without("iss")),
        ("MissingIat", without("iat")),
        ("MissingSub", without("sub")),
        ("missing expiry", without("exp")),
        ("NonceInvalid", claim("nonce", json!("another"))),
        ("missing nonce", without("nonce")),
        (
            "InvalidAtHash",
            claim("at_hash", json!(at_hash("another access token"))),
        ),
        (
            "a critical header that we do not know",
            Box::new(|token| token.header["crit"] = json!(["b64"])),
        ),
        (
            "another kind of token",
            Box::new(|token| token.header["typ"] = json!("logout+jwt")),
        ),
    ];
    for (name, lie) in lies {
        site.provider.lie(lie);
        let browser = site.browser();
        assert_eq!(browser.sign_in("/").await, REFUSED, "{name}");
        assert_eq!(browser.session(), None, "{name}");
    }
    assert!(site.everybody().await.is_empty());
    site.provider.lie(|_| {});
    assert_eq!(
        site.browser().sign_in("/").await,
        "/",
        "the truth still works"
    );
}

fn claim(name: &'static str, value: Value) -> Lie {
    Box::new(move |token| token.claims[name] = value.clone())
}

fn without(name: &'static str) -> Lie {
    Box::new(move |token| {
        token.claims.as_object_mut().unwrap().remove(name);
    })
}

/// [MissingAtHash] It is optional with a code; where it is, it has to be right.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_right_hash_of_the_access_token_is_believed(pool: PgPool) {
    let site = Site::new(pool).await;
    site.provider
        .lie(|token| token.claims["at_hash"] = json!(at_hash("open")));
    assert_eq!(site.browser().sign_in("/").await, "/");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn clocks_may_differ_by_five_minutes_and_no_more(pool: PgPool) {
    let site = Site::new(pool).await;
    let minutes = |iat: i64, exp: i64| {
        move |token: &mut IdToken| {
            let now = super::site::BEGINNING.unix_timestamp();
            token.claims["iat"] = json!(now + iat * 60);
            token.claims["exp"] = json!(now + exp * 60);
        }
    };
    for (iat, exp, ends) in [
        (4, 14, "/"),
        (-14, -4, "/"),
        (6, 16, REFUSED),
        (-16, -6, REFUSED),
    ] {
        site.provider.lie(minutes(iat, exp));
        assert_eq!(
            site.browser().sign_in("/").await,
            ends,
            "issued {iat}, expires {exp}"
        );
    }
}

/// [SigningKeyRotation, SigningKeyRotationJustBeforeSigning] We know the old keys when a token comes that is signed with a new one.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_new_key_is_found_and_an_old_one_is_forgotten(pool: PgPool) {
    let site = Site::new(pool).await;
    assert_eq!(site.browser().sign_in("/").await, "/");
    let old = site.provider.key();
    site.provider.rotate(Key::p256("second"));
    assert_eq!(site.browser().sign_in("/").await, "/");

    let just_before_signing = site.browser();
    let back = just_before_signing.start("/").await.location();
    site.provider.rotate(Key::p256("third"));
    let back = just_before_signing.get(&back).await.location();
    assert_eq!(just_before_signing.get(&back).await.location(), "/");

    let asked = site.provider.keys_asked();
    site.provider
        .lie(move |token| token.signed = Signed::By(old.clone()));
    assert_eq!(site.browser().sign_in("/").await, REFUSED);
    assert_eq!(
        site.provider.keys_asked(),
        asked + 1,
        "the keys are asked for once more, not for ever"
    );
}

/// [KidAbsentSingleJwks, KidAbsentMultipleMatchingKeys, IgnoresUnparseableKeyInJwks]
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_key_is_found_only_without_a_doubt(pool: PgPool) {
    let site = Site::new(pool).await;
    let (key, other) = (site.provider.key().jwk(), Key::p256("other").jwk());
    let without_kid = |token: &mut IdToken| {
        token.header.as_object_mut().unwrap().remove("kid");
    };
    site.provider.lie(without_kid);
    assert_eq!(
        site.browser().sign_in("/").await,
        "/",
        "one key needs no name"
    );
    site.provider.publish(&[key.clone(), other]);
    // A forged token has the keys asked for again, so that the server knows of both.
    site.provider.lie(move |token| {
        without_kid(token);
        token.signed = Signed::By(Key::p256("first"));
    });
    assert_eq!(site.browser().sign_in("/").await, REFUSED);
    site.provider.lie(without_kid);
    assert_eq!(
        site.browser().sign_in("/").await,
        REFUSED,
        "two keys need names"
    );

    site.provider.publish(&[
        json!({ "kty": "XYZ", "kid": "strange" }),
        json!({ "kty": "EC" }),
        key,
    ]);
    site.provider.lie(|_| {});
    assert_eq!(
        site.browser().sign_in("/").await,
        "/",
        "a strange key beside ours does not matter"
    );
}

/// [DiscoveryIssuerMismatch]
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_provider_that_calls_itself_otherwise_is_not_asked(pool: PgPool) {
    let site = Site::new(pool).await;
    let slash = format!("{}/", site.provider.issuer);
    for issuer in ["https://sso.evil.example", slash.as_str()] {
        site.provider
            .discovery(|document| document["issuer"] = json!(issuer));
        assert_eq!(
            site.browser().start("/").await.location(),
            UNREACHABLE,
            "{issuer}"
        );
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn nothing_is_sent_in_the_clear_to_another_machine(pool: PgPool) {
    let site = Site::new(pool).await;
    site.provider.discovery(|document| {
        document["authorization_endpoint"] = json!("http://sso.evil.example/")
    });
    assert_ne!(
        site.browser().start("/").await.location(),
        "http://sso.evil.example/"
    );
    let site = Site::new(site.owner.clone()).await;
    site.provider
        .discovery(|document| document["token_endpoint"] = json!("http://sso.evil.example/token"));
    assert_eq!(site.browser().sign_in("/").await, UNREACHABLE);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_provider_cannot_lead_us_elsewhere_or_fill_our_memory(pool: PgPool) {
    let site = Site::new(pool).await;
    site.provider.token_answer(|| {
        (
            StatusCode::TEMPORARY_REDIRECT,
            [("location", "http://169.254.169.254/")],
        )
            .into_response()
    });
    assert_eq!(site.browser().sign_in("/").await, REFUSED);
    site.provider
        .token_answer(|| vec![b' '; 3_000_000].into_response());
    assert_eq!(site.browser().sign_in("/").await, UNREACHABLE);
    site.provider
        .token_answer(|| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    assert_eq!(site.browser().sign_in("/").await, REFUSED);
}

/// [ClientSecretBasic] And in the form, where the provider takes nothing else.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn we_prove_ourselves_as_the_provider_asks(pool: PgPool) {
    let site = Site::new(pool).await;
    assert_eq!(site.browser().sign_in("/").await, "/");
    assert_eq!(site.provider.proof(), Some("basic"));
    let site = Site::new(site.owner.clone()).await;
    site.provider.discovery(|document| {
        document["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"])
    });
    assert_eq!(site.browser().sign_in("/").await, "/");
    assert_eq!(site.provider.proof(), Some("post"));
}

/// [ScopeUserInfoClaims, UserinfoBearerHeader] Some providers keep the ID token short.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_the_token_leaves_out_the_user_info_tells(pool: PgPool) {
    let site = Site::new(pool).await;
    site.provider.person(json!({ "sub": "ben" }));
    site.provider.user_info(
        json!({ "name": "Ben Okonkwo", "email": "ben@halden.example", "groups": ["eng-senior"] }),
    );
    assert_eq!(site.browser().sign_in("/").await, "/");
    let ben = site.only_person().await;
    assert_eq!(ben.name, "Ben Okonkwo");
    assert_eq!(ben.levels.len(), 1);
    assert_eq!(ben.accounts.len(), 1);
}

/// [InvalidSubInUserinfoResponse]
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_user_info_about_somebody_else_signs_nobody_in(pool: PgPool) {
    let site = Site::new(pool).await;
    site.provider.person(json!({ "sub": "ben" }));
    site.provider
        .user_info(json!({ "sub": "grace", "groups": ["countersign-admins"] }));
    assert_eq!(site.browser().sign_in("/").await, REFUSED);
    assert!(site.everybody().await.is_empty());
}
