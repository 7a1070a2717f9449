//! Line numbers as notes and traces write them.

/// No file that anybody reviews has more lines.
const MOST_LINE: u32 = 10_000_000;

/// Whether this is `1-4,9,12`: lines that a file can have, each range forwards.
pub(super) fn are_lines(text: &str) -> bool {
    text.split(',').all(|range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        match (from.trim().parse(), to.trim().parse()) {
            (Ok(from), Ok(to)) => is_range(from, to),
            _ => false,
        }
    })
}

/// Whether a file can have these lines.
pub(super) fn is_range(from: u32, to: u32) -> bool {
    (1..=to).contains(&from) && to <= MOST_LINE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_begin_at_one_and_go_forwards() {
        for lines in ["1", "1-1", "1-4,9,12", " 3 - 4"] {
            assert!(are_lines(lines), "{lines}");
        }
        for lines in [
            "",
            "0",
            "4-1",
            "1-",
            "-1",
            "a",
            "1,,2",
            "1-10000001",
            "4294967296",
        ] {
            assert!(!are_lines(lines), "{lines}");
        }
    }
}
