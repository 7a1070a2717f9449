use super::*;
use crate::names::CommitSha;
use proptest::prelude::*;

fn shown(email: &str, login: Option<&str>) -> Vec<String> {
    keys(email, login).into_iter().map(|key| key.0).collect()
}

fn who(text: &str) -> Signature {
    let (name, email) = text.split_once(" <").unwrap();
    Signature {
        name: name.to_owned(),
        email: email.trim_end_matches('>').to_owned(),
    }
}

fn commit(author: &str, committer: &str, message: &str) -> Commit {
    let sha = CommitSha::parse("a".repeat(40)).unwrap();
    Commit {
        tree: None,
        parents: vec![sha.clone()],
        sha,
        author: who(author),
        authored_at: None,
        committer: who(committer),
        message: message.as_bytes().to_vec(),
    }
}

fn people(commit: &Commit) -> Vec<String> {
    let one = |c: Contributor| {
        let key = c.keys.first().map_or("nobody", |key| key.0.as_str());
        format!("{} {} {key}", c.role.words(), c.who.name)
    };
    of_commit(commit).into_iter().map(one).collect()
}

const ANA: &str = "Ana <ana@halden.example>";
const WEB: &str = "GitHub <noreply@github.com>";

#[test]
fn spellings_of_one_address_share_a_key() {
    for email in [
        "ana@halden.example",
        "Ana@Halden.Example",
        "ana+ci@halden.example",
        " <ana@halden.example> ",
        "ana@halden.example.",
        "a\u{200b}na@halden.example",
    ] {
        assert_eq!(shown(email, None), ["email:ana@halden.example"], "{email}");
    }
    assert_eq!(shown("", Some("@Ana")), ["login:ana"]);
    assert_eq!(shown("", None), [""; 0]);
    assert_eq!(shown("+@x.example", None), ["email:+@x.example"]);
    assert_eq!(shown("no address", None), ["email:no address"]);
}

#[test]
fn no_reply_addresses_name_logins() {
    for (email, logins) in [
        ("123+Ana@users.noreply.github.com", vec!["login:ana"]),
        ("ana@users.noreply.github.com", vec!["login:ana"]),
        ("2-ana@users.noreply.github.com", vec!["login:2-ana"]),
        (
            "123+ana@users.noreply.git.halden.example",
            vec!["login:ana"],
        ),
        (
            "123-ana@users.noreply.gitlab.com",
            vec!["login:ana", "login:123-ana"],
        ),
        ("ana@noreply.codeberg.org", vec!["login:ana"]),
        ("7+ana@noreply.git.halden.example", vec!["login:ana"]),
        ("ana@halden.example", vec![]),
        ("noreply@github.com", vec![]),
    ] {
        let mut expected = vec![format!("email:{}", email.to_lowercase())];
        expected.extend(logins.into_iter().map(str::to_owned));
        assert_eq!(shown(email, None), expected, "{email}");
    }
}

#[test]
fn author_committer_and_co_authors_are_contributors() {
    let message = "Fix (#1)\n\n* one\n\nCo-authored-by: Li <li@halden.example>\n\n* two\n\nco-authored-by: Li <li@halden.example>\nSigned-off-by: Mika <mika@halden.example>\n";
    let commit = commit(ANA, "Ben <ben@halden.example>", message);
    assert_eq!(
        people(&commit),
        [
            "author Ana email:ana@halden.example",
            "committer Ben email:ben@halden.example",
            "co-author Li email:li@halden.example",
        ]
    );
}

const COPILOT: &str = "copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>";
const DEVIN: &str = "Devin AI <158243242+devin-ai-integration[bot]@users.noreply.github.com>";
const JULES: &str =
    "google-labs-jules[bot] <161369871+google-labs-jules[bot]@users.noreply.github.com>";

#[test]
fn copilots_commit_has_the_human_who_asked_and_stays_nobodys() {
    let asked = commit(
        COPILOT,
        WEB,
        "Fix\n\nCo-authored-by: Ana <1+ana@users.noreply.github.com>\n",
    );
    assert_eq!(
        people(&asked),
        [
            "co-author Ana email:1+ana@users.noreply.github.com",
            "author copilot-swe-agent[bot] nobody",
        ],
        "a trailer that names a senior would make it a senior's"
    );
    assert_eq!(of_commit(&asked)[0].login.as_deref(), Some("ana"));
}

#[test]
fn whom_an_agent_names_as_having_asked_had_a_hand_in_it() {
    let link = "Link to Devin run: https://app.devin.ai/sessions/0123456789abcdef0123456789abcdef";
    for (agent, line, found) in [
        (
            DEVIN,
            "Requested by: Ana Echeverría (@ana)",
            "Ana Echeverría login:ana",
        ),
        (
            DEVIN,
            "Requested by: Ana <ana@halden.example>",
            "Ana email:ana@halden.example",
        ),
        (DEVIN, "**Requested by:** @Ana", "Ana login:ana"),
        (
            DEVIN,
            "Requested-by: [Ana](https://github.com/ana) @ana",
            "Ana login:ana",
        ),
        (DEVIN, "requested-by: Ana", "Ana nobody"),
        (
            DEVIN,
            "On-behalf-of: @ana <ana@halden.example>",
            "@ana email:ana@halden.example",
        ),
        (
            JULES,
            "*PR created automatically by Jules for task [1](https://jules.google.com/task/1) started by @ana*",
            "ana login:ana",
        ),
        (
            JULES,
            "Opened on behalf of [@ana-b](https://github.com/ana-b).",
            "ana-b login:ana-b",
        ),
        (DEVIN, "Triggered by: Ana (@ana)", "Ana login:ana"),
        (
            DEVIN,
            "Triggered-by:\n  Ana <ana@halden.example>",
            "Ana email:ana@halden.example",
        ),
        (JULES, "Triggered by Ana (@ana).", "Ana login:ana"),
        (
            JULES,
            "It was prompted by Ana <ana@halden.example>",
            "Ana email:ana@halden.example",
        ),
        (
            COPILOT,
            "This was requested by **@a\u{200b}na**.",
            "ana login:ana",
        ),
    ] {
        let message = format!("Fix\n\n{line}\n{link}\n");
        let expected = format!("who set the agent to work {found}");
        let all = people(&commit(agent, WEB, &message));
        assert_eq!(all.first(), Some(&expected), "{line}");
        assert!(all[1].ends_with("nobody"), "{all:?}");
    }
}

#[test]
fn co_authors_are_somebody_in_every_spelling() {
    for (lines, found) in [
        ("Co-authored-by: @ben", "ben login:ben"),
        ("Co-authored-by: Ben (@Ben)", "Ben login:ben"),
        ("Co-authored-by: Ben <@ben>", "Ben login:ben"),
        ("Co-authored-by: Ben <ben>", "Ben login:ben"),
        (
            "Co-authored-by: Ben <mailto:ben@halden.example>",
            "Ben email:ben@halden.example",
        ),
        (
            "Co-authored-by: [Ben](mailto:ben@halden.example)",
            "Ben email:ben@halden.example",
        ),
        (
            "Co-authored-by: Ben ben@halden.example",
            "Ben email:ben@halden.example",
        ),
        (
            "Co-authored-by: Ben\n <ben@halden.example>",
            "Ben email:ben@halden.example",
        ),
        (
            "Co-authored-by:\n  Ben\n  <ben@halden.example>",
            "Ben email:ben@halden.example",
        ),
        (
            "Co-authored-by : Ben <ben@halden.example>",
            "Ben email:ben@halden.example",
        ),
        (
            "Co-authored-by：Ben <ben@halden.example>",
            "Ben email:ben@halden.example",
        ),
        (
            "Co-Authored-By=Ben <ben@halden.example>",
            "Ben email:ben@halden.example",
        ),
        (
            "Co-author: Ben <ben@halden.example>",
            "Ben email:ben@halden.example",
        ),
        (
            "* First\n\n  Co-authored-by: Ben <ben@halden.example>\n\n* Second",
            "Ben email:ben@halden.example",
        ),
    ] {
        let all = people(&commit(ANA, WEB, &format!("Fix\n\n{lines}\n\nMore\n")));
        assert_eq!(all[1..], [format!("co-author {found}")], "{lines:?}");
    }
    let several =
        "Fix\n\nCo-authored-by: Ben <ben@halden.example>, @li, Mika mika@halden.example\n";
    let several = commit(ANA, WEB, several);
    let keys: Vec<_> = people(&several)[1..]
        .iter()
        .map(|one| one.rsplit(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        keys,
        [
            "email:ben@halden.example",
            "email:mika@halden.example",
            "login:li"
        ]
    );
}

#[test]
fn a_tool_that_is_named_by_its_login_is_no_co_author() {
    for line in [
        "Co-authored-by: @Copilot",
        "Co-authored-by: @claude[bot]",
        "Co-authored-by: Claude\n <noreply@anthropic.com>",
    ] {
        let all = people(&commit(ANA, WEB, &format!("Fix\n\n{line}\n")));
        assert!(all.iter().all(|one| !one.contains("login:")), "{all:?}");
    }
}

#[test]
fn a_human_under_whose_name_an_agent_committed_is_not_alone_either() {
    let message = "Fix\n\nRequested by: Li (@li)\n\n🤖 Generated with [Claude Code](https://claude.com/claude-code)\n";
    assert_eq!(
        people(&commit(ANA, WEB, message)),
        [
            "author Ana email:ana@halden.example",
            "who set the agent to work Li login:li",
        ]
    );
}

#[test]
fn what_humans_write_to_each_other_sets_no_agent_to_work() {
    for line in [
        "Requested-by: Li <li@halden.example>",
        "This was started by @li.",
        "On behalf of @li",
    ] {
        let wished = commit(ANA, WEB, &format!("Fix\n\n{line}\n"));
        assert_eq!(people(&wished).len(), 1, "{line}");
    }
    for line in [
        "> Requested by: Li (@li)",
        "started by the scheduler at li@halden.example",
        "Requested by: @claude[bot]",
        "Requested by: Claude <noreply@anthropic.com>",
        "on behalf of nobody",
    ] {
        let message = format!("Fix\n\n{line}\n");
        assert_eq!(
            people(&commit(COPILOT, WEB, &message)),
            ["author copilot-swe-agent[bot] nobody"],
            "{line}"
        );
    }
}

#[test]
fn an_agents_commit_without_a_human_leads_to_nobody() {
    let claude = "Claude <noreply@anthropic.com>";
    let nobody = ["author Claude nobody"];
    assert_eq!(people(&commit(claude, WEB, "Fix\n")), nobody);
    assert_eq!(people(&commit(claude, claude, "Fix\n")), nobody);
    let pushed = commit(claude, ANA, "Fix\n");
    assert_eq!(people(&pushed), ["committer Ana email:ana@halden.example"]);
}

#[test]
fn a_tool_beside_a_human_is_not_one() {
    let message = "Fix\n\nCo-authored-by: Claude <noreply@anthropic.com>\nCo-authored-by: Claude <claude@dupont.example>\n";
    assert_eq!(
        people(&commit(ANA, WEB, message)),
        [
            "author Ana email:ana@halden.example",
            "co-author Claude email:claude@dupont.example",
        ]
    );
}

#[test]
fn a_tools_name_on_another_account_stays_somebody() {
    let spoofed = "claude[bot] <41898282+claude[bot]@users.noreply.github.com>";
    assert_eq!(people(&commit(spoofed, WEB, "Fix\n")).len(), 1);
}

#[test]
fn whoever_lets_a_tool_put_its_name_behind_theirs_is_still_there() {
    for name in [
        "Ana (aider)",
        "Ana (claude)",
        "Ana (claude-sonnet-4-20250514)",
    ] {
        let by_tool = commit(&format!("{name} <ana@halden.example>"), WEB, "Fix\n");
        assert_eq!(
            people(&by_tool),
            [format!("author {name} email:ana@halden.example")]
        );
    }
}

#[test]
fn infrastructure_counts_for_nothing_unless_it_writes_commits() {
    let mut merge = commit(WEB, WEB, "Merge\n");
    assert_eq!(people(&merge), ["author GitHub email:noreply@github.com"]);
    merge.parents.push(merge.sha.clone());
    assert_eq!(people(&merge), [""; 0]);
}

#[test]
fn what_a_form_names_is_an_address_or_a_login() {
    for (text, found) in [
        (" Ana+x@Halden.example ", vec!["ana@halden.example"]),
        ("@Ana-B", vec!["@ana-b"]),
        ("ana", vec!["@ana"]),
        (
            "7+ana@users.noreply.github.com",
            vec!["7+ana@users.noreply.github.com", "@ana"],
        ),
    ] {
        let shown: Vec<_> = account(text).unwrap().iter().map(Key::shown).collect();
        assert_eq!(shown, found, "{text}");
        let again: Vec<_> = shown
            .iter()
            .flat_map(|text| account(text).unwrap())
            .collect();
        assert!(again.contains(&account(text).unwrap()[0]), "{text}");
    }
    for text in [
        "",
        " @ ",
        "@",
        "a@",
        "@halden.example@",
        "two words",
        &"a".repeat(255),
    ] {
        assert_eq!(account(text), Err(Problem::NotAnAccount), "{text}");
    }
}

proptest! {
    #[test]
    fn keys_of_keys_change_no_more(email in "[a-zA-Z+.<> ]{0,8}@[a-zA-Z.]{0,8}") {
        let once = shown(&email, None);
        if let Some(address) = once.first().and_then(|key| key.strip_prefix("email:")) {
            let twice = shown(address, None);
            prop_assert_eq!(twice.first(), once.first());
        }
    }

    #[test]
    fn anybody_at_all_is_read(name in any::<String>(), email in any::<String>(), message in any::<String>()) {
        let text = format!("x\n\nCo-authored-by: {message}\nRequested by: {message}\non behalf of {message}");
        let mut commit = commit(COPILOT, ANA, &text);
        commit.author = Signature { name, email };
        let _ = of_commit(&commit);
    }
}
