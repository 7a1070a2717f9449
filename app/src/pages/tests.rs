//! What each page says of a value, without a database.

use domain::{
    case::Case,
    contributor::Role,
    decision::Kind,
    deployment::Sanction,
    people::Level,
    policy::{Document, Mode, SHIPPED, Terms},
    problem::Problem,
    provenance::Provenance,
    verdict::Word,
};
use store::{
    deployments::{OfChange, Unsanctioned},
    listing::Listed,
};
use time::Duration;

use super::{
    change::{self, ChangePage, Moved, Since},
    decisions::{self, Asked, DecisionsPage, Entry},
    problem::{Trouble, trouble_page},
    queue::{self, Filter, QueuePage, Row},
    sign_in::{self, Failed, SignInPage},
    specimen::{NOW, ana, ben, case, change_page, decided, html, revision, viewer},
};
use crate::{
    actions::Theme,
    components::since::{Difference, Incomparable},
    shell::Assets,
};

/// Letters and digits that somebody reads, without the elements around them.
fn text(html: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

/// What waits for Ben, who may have had a hand in it.
fn row(case: &Case, mine: bool) -> Row {
    let listed = Listed {
        change: case.change.clone(),
        revision: case.revision.clone(),
        standing: case.standing(),
        terms: Terms {
            policy: std::sync::Arc::new(case.policy.clone()),
            observe_until: None,
        },
        tools: vec![],
    };
    let since = case.revision.arrived_at;
    Row::of(store::queue::Row { listed, since }, mine, &ben(), &[], NOW)
}

/// The elements without the quoted values of their attributes, where `<` is text.
fn without_attributes(html: &str) -> String {
    let mut out = String::new();
    let (mut inside, mut quoted) = (false, false);
    for c in html.chars() {
        match c {
            '"' if inside => quoted = !quoted,
            _ if quoted => {}
            '<' | '>' => {
                inside = c == '<';
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn button<'a>(html: &'a str, kind: &str) -> &'a str {
    let at = html.find(&format!(r#"value="{kind}""#)).unwrap();
    let start = html[..at].rfind("<button").unwrap();
    &html[start..start + html[start..].find("</button>").unwrap()]
}

#[test]
fn a_senior_sees_what_is_missing_and_may_sign() {
    let page = html(|| change::show(change_page(ben(), case())));
    let said = text(&page);
    assert!(
        said.contains("One senior who is no contributor has to approve exactly this revision."),
        "{said}"
    );
    assert!(said.contains("You can clear it."), "{said}");
    assert!(said.contains("You can sign here"), "{said}");
    assert!(
        said.contains("Claude Code: trailer of 9999999, line 3"),
        "{said}"
    );
    assert!(!button(&page, "approve").contains("disabled"), "{page}");
    assert!(!button(&page, "reject").contains("disabled"), "{page}");
    assert!(
        page.contains(r#"name="digest" value="31f0a996f53463af"#),
        "{page}"
    );
    assert!(
        page.contains(r#"action="/fn/decide" method="post""#),
        "{page}"
    );
}

#[test]
fn a_long_title_stands_there_whole_and_can_be_opened() {
    let named = |title: &str| {
        let mut case = case();
        case.change.title = title.to_owned();
        html(|| change::show(change_page(ben(), case)))
    };
    let long = named(&"A".repeat(900));
    assert!(
        long.contains(&format!("<h1><bdi>{}</bdi></h1>", "A".repeat(900))),
        "{long}"
    );
    assert!(text(&long).contains("The whole title"));
    assert!(!text(&named("Short")).contains("The whole title"));
}

#[test]
fn a_change_of_which_nobody_said_whose_it_is_says_so_where_its_level_stands() {
    let counts = |role| {
        let mut case = case();
        case.contributors[0].contributor.role = role;
        let page = html(|| {
            change::show(change_page(
                viewer(super::specimen::BEN, "Ben", Level::Senior),
                case,
            ))
        });
        let counts = page.split("Counts as").nth(1).unwrap();
        text(counts.split("</dd>").next().unwrap())
    };
    assert!(counts(Role::ChangeAuthor).starts_with("juniorthe lowest level"));
    let nobodys = counts(Role::Author);
    assert!(
        nobodys.starts_with("nobody we knowNobody said whose change this is"),
        "{nobodys}"
    );
    assert!(nobodys.contains("give --author"), "{nobodys}");
}

#[test]
fn a_contributor_sees_the_form_closed_with_the_reason() {
    let page = html(|| {
        change::show(change_page(
            viewer(super::specimen::ANA, "Ana", Level::Senior),
            case(),
        ))
    });
    assert!(button(&page, "approve").contains("disabled"), "{page}");
    assert!(button(&page, "reject").contains("disabled"), "{page}");
    assert!(
        text(&page).contains(
            "You had a hand in this change (author of the change), so somebody else has to decide."
        ),
        "{page}"
    );
    assert!(
        !page.contains("<textarea"),
        "a reason that cannot be sent is not asked for"
    );
}

#[test]
fn somebody_below_senior_and_somebody_inactive_see_why_it_is_not_theirs() {
    let junior = html(|| {
        change::show(change_page(ana(), {
            let mut case = case();
            case.contributors.clear();
            case
        }))
    });
    assert!(
        text(&junior).contains("This asks for a senior, and you are known as junior."),
        "{junior}"
    );
    let mut gone = ben();
    gone.person.active = false;
    let inactive = html(|| change::show(change_page(gone, case())));
    assert!(
        text(&inactive).contains("Your account here is not active."),
        "{inactive}"
    );
    assert!(
        button(&inactive, "approve").contains("disabled"),
        "{inactive}"
    );
}

#[test]
fn a_decision_stands_on_the_line_and_in_the_history_with_its_reason() {
    let mut case = case();
    case.decisions.push(decided(
        &case,
        1,
        Kind::Approve,
        "Key honoured.\nFine by me.",
    ));
    let page = html(|| change::show(change_page(ben(), case)));
    let said = text(&page);
    assert!(
        said.contains("Every approval that the policy asks for is there."),
        "{said}"
    );
    assert!(
        said.contains("senior, as of then; approved revision 3"),
        "{said}"
    );
    assert!(said.contains("Key honoured.\nFine by me."), "{said}");
    assert!(page.contains(r#"value="withdraw""#), "{page}");
}

#[test]
fn a_change_that_moved_says_so_and_shows_both_digests() {
    let mut page = change_page(ben(), case());
    page.moved = Some(Moved {
        seen: revision(2),
        files: vec!["src/pay.rs".to_owned()],
    });
    page.told = Some(Problem::ChangedSinceYouLooked);
    let page = html(|| change::show(page));
    let said = text(&page);
    assert!(
        said.contains("You decided about revision 2. Revision 3 has come since"),
        "{said}"
    );
    assert!(said.contains("1 file differs"), "{said}");
    assert!(
        page.contains("sha256:21f0a996") && page.contains("sha256:31f0a996"),
        "{page}"
    );
}

#[test]
fn text_of_others_stays_text_in_every_place() {
    let hostile = "</title></textarea><script>alert(1)</script>\u{202e}gnp.exe\u{200b}";
    let mut case = case();
    case.change.title = hostile.to_owned();
    case.change.author = hostile.to_owned();
    case.change.url = Some("https://forge.example/1?a=\"><script>".to_owned());
    case.contributors[0].contributor.who.name = hostile.to_owned();
    case.contributors[0].ties[0].name = hostile.to_owned();
    case.decisions
        .push(decided(&case, 1, Kind::Reject, hostile));
    case.decisions[0].name = hostile.to_owned();
    let mut page = change_page(ben(), case.clone());
    page.commits = vec![super::specimen::commit(hostile)];
    page.viewer.person.name = hostile.to_owned();
    let row = row(&case, false);
    let entry = Entry {
        recorded: case.decisions[0].clone(),
        title: hostile.to_owned(),
        repository: hostile.to_owned(),
        key: "1".to_owned(),
        mode: Mode::Enforce,
    };
    let pages = [
        html(|| change::show(page)),
        html(|| {
            queue::show(QueuePage {
                viewer: ben(),
                asked: hostile.to_owned(),
                owed: (vec![], false),
                rows: vec![row],
                later: false,
                more: None,
                now: NOW,
            })
        }),
        html(|| {
            let asked = Asked {
                by: hostile.to_owned(),
                ..Asked::default()
            };
            decisions::show(DecisionsPage {
                viewer: ben(),
                asked,
                entries: vec![entry],
                older: None,
                now: NOW,
            })
        }),
        html(|| {
            sign_in::show(SignInPage {
                provider: hostile.to_owned(),
                next: hostile.to_owned(),
                failed: None,
            })
        }),
    ];
    for page in pages {
        let elements = without_attributes(&page);
        assert!(!elements.contains("<script"), "{elements}");
        assert!(!elements.contains("</textarea><script"), "{elements}");
        assert!(!elements.contains("</title>"), "{elements}");
    }
}

#[test]
fn characters_that_mislead_are_named_wherever_a_change_is_shown() {
    let mut case = case();
    case.change.title = "pay\u{202e}ments".to_owned();
    let row = row(&case, false);
    let pages = [
        html(|| change::show(change_page(ben(), case))),
        html(|| {
            queue::show(QueuePage {
                viewer: ben(),
                asked: String::new(),
                owed: (vec![], false),
                rows: vec![row],
                later: false,
                more: None,
                now: NOW,
            })
        }),
    ];
    for page in pages {
        assert!(
            page.contains(r#"title="right-to-left override">U+202E"#),
            "{page}"
        );
        assert!(!page.contains('\u{202e}'), "{page}");
    }
}

#[test]
fn the_queue_says_whose_turn_it_is_and_why() {
    let (waiting, mine) = (row(&case(), false), row(&case(), true));
    let page = html(|| {
        queue::show(QueuePage {
            viewer: ben(),
            asked: String::new(),
            owed: (vec![], false),
            rows: vec![waiting, mine],
            later: false,
            more: None,
            now: NOW,
        })
    });
    let said = text(&page);
    assert!(
        said.contains("A machine took part, and it counts as junior"),
        "{said}"
    );
    assert!(said.contains("not you: you had a hand in it"), "{said}");
    assert!(
        page.find(r#"id="turn""#) < page.find(r#"id="mine""#),
        "{page}"
    );
}

/// What an empty queue is headed by when there is nothing left to do.
const TICK: &str = "<use href=\"#v-approved\"";

#[test]
fn an_empty_queue_says_what_to_do() {
    let empty = |asked: &str| {
        html(|| {
            queue::show(QueuePage {
                viewer: ben(),
                asked: asked.to_owned(),
                owed: (vec![], false),
                rows: vec![],
                later: false,
                more: None,
                now: NOW,
            })
        })
    };
    assert!(text(&empty("")).contains("Every change that was submitted is cleared."));
    assert!(empty("").contains(TICK));
    assert!(text(&empty("repo:none")).contains("Show everything"));
    assert!(!empty("repo:none").contains(TICK));
}

#[test]
fn a_page_of_the_queue_says_that_it_is_not_the_whole_queue() {
    let said = |later: bool, more: bool, rows: Vec<Row>| {
        let page = QueuePage {
            viewer: ben(),
            asked: String::new(),
            owed: (vec![], false),
            rows,
            later,
            more: more.then(|| "/?q=&after=1,2".to_owned()),
            now: NOW,
        };
        let page = html(|| queue::show(page));
        assert!(!(later || more) || !page.contains(TICK), "{page}");
        text(&page)
    };
    let one = || vec![row(&case(), false)];
    let whole = said(false, false, one());
    assert!(whole.contains("1 change, oldest"), "{whole}");
    assert!(!whole.contains("on this page") && !whole.contains("1+"));
    for (later, more, counted) in [
        (false, true, "the oldest 1 change"),
        (true, true, "1 change after older ones"),
        (true, false, "the last 1 change"),
    ] {
        let part = said(later, more, one());
        assert!(part.contains(counted), "{part}");
        assert!(
            part.contains("on this page, oldest first") && part.contains("Your turn1+"),
            "{part}"
        );
        assert_eq!(part.contains("From the oldest"), later);
        let empty = said(later, more, vec![]);
        assert!(
            empty.contains("Nothing on this page waits for you"),
            "{empty}"
        );
        assert!(!empty.contains("Every change that was submitted is cleared"));
    }
}

#[test]
fn every_term_of_a_filter_has_to_hold() {
    let row = row(&case(), false);
    for kept in [
        "",
        "repo:payments",
        "repo:acme is:waiting level:junior",
        "is:assisted retry",
        "author:sofía",
        "142",
    ] {
        assert!(Filter::parse(kept).keeps(&row), "{kept}");
    }
    for dropped in [
        "repo:ledger",
        "repo:payments is:rejected",
        "level:mid",
        "tool:cursor",
        "colour:red",
    ] {
        assert!(!Filter::parse(dropped).keeps(&row), "{dropped}");
    }
}

#[test]
fn the_record_keeps_level_and_reason_as_of_then() {
    let case = case();
    let entry = Entry {
        recorded: decided(
            &case,
            1,
            Kind::Reject,
            "Test data holds no returning cardholder.",
        ),
        title: case.change.title.clone(),
        repository: "acme/payments".to_owned(),
        key: "142".to_owned(),
        mode: Mode::Observe {
            until: NOW + Duration::days(3),
        },
    };
    let page = html(|| {
        decisions::show(DecisionsPage {
            viewer: ben(),
            asked: Asked::default(),
            entries: vec![entry],
            older: None,
            now: NOW,
        })
    });
    let said = text(&page);
    assert!(said.contains("senior, payments, as of then"), "{said}");
    assert!(
        said.contains("Test data holds no returning cardholder."),
        "{said}"
    );
    assert!(said.contains("Tuesday 24 November 2026"), "{said}");
    let observed = "observed only, until 27 November 2026";
    assert!(said.contains(observed), "{said}");
}

#[test]
fn the_sign_in_page_says_who_vouches_and_where_one_comes_back() {
    let page = html(|| {
        let next = "/changes/1".to_owned();
        sign_in::show(SignInPage {
            provider: "Halden SSO".to_owned(),
            next,
            failed: Failed::parse("lost"),
        })
    });
    let said = text(&page);
    assert!(
        said.contains("Continue with Halden SSO") && said.contains("/changes/1"),
        "{said}"
    );
    assert!(said.contains("begun elsewhere or too long ago"), "{said}");
    assert_eq!(Failed::parse("anything else"), None);
}

#[test]
fn what_is_refused_before_a_page_runs_is_a_whole_page() {
    let page = trouble_page(
        Trouble::from_status(413),
        None,
        Assets::default(),
        Theme::Dark,
        None,
        None,
    );
    assert!(
        page.starts_with("<!DOCTYPE html><html lang=\"en\" data-theme=\"dark\">"),
        "{page}"
    );
    assert!(
        page.contains("<title>This is more than a form here can take · Countersign</title>"),
        "{page}"
    );
}

fn unsanctioned(n: u32, case: Option<&Case>) -> Unsanctioned {
    let change = case.map(|case| {
        let change = &case.change;
        (change.id, change.key.clone(), change.title.clone())
    });
    Unsanctioned {
        repository: "acme/payments".parse().unwrap(),
        environment: "production".parse().unwrap(),
        sha: format!("{n:040x}").parse().unwrap(),
        verdict: match case {
            Some(case) => case.verdict(NOW).word(),
            None => Word::Unheard,
        },
        change,
        at: NOW - Duration::hours(2),
        review_by: NOW + Duration::days(3),
        enforced: true,
    }
}

#[test]
fn the_front_page_says_what_was_deployed_and_never_allowed() {
    let front = |owed: Vec<Unsanctioned>, more| {
        html(|| {
            queue::show(QueuePage {
                viewer: ben(),
                asked: String::new(),
                owed: (owed, more),
                rows: vec![],
                later: false,
                more: None,
                now: NOW,
            })
        })
    };
    let case = case();
    let overdue = Unsanctioned {
        review_by: NOW,
        enforced: false,
        ..unsanctioned(2, None)
    };
    let page = front(vec![unsanctioned(1, Some(&case)), overdue], false);
    let said = text(&page);
    for expected in [
        "Deployed without having been allowed",
        "It was waiting when it was deployed",
        "1 review owed",
        "due 2026-11-27",
        "Nobody told of this commit before it was deployed",
        "overdue since 2026-11-24",
        "observed only",
        "Commit 0000000",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let address = format!(r#"href="/changes/{}#deployments""#, case.change.id);
    assert!(page.contains(&address), "{page}");
    assert!(!page.contains("<details"), "{page}");

    let many = front((0..7).map(|n| unsanctioned(n, None)).collect(), true);
    assert!(text(&many).contains("4+ more"), "{many}");
    assert_eq!(many.matches(r#"class="row""#).count(), 7);
    let none = front(vec![], false);
    assert!(!none.contains("Deployed without"), "{none}");
}

#[test]
fn a_change_says_where_it_was_deployed_and_what_is_owed_for_it() {
    let allowed = OfChange {
        environment: "staging".parse().unwrap(),
        sha: "a".repeat(40).parse().unwrap(),
        revision: 3,
        sanction: Sanction::Allowed,
        verdict: Word::Approved,
        at: NOW - Duration::hours(2),
        told_at: None,
        by: "deploy <pipeline>".to_owned(),
        enforced: true,
        review_by: None,
        reviewed_by: None,
    };
    let never = OfChange {
        environment: "production".parse().unwrap(),
        sanction: Sanction::Unsanctioned,
        verdict: Word::Waiting,
        told_at: Some(NOW - Duration::days(1)),
        enforced: false,
        review_by: Some(NOW + Duration::days(3)),
        ..allowed.clone()
    };
    let paid = OfChange {
        reviewed_by: Some("Li Na Zhou".to_owned()),
        ..never.clone()
    };
    let back = OfChange {
        sanction: Sanction::Redeployed,
        ..allowed.clone()
    };
    let shown = |deployments| {
        html(|| {
            change::show(ChangePage {
                deployments,
                ..change_page(ben(), case())
            })
        })
    };
    let said = text(&shown(vec![never, paid, back, allowed]));
    for expected in [
        "unsanctioned",
        "production, revision 3, commit aaaaaaa, reported 2 h ago by deploy &lt;pipeline&gt;; it happened at 2026-11-23 14:20:00 UTC, they say",
        "observed only. It was waiting when it was deployed; a review is owed by 2026-11-27 14:20:00 UTC",
        "Li Na Zhou reviewed it since",
        "went back",
        "staging, revision 3",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!shown(vec![]).contains(r#"id="deployments""#));
}

/// Two patches of two files each: one line of the first changed, and the second is as it was.
fn since_revision_2(rebased: bool) -> Result<Difference, Incomparable> {
    let (zero, one) = ("0".repeat(40), "1".repeat(40));
    let file = |name: &str, lines: &str| {
        let count = lines.lines().count();
        let head = format!(
            "diff --git a/{name} b/{name}\nnew file mode 100644\nindex {zero}..{one}\n--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{count} @@\n"
        );
        (head + lines).into_bytes()
    };
    let mode = |name: &str| {
        format!("diff --git a/{name} b/{name}\nold mode 100644\nnew mode 100755\n").into_bytes()
    };
    let before = [
        file("a.rs", "+let tries = 3;\n+go();\n"),
        file("same.rs", "+same\n"),
        mode("run.sh"),
        file("gone.rs", "+x\n"),
    ];
    let now = [
        file("a.rs", "+let tries = 4;\n+go();\n"),
        file("same.rs", "+same\n"),
        mode("run.sh"),
        file("new.rs", "+<script>\n"),
    ];
    Difference::between(&before, &now, rebased)
}

fn page_since(difference: Result<Difference, Incomparable>) -> String {
    let mut page = change_page(ben(), case());
    page.approved = Some(2);
    page.since = Some(Since {
        approved: revision(2),
        difference,
    });
    html(|| change::show(page))
}

#[test]
fn who_approved_before_is_offered_what_changed_since_and_nobody_else_is() {
    let mut page = change_page(ben(), case());
    let none = html(|| change::show(page.clone()));
    assert!(!none.contains("?since="), "{none}");
    page.approved = Some(2);
    let offered = html(|| change::show(page));
    assert!(offered.contains("?since=2#since"), "{offered}");
    assert!(!offered.contains(r#"name="since""#), "{offered}");
}

#[test]
fn only_what_changed_since_is_shown_with_what_was_and_a_way_back() {
    let page = page_since(since_revision_2(false));
    let said = text(&page);
    for words in [
        "Only what changed since revision 2, which you approved",
        "Not shown: 2 files are byte for byte what you approved.",
        "New since revision 2:",
        "Gone: what revision 2 did to this file is no part of the change any more.",
        "having read what changed since revision 2",
        "The whole change",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(
        page.contains(r#"<s class="ln was" data-s="was" data-o="   " data-n="  1" data-t="+">let tries = 3;</s>"#),
        "{page}"
    );
    assert!(
        page.contains(r#"<ins class="ln" id="f0n1" data-s="now" data-o="   " data-n="  1" data-t="+">let tries = 4;</ins>"#),
        "{page}"
    );
    assert!(page.contains(r#">go();</span>"#), "{page}");
    assert!(page.contains("&lt;script&gt;"), "{page}");
    assert!(
        !page.contains(">same<"),
        "what was approved is not shown again"
    );
    assert!(page.contains(r#"name="since" value="2""#), "{page}");
}

#[test]
fn what_cannot_be_compared_says_so() {
    let said = text(&page_since(since_revision_2(true)));
    assert!(
        said.contains("This cannot be compared: the patch says the same as it did"),
        "{said}"
    );
    assert!(
        said.contains("Not shown: 1 file is byte for byte what you approved."),
        "{said}"
    );
    for why in [
        Incomparable::InDoubt,
        Incomparable::TooMuch,
        Incomparable::Unreadable,
    ] {
        let page = page_since(Err(why));
        let said = text(&page);
        assert!(said.contains(why.sentence()), "{said}");
        assert!(
            said.contains("let tries = policy.first();"),
            "the whole stands there"
        );
        assert!(
            !page.contains(r#"name="since""#),
            "and an approval is about the whole"
        );
    }
    let large = [vec![b'x'; 9_000_000]];
    assert_eq!(
        Difference::between(&large, &large, false),
        Err(Incomparable::TooMuch)
    );
    let broken = [b"no patch".to_vec()];
    assert_eq!(
        Difference::between(&broken, &broken, false),
        Err(Incomparable::Unreadable)
    );
}

#[test]
fn what_passes_only_because_it_has_no_mark_says_so() {
    let under = |name: &str, provenance| {
        let shipped = SHIPPED.iter().find(|one| one.name == name).unwrap();
        let mut case = case();
        case.policy.document = Document::parse(shipped.text).unwrap();
        case.provenance = provenance;
        text(&html(|| change::show(change_page(ben(), case))))
    };
    let red = "Passed only because it has no mark";
    assert!(under("marked-only", Provenance::Unknown).contains(red));
    assert!(!under("marked-only", Provenance::Assisted).contains(red));
    assert!(!under("default", Provenance::Unknown).contains(red));
    assert!(!under("attested", Provenance::Unknown).contains(red));
}

#[test]
fn a_page_about_what_is_only_observed_says_so_above_everything() {
    let mut page = change_page(ben(), case());
    let strip = "acme/payments is only observed until 2026-11-27 14:20:00 UTC: gates answer yes whatever the verdict.";
    assert!(!text(&html(|| change::show(page.clone()))).contains(strip));
    page.mode = Mode::Observe {
        until: NOW + Duration::days(3),
    };
    let said = text(&html(|| change::show(page)));
    assert!(said.contains(strip), "{said}");
}
