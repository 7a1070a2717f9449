//! What people said of a change at its host: on the page for whoever decides here, and nowhere else.

use super::{NAME, World, any_order::walks, merging::opens};
use crate::support::{changes::Change, people::Human};
use domain::{
    host::Host,
    remark::{Kind, Remark, Remarks},
};
use fake_host::{Mood, Said};
use sqlx::PgPool;
use store::remarks;
use time::Duration;

impl World {
    async fn read_by(&self, reader: &Human, change: &Change) -> String {
        let path = format!("/changes/{}", self.t.id_of(change).await);
        reader.browser.page(&self.t, &path).await
    }
}

fn says(by: &str, state: Option<&'static str>, text: &str) -> Said {
    Said {
        by: by.to_owned(),
        state,
        text: text.to_owned(),
        inline: false,
    }
}

pub async fn what_is_said_there_is_shown_and_counts_for_nothing(w: World) {
    let ben = w.t.senior("ben").await;
    let change = opens(&w, 7);
    w.hears_of("opened", 7).await;
    let quiet = w.read_by(&ben, &change).await;
    assert!(!quiet.contains("Said at "), "nobody said anything");
    let before = w.gate(&change.head).await;
    let inline = Said {
        inline: true,
        ..says("mika", None, "This line?")
    };
    let hostile = format!("<b>fine</b> \u{202e}etam {}", "x".repeat(3_000));
    w.host.pull(NAME, 7, |pull| {
        pull.said = vec![
            says("ben", Some("APPROVED"), "Ship it"),
            inline,
            says("troll", None, &hostile),
        ];
    });
    w.hears_of("reviewed", 7).await;
    let page = w.read_by(&ben, &change).await;
    let title = format!("Said at {}", w.kind.name());
    for part in [
        &*title,
        "Ship it",
        "approved there",
        "This line?",
        "goes on there",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    for part in ["<b>fine", "\u{202e}", &"x".repeat(2_001)] {
        assert!(!page.contains(part), "{part}");
    }
    assert_eq!(w.gate(&change.head).await, before, "waiting, as it was");
    assert_eq!(w.t.count("decision").await, 0);
    let link = page.contains("https://host.example/");
    assert_eq!(link, w.kind != Host::GitLab, "GitLab gives none");
}

pub async fn what_is_said_later_or_no_more_is_found_by_the_next_look_and_by_a_walk(w: World) {
    let ben = w.t.senior("ben").await;
    let change = opens(&w, 7);
    let many = (0..260).map(|n| says("mika", None, &format!("Remark {n}.")));
    let many: Vec<Said> = many.collect();
    w.host.pull(NAME, 7, |pull| pull.said = many);
    w.hears_of("opened", 7).await;
    let page = w.read_by(&ben, &change).await;
    for (text, is_kept) in [
        ("Remark 259.", true),
        ("Remark 60.", true),
        ("Remark 59.", false),
    ] {
        assert_eq!(page.contains(text), is_kept, "{text}");
    }
    assert!(page.contains("200+"), "{page}");
    // Of what was taken back there nothing is left here.
    w.host.pull(NAME, 7, |pull| {
        pull.said = vec![says("mika", None, "One alone")]
    });
    w.hears_of("deleted", 7).await;
    let page = w.read_by(&ben, &change).await;
    assert!(
        page.contains("One alone") && !page.contains("Remark "),
        "{page}"
    );
    // No delivery told of this.
    w.host.pull(NAME, 7, |pull| {
        pull.said = vec![says("mika", None, "Unheard of")]
    });
    for (hours, is_shown) in [(5, false), (2, true)] {
        w.t.pass(Duration::hours(hours));
        assert_eq!(walks(&w).await, 0);
        w.works().await;
        let page = w.read_by(&ben, &change).await;
        assert_eq!(page.contains("Unheard of"), is_shown, "{hours}");
    }
    // As where it was opened before anybody looked at what is said.
    let forget = sqlx::query("delete from host_remarks");
    forget.execute(&w.t.owner).await.unwrap();
    assert!(!w.read_by(&ben, &change).await.contains("Unheard of"));
    assert_eq!(walks(&w).await, 0);
    w.works().await;
    assert!(w.read_by(&ben, &change).await.contains("Unheard of"));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn who_comes_when_somebody_else_is_at_it_comes_too_late(pool: PgPool) {
    let w = World::new(pool).await;
    let ben = w.t.senior("ben").await;
    let change = opens(&w, 7);
    w.looks_at("opened", 7).await;
    let mut conn = w.t.db.pool().acquire().await.unwrap();
    let mut seen = vec![];
    for _ in 0..2 {
        let (now, lasts) = (w.t.db.now(), Duration::MINUTE);
        let due = remarks::take(&mut conn, Host::GitHub, 1, now, lasts).await;
        seen.push(due.unwrap().pop().unwrap());
        w.t.pass(lasts);
    }
    for (due, text) in seen.iter().zip(["Of the first", "Of the second"]).rev() {
        let one = Remark::new(Some("mika"), Kind::Commented, text);
        let said = Remarks::newest(vec![one], false);
        let looked = remarks::looked(&mut conn, due, Ok(&said), w.t.db.now());
        looked.await.unwrap();
    }
    let page = w.read_by(&ben, &change).await;
    assert!(page.contains("Of the second"), "{page}");
}

pub async fn a_host_that_does_not_tell_what_is_said_holds_up_nothing(w: World) {
    let ben = w.t.senior("ben").await;
    let change = opens(&w, 7);
    w.hears_of("opened", 7).await;
    w.host.pull(NAME, 7, |pull| {
        pull.said = vec![says("mika", None, "At last")]
    });
    w.looks_at("said", 7).await;
    w.host.will(&[Mood::Status(500), Mood::RetryAfter(60)]);
    w.works().await;
    assert_eq!(w.gate(&change.head).await.1, "waiting");
    assert_eq!(w.waiting().await, (None, None), "the change is looked at");
    assert!(!w.read_by(&ben, &change).await.contains("At last"));
    for _ in 0..2 {
        w.t.pass(Duration::minutes(2));
        w.works().await;
    }
    assert!(w.read_by(&ben, &change).await.contains("At last"));
}
