//! The parsers, fed with seeds and mutations of them, some seconds long: the fuzz targets without their guide.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says with which seed"
)]

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    path::Path,
    time::{Duration, Instant},
};

/// So long for each.
const LASTS: Duration = Duration::from_secs(2);
/// Longer inputs tell nothing new, and take the time of many short ones.
const LONGEST: usize = 20_000;

/// Chance that a seed makes again: SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    /// A part of these bytes, now and then all of them.
    fn part<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let from = self.below(bytes.len() + 1);
        let to = from + self.below(bytes.len() - from + 1);
        &bytes[from..to]
    }
}

/// What parsers stumble over.
const TOKENS: &[&[u8]] = &[
    b"\0",
    b"\n",
    b"\r",
    b"\n\n",
    b"---\n",
    b"  ",
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"-1",
    b"0",
    b"4294967295",
    b"99999999999999999999",
    b"1-4,9",
    b"\xff\xfe",
    b"\xc3",
    "\u{200b}".as_bytes(),
    "\u{301}".as_bytes(),
    "🤖".as_bytes(),
    b"<",
    b">",
    b"<!--",
    b"-->",
    b"- [x] ",
    b"Co-authored-by: ",
    b"[bot]",
    b"@",
    b"+",
    b" ",
    b"null",
    b"\ndiff --git a/x b/x\n",
    b"@@ -1 +1 @@\n",
];

fn mutated(seeds: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = seeds[chance.below(seeds.len())].clone();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len() + 1);
        match chance.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            1 => bytes.truncate(at),
            2 => {
                let end = at + chance.below(bytes.len() - at + 1);
                bytes.drain(at..end);
            }
            3 => {
                let more = chance.part(&bytes).to_vec();
                bytes.splice(at..at, more);
            }
            4 => {
                let other = &seeds[chance.below(seeds.len())];
                let more = chance.part(other).to_vec();
                bytes.splice(at..at, more);
            }
            5 => {
                let more = TOKENS[chance.below(TOKENS.len())].repeat(1 + chance.below(300));
                bytes.splice(at..at, more);
            }
            _ => {
                let more = TOKENS[chance.below(TOKENS.len())].to_vec();
                bytes.splice(at..at, more);
            }
        }
        bytes.truncate(LONGEST);
    }
    bytes
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(name);
    let files = fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{name} has seeds");
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// With `COUNTERSIGN_SEED` the same mutations again, in the same order.
fn chance() -> Chance {
    let given = std::env::var("COUNTERSIGN_SEED").ok();
    let seed = given.map_or_else(
        || RandomState::new().hash_one(0),
        |text| text.parse().unwrap(),
    );
    println!("COUNTERSIGN_SEED={seed}");
    Chance(seed)
}

fn survives(name: &str) {
    let (_, target) = targets::ALL
        .iter()
        .find(|(known, _)| *known == name)
        .unwrap();
    let seeds = seeds(name);
    seeds.iter().for_each(|seed| target(seed));
    let (mut chance, begun, mut tried) = (chance(), Instant::now(), 0);
    while begun.elapsed() < LASTS {
        let input = mutated(&seeds, &mut chance);
        let before = Instant::now();
        target(&input);
        let took = before.elapsed();
        assert!(
            took < Duration::from_secs(5),
            "{took:?} for {} bytes",
            input.len()
        );
        tried += 1;
    }
    println!("{name}: {tried} mutations");
}

macro_rules! survives {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            survives($name);
        })*

        #[test]
        fn every_target_is_fed() {
            let known: Vec<&str> = targets::ALL.iter().map(|(name, _)| *name).collect();
            assert_eq!(known, [$($name),*]);
        }
    };
}

survives! {
    patches_are_read_whole_or_not_at_all: "patch",
    what_changed_between_two_patches_is_found: "since",
    policies_are_read_or_have_faults: "policy",
    messages_give_a_bounded_number_of_marks: "message",
    names_of_people_give_a_bounded_number_of_marks: "identity",
    descriptions_give_a_bounded_number_of_marks: "description",
    notes_claim_only_lines_that_are_there: "note",
    records_claim_only_lines_that_are_there: "trace",
    names_stay_what_they_are: "names",
}
