//! What is said of texts that are no policy.

use super::*;
use crate::{
    carry::Proof,
    landing::Evidence,
    people::{Level, Role},
    policy::{Policy, SHIPPED},
    provenance::{Provenance, Tool},
};
use proptest::prelude::*;
use std::fmt::Write as _;

/// All faults, one a line.
fn faults(text: &str) -> String {
    let faults = Document::parse(text).unwrap_err();
    let mut all = String::new();
    for fault in faults {
        writeln!(all, "{fault}").unwrap();
    }
    all
}

/// A policy that only says this, beside a rule that is right.
fn with(more: &str) -> String {
    format!(
        "version = 1\nrule = [{{ name = \"r\", require = [{{ approvals = 1, level = \"mid\" }}] }}]\n{more}\n"
    )
}

/// A policy of one rule that also says this.
fn rule(more: &str) -> String {
    format!(
        "version = 1\n[[rule]]\nname = \"r\"\nrequire = [{{ approvals = 1, level = \"mid\" }}]\n{more}\n"
    )
}

/// A rule that asks for this.
fn asks(require: &str) -> String {
    format!("version = 1\n[[rule]]\nname = \"r\"\nrequire = {require}\n")
}

const ANA: &str = "0198a000-0000-7000-8000-000000000001";
const BEN: &str = "0198a000-0000-7000-8000-000000000002";

#[test]
fn a_text_can_say_everything() {
    let text = format!(
        r#"
        version = 1
        name = "Payments"
        [[rule]]
        name = "Assisted code by juniors"
        when = {{ provenance = ["assisted", "unknown"], tool = ["claude-code", "other:warp"], level = ["nobody", "senior"],
            repository = ["Acme/*"], target = ["main"], any_path = ["src/"], all_paths = ["**"], except_paths = ["docs/**"],
            more_lines = 400, more_files = 0, label = ["risky"] }}
        require = [ {{ approvals = 2, level = "senior", team = "payments", role = "admin" }}, {{ approvals = 1, people = ["{ANA}"] }} ]
        same_person = true
        [[automation]]
        name = "Dependabot"
        ids = ["github:49699333"]
        require = [ {{ approvals = 1, level = "mid" }} ]
        [approvals]
        expire_after = "2 weeks"
        expire_on = ["draft", "new_base"]
        carry_over = ["patch"]
        [veto]
        set_aside_by = {{ role = "manager" }}
        set_aside_after = "2 working days"
        [override]
        by = {{ role = "admin" }}
        lasts = "1 hour"
        review_within = "30 days"
        refused_while_overdue = true
        [going_back]
        redeploy_for = "1 day"
        revert = false
        [landing]
        evidence = "tree"
        [source]
        max_age = "2 hours"
        [human]
        believed = ["author", {{ team = "leads" }}]
        "#
    );
    let read = Document::parse(&text).unwrap();
    assert_eq!(read.name.as_deref(), Some("Payments"));
    let [rule, automation] = &read.rules[..] else {
        panic!("{:?}", read.rules)
    };
    let when = &rule.when;
    assert_eq!(when.provenance, [Provenance::Assisted, Provenance::Unknown]);
    assert_eq!(when.tool, [Tool::ClaudeCode, Tool::Other("warp".into())]);
    assert_eq!(when.level, [None, Some(Level::Senior)]);
    let globs: Vec<&str> = when.globs().map(Glob::as_str).collect();
    assert_eq!(globs, ["acme/*", "main", "src/", "**", "docs/**"]);
    assert_eq!((when.more_lines, when.more_files), (Some(400), Some(0)));
    assert_eq!(when.label, ["risky"]);
    assert!(rule.same_person);
    let senior_admin = Who {
        level: Some(Level::Senior),
        team: Some("payments".into()),
        role: Some(Role::Admin),
        people: vec![],
    };
    let ana = Who {
        people: vec![ANA.parse().unwrap()],
        ..Who::default()
    };
    let asked = |approvals, who| Ask { approvals, who };
    assert_eq!(rule.needs, [asked(2, senior_admin), asked(1, ana)]);
    assert_eq!(automation.when.automation, ["github:49699333"]);
    assert_eq!(automation.needs, [asked(1, Who::of_level(Level::Mid))]);
    assert!(!automation.same_person);
    let approvals = Approvals {
        expire_after: Some(Duration::weeks(2)),
        expire_on_draft: true,
        expire_on_new_base: true,
        carry: vec![Proof::Patch],
    };
    assert_eq!(read.approvals, approvals);
    let of_role = |role| Who {
        role: Some(role),
        ..Who::default()
    };
    let veto = VetoTerms {
        set_aside_by: of_role(Role::Manager),
        after_working_days: 2,
    };
    assert_eq!(read.veto, veto);
    let glass = Glass {
        by: vec![of_role(Role::Admin)],
        lasts: Duration::HOUR,
        review_within: Duration::days(30),
        refused_while_overdue: true,
    };
    assert_eq!(read.glass, glass);
    let back = Back {
        redeploy_for: Duration::DAY,
        revert: false,
    };
    assert_eq!(read.back, back);
    assert_eq!(read.landing.evidence, Evidence::Tree);
    assert_eq!(read.source.max_age, Some(Duration::hours(2)));
    let leads = Who {
        team: Some("leads".into()),
        ..Who::default()
    };
    let human = Belief {
        author: true,
        by: vec![leads],
    };
    assert_eq!(read.human, human);
}

#[test]
fn what_is_left_out_is_as_in_the_default() {
    let short = Document::parse(&with("")).unwrap();
    let plain = Document {
        rules: short.rules.clone(),
        ..Document::default()
    };
    assert_eq!(short, plain);
    let emptied = Document::parse(&with(
        "[approvals]\n[veto]\n[override]\n[going_back]\n[source]",
    ))
    .unwrap();
    assert_eq!(emptied, plain);
    assert!(Document::parse(&with("[approvals]\nexpire_on = []\ncarry_over = []")).is_ok());
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place_and_the_nearest_right_word() {
    let text = r#"version = 2
nmae = "x"
[[rule]]
name = "größe"
when = { provenance = ["asisted"], levl = ["nobody"], tool = ["Claude Code", "claude-cod", 3], any_path = ["!x"] }
require = [{ approvals = 0, level = "senor" }, { approvals = 2 }]
[[rule]]
name = "GRÖSSE"
[[rule]]
name = "größe"
require = []
[approvals]
expire_after = "30 dys"
carry_over = ["tre"]
[override]
lasts = "8 days"
[veto]
set_aside_after = "1 day"
"#;
    let expected = r#"line 1, column 11: `2`: expected 1
line 2, column 1: `nmae`: expected `version`, `name`, `rule`, `automation`, `approvals`, `veto`, `override`, `going_back`, `landing`, `source` or `human`; did you mean `name`?
line 5, column 24: `"asisted"`: expected `assisted`, `unknown` or `human`; did you mean `assisted`?
line 5, column 36: `levl`: expected `provenance`, `tool`, `level`, `repository`, `target`, `any_path`, `all_paths`, `except_paths`, `more_lines`, `more_files` or `label`; did you mean `level`?
line 5, column 63: `"Claude Code"`: expected the id of a tool, such as claude-code, or other:NAME for one that has none; did you mean `claude-code`?
line 5, column 78: `"claude-cod"`: expected the id of a tool, such as claude-code, or other:NAME for one that has none; did you mean `claude-code`?
line 5, column 92: `3`: expected the id of a tool, such as claude-code, or other:NAME for one that has none
line 5, column 108: `"!x"`: expected a pattern that says which paths, not which not; for a name that begins so, \!
line 6, column 26: `0`: expected a whole number from 1 to 20
line 6, column 37: `"senor"`: expected `junior`, `mid` or `senior`; did you mean `senior`?
line 6, column 48: expected whom: `level`, `team`, `role` or `people`, or several of them
line 7, column 1: expected `require`, a list such as [{ approvals = 1, level = "senior" }]
line 10, column 8: `"größe"`: expected a name that no other rule has
line 11, column 11: `[]`: expected a list, in [ ], of 1 to 20
line 13, column 16: `"30 dys"`: expected a time from "1 hour" to "1000 days", in hours, days or weeks; did you mean `30 days`?
line 14, column 15: `"tre"`: expected `blobs`, `tree` or `patch`; did you mean `tree`?
line 16, column 9: `"8 days"`: expected a time from "1 hour" to "7 days", in hours, days or weeks
line 18, column 19: `"1 day"`: expected a time from "1 working day" to "30 working days"
"#;
    assert_eq!(faults(text), expected);
}

#[test]
fn what_is_no_toml_is_told_with_its_places_and_nothing_is_called_missing() {
    let text = "version = 1\nname = \"a\nversion = 1\nlevl = 1\n[[rule]\n";
    let expected = "line 2, column 10: expected `\"` (invalid basic string)
line 3, column 1: `version`: expected TOML (duplicate key)
line 4, column 1: `levl`: expected `version`, `name`, `rule`, `automation`, `approvals`, `veto`, `override`, `going_back`, `landing`, `source` or `human`
line 5, column 8: expected `]` (unclosed array table)
";
    assert_eq!(faults(text), expected);
}

#[test]
fn a_policy_without_a_rule_would_open_every_gate() {
    let expected = "line 1, column 1: expected at least one [[rule]]: a policy without any would let everything pass\n";
    assert_eq!(faults("version = 1"), expected);
    assert!(Document::parse("version = 1\nrule = []").is_err());
    let automation = "version = 1\n[[automation]]\nname = \"a\"\nids = [\"github:1\"]\nrequire = [{ approvals = 1, level = \"mid\" }]";
    assert_eq!(faults(automation), expected);
    assert!(faults("").contains("`version = 1`"));
    assert!(faults("version = 1\n[rule]\nname = \"a\"").contains("two brackets"));
}

#[test]
fn a_rule_asks_somebody_for_something_that_can_be() {
    let both = format!("people = [\"{ANA}\", \"{BEN}\"]");
    for good in [
        "[{ approvals = 20, level = \"junior\" }]".to_owned(),
        format!("[{{ approvals = 2, {both} }}]"),
        format!("[{{ approvals = 1, {both} }}, {{ approvals = 1, people = [\"{ANA}\"] }}]"),
    ] {
        assert!(Document::parse(&asks(&good)).is_ok(), "{good}");
    }
    for bad in [
        "[]".to_owned(),
        "{ approvals = 1, level = \"senior\" }".to_owned(),
        "[{}]".to_owned(),
        "[{ approvals = 1 }]".to_owned(),
        "[{ level = \"senior\" }]".to_owned(),
        "[{ approvals = 0, level = \"senior\" }]".to_owned(),
        "[{ approvals = -1, level = \"senior\" }]".to_owned(),
        "[{ approvals = 21, level = \"senior\" }]".to_owned(),
        "[{ approvals = 1.0, level = \"senior\" }]".to_owned(),
        "[{ approvals = 99999999999999999999999999, level = \"senior\" }]".to_owned(),
        "[{ approvals = 1, level = \"nobody\" }]".to_owned(),
        "[{ approvals = 1, people = [] }]".to_owned(),
        "[{ approvals = 1, people = [\"ben\"] }]".to_owned(),
        "[{ approvals = 1, team = \"\" }]".to_owned(),
        "[{ approvals = 1, team = \"pay\\u202ements\" }]".to_owned(),
        format!("[{{ approvals = 2, people = [\"{ANA}\", \"{ANA}\"] }}]"),
        format!("[{{ approvals = 3, {both} }}]"),
        format!("[{{ approvals = 2, {both} }}, {{ approvals = 1, people = [\"{ANA}\"] }}]"),
    ] {
        assert!(Document::parse(&asks(&bad)).is_err(), "{bad}");
    }
    let shared = format!(
        "{}same_person = true",
        asks(&format!(
            "[{{ approvals = 2, {both} }}, {{ approvals = 1, people = [\"{ANA}\"] }}]"
        ))
    );
    assert!(Document::parse(&shared).is_ok());
}

#[test]
fn labels_and_size_make_no_exceptions_and_the_text_is_told_why() {
    for key in [
        "except_label",
        "except_labels",
        "not_label",
        "no_label",
        "unless_labels",
        "ignore_label",
    ] {
        let said = faults(&rule(&format!("when = {{ {key} = [\"trivial\"] }}")));
        assert!(said.contains("a label can make a rule apply"), "{said}");
    }
    for key in [
        "max_lines",
        "fewer_lines",
        "less_files",
        "max_files",
        "max_size",
        "not_more_lines",
    ] {
        let said = faults(&rule(&format!("when = {{ {key} = 10 }}")));
        assert!(said.contains("size can make a rule apply"), "{said}");
    }
    assert!(Document::parse(&rule("when = { label = [\"risky\"], more_lines = 10 }")).is_ok());
}

#[test]
fn an_empty_list_says_neither_all_nor_nothing() {
    for key in words::WHEN.iter().filter(|key| !key.starts_with("more_")) {
        let said = faults(&rule(&format!("when = {{ {key} = [] }}")));
        assert!(said.contains("of 1 to 50"), "{key}: {said}");
    }
}

#[test]
fn everything_is_bounded() {
    let asked = "require = [{ approvals = 1, level = \"mid\" }]";
    let rules = |count: usize| {
        let rules = (0..count).map(|i| format!("[[rule]]\nname = \"{i}\"\n{asked}\n"));
        format!("version = 1\n{}", rules.collect::<String>())
    };
    assert!(Document::parse(&rules(100)).is_ok());
    assert!(faults(&rules(101)).contains("at most 100 rules"));
    let globs = |count: usize| format!("[{}]", "\"x\",".repeat(count));
    let split = |a: usize, b: usize| {
        rule(&format!(
            "when = {{ any_path = {}, all_paths = {} }}",
            globs(a),
            globs(b)
        ))
    };
    assert!(Document::parse(&split(25, 25)).is_ok());
    assert!(faults(&split(26, 25)).contains("at most 50 patterns"));
    assert!(faults(&split(51, 1)).contains("of 1 to 50"));
    let in_all = |rules: usize| {
        let when = "when = { any_path = [\"{a,b,c,d}{a,b,c,d}\", \"{a,b,c,d}\"] }";
        let rules = (0..rules).map(|i| format!("[[rule]]\nname = \"{i}\"\n{when}\n{asked}\n"));
        format!("version = 1\n{}", rules.collect::<String>())
    };
    assert!(Document::parse(&in_all(50)).is_ok());
    assert!(faults(&in_all(51)).contains("at most 1000 patterns"));
    let padded = |bytes: usize| format!("{}#{}", with(""), "x".repeat(bytes - with("").len() - 1));
    assert!(Document::parse(&padded(MAX_BYTES)).is_ok());
    assert!(faults(&padded(MAX_BYTES + 1)).contains("at most 65536 bytes"));
    let many = faults(&format!(
        "version = 1\n{}",
        (0..900).map(|i| format!("k{i} = 1\n")).collect::<String>()
    ));
    assert_eq!(many.lines().count(), Fault::MOST);
}

#[test]
fn what_cannot_be_seen_cannot_be_said() {
    let hidden = with("# any \u{202e}gnihton");
    let expected =
        "line 3, column 7: expected no invisible character (here U+202E, right-to-left override)\n";
    assert_eq!(faults(&hidden), expected);
    assert!(Document::parse(&with("# größe 日本語")).is_ok());
    assert!(Document::parse(&with("").replace('\n', "\r\n")).is_ok());
    assert!(Document::parse(&format!("\u{feff}{}", with(""))).is_ok());
    assert!(Document::parse(&with("\0")).is_err());
}

#[test]
fn the_default_that_ships_is_the_one_that_is_built_in() {
    let text = |name| {
        SHIPPED
            .iter()
            .find(|shipped| shipped.name == name)
            .unwrap()
            .text
    };
    let default = Document::parse(text("default")).unwrap();
    assert_eq!(default, Document::default());
    assert_eq!(default, Policy::built_in().document);
    for shipped in SHIPPED {
        let read = Document::parse(shipped.text).unwrap();
        let named = read.name.as_deref().unwrap_or("default");
        assert_eq!(named, shipped.name);
    }
}

#[test]
fn the_page_for_strangers_shows_what_can_be_read_and_names_every_key() {
    let page = include_str!("../../../../../docs/POLICY.md");
    let examples: Vec<&str> = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    let [whole, automation] = examples[..] else {
        panic!("{examples:?}")
    };
    let both = format!("{whole}\n{automation}");
    assert_eq!(Document::parse(&both).unwrap().rules.len(), 4);
    let keys = [
        words::DOCUMENT,
        words::RULE,
        words::AUTOMATION,
        words::WHEN,
        words::ASK,
        words::OVERRIDE,
    ];
    for key in keys.concat() {
        let named = [
            format!("`{key}`"),
            format!("[{key}]`"),
            format!("[[{key}]]`"),
            format!("{key} = "),
        ];
        assert!(named.iter().any(|named| page.contains(named)), "{key}");
    }
}

/// Pieces that break something, or nearly.
fn hostile() -> impl Strategy<Value = String> {
    let repeated =
        |piece: &'static str| (1..4_000_usize).prop_map(move |count| piece.repeat(count));
    prop_oneof![
        any::<String>(),
        "[\\[\\]{}=.,\"'#\n a-z0-9_*\\\\!-]{0,60}",
        prop::sample::select(vec![
            "[[",
            "]]",
            "{",
            "}",
            "\"",
            "\"\"\"",
            "'''",
            "\n",
            "\0",
            "\u{202e}",
            "=",
            "99999999999999999999999",
            "-1",
            "1e999",
            "nan",
            "0x7fffffffffffffff",
            "1979-05-27",
            "true",
            "[[rule]]\n",
            "[rule.when]\n",
            "rule = 1\n",
            "version = 1\n",
            "{a,b}",
            "**",
            "[!",
            "\\",
            "approvals = 0",
            "people = []",
            "when = {}",
            "level = \"nobody\"",
            "= { approvals = 20, level = \"junior\" }",
            "\u{feff}",
            "\r",
            "ß",
        ])
        .prop_map(str::to_owned),
        repeated("["),
        repeated("{"),
        repeated("{a="),
        repeated("a."),
        repeated("[a]\n"),
        repeated("[[rule]]\n"),
        repeated("\"*a*\","),
    ]
}

/// A shipped text of which pieces were cut out, and into which others were put.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), 0..40_usize, hostile());
    let text = prop::sample::select(SHIPPED.map(|shipped| shipped.text).to_vec());
    (text, prop::collection::vec(edit, 1..6)).prop_map(|(text, edits)| {
        edits
            .into_iter()
            .fold(text.to_owned(), |text, (place, cut, put)| {
                let chars: Vec<char> = text.chars().collect();
                let at = place.index(chars.len() + 1);
                let before: String = chars[..at].iter().collect();
                let after: String = chars[(at + cut).min(chars.len())..].iter().collect();
                format!("{before}{put}{after}")
            })
    })
}

/// That what was read is whole, or that what is wrong is told where it is.
fn holds_or_says_why(text: &str) -> Result<(), TestCaseError> {
    match Document::parse(text) {
        Ok(read) => {
            let whole = |rule: &Rule| {
                let asks = |ask: &Ask| (1..=20).contains(&ask.approvals) && !ask.who.is_empty();
                !rule.name.is_empty() && !rule.needs.is_empty() && rule.needs.iter().all(asks)
            };
            prop_assert!(!read.rules.is_empty() && read.rules.len() <= 100);
            prop_assert!(read.rules.iter().all(whole));
            prop_assert!(!read.glass.by.is_empty());
        }
        Err(faults) => {
            prop_assert!(!faults.is_empty() && faults.len() <= Fault::MOST);
            for fault in &faults {
                let line = text.split('\n').nth(fault.line - 1).unwrap_or_default();
                prop_assert!(fault.column <= line.chars().count() + 1, "{}", fault);
                prop_assert!(!fault.expected.is_empty());
                prop_assert!(!crate::text::has_hidden(&fault.said), "{:?}", fault);
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_a_policy_or_says_why_not(text in any::<String>()) {
        holds_or_says_why(&text)?;
    }

    #[test]
    fn any_text_that_looks_like_one_too(text in "(version = 1\n)?(\\[\\[?[a-z_.]{1,9}\\]?\\]\n|[a-z_]{1,9} ?= ?[\\[{\"'a-z0-9=, }\\]]{0,20}\n){0,12}") {
        holds_or_says_why(&text)?;
    }

    #[test]
    fn a_policy_that_was_tampered_with_is_one_or_says_why_not(text in mutated()) {
        holds_or_says_why(&text)?;
    }
}

#[test]
fn the_worst_texts_of_the_greatest_length_are_read_in_time() {
    let fill = |piece: &str| piece.repeat(MAX_BYTES / piece.len());
    let alternatives = format!("\"{}{{a,b,c,d}}{{e,f,g,h}}\",", "*a".repeat(88));
    let patterns = format!("when = {{ any_path = [{}] }}", alternatives.repeat(50));
    let worst = [
        fill("{"),
        fill("["),
        fill("[["),
        format!("a={}", fill("{a=")),
        format!("a={}", fill("[")),
        fill("a."),
        format!("[{}", fill("a.")),
        fill("[a]\n"),
        fill("[[rule]]\n"),
        fill("x y\n"),
        // What the parser of TOML alone would end the process with.
        format!("={{{}{}", "[]".repeat(10_000), "{=".repeat(20_000)),
        format!("={{{}{}", "{}".repeat(10_000), "{=".repeat(20_000)),
        format!("={{{}{}", "[]".repeat(10_000), "[".repeat(40_000)),
        // As deep as it may be, in both ways at once.
        format!("{}=", format!("{}a={{", "a.".repeat(78)).repeat(16)),
        format!(
            "[{}a]\n{}=",
            "a.".repeat(78),
            format!("{}a={{", "a.".repeat(78)).repeat(16)
        ),
        fill("\u{202e}"),
        fill("\0"),
        fill("\"\\u202e\"\n"),
        (0..9_000).map(|i| format!("k{i}=1\n")).collect(),
        format!("version = {}", "9".repeat(60_000)),
        rule(&patterns),
    ];
    for text in worst {
        let begun = std::time::Instant::now();
        let read = Document::parse(text.get(..MAX_BYTES).unwrap_or(&text));
        let took = begun.elapsed();
        let start: String = text.chars().take(20).collect();
        assert!(took.as_secs() < 10, "{start:?} took {took:?}");
        assert!(
            text.starts_with("version = 1\n[[rule]]") || read.is_err(),
            "{start:?}"
        );
    }
}
