//! Who may see a repository: what holds, the form of an admin, and what was said before.

use domain::{Timestamp, names::RepositoryName, readers::Readers};
use leptos::prelude::*;
use store::readers::Set;

use super::{text::Theirs, time::Ago};

/// Who may see it now, and how that came about.
#[component]
pub fn MayRead(
    name: RepositoryName,
    readers: Readers,
    readings: Vec<Set>,
    admin: bool,
    now: Timestamp,
) -> AnyView {
    view! {
        <section class="paper" aria-labelledby="readers">
            <header><h2 id="readers">"Who may see it"</h2></header>
            <p class="plain"><Theirs text=says(&readers)/></p>
            {admin.then(|| view! { <ReadersForm name readers/> })}
            <ol class="versions">
                {readings
                    .into_iter()
                    .map(|set| {
                        view! { <li><span><Theirs text=whom(&set.readers)/> <small>" " <Theirs text=set.by/> ": " <Theirs text=set.reason/></small></span><small><Ago at=set.at now/></small></li> }
                    })
                    .collect_view()}
            </ol>
        </section>
    }
    .into_any()
}

#[component]
fn ReadersForm(name: RepositoryName, readers: Readers) -> AnyView {
    let limited = readers.teams().is_some();
    let named = readers.teams().unwrap_or_default().join(", ");
    view! {
        <form class="plain" method="post" action="/fn/set-readers">
            <input type="hidden" name="repository" value=name.to_string()/>
            <label>"Teams, with commas between them" <input class="field" name="teams" maxlength="4000" value=named autocomplete="off"/></label>
            <label>"Why" <input class="field" name="reason" required maxlength="400" autocomplete="off"/></label>
            <div class="acts">
                <button class="btn" name="everybody" value="false">"Only these teams"</button>
                {limited.then(|| view! { <button class="btn" name="everybody" value="true">"Everybody who is signed in"</button> })}
            </div>
        </form>
    }
    .into_any()
}

fn says(readers: &Readers) -> String {
    match readers {
        Readers::Everybody => "Everybody who is signed in.".to_owned(),
        Readers::Teams(_) => format!(
            "Only {}, and admins. For everybody else it is not there, and nobody else can approve in it.",
            whom(readers)
        ),
    }
}

fn whom(readers: &Readers) -> String {
    match readers.teams() {
        None => "everybody".to_owned(),
        Some([team]) => format!("team {team}"),
        Some(teams) => format!("teams {}", teams.join(", ")),
    }
}
