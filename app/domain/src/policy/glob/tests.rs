//! What patterns match, beside what git's match.

use super::*;
use proptest::prelude::*;

/// Pattern, what it matches, what it does not. Each line was checked with `git check-ignore` 2.47 (except those with
/// braces, which git does not have), and 300,000 pairs at random besides.
const LIKE_GIT: &[(&str, &[&str], &[&str])] = &[
    (
        "docs",
        &["docs", "docs/a.md", "x/docs", "x/docs/a/b"],
        &["docs2", "adocs", "x/docsa"],
    ),
    ("docs/", &["docs/a.md", "x/docs/a"], &["docs", "x/docs"]),
    ("/docs", &["docs", "docs/a"], &["x/docs", "x/docs/a"]),
    ("/docs/", &["docs/a"], &["docs", "x/docs/a"]),
    ("docs/**", &["docs/a", "docs/a/b"], &["docs", "x/docs/a"]),
    (
        "src/api",
        &["src/api", "src/api/x.rs"],
        &["x/src/api", "src/apix"],
    ),
    (
        "*.md",
        &["a.md", ".md", "x/y/a.md", "a.md/b"],
        &["a.mdx", "amd"],
    ),
    (
        "src/*.rs",
        &["src/a.rs", "src/a.rs/b"],
        &["src/x/a.rs", "x/src/a.rs"],
    ),
    (
        "src/**/*.rs",
        &["src/a.rs", "src/x/a.rs", "src/x/y/a.rs"],
        &["a.rs", "src/a.md", "srcx/a.rs"],
    ),
    (
        "**/test",
        &["test", "a/test", "a/b/test/c"],
        &["atest", "a/testb"],
    ),
    ("**/test/**", &["test/a", "a/b/test/c"], &["test", "a/test"]),
    (
        "a/**/b",
        &["a/b", "a/x/b", "a/x/y/b/c"],
        &["ab", "a/xb", "x/a/b"],
    ),
    ("a/**/**/b", &["a/b", "a/x/b"], &["a/xb"]),
    ("**", &["a", "a/b"], &[]),
    ("/**", &["a", "a/b"], &[]),
    ("**/", &["a/b", "a/b/c"], &["a"]),
    ("/*", &["a", "a/b"], &[]),
    ("/*/", &["a/b"], &["a"]),
    ("a?c", &["abc", "x/a.c"], &["ac", "abbc"]),
    ("a/?/c", &["a/b/c"], &["a//c", "a/bb/c", "a/c"]),
    ("[ab].c", &["a.c", "x/b.c"], &["c.c", "ab.c"]),
    ("[!ab].c", &["c.c", "-.c"], &["a.c", ".c"]),
    ("[^ab].c", &["c.c"], &["a.c"]),
    ("[a-c0-1].c", &["b.c", "1.c"], &["d.c", "-.c"]),
    ("[]-].c", &["].c", "-.c"], &["[.c"]),
    ("[!]].c", &["a.c"], &["].c"]),
    ("x/[!a]b", &["x/cb"], &["x/ab", "x//b"]),
    (r"\*.c", &["*.c"], &["a.c"]),
    (r"\!a", &["!a"], &["a"]),
    (r"[\]a]", &["]", "a"], &[r"\"]),
    ("a b", &["a b"], &["a", "b"]),
    ("größe", &["größe", "x/größe/y"], &["grösse", "Größe"]),
    ("gr??e", &[], &["größe"]),
    ("Docs", &["Docs/a"], &["docs/a", "DOCS/a"]),
    (".github", &[".github/workflows/ci.yml"], &["xgithub"]),
    ("*", &["a", ".hidden", "a/b"], &[]),
    ("*a*b*", &["ab", "xaxbx", "q/ab"], &["ba", "a/b"]),
    ("*.{js,ts}", &["a.js", "x/a.ts"], &["a.jsx", "a.{js,ts}"]),
    (
        "/{src,lib}/{a,b/c}",
        &["src/a", "lib/b/c/d"],
        &["src/b", "x/src/a"],
    ),
    (r"\{a,b\}", &["{a,b}"], &["a", "b"]),
];

#[test]
fn patterns_match_as_in_a_gitignore() {
    for (pattern, matching, others) in LIKE_GIT {
        let glob = Glob::of_paths(pattern).unwrap();
        for path in *matching {
            assert!(glob.matches(path.as_bytes()), "{pattern} and {path}");
        }
        for path in *others {
            assert!(!glob.matches(path.as_bytes()), "{pattern} and not {path}");
        }
    }
}

#[test]
fn names_of_branches_match_whole() {
    let table: &[(&str, &[&str], &[&str])] = &[
        ("main", &["main"], &["release/main", "main/x", "mainx"]),
        (
            "release/*",
            &["release/1.2"],
            &["release/1/2", "release", "x/release/1"],
        ),
        ("release/**", &["release/1.2", "release/1/2"], &["release"]),
        (
            "acme/{payments,ledger}",
            &["acme/payments"],
            &["acme/other"],
        ),
        ("**", &["main", "a/b/c"], &[]),
    ];
    for (pattern, matching, others) in table {
        let glob = Glob::of_names(pattern).unwrap();
        let matches = |name: &&&str| glob.matches(name.as_bytes());
        assert_eq!(
            matching.iter().filter(matches).count(),
            matching.len(),
            "{pattern}"
        );
        assert_eq!(others.iter().filter(matches).count(), 0, "{pattern}");
    }
}

#[test]
fn what_could_never_match_or_says_something_else_than_it_seems_is_refused() {
    for pattern in [
        "",
        " a",
        "a ",
        "!a",
        "/",
        "//",
        "a//b",
        "./a",
        "a/../b",
        "..",
        "a\\",
        "a\\/b",
        "[",
        "[a",
        "[]",
        "[z-a]",
        "[a/b]",
        "[[:alpha:]]",
        "[é]",
        "[a-é]",
        "src/**.rs",
        "a**/b",
        "{a}",
        "{a",
        "a}",
        "{a,}",
        "{a,{b,c}}",
        "{a,b}{a,b}{a,b}{a,b}{a,b}",
        "{/,a}",
        &"a".repeat(201),
    ] {
        assert!(Glob::of_paths(pattern).is_err(), "{pattern}");
    }
    for pattern in ["/main", "main/", "a//b", "/"] {
        assert!(Glob::of_names(pattern).is_err(), "{pattern}");
    }
    assert!(Glob::of_paths(&"a".repeat(200)).is_ok());
}

#[test]
fn names_that_are_no_text_match_byte_for_byte() {
    let star = Glob::of_paths("src/*.bin").unwrap();
    assert!(star.matches(b"src/\xff\xfe.bin"));
    assert!(Glob::of_paths("gr?e").unwrap().matches(b"gr\xffe"));
    assert!(!Glob::of_paths("grße").unwrap().matches(b"gr\xc3e"));
}

#[test]
fn a_submodule_is_a_directory() {
    assert!(Glob::of_paths("vendor/").unwrap().matches(b"vendor/"));
    assert!(Glob::of_paths("vendor").unwrap().matches(b"vendor/"));
}

#[test]
fn a_pattern_that_would_go_back_and_forth_does_not() {
    let glob = Glob::of_paths(&"*a".repeat(100)).unwrap();
    let deep = Glob::of_paths(&format!("{}b", "**/a/".repeat(39))).unwrap();
    for _ in 0..20 {
        assert!(!glob.matches(format!("{}b/{}b", "a".repeat(90), "a".repeat(90)).as_bytes()));
        assert!(!deep.matches("a/".repeat(2_000).as_bytes()));
    }
    assert!(glob.matches("a".repeat(4_000).as_bytes()));
}

/// The same by trying everything, on patterns without classes, escapes and braces.
fn by_trying(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', b'*', b'/', rest @ ..], _) => {
            let mut cuts = (0..name.len()).filter(|&i| name[i] == b'/');
            by_trying(rest, name) || cuts.any(|i| by_trying(rest, &name[i + 1..]))
        }
        ([b'*', b'*'], _) => true,
        ([b'*', rest @ ..], _) => {
            let stars = name.iter().take_while(|&&byte| byte != b'/').count();
            (0..=stars).any(|i| by_trying(rest, &name[i..]))
        }
        ([b'?', rest @ ..], [byte, name @ ..]) => *byte != b'/' && by_trying(rest, name),
        ([byte, rest @ ..], [other, name @ ..]) => byte == other && by_trying(rest, name),
        _ => false,
    }
}

proptest! {
    #[test]
    fn being_everywhere_at_once_finds_what_trying_everything_finds(
        segments in prop::collection::vec("[ab]|[*ab?][ab?]{0,2}|[ab][*]|\\*\\*", 1..6),
        name in "[ab]{1,3}(/[ab]{1,3}){0,5}",
    ) {
        let pattern = segments.join("/");
        let glob = Glob::of_names(&pattern).unwrap();
        prop_assert_eq!(glob.matches(name.as_bytes()), by_trying(pattern.as_bytes(), name.as_bytes()));
    }

    #[test]
    fn no_pattern_and_no_name_is_too_strange(pattern in any::<String>(), name in any::<Vec<u8>>()) {
        if let Ok(glob) = Glob::of_paths(&pattern) {
            let _ = glob.matches(&name);
        }
    }
}
