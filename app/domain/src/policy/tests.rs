//! Which rules apply to what, and whom they ask.

use super::*;
use crate::{ids::PersonId, people::Role, provenance::Tool};
use proptest::prelude::*;

/// A revision of everything that a rule can see.
#[derive(Debug, Clone)]
struct Seen {
    provenance: Provenance,
    tools: Vec<Tool>,
    level: Option<Level>,
    automation: Option<&'static str>,
    repository: &'static str,
    target: &'static str,
    paths: Vec<&'static str>,
    lines: u32,
    files: u32,
    labels: Vec<String>,
}

/// A small assisted change by a junior.
fn seen() -> Seen {
    Seen {
        provenance: Provenance::Assisted,
        tools: vec![Tool::ClaudeCode],
        level: Some(Level::Junior),
        automation: None,
        repository: "acme/payments",
        target: "main",
        paths: vec!["src/ledger.rs"],
        lines: 10,
        files: 1,
        labels: vec![],
    }
}

impl Seen {
    fn of_paths(paths: &[&'static str]) -> Self {
        Self {
            paths: paths.to_vec(),
            ..seen()
        }
    }

    fn by(provenance: Provenance, level: Option<Level>) -> Self {
        Self {
            provenance,
            level,
            ..seen()
        }
    }

    fn applying(&self, document: &Document) -> Vec<usize> {
        let paths: Vec<&[u8]> = self.paths.iter().map(|path| path.as_bytes()).collect();
        document.applying(&Facts {
            provenance: self.provenance,
            tools: &self.tools,
            level: self.level,
            automation: self.automation,
            repository: self.repository,
            target: self.target,
            paths: &paths,
            lines: self.lines,
            files: self.files,
            labels: &self.labels,
        })
    }

    /// Whether a rule with this `when` applies.
    fn is(&self, when: &str) -> bool {
        let text = format!(
            "version = 1\n[[rule]]\nname = \"r\"\nwhen = {{ {when} }}\nrequire = [{{ approvals = 1, level = \"senior\" }}]"
        );
        let document = Document::parse(&text).unwrap();
        !self.applying(&document).is_empty()
    }
}

fn shipped(name: &str) -> Document {
    let shipped = SHIPPED.iter().find(|shipped| shipped.name == name);
    Document::parse(shipped.unwrap().text).unwrap()
}

const LEVELS: [Option<Level>; 4] = [
    None,
    Some(Level::Junior),
    Some(Level::Mid),
    Some(Level::Senior),
];

#[test]
fn a_rule_that_says_nothing_applies_to_everything() {
    assert!(seen().is(""));
    assert!(Seen::of_paths(&[]).is(""));
    assert!(Seen::by(Provenance::Human, Some(Level::Senior)).is(""));
}

#[test]
fn all_that_a_rule_says_must_hold_and_of_a_list_one() {
    assert!(seen().is(r#"provenance = ["unknown", "assisted"]"#));
    assert!(!seen().is(r#"provenance = ["unknown"]"#));
    assert!(seen().is(r#"tool = ["copilot", "claude-code"]"#));
    assert!(!seen().is(r#"tool = ["copilot"]"#));
    assert!(seen().is(r#"level = ["junior"]"#));
    assert!(!seen().is(r#"level = ["nobody", "mid", "senior"]"#));
    assert!(!seen().is(r#"provenance = ["assisted"], level = ["mid"]"#));
    assert!(seen().is(r#"repository = ["Acme/*"], target = ["main", "release/*"]"#));
    assert!(!seen().is(r#"repository = ["acme/pay"]"#));
    assert!(!seen().is(r#"target = ["release/*"]"#));
}

#[test]
fn paths_say_how_they_are_meant() {
    let mixed = Seen::of_paths(&["docs/a.md", "src/a.rs"]);
    let docs = Seen::of_paths(&["docs/a.md", "docs/b.md"]);
    let empty = Seen::of_paths(&[]);
    let any = r#"any_path = ["docs/"]"#;
    let all = r#"all_paths = ["docs/"]"#;
    let except = r#"except_paths = ["docs/"]"#;
    let is = |when| [&mixed, &docs, &empty].map(|seen| seen.is(when));
    assert_eq!(is(any), [true, true, false]);
    assert_eq!(is(all), [false, true, true]);
    assert_eq!(is(except), [true, false, true]);
    assert!(
        docs.is(r#"all_paths = ["*.md"], any_path = ["docs/a.*"], except_paths = ["docs/a.md"]"#)
    );
    assert!(!mixed.is(r#"except_paths = ["docs/", "src/"]"#));
}

#[test]
fn a_file_that_is_moved_into_an_exception_is_none() {
    // Old and new names are both given.
    let moved = Seen::of_paths(&["src/ledger.rs", "docs/ledger.rs"]);
    assert!(moved.is(r#"except_paths = ["docs/"]"#));
    assert!(moved.is(r#"any_path = ["src/"]"#));
    assert!(!moved.is(r#"all_paths = ["docs/"]"#));
}

#[test]
fn size_and_labels_make_rules_apply() {
    assert!(seen().is("more_lines = 9, more_files = 0"));
    assert!(!seen().is("more_lines = 10"));
    assert!(!seen().is("more_files = 1"));
    let labelled = Seen {
        labels: vec!["Risky".into()],
        ..seen()
    };
    assert!(labelled.is(r#"label = ["risky", "other"]"#));
    assert!(!labelled.is(r#"label = ["risk"]"#));
}

#[test]
fn rules_about_levels_are_about_people_and_a_named_bot_has_needs_of_its_own() {
    let text = r#"version = 1
        [[rule]]
        name = "levels"
        when = { level = ["nobody", "junior"] }
        require = [{ approvals = 1, level = "senior" }]
        [[rule]]
        name = "all"
        require = [{ approvals = 1, level = "junior" }]
        [[automation]]
        name = "Dependabot"
        ids = ["github:49699333"]
        require = [{ approvals = 1, level = "mid" }]
        [[automation]]
        name = "Renovate"
        ids = ["github:29139614"]
        require = [{ approvals = 1, level = "mid" }]"#;
    let document = Document::parse(text).unwrap();
    let by = |provenance, automation| {
        let seen = Seen {
            automation,
            ..Seen::by(provenance, None)
        };
        seen.applying(&document)
    };
    assert_eq!(by(Provenance::Unknown, Some("github:49699333")), [1, 2]);
    assert_eq!(by(Provenance::Unknown, Some("github:29139614")), [1, 3]);
    assert_eq!(by(Provenance::Unknown, Some("github:1")), [0, 1]);
    assert_eq!(by(Provenance::Unknown, None), [0, 1]);
    // A tool took part: it is no longer only the bot's.
    assert_eq!(by(Provenance::Assisted, Some("github:49699333")), [0, 1]);
}

#[test]
fn the_default_asks_about_all_that_is_not_known_to_be_human_by_whoever_is_below_senior() {
    let document = Document::default();
    for level in LEVELS {
        let asked = |provenance| Seen::by(provenance, level).applying(&document).len();
        let below = usize::from(level < Some(Level::Senior));
        assert_eq!(asked(Provenance::Assisted), below);
        assert_eq!(asked(Provenance::Unknown), below);
        assert_eq!(asked(Provenance::Human), 0);
    }
    assert!(!document.human.author);
}

#[test]
fn attested_asks_like_the_default_and_believes_the_author_of_what_is_unknown() {
    let document = shipped("attested");
    for level in LEVELS {
        for provenance in [Provenance::Assisted, Provenance::Unknown, Provenance::Human] {
            let seen = Seen::by(provenance, level);
            let asked = |document| seen.applying(document).len();
            assert_eq!(asked(&document), asked(&Document::default()));
        }
    }
    assert!(document.human.author);
    assert_eq!(document.human.by, [Who::of_level(Level::Senior)]);
}

#[test]
fn marked_only_lets_pass_what_is_unknown_by_people_we_know() {
    let document = shipped("marked-only");
    for level in LEVELS {
        let asked = |provenance| Seen::by(provenance, level).applying(&document).len();
        assert_eq!(
            asked(Provenance::Assisted),
            usize::from(level < Some(Level::Senior))
        );
        assert_eq!(asked(Provenance::Unknown), usize::from(level.is_none()));
        assert_eq!(asked(Provenance::Human), 0);
    }
    assert!(!document.human.author);
}

#[test]
fn a_policy_that_only_asks_of_what_is_marked_is_known_by_what_it_lets_through() {
    let known = [Level::Junior, Level::Mid];
    assert_eq!(shipped("marked-only").lets_through(), known);
    assert_eq!(shipped("default").lets_through(), []);
    assert_eq!(shipped("attested").lets_through(), []);
    let written = |when: &str| {
        let text = format!(
            "version = 1\n[[rule]]\nname = \"a\"\nwhen = {{ {when} }}\nrequire = [{{ approvals = 1, level = \"senior\" }}]\n"
        );
        Document::parse(&text).unwrap().lets_through()
    };
    assert_eq!(written(r#"provenance = ["assisted"]"#).len(), 3);
    let by_juniors = r#"provenance = ["assisted"], level = ["junior"]"#;
    assert_eq!(written(by_juniors), [Level::Junior]);
    assert_eq!(written(r#"level = ["junior"]"#), []);
}

#[test]
fn somebody_is_whom_a_rule_asks_for_if_all_that_it_says_holds() {
    let ana = PersonId(uuid::Uuid::from_u128(1));
    let (teams, roles) = (["payments".to_owned()], [Role::Manager]);
    let held = Held {
        person: ana,
        level: Some(Level::Mid),
        teams: &teams,
        roles: &roles,
    };
    let whole = Who {
        level: Some(Level::Mid),
        team: Some("payments".into()),
        role: Some(Role::Manager),
        people: vec![ana],
    };
    assert!(whole.admits(&held));
    assert!(Who::of_level(Level::Junior).admits(&held));
    let other = |change: fn(&mut Who)| {
        let mut who = whole.clone();
        change(&mut who);
        who.admits(&held)
    };
    assert!(!other(|who| who.level = Some(Level::Senior)));
    assert!(!other(|who| who.team = Some("Payments".into())));
    assert!(!other(|who| who.role = Some(Role::Admin)));
    assert!(!other(|who| who.people = vec![PersonId(uuid::Uuid::nil())]));
    assert!(!Who::default().admits(&held), "nothing said admits nobody");
    let nobody = Held {
        level: None,
        ..held
    };
    assert!(!Who::of_level(Level::Junior).admits(&nobody));
}

fn some<T: Clone + std::fmt::Debug + 'static>(all: &[T]) -> impl Strategy<Value = Vec<T>> + use<T> {
    prop::sample::subsequence(all.to_vec(), 0..=all.len())
}

fn globs(
    of: fn(&str) -> Result<Glob, &'static str>,
    all: &'static [&'static str],
) -> impl Strategy<Value = Vec<Glob>> {
    prop::sample::subsequence(all.to_vec(), 0..=1)
        .prop_map(move |texts| texts.into_iter().map(|text| of(text).unwrap()).collect())
}

const PATHS: [&str; 5] = ["src/a.rs", "src/b/c.rs", "docs/a.md", "README.md", "a"];
const PATTERNS: &[&str] = &["src/", "*.md", "**", "/a", "docs/**", "nowhere"];
const BOTS: [&str; 2] = ["github:1", "github:2"];

fn a_level() -> impl Strategy<Value = Option<Level>> {
    prop::sample::select(LEVELS.to_vec())
}

fn a_when() -> impl Strategy<Value = When> {
    let who = (
        some(&[Provenance::Assisted, Provenance::Unknown, Provenance::Human]),
        some(&[Tool::ClaudeCode, Tool::Copilot]),
        some(&LEVELS),
    );
    let place = (
        globs(Glob::of_names, &["acme/*", "other/*"]),
        globs(Glob::of_names, &["main", "release/**"]),
        globs(Glob::of_paths, PATTERNS),
        globs(Glob::of_paths, PATTERNS),
        globs(Glob::of_paths, PATTERNS),
    );
    let size = (
        prop::option::of(0..20_u32),
        prop::option::of(0..3_u32),
        some(&["risky".to_owned(), "urgent".to_owned()]),
    );
    (who, place, size).prop_map(
        |(
            (provenance, tool, level),
            (repository, target, any_path, all_paths, except_paths),
            (more_lines, more_files, label),
        )| When {
            provenance,
            tool,
            level,
            automation: vec![],
            repository,
            target,
            any_path,
            all_paths,
            except_paths,
            more_lines,
            more_files,
            label,
        },
    )
}

fn a_rule() -> impl Strategy<Value = Rule> {
    let bot = prop::option::weighted(0.2, prop::sample::select(BOTS.to_vec()));
    (a_when(), bot).prop_map(|(when, bot)| Rule {
        name: "r".into(),
        when: match bot {
            Some(id) => When {
                automation: vec![id.to_owned()],
                ..When::default()
            },
            None => when,
        },
        needs: vec![],
        same_person: false,
    })
}

fn a_document() -> impl Strategy<Value = Document> {
    prop::collection::vec(a_rule(), 0..6).prop_map(|rules| Document {
        rules,
        ..Document::default()
    })
}

fn anything_seen() -> impl Strategy<Value = Seen> {
    let provenance = prop::sample::select(vec![
        Provenance::Assisted,
        Provenance::Unknown,
        Provenance::Human,
    ]);
    let tools = some(&[Tool::ClaudeCode, Tool::Copilot]);
    let bot = prop::option::weighted(0.3, prop::sample::select(BOTS.to_vec()));
    let labels = some(&["Risky".to_owned(), "urgent".to_owned(), "x".to_owned()]);
    (
        provenance,
        tools,
        a_level(),
        bot,
        some(&PATHS),
        0..25_u32,
        0..4_u32,
        labels,
    )
        .prop_map(
            |(provenance, tools, level, automation, paths, lines, files, labels)| Seen {
                provenance,
                tools,
                level,
                automation,
                paths,
                lines,
                files,
                labels,
                ..seen()
            },
        )
}

fn is_within(few: &[usize], many: &[usize]) -> bool {
    few.iter().all(|position| many.contains(position))
}

proptest! {
    #[test]
    fn adding_a_rule_never_removes_one_that_applies(
        document in a_document(), when in a_when(), seen in anything_seen(),
    ) {
        let before = seen.applying(&document);
        let mut more = document;
        more.rules.push(Rule { name: "new".into(), when, needs: vec![], same_person: false });
        prop_assert!(is_within(&before, &seen.applying(&more)));
    }

    #[test]
    fn labels_and_size_only_ever_make_more_rules_apply(
        document in a_document(), seen in anything_seen(), lines in 0..20_u32, files in 0..3_u32,
        labels in some(&["risky".to_owned(), "x".to_owned(), "y".to_owned()]),
    ) {
        let mut larger = seen.clone();
        larger.lines += lines;
        larger.files += files;
        larger.labels.extend(labels);
        prop_assert!(is_within(&seen.applying(&document), &larger.applying(&document)));
    }

    #[test]
    fn marks_of_more_tools_only_ever_make_more_rules_apply(document in a_document(), seen in anything_seen()) {
        let mut more = seen.clone();
        more.tools.extend([Tool::ClaudeCode, Tool::Copilot]);
        prop_assert!(is_within(&seen.applying(&document), &more.applying(&document)));
    }

    #[test]
    fn the_order_of_what_is_seen_changes_nothing(document in a_document(), seen in anything_seen()) {
        let mut turned = seen.clone();
        turned.paths.reverse();
        turned.labels.reverse();
        turned.tools.reverse();
        prop_assert_eq!(seen.applying(&document), turned.applying(&document));
    }
}
