//! How long it takes to find the marks of one commit, on average over messages of the usual kinds.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use domain::{
    commit::{Commit, Signature},
    names::CommitSha,
    provenance,
};
use std::hint::black_box;

criterion_group!(benches, marks);
criterion_main!(benches);

fn marks(c: &mut Criterion) {
    let commits: Vec<Commit> = messages()
        .iter()
        .filter_map(|message| commit(message))
        .collect();
    let mut group = c.benchmark_group("marks");
    group.throughput(Throughput::Elements(
        u64::try_from(commits.len()).unwrap_or(u64::MAX),
    ));
    group.bench_function("commits", |b| {
        b.iter(|| {
            commits
                .iter()
                .map(|commit| {
                    provenance::marks(std::slice::from_ref(black_box(commit)), None).len()
                })
                .sum::<usize>()
        });
    });
    group.finish();
}

fn messages() -> Vec<String> {
    let prose = "Reports of the last week said that a refund is paid twice when the\nconnection is lost after the bank answered. The request is now\nkept with its key, and asked again with the same one.\n\n".repeat(5);
    vec![
        "Fix a typo\n".to_owned(),
        format!("Pay refunds once (#1611)\n\n{prose}"),
        format!(
            "Pay refunds once\n\n{prose}Signed-off-by: Ana <ana@halden.example>\nCo-authored-by: Ben <ben@halden.example>\n"
        ),
        format!(
            "Pay refunds once\n\n{prose}🤖 Generated with [Claude Code](https://claude.com/claude-code)\n\nCo-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>\n"
        ),
        format!(
            "Pay refunds once (#7)\n\n* Keep the key\n\n{prose}Assisted-by: Codex 5.3\n\n* Ask again\n\n{prose}---------\n\nCo-authored-by: Cursor <cursoragent@cursor.com>\n"
        ),
        "Merge pull request #7 from ana/codex/fix\n\nKeep the key\n".to_owned(),
        format!(
            "Bump serde from 1.0.1 to 1.0.2\n\n{}",
            "- [Commits](https://github.com/serde-rs/serde/compare/v1.0.1...v1.0.2)\n".repeat(20)
        ),
        format!(
            "Explain the policy\n\n- {}",
            prose.replace("request", "commit was written by Claude")
        ),
    ]
}

fn commit(message: &str) -> Option<Commit> {
    let sha = CommitSha::parse("a".repeat(40)).ok()?;
    let ana = Signature {
        name: "Ana Echeverría".to_owned(),
        email: "7+ana@users.noreply.github.com".to_owned(),
    };
    Some(Commit {
        tree: None,
        sha,
        parents: Vec::new(),
        author: ana.clone(),
        authored_at: None,
        committer: ana,
        message: message.as_bytes().to_vec(),
    })
}
