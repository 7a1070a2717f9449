//! Who stands in for whom: what holds, and the forms that begin and end it.

use domain::{
    Timestamp,
    ids::PersonId,
    stand_in::{LONGEST, Listed},
};
use leptos::prelude::*;
use time::Duration;

use super::{
    mode::date,
    text::{Theirs, plain},
    time::Ago,
};

/// What holds for whoever looks, or for everybody where an admin does, and the form for more.
#[component]
pub fn StandIns(stand_ins: Vec<Listed>, me: PersonId, admin: bool, now: Timestamp) -> AnyView {
    let none = stand_ins.is_empty();
    let (first, last) = (now.date(), now.date() + LONGEST);
    view! {
        <section class="of-people" aria-labelledby="stand-ins">
            <h2 id="stand-ins">"Standing in"</h2>
            {none.then(|| view! { <p class="dim">"Nobody stands in for anybody here now."</p> })}
            <ul class="accounts">{stand_ins.into_iter().map(|one| view! { <li><One one me now/></li> }).collect_view()}</ul>
            <form class="filters" method="post" action="/fn/stand-in">
                {admin
                    .then(|| {
                        view! { <label>"For whom" <input class="field" name="principal" maxlength="254" size="20" autocomplete="off" placeholder="yourself"/></label> }
                    })}
                <label>"Who stands in" <input class="field" name="who" required maxlength="254" size="20" autocomplete="off" placeholder="name, address or login"/></label>
                <label>"Repositories" <input class="field" name="repositories" required maxlength="4000" size="24" autocomplete="off" placeholder="owner/name, owner/*"/></label>
                <label>"Last day" <input class="field" type="date" name="until" required min=first.to_string() max=last.to_string()/></label>
                <label>"Why" <input class="field" name="reason" required maxlength="400" size="20" autocomplete="off"/></label>
                <button class="btn">"Let them stand in"</button>
            </form>
            <p class="dim">"Who stands in fills the other's place in teams and lists, by the lower level of both, never for a change that either had a hand in, and sees no more than before. Each such decision says for whom."</p>
        </section>
    }
    .into_any()
}

#[component]
fn One(one: Listed, me: PersonId, now: Timestamp) -> AnyView {
    let you = |person, name: String| if person == me { "you".to_owned() } else { name };
    let who = you(one.pair.person, one.person_name.clone());
    let principal = you(one.pair.principal, one.principal_name.clone());
    let stands = if one.pair.person == me {
        "stand"
    } else {
        "stands"
    };
    let what = format!(
        " that {} stands in for {}",
        plain(&one.person_name),
        plain(&one.principal_name)
    );
    view! {
        <span><Theirs text=who/> {format!(" {stands} in for ")} <Theirs text=principal/></span>
        " "
        <small>
            <Theirs text=one.repositories.join(", ")/>
            {format!("; until {}; by ", date(one.until - Duration::DAY))}
            <Theirs text=one.by/> " " <Ago at=one.at now/> ": " <Theirs text=one.reason/>
        </small>
        <form class="link" method="post" action="/fn/end-stand-in">
            <input type="hidden" name="id" value=one.id.to_string()/>
            <button class="btn sm bare">"End it" <span class="vh">{what}</span></button>
        </form>
    }
    .into_any()
}
