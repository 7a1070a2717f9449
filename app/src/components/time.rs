//! Moments: how long ago, with the exact one at hand. Always UTC; readers convert better than we guess.

use domain::Timestamp;
use leptos::prelude::*;
use time::{Duration, macros::format_description};

/// `2 h`, with the exact moment in the title.
#[component]
pub fn Age(at: Timestamp, now: Timestamp) -> impl IntoView {
    view! { <time datetime=machine(at) title=exact(at)>{span(now - at)}</time> }
}

/// `2 h ago`, with the exact moment in the title.
#[component]
pub fn Ago(at: Timestamp, now: Timestamp) -> impl IntoView {
    let said = match span(now - at).as_str() {
        "now" => "just now".to_owned(),
        span => format!("{span} ago"),
    };
    view! { <time datetime=machine(at) title=exact(at)>{said}</time> }
}

/// `13:58`, with the exact moment in the title.
#[component]
pub fn Clock(at: Timestamp) -> impl IntoView {
    let said = at
        .format(format_description!("[hour]:[minute]"))
        .unwrap_or_default();
    view! { <time datetime=machine(at) title=exact(at)>{said}</time> }
}

/// `Tuesday 24 November 2026`.
pub fn day(at: Timestamp) -> String {
    at.format(format_description!(
        "[weekday] [day padding:none] [month repr:long] [year]"
    ))
    .unwrap_or_default()
}

/// `2026-11-24 13:58:02 UTC`.
pub fn exact(at: Timestamp) -> String {
    at.format(format_description!(
        "[year]-[month]-[day] [hour]:[minute]:[second] UTC"
    ))
    .unwrap_or_default()
}

fn machine(at: Timestamp) -> String {
    at.format(&time::format_description::well_known::Rfc3339)
        .unwrap_or_default()
}

/// The two largest units that matter.
fn span(length: Duration) -> String {
    let (days, hours, minutes) = (
        length.whole_days(),
        length.whole_hours() % 24,
        length.whole_minutes() % 60,
    );
    match (days, hours, minutes) {
        (10.., ..) => format!("{days} d"),
        (1.., 0, _) => format!("{days} d"),
        (1.., ..) => format!("{days} d {hours} h"),
        (_, 1.., _) => format!("{hours} h"),
        (_, _, 1..) => format!("{minutes} min"),
        _ => "now".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_said_in_the_units_that_matter() {
        let said = [0, 59, 60, 3_599, 3_600, 86_400, 86_400 + 7_200, 86_400 * 12]
            .map(|s| span(Duration::seconds(s)));
        assert_eq!(
            said,
            [
                "now", "now", "1 min", "59 min", "1 h", "1 d", "1 d 2 h", "12 d"
            ]
        );
    }
}
