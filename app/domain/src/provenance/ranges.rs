//! Line numbers as notes and traces write them.

/// No file that anybody reviews has more lines.
const MOST_LINE: u32 = 10_000_000;

/// Reads `1-4,9,12`: lines that a file can have, each range forwards.
pub(super) fn lines(text: &str) -> Option<Vec<(u32, u32)>> {
    let range = |text: &str| {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let range = (from.trim().parse().ok()?, to.trim().parse().ok()?);
        is_range(range.0, range.1).then_some(range)
    };
    text.split(',').map(range).collect()
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
        assert_eq!(lines("1-4,9, 12 - 13").unwrap(), [(1, 4), (9, 9), (12, 13)]);
        for wrong in [
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
            assert_eq!(lines(wrong), None, "{wrong}");
        }
    }
}
