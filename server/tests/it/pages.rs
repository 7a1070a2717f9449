//! What pages load: whose turn it is, what a filter leaves, where the next page begins, and what the record says.

use crate::{
    policies::asking,
    support::{
        TestServer,
        changes::{change, patch, sha},
        people::Human,
    },
};
use app::{
    actions::Theme,
    caller::Site,
    pages::change::{self as change_page, Asked},
};
use domain::people::Level;
use serde_json::json;
use sqlx::PgPool;
use std::sync::Arc;
use tokio::sync::Semaphore;

impl Human {
    async fn queue(&self, t: &TestServer, query: &str) -> String {
        self.browser.page(t, &format!("/{query}")).await
    }
}

/// How many changes stand in a group of the queue.
fn rows(page: &str, group: &str) -> usize {
    let Some((_, rest)) = page.split_once(&format!("<h2 id=\"{group}\"")) else {
        return 0;
    };
    let section = rest.split("</section>").next().unwrap_or_default();
    section.matches("class=\"row\"").count()
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_change_waits_in_the_group_that_says_whose_turn_it_is(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ana, ben) = (t.junior("ana").await, t.senior("ben").await);
    let mika = t.human("mika", Some(Level::Mid)).await;
    t.ci().await.submit(&change()).await;
    let groups = |page: String| ["turn", "others", "mine"].map(|group| rows(&page, group));
    assert_eq!(groups(ben.queue(&t, "").await), [1, 0, 0]);
    assert_eq!(groups(mika.queue(&t, "").await), [0, 1, 0]);
    assert_eq!(groups(ana.queue(&t, "").await), [0, 0, 1]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_change_that_needs_another_approval_is_no_longer_the_turn_of_whose_counts(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ben, li) = (t.senior("ben").await, t.senior("li").await);
    t.policies().await.push(&asking(2, "senior")).await;
    t.ci().await.submit(&change()).await;
    let turns = async || {
        let (bens, lis) = (ben.queue(&t, "").await, li.queue(&t, "").await);
        (rows(&bens, "turn"), rows(&lis, "turn"), bens)
    };
    assert!(matches!(turns().await, (1, 1, _)));
    ben.approve(&change()).await;
    let (bens, lis, page) = turns().await;
    assert_eq!((bens, lis, rows(&page, "others")), (0, 1, 1), "{page}");
    assert!(page.contains("you approved it"), "{page}");
    ben.withdraw(&change()).await;
    assert!(matches!(turns().await, (1, 1, _)), "it counts no more");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_was_approved_waits_no_more_and_stays_readable(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ben = t.senior("ben").await;
    t.ci().await.submit(&change()).await;
    ben.approve(&change()).await;
    let queue = ben.queue(&t, "").await;
    assert_eq!(rows(&queue, "turn"), 0);
    assert!(
        queue.contains("Every change that was submitted is cleared."),
        "{queue}"
    );
    let id = t.id_of(&change()).await;
    let page = ben.browser.page(&t, &format!("/changes/{id}")).await;
    assert!(
        page.contains("Every approval that the policy asks for is there."),
        "{page}"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_rejected_change_is_its_rejecters_turn_again_once_it_has_moved(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ben = t.senior("ben").await;
    t.ci().await.submit(&change()).await;
    ben.reject(&change(), "no test").await;
    assert_eq!(rows(&ben.queue(&t, "").await, "turn"), 0);
    t.ci().await.submit(&change().pushed("c2")).await;
    let page = ben.queue(&t, "").await;
    assert_eq!(rows(&page, "turn"), 1);
    assert!(
        page.contains("You rejected revision 1; revision 2 has come since"),
        "{page}"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_filter_leaves_what_matches_every_term(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ben = t.senior("ben").await;
    let ci = t.ci().await;
    ci.submit(&change().with(json!({ "title": "Retry batches" })))
        .await;
    ci.submit(
        &change()
            .key("143")
            .with(json!({ "title": "Drop the parser" })),
    )
    .await;
    for (query, found) in [
        ("", 2),
        ("?q=retry", 1),
        ("?q=repo%3Aacme%2Fpayments", 2),
        ("?q=repo%3Apay+parser", 1),
        ("?q=repo%3Aacme%2Fledger", 0),
        ("?q=is%3Awaiting+is%3Aassisted", 2),
        ("?q=is%3Arejected", 0),
        ("?q=tool%3Acursor", 0),
        ("?q=100%25+_", 0),
    ] {
        assert_eq!(rows(&ben.queue(&t, query).await, "turn"), found, "{query}");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_filter_reaches_what_waits_behind_a_page_of_others(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ben = t.senior("ben").await;
    t.human("mika", Some(Level::Mid)).await.linked("mika").await;
    let ci = t.ci().await;
    for n in 0..60 {
        ci.submit(&change().key(&n.to_string())).await;
    }
    let behind = json!({ "repository": "acme/zlast", "title": "Behind" });
    let last = change()
        .by("mika")
        .pushed("c2")
        .message("Behind\n")
        .with(behind);
    ci.submit(&last).await;
    let in_capitals = change()
        .key("oel")
        .pushed("c3")
        .with(json!({ "title": "\u{d6}lpumpe \u{141}" }));
    ci.submit(&in_capitals).await;
    for query in ["?q=%C3%96lpumpe", "?q=%C3%B6lpumpe", "?q=%C5%82"] {
        assert_eq!(rows(&ben.queue(&t, query).await, "turn"), 1, "{query}");
    }
    for query in [
        "?q=repo:zlast",
        "?q=repo:acme+repo:ZLAST",
        "?q=level:mid",
        "?q=is:unknown",
        "?q=is:waiting+is:unknown",
        "?q=behind+level:mid",
        "?q=behind",
    ] {
        let page = ben.queue(&t, query).await;
        assert_eq!(rows(&page, "turn"), 1, "{query}");
        assert!(!page.contains("Shorter waiting"), "{query}");
    }
    let none = ben.queue(&t, "?q=level:junior").await;
    assert!(none.contains("No change that waits matches the filter."));
    assert!(!none.contains("<use href=\"#v-approved\""), "{none}");
    assert_eq!(rows(&ben.queue(&t, "?q=level:nobody").await, "turn"), 50);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_next_page_begins_where_this_one_ends(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ben = t.senior("ben").await;
    let ci = t.ci().await;
    for n in 0..53 {
        ci.submit(&change().key(&n.to_string())).await;
    }
    let first = ben.queue(&t, "?q=repo%3Aacme%2Fpayments").await;
    assert_eq!(rows(&first, "turn"), 50);
    let (_, rest) = first
        .split_once("href=\"/?q=repo%3Aacme/payments&amp;after=")
        .unwrap();
    let after = rest.split('"').next().unwrap();
    let second = ben
        .queue(&t, &format!("?q=repo%3Aacme/payments&after={after}"))
        .await;
    assert_eq!(rows(&second, "turn"), 3);
    assert!(!second.contains("Shorter waiting"));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn the_record_is_found_by_kind_person_and_repository(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ben, li) = (t.senior("ben").await, t.senior("li").await);
    t.ci().await.submit(&change()).await;
    ben.approve(&change()).await;
    li.reject(&change(), "no test").await;
    for (query, found) in [
        ("", 2),
        ("?kind=reject", 1),
        ("?by=ben", 1),
        ("?by=nobody", 0),
        ("?repository=acme%2Fpayments&kind=approve", 1),
        ("?repository=acme%2Fledger", 0),
        ("?repository=not+a+name", 0),
        ("?kind=bless", 2),
    ] {
        let page = ben.browser.page(&t, &format!("/decisions{query}")).await;
        assert_eq!(page.matches("<td class=\"all\">").count(), found, "{query}");
    }
    let page = ben.browser.page(&t, "/decisions").await;
    assert!(
        page.contains("no test") && page.contains("senior, payments, as of then"),
        "{page}"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_page_shows_the_patch_that_was_stored(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ben = t.senior("ben").await;
    let mut change = change();
    change.patch = patch("let tries = </ins><script>\u{202e};");
    t.ci().await.submit(&change).await;
    let id = t.id_of(&change).await;
    let page = ben.browser.page(&t, &format!("/changes/{id}?file=0")).await;
    assert!(
        page.contains("let tries = &lt;/ins&gt;&lt;script&gt;<span class=\"hid\""),
        "{page}"
    );
}

/// A patch of one new file of so many lines.
fn long_patch(lines: usize) -> Vec<u8> {
    let (zero, blob) = ("0".repeat(40), sha("long"));
    let added: String = (1..=lines)
        .map(|n| format!("+{n} {}\n", "x".repeat(90)))
        .collect();
    format!("diff --git a/long b/long\nnew file mode 100644\nindex {zero}..{blob}\n--- /dev/null\n+++ b/long\n@@ -0,0 +1,{lines} @@\n{added}").into_bytes()
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_file_of_any_length_is_read_in_parts_without_a_script(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ben = t.senior("ben").await;
    let mut change = change();
    change.patch = long_patch(25_000);
    t.ci().await.submit(&change).await;
    let address = format!("/changes/{}", t.id_of(&change).await);
    let folded = ben.browser.page(&t, &address).await;
    assert!(folded.contains("Folded: 25000 changed lines."), "{folded}");
    let mut next = format!("{address}?file=0&amp;after=0#f0");
    let mut shown = 0;
    for part in 1.. {
        assert!(
            folded.contains(&next) || part > 1,
            "{next} is where one gets from the page"
        );
        let page = ben
            .browser
            .page(&t, &next.replace("&amp;", "&").replace("#f0", ""))
            .await;
        assert!(page.len() < 4_000_000, "{} bytes", page.len());
        shown += page.matches("<ins class=\"ln\"").count();
        assert!(
            page.contains(&format!(" to {shown} of 25000 ")),
            "part {part}"
        );
        assert!(
            page.contains("name=\"digest\""),
            "it can be decided from each part"
        );
        let Some((before, _)) = page.split_once("\">The lines after these</a>") else {
            break;
        };
        next = before.rsplit_once("href=\"").unwrap().1.to_owned();
    }
    assert_eq!(shown, 25_000, "every line once");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn who_waits_to_read_a_large_patch_holds_up_nobody_who_reads_a_small_one(pool: PgPool) {
    let t = TestServer::new(pool).await.with_connections(1).await;
    let (ben, ci) = (t.senior("ben").await, t.ci().await);
    let (small, mut large) = (change(), change().key("143").pushed("large"));
    large.patch = long_patch(25_000);
    ci.submit(&small).await;
    ci.submit(&large).await;
    let site = Site {
        db: t.db.clone(),
        provider: "Halden SSO".into(),
        claims_max_age: t.server.claims_max_age(),
        large: Arc::new(Semaphore::new(0)),
        reference: Arc::default(),
    };
    let read = |id| {
        let (site, asked) = (site.clone(), Asked::default());
        change_page::load(site, Ok(ben.id), Theme::default(), id, asked)
    };
    let waiting = tokio::spawn(read(t.id_of(&large).await));
    let small = t.id_of(&small).await;
    for _ in 0..20 {
        // There is one connection, and whoever waits does not have it.
        assert_eq!(read(small).await.unwrap().files.len(), 1);
    }
    assert!(!waiting.is_finished());
    site.large.add_permits(1);
    assert_eq!(waiting.await.unwrap().unwrap().files.len(), 1);
    assert_eq!(site.large.available_permits(), 1);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_no_page_can_show_is_in_the_whole_patch_byte_for_byte(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, ben) = (t.ci().await, t.senior("ben").await);
    let first = change();
    let mut long = change().pushed("long");
    long.patch = patch(&"Q".repeat(1_000_000));
    ci.submit(&first).await;
    ci.submit(&long).await;
    let address = format!("/changes/{}", t.id_of(&long).await);
    let page = ben.browser.page(&t, &address).await;
    let here = format!("{address}/patch?revision=2");
    assert!(page.contains(&format!("href=\"{here}\"")), "{here}");
    for (asked, patch) in [
        (here, &long.patch),
        (format!("{address}/patch"), &long.patch),
        (format!("{address}/patch?revision=1"), &first.patch),
    ] {
        let answer = ben.browser.opens(&t.at(&asked)).await;
        assert_eq!(answer.text.as_bytes(), patch, "{asked}");
        assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        let kept = answer.headers["content-disposition"].to_str().unwrap();
        assert!(kept.starts_with("attachment; filename=\""), "{kept}");
    }
    let none = t.at(&format!("{address}/patch?revision=3"));
    assert_eq!(ben.browser.opens(&none).await.status, 404);
}
