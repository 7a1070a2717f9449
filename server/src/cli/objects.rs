//! Whether what lies in a checkout under an object's id is that object. Git asks its files and believes them.

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Read};

/// Reads what `git cat-file --batch` writes, and refuses the first object whose bytes do not hash to its id.
pub fn verify(batch: impl Read) -> anyhow::Result<()> {
    let mut batch = BufReader::new(batch);
    let mut head = String::new();
    while batch.read_line(&mut head).context(UNREADABLE)? > 0 {
        one(head.trim_end_matches('\n'), &mut batch)?;
        head.clear();
    }
    Ok(())
}

const UNREADABLE: &str = "could not read what git writes";

/// `<id> <kind> <size>`, that many bytes, and a line end.
fn one(head: &str, batch: &mut impl BufRead) -> anyhow::Result<()> {
    let mut parts = head.split(' ');
    let (Some(id), Some(kind)) = (parts.next(), parts.next()) else {
        bail!(UNREADABLE);
    };
    let Some(size) = parts.next().and_then(|size| size.parse::<u64>().ok()) else {
        bail!("object {id} is {kind} in this checkout; fetch it first, or make a fresh clone");
    };
    let header = format!("{kind} {size}\0");
    let found = match id.len() {
        40 => hash::<sha1::Sha1>(&header, &mut batch.take(size)),
        _ => hash::<Sha256>(&header, &mut batch.take(size)),
    }
    .context(UNREADABLE)?;
    if found != id {
        bail!(
            "the {kind} that lies under {id} in this checkout is another one ({found}): somebody overwrote it there, so nothing of this checkout can be believed; make a fresh clone"
        );
    }
    let mut end = [0];
    batch.read_exact(&mut end).context(UNREADABLE)
}

fn hash<D: Digest>(header: &str, bytes: &mut impl Read) -> std::io::Result<String> {
    let mut digest = D::new_with_prefix(header);
    let mut buffer = [0; 16_384];
    loop {
        match bytes.read(&mut buffer)? {
            0 => break,
            length => digest.update(&buffer[..length]),
        }
    }
    let hex = |byte: &u8| format!("{byte:02x}");
    Ok(digest.finalize().iter().map(hex).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "ce013625030ba8dba906f756967f9e9ca394464a";

    #[test]
    fn an_object_is_what_hashes_to_its_id() {
        assert!(verify(format!("{HELLO} blob 6\nhello\n\n").as_bytes()).is_ok());
        assert!(verify(&b""[..]).is_ok());
        let sha256 = "2cf8d83d9ee29543b34a87727421fdecb7e3f3a183d337639025de576db9ebb4";
        assert!(verify(format!("{sha256} blob 6\nhello\n\n").as_bytes()).is_ok());
    }

    #[test]
    fn anything_else_is_refused() {
        for batch in [
            format!("{HELLO} blob 6\nhallo\n\n"),
            format!("{HELLO} tree 6\nhello\n\n"),
            format!("{HELLO} blob 5\nhello\n"),
            format!("{HELLO} blob 6\nhello\n"),
            format!("{HELLO} missing\n"),
            format!("{HELLO} blob 6\nhello\n\n{HELLO} blob 6\nhallo\n\n"),
            "\n".to_owned(),
        ] {
            assert!(verify(batch.as_bytes()).is_err(), "{batch:?}");
        }
    }
}
