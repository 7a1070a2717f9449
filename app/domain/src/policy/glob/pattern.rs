//! Reads one pattern without braces into what each of its places takes.

/// What one place of a pattern takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    Byte(u8),
    /// One byte of these, among which is no slash.
    One(Box<[bool; 256]>),
    /// `*`: any number of bytes without a slash.
    Star,
    /// `**` at the end: any number of bytes.
    Rest,
    /// `**/`: nothing, or anything that ends in a slash.
    Directories,
}

impl Token {
    /// The bytes with which one goes on to the next place.
    pub(super) fn takes(&self) -> Vec<u8> {
        match self {
            Token::Byte(byte) => vec![*byte],
            Token::One(bytes) => (0..=u8::MAX)
                .filter(|byte| bytes[usize::from(*byte)])
                .collect(),
            Token::Directories => vec![b'/'],
            Token::Star | Token::Rest => vec![],
        }
    }
}

/// The tokens of a pattern of paths, and whether it matches a file of its name or only what lies below a directory.
pub(super) fn of_a_path(pattern: &[u8]) -> Result<(Vec<Token>, bool), &'static str> {
    if pattern.first() == Some(&b'!') {
        return Err(
            "a pattern that says which paths, not which not; for a name that begins so, \\!",
        );
    }
    let anchored = pattern.strip_prefix(b"/");
    let bare = anchored.unwrap_or(pattern);
    let (bare, itself) = match bare.strip_suffix(b"/") {
        Some(directory) => (directory, false),
        None => (bare, true),
    };
    let names = tokens(bare)?;
    if anchored.is_some() || bare.contains(&b'/') {
        return Ok((names, itself));
    }
    let anywhere = std::iter::once(Token::Directories);
    Ok((anywhere.chain(names).collect(), itself))
}

pub(super) fn of_a_name(pattern: &[u8]) -> Result<Vec<Token>, &'static str> {
    if pattern.first() == Some(&b'/') || pattern.last() == Some(&b'/') {
        return Err("a pattern of whole names, without a slash at its ends");
    }
    tokens(pattern)
}

/// The tokens of what stands between slashes, and of these.
fn tokens(pattern: &[u8]) -> Result<Vec<Token>, &'static str> {
    let segments: Vec<&[u8]> = pattern.split(|&byte| byte == b'/').collect();
    let last = segments.len() - 1;
    let mut tokens = Vec::new();
    for (number, segment) in segments.iter().enumerate() {
        let deep = segment.len() > 1 && segment.iter().all(|&byte| byte == b'*');
        match (deep, number == last) {
            (true, true) => tokens.push(Token::Rest),
            (true, false) if tokens.last() == Some(&Token::Directories) => {}
            (true, false) => tokens.push(Token::Directories),
            (false, is_last) => {
                self::segment(segment, &mut tokens)?;
                if !is_last {
                    tokens.push(Token::Byte(b'/'));
                }
            }
        }
    }
    Ok(tokens)
}

/// The tokens of one name between slashes.
fn segment(segment: &[u8], tokens: &mut Vec<Token>) -> Result<(), &'static str> {
    if matches!(segment, b"" | b"." | b"..") {
        return Err("names between slashes, from the root of the repository: no `//`, `.` or `..`");
    }
    let mut rest = segment;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let token = match byte {
            // Git takes these for one `*`, and after a plain beginning for directories; people mean any depth.
            b'*' if after.first() == Some(&b'*') => {
                return Err("`**` alone between slashes, such as src/**/*.rs");
            }
            b'*' => Token::Star,
            b'?' => one_of(|_| true),
            b'[' => {
                let (token, after) = class(rest)?;
                rest = after;
                token
            }
            b'\\' => {
                let (&escaped, after) = rest
                    .split_first()
                    .ok_or("a character after the backslash, other than a slash")?;
                rest = after;
                Token::Byte(escaped)
            }
            _ => Token::Byte(byte),
        };
        tokens.push(token);
    }
    Ok(())
}

/// Reads `[…]` from behind its bracket, in git's way: a closing bracket that comes first is one of the characters.
fn class(text: &[u8]) -> Result<(Token, &[u8]), &'static str> {
    const EXPECTED: &str = "a closed [...] of ASCII characters and rising ranges, such as [a-z0-9]; for a bracket itself, \\[";
    let (negated, mut rest) = match text.split_first() {
        Some((b'!' | b'^', rest)) => (true, rest),
        _ => (false, text),
    };
    let mut named = [false; 256];
    let mut first = true;
    loop {
        let (low, after) = member(rest, first).ok_or(EXPECTED)?;
        let Some(low) = low else {
            let token = one_of(|byte| named[usize::from(byte)] != negated);
            return Ok((token, after));
        };
        let (high, after) = match after {
            [b'-', next, ..] if *next != b']' => match member(&after[1..], false) {
                Some((Some(high), after)) => (high, after),
                _ => return Err(EXPECTED),
            },
            _ => (low, after),
        };
        if low > high {
            return Err(EXPECTED);
        }
        named[usize::from(low)..=usize::from(high)].fill(true);
        (rest, first) = (after, false);
    }
}

/// One character of a class, or none at its end; and what follows.
fn member(text: &[u8], first: bool) -> Option<(Option<u8>, &[u8])> {
    match text {
        [b']', rest @ ..] if !first => Some((None, rest)),
        // Such as [[:alpha:]], which would quietly be something else.
        [b'[', b':', ..] | [] => None,
        [b'\\', byte, rest @ ..] | [byte, rest @ ..] => {
            byte.is_ascii().then_some((Some(*byte), rest))
        }
    }
}

/// One byte that is so, and no slash.
fn one_of(is_so: impl Fn(u8) -> bool) -> Token {
    let mut bytes = Box::new([false; 256]);
    for byte in (0..=u8::MAX).filter(|byte| *byte != b'/') {
        bytes[usize::from(byte)] = is_so(byte);
    }
    Token::One(bytes)
}
