//! Runs a pattern over a name, in one pass.

use super::{
    Names,
    pattern::{Token, of_a_name, of_a_path},
};
use memchr::memmem::Finder;

/// A pattern that is ready to run.
#[derive(Clone)]
pub(super) struct Program {
    /// The longest text that every match contains: most names do not, and are told apart by it ten times as fast.
    contained: Finder<'static>,
    machine: Machine,
}

#[derive(Clone)]
enum Machine {
    /// For patterns of fewer than 64 places: nearly all.
    Short(Table<1>),
    Long(Box<Table<4>>),
}

/// A pattern as a machine that is in all its possible places at once, so that it never goes back.
#[derive(Clone)]
struct Table<const WORDS: usize> {
    /// For each byte, the places that go on to the next with it.
    taking: Vec<Places<WORDS>>,
    /// The places that stay with a slash, and with any other byte.
    staying: [Places<WORDS>; 2],
    /// `*` and `**` at the end: one goes on from them without a byte.
    open: Places<WORDS>,
    /// `**/`.
    directories: Places<WORDS>,
    start: Places<WORDS>,
    end: Places<WORDS>,
    /// Whether whatever lies below a match is one.
    below: bool,
    /// Whether the name itself is one, or only what lies below.
    itself: bool,
}

/// Where in a pattern one may be: one bit a token, and one for its end.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Places<const WORDS: usize>([u64; WORDS]);

impl Program {
    pub(super) fn new(pattern: &[u8], of: Names) -> Result<Self, &'static str> {
        let (tokens, itself) = match of {
            Names::Paths => of_a_path(pattern)?,
            Names::Whole => (of_a_name(pattern)?, true),
        };
        let below = of == Names::Paths;
        let machine = match tokens.len() {
            ..64 => Machine::Short(Table::new(&tokens, below, itself)),
            _ => Machine::Long(Box::new(Table::new(&tokens, below, itself))),
        };
        Ok(Self {
            contained: Finder::new(&longest_text(&tokens)).into_owned(),
            machine,
        })
    }

    pub(super) fn matches(&self, name: &[u8]) -> bool {
        self.contained.find(name).is_some()
            && match &self.machine {
                Machine::Short(table) => table.matches(name),
                Machine::Long(table) => table.matches(name),
            }
    }
}

impl<const WORDS: usize> Table<WORDS> {
    fn new(tokens: &[Token], below: bool, itself: bool) -> Self {
        let mut taking = vec![Places::NONE; 256];
        for (place, token) in tokens.iter().enumerate() {
            for byte in token.takes() {
                taking[usize::from(byte)] = taking[usize::from(byte)].with(place);
            }
        }
        let of = |kind: Token| {
            let places = (0..tokens.len()).filter(|place| tokens[*place] == kind);
            places.fold(Places::NONE, Places::with)
        };
        let stars = of(Token::Star);
        let rest = of(Token::Rest);
        let directories = of(Token::Directories);
        let anything = rest.or(directories);
        let mut table = Self {
            taking,
            staying: [anything, anything.or(stars)],
            open: stars.or(rest),
            directories,
            start: Places::NONE.with(0),
            end: Places::NONE.with(tokens.len()),
            below,
            itself,
        };
        table.start = table.entered(table.start, Places::NONE);
        table
    }

    fn matches(&self, name: &[u8]) -> bool {
        let mut at = self.start;
        for &byte in name {
            if byte == b'/' && self.below && at.meets(self.end) {
                return true;
            }
            at = self.step(at, byte);
            if at == Places::NONE {
                return false;
            }
        }
        self.itself && at.meets(self.end)
    }

    fn step(&self, at: Places<WORDS>, byte: u8) -> Places<WORDS> {
        let taking = self.taking[usize::from(byte)];
        let staying = self.staying[usize::from(byte != b'/')];
        self.entered(at.and(taking).next(), at.and(staying))
    }

    /// Adds the places to which one goes on without a byte. From `**/` only on entering it: inside, a slash has to come first.
    /// Two rounds are enough, as a star never follows a star and nothing follows `**` at the end.
    fn entered(&self, entered: Places<WORDS>, stayed: Places<WORDS>) -> Places<WORDS> {
        let entered = entered.or(entered.and(self.directories).next());
        let all = entered.or(stayed);
        all.or(all.and(self.open).next())
    }
}

impl<const WORDS: usize> Places<WORDS> {
    const NONE: Self = Self([0; WORDS]);

    fn with(mut self, place: usize) -> Self {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
        self
    }

    fn and(mut self, other: Self) -> Self {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word &= other;
        }
        self
    }

    fn or(mut self, other: Self) -> Self {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
        self
    }

    fn meets(self, other: Self) -> bool {
        self.and(other) != Self::NONE
    }

    /// Each one further.
    fn next(mut self) -> Self {
        let mut carried = 0;
        for word in &mut self.0 {
            let carry = *word >> 63;
            *word = (*word << 1) | carried;
            carried = carry;
        }
        self
    }
}

/// The longest of the texts that stand in a pattern without anything open between.
fn longest_text(tokens: &[Token]) -> Vec<u8> {
    let (mut longest, mut text) = (Vec::new(), Vec::new());
    for token in tokens {
        match token {
            Token::Byte(byte) => text.push(*byte),
            _ => text.clear(),
        }
        if text.len() > longest.len() {
            longest.clone_from(&text);
        }
    }
    longest
}
