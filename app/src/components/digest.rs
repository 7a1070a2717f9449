//! A digest as something that an eye can compare: sixteen bars, one for each of its first sixteen hexadecimal digits.

use std::fmt::Write as _;

use domain::digest::Digest;
use leptos::prelude::*;

/// How large the bars are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// In a row.
    Small,
    /// Where one signs.
    Plain,
    /// Where two are compared.
    Large,
}

/// Bars and the first eight digits; all of them in the title.
#[component]
pub fn DigestBars(digest: Digest, #[prop(default = Size::Plain)] size: Size) -> impl IntoView {
    let class = match size {
        Size::Small => "dg sm",
        Size::Plain => "dg",
        Size::Large => "dg lg",
    };
    let hex = digest.to_string();
    let (first, second) = (
        hex.get(..4).unwrap_or_default(),
        hex.get(4..8).unwrap_or_default(),
    );
    view! {
        <span class=class title=format!("sha256:{hex}")>
            <svg viewBox="0 0 63 17" preserveAspectRatio="none" aria-hidden="true">
                <path d=bars(digest)></path>
            </svg>
            <code>{format!("{first} {second}")}</code>
        </span>
    }
}

fn bars(digest: Digest) -> String {
    digest
        .bars()
        .iter()
        .enumerate()
        .fold(String::new(), |mut path, (n, digit)| {
            let (x, height) = (n * 4, u32::from(*digit) + 2);
            // Writing to a String cannot fail.
            let _ = write!(path, "M{x} {}h3v{height}h-3z", 17 - height);
            path
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_high_as_its_digit() {
        let digest = Digest::parse(&format!("0f{}", "0".repeat(62))).unwrap();
        assert!(bars(digest).starts_with("M0 15h3v2h-3zM4 0h3v17h-3z"));
    }
}
