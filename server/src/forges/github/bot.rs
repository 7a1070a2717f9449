//! Whether a bot made a pull request and all of its commits.

use super::{
    client::{Client, escaped},
    wire::{Commit, Pull, Push, User},
};
use crate::forges::client::Failed;
use domain::host::{Bot, Host};

/// A branch that was changed more often is nobody's alone, as not all of it is looked through.
const MOST_PUSHES: usize = 100;

/// The bot, if it opened the pull request, GitHub itself vouches for every commit, and nobody else ever changed the branch.
///
/// # Errors
/// The host could not be asked.
pub async fn of(
    client: &Client,
    (at, host): (&str, Host),
    pull: &Pull,
    commits: &[Commit],
) -> Result<Option<Bot>, Failed> {
    let bot = pull.user.as_ref().filter(|user| user.is_bot());
    let made_all =
        |bot: &&User| !commits.is_empty() && commits.iter().all(|commit| is_by(bot, host, commit));
    let Some(bot) = bot.filter(made_all) else {
        return Ok(None);
    };
    let alone = pushed_alone(client, at, pull, bot).await?;
    Ok(alone.then(|| Bot::new(host, bot.id, &bot.login)))
}

/// Whether its account made a commit, and signed it or had the site sign it. An author's address alone proves nothing, as
/// anybody can write any into a commit.
fn is_by(bot: &User, host: Host, commit: &Commit) -> bool {
    let committed = |user: &User| bot.is_same_bot(user) || user.is_the_site(host);
    commit
        .author
        .as_ref()
        .is_some_and(|user| bot.is_same_bot(user))
        && commit.committer.as_ref().is_some_and(committed)
        && commit.commit.verification.verified
}

/// Whether nobody but the bot ever changed its branch, up to the head that is shown. Commits cannot tell: whoever squashes
/// another pull request of the bot into this branch has the site sign what they made as the bot's.
async fn pushed_alone(client: &Client, at: &str, pull: &Pull, bot: &User) -> Result<bool, Failed> {
    let branch = escaped(&pull.head.name);
    let asked = format!("{at}/activity?ref=refs/heads/{branch}&per_page={MOST_PUSHES}");
    let pushes: Vec<Push> = match client.get(&asked).await {
        // Older servers do not tell.
        Err(Failed::NotThere) => return Ok(false),
        pushes => pushes?,
    };
    let is_its = |push: &Push| {
        push.actor
            .as_ref()
            .is_some_and(|user| bot.is_same_bot(user))
    };
    let last = pushes.first();
    let is_whole =
        pushes.len() < MOST_PUSHES && last.is_some_and(|last| last.after == pull.head.sha);
    Ok(is_whole && pushes.iter().all(is_its))
}
