//! Reads people from CSV that anybody may have written: bounded, every cell checked, and whatever is wrong named by line
//! and column.

use domain::{
    contributor::{self, Key},
    people::Level,
    text::{has_hidden, one_line},
};
use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    io::Read,
};
use store::people::Listed;

/// The largest file, in bytes.
const MOST_BYTES: u64 = 10_000_000;
/// The most people in one file.
const MOST_ROWS: usize = 50_000;
/// The longest cell, in characters; lists are longer than names.
const MOST_CELL: usize = 4_000;
const MOST_NAME: usize = 200;
/// The most teams, addresses or logins of one person.
const MOST_LISTED: usize = 50;
/// How many faults are said before the rest is only counted.
const MOST_FAULTS: usize = 20;

/// One person of the file, and the line that names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub line: u64,
    pub listed: Listed,
}

/// All that is wrong with a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Faults {
    said: Vec<String>,
    more: usize,
}

impl Faults {
    fn one(said: impl Into<String>) -> Self {
        let mut faults = Self::default();
        faults.add(said.into());
        faults
    }

    fn add(&mut self, said: String) {
        if self.said.len() < MOST_FAULTS {
            self.said.push(said);
        } else {
            self.more += 1;
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said: Vec<String> = self.said.iter().map(|one| format!("  {one}")).collect();
        f.write_str(&said.join("\n"))?;
        match self.more {
            0 => Ok(()),
            n => write!(f, "\n  and {n} more"),
        }
    }
}

/// A column by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Column {
    Issuer,
    Subject,
    Name,
    Level,
    Teams,
    Addresses,
    Logins,
}

impl Column {
    const ALL: [Self; 7] = [
        Self::Issuer,
        Self::Subject,
        Self::Name,
        Self::Level,
        Self::Teams,
        Self::Addresses,
        Self::Logins,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Subject => "subject",
            Self::Name => "name",
            Self::Level => "level",
            Self::Teams => "teams",
            Self::Addresses => "addresses",
            Self::Logins => "logins",
        }
    }
}

/// Reads a file. `issuer` is whom a subject belongs to where the file does not say.
///
/// # Errors
/// [`Faults`]: then no row may be used.
pub fn read(file: impl Read, issuer: Option<&str>) -> Result<Vec<Row>, Faults> {
    let text = text(file)?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let mut records = reader.records();
    let header = records
        .next()
        .ok_or_else(|| Faults::one("the file is empty; its first line names the columns"))?
        .map_err(|error| Faults::one(unreadable(&error)))?;
    let columns = columns(&header)?;
    if !columns.contains_key(&Column::Issuer) && issuer.is_none() {
        return Err(Faults::one(
            "there is no column `issuer` and no COUNTERSIGN_OIDC_ISSUER that would say whose subjects these are",
        ));
    }
    let (mut rows, mut faults) = (Vec::new(), Faults::default());
    for record in records {
        if rows.len() >= MOST_ROWS {
            return Err(Faults::one(format!(
                "there are more than {MOST_ROWS} people; split the file"
            )));
        }
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                let cells = Cells {
                    line,
                    record: &record,
                    columns: &columns,
                };
                if let Some(row) = cells.row(issuer, &mut faults) {
                    rows.push(row);
                }
            }
            Err(error) => faults.add(unreadable(&error)),
        }
    }
    twice(&rows, &mut faults);
    if faults.said.is_empty() {
        Ok(rows)
    } else {
        Err(faults)
    }
}

fn text(file: impl Read) -> Result<String, Faults> {
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Faults::one(format!("it cannot be read: {error}")))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Faults::one(format!(
            "it is larger than {MOST_BYTES} bytes; split it"
        )));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Faults::one(format!("line {line}: this is not UTF-8"))
    })?;
    // Lines are counted at line feeds, whichever way the file ends them.
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

fn unreadable(error: &csv::Error) -> String {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!(
                "line {line}: it has {len} cells, and the first line names {expected_len} columns"
            )
        }
        _ => format!("line {line}: {}", quoted(&error.to_string())),
    }
}

fn columns(header: &csv::StringRecord) -> Result<HashMap<Column, usize>, Faults> {
    let known = Column::ALL.map(Column::word).join(", ");
    let (mut columns, mut faults) = (HashMap::new(), Faults::default());
    for (at, name) in header.iter().enumerate() {
        let name = name.trim();
        match Column::ALL.into_iter().find(|column| column.word() == name) {
            None => faults.add(format!(
                "line 1: `{}` is no column; columns are {known}",
                quoted(name)
            )),
            Some(column) if columns.insert(column, at).is_some() => {
                faults.add(format!("line 1: column `{name}` is there twice"));
            }
            Some(_) => {}
        }
    }
    for needed in [Column::Subject, Column::Name] {
        if !columns.contains_key(&needed) {
            faults.add(format!("line 1: the column `{}` is missing", needed.word()));
        }
    }
    if faults.said.is_empty() {
        Ok(columns)
    } else {
        Err(faults)
    }
}

/// One record, by its columns.
struct Cells<'a> {
    line: u64,
    record: &'a csv::StringRecord,
    columns: &'a HashMap<Column, usize>,
}

impl<'a> Cells<'a> {
    /// The person of this row; what is wrong with any of its cells is added to `faults`.
    fn row(&self, issuer: Option<&str>, faults: &mut Faults) -> Option<Row> {
        let parts = (
            self.needed_or(Column::Issuer, issuer, faults),
            self.needed_or(Column::Subject, None, faults),
            self.needed_or(Column::Name, None, faults),
            self.level(faults),
            self.list(Column::Teams, faults, |team| Ok(vec![team.to_owned()])),
            self.list(Column::Addresses, faults, address),
            self.list(Column::Logins, faults, login),
        );
        let (
            Some(issuer),
            Some(subject),
            Some(name),
            Some(level),
            Some(teams),
            Some(addresses),
            Some(logins),
        ) = parts
        else {
            return None;
        };
        let accounts = (addresses.is_some() || logins.is_some())
            .then(|| addresses.into_iter().chain(logins).flatten().collect());
        let listed = Listed {
            issuer,
            subject,
            name,
            level,
            teams,
            accounts,
        };
        Some(Row {
            line: self.line,
            listed,
        })
    }

    /// The cell, if the file has that column.
    fn cell(&self, column: Column, most: usize) -> Result<Option<&'a str>, String> {
        let Some(cell) = self
            .columns
            .get(&column)
            .and_then(|at| self.record.get(*at))
        else {
            return Ok(None);
        };
        let cell = cell.trim();
        if cell.chars().count() > most {
            return Err(format!("is longer than {most} characters"));
        }
        if has_hidden(cell) {
            return Err("has a character in it that nobody sees".to_owned());
        }
        Ok(Some(cell))
    }

    fn needed_or(
        &self,
        column: Column,
        otherwise: Option<&str>,
        faults: &mut Faults,
    ) -> Option<String> {
        let said = match self.cell(column, MOST_NAME) {
            Ok(Some(cell)) if !cell.is_empty() => Ok(cell.to_owned()),
            Ok(_) => otherwise
                .map(str::to_owned)
                .ok_or_else(|| "is empty".to_owned()),
            Err(wrong) => Err(wrong),
        };
        self.told(column, said, faults)
    }

    fn level(&self, faults: &mut Faults) -> Option<Option<Option<Level>>> {
        let said = match self.cell(Column::Level, MOST_CELL) {
            Ok(None) => Ok(None),
            Ok(Some("")) => Ok(Some(None)),
            Ok(Some(word)) => match Level::parse(word) {
                Some(level) => Ok(Some(Some(level))),
                None => Err(format!(
                    "`{}` is no level; levels are junior, mid, senior, or nothing",
                    quoted(word)
                )),
            },
            Err(wrong) => Err(wrong),
        };
        self.told(Column::Level, said, faults)
    }

    /// A list, parted by `;` or blanks.
    fn list<T: Ord>(
        &self,
        column: Column,
        faults: &mut Faults,
        read: impl Fn(&str) -> Result<Vec<T>, String>,
    ) -> Option<Option<BTreeSet<T>>> {
        let said = self.cell(column, MOST_CELL).and_then(|cell| {
            let Some(cell) = cell else { return Ok(None) };
            let items: Vec<&str> = cell
                .split(|c: char| c == ';' || c.is_whitespace())
                .filter(|item| !item.is_empty())
                .collect();
            if items.len() > MOST_LISTED {
                return Err(format!("lists more than {MOST_LISTED}"));
            }
            let mut all = BTreeSet::new();
            for item in items {
                if item.chars().count() > MOST_NAME {
                    return Err(format!(
                        "`{}` is longer than {MOST_NAME} characters",
                        quoted(item)
                    ));
                }
                all.extend(read(item)?);
            }
            Ok(Some(all))
        });
        self.told(column, said, faults)
    }

    fn told<T>(&self, column: Column, said: Result<T, String>, faults: &mut Faults) -> Option<T> {
        said.map_err(|wrong| {
            faults.add(format!(
                "line {}, column `{}`: {wrong}",
                self.line,
                column.word()
            ))
        })
        .ok()
    }
}

fn address(text: &str) -> Result<Vec<Key>, String> {
    match text.split_once('@') {
        Some((name, domain)) if !name.is_empty() && !domain.is_empty() && !domain.contains('@') => {
            Ok(contributor::keys(text, None))
        }
        _ => Err(format!("`{}` is no e-mail address", quoted(text))),
    }
}

fn login(text: &str) -> Result<Vec<Key>, String> {
    let login = text.trim_start_matches('@');
    if login.is_empty() || login.contains(['@', '/', ',']) {
        return Err(format!("`{}` is no login", quoted(text)));
    }
    Ok(contributor::keys("", Some(login)))
}

/// Whoever, and whatever account, stands in the file twice.
fn twice(rows: &[Row], faults: &mut Faults) {
    let (mut people, mut accounts) = (HashMap::new(), HashMap::new());
    for row in rows {
        let who = (&row.listed.issuer, &row.listed.subject);
        if let Some(line) = people.insert(who, row.line) {
            faults.add(format!(
                "line {}, column `subject`: `{}` is in line {line}, too",
                row.line,
                quoted(&row.listed.subject)
            ));
        }
        for key in row.listed.accounts.iter().flatten() {
            if let Some(other) = accounts
                .insert(key, row)
                .filter(|other: &&Row| other.line != row.line)
            {
                faults.add(format!(
                    "line {}: {} is given to {} and, in line {}, to {}",
                    row.line,
                    quoted(&key.0),
                    quoted(&row.listed.name),
                    other.line,
                    quoted(&other.listed.name)
                ));
            }
        }
    }
}

/// Somebody else's text within a sentence of ours.
fn quoted(text: &str) -> String {
    one_line(&domain::text::visible(text), 80).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SSO: &str = "https://sso.halden.example";

    fn rows(file: &str) -> Vec<Row> {
        read(file.as_bytes(), Some(SSO)).unwrap()
    }

    fn wrong(file: impl AsRef<[u8]>) -> String {
        read(file.as_ref(), Some(SSO)).unwrap_err().to_string()
    }

    fn keys(row: &Row) -> Vec<&str> {
        row.listed
            .accounts
            .iter()
            .flatten()
            .map(|key| key.0.as_str())
            .collect()
    }

    #[test]
    fn a_row_is_one_person_with_all_that_is_said_of_them() {
        let file = "\u{feff}subject,name,level,teams,addresses,logins,issuer\r\n\
                    ben,\"Okonkwo, Ben\",senior,payments; platform,Ben@Halden.example ben@home.example,@Ben,\r\n\
                    li,\"Li \"\"Na\"\" Zhou\",,,,,https://other.example\r\n";
        let rows = rows(file);
        let (ben, li) = (&rows[0], &rows[1]);
        assert_eq!((ben.line, li.line), (2, 3));
        assert_eq!(
            (ben.listed.name.as_str(), ben.listed.issuer.as_str()),
            ("Okonkwo, Ben", SSO)
        );
        assert_eq!(ben.listed.level, Some(Some(Level::Senior)));
        assert_eq!(
            ben.listed.teams,
            Some(BTreeSet::from([
                "payments".to_owned(),
                "platform".to_owned()
            ]))
        );
        assert_eq!(
            keys(ben),
            [
                "email:ben@halden.example",
                "email:ben@home.example",
                "login:ben"
            ]
        );
        assert_eq!(li.listed.issuer, "https://other.example");
        assert_eq!(
            (li.listed.level, &li.listed.accounts),
            (Some(None), &Some(BTreeSet::new()))
        );
        assert_eq!(li.listed.name, "Li \"Na\" Zhou");
    }

    #[test]
    fn what_has_no_column_is_left_alone() {
        let listed = &rows("name,subject\nBen,ben\n")[0].listed;
        assert_eq!(
            (&listed.level, &listed.teams, &listed.accounts),
            (&None, &None, &None)
        );
        let with_logins = &rows("name,subject,logins\nBen,ben,\n")[0].listed;
        assert_eq!(with_logins.accounts, Some(BTreeSet::new()));
    }

    #[test]
    fn all_that_is_wrong_is_named_by_line_and_column() {
        let file = "subject,name,level,addresses,logins\n\
                    ben,Ben,boss,no-address,\n\
                    ,Li,,,a@b\n\
                    \"two\nlines\",Ana,,,\n\
                    short,row\n\
                    mika,Mi\u{202e}ka,,,\n";
        insta::assert_snapshot!(wrong(file), @r"
          line 2, column `level`: `boss` is no level; levels are junior, mid, senior, or nothing
          line 2, column `addresses`: `no-address` is no e-mail address
          line 3, column `subject`: is empty
          line 3, column `logins`: `a@b` is no login
          line 4, column `subject`: has a character in it that nobody sees
          line 6: it has 2 cells, and the first line names 5 columns
          line 7, column `name`: has a character in it that nobody sees
        ");
    }

    #[test]
    fn the_first_line_names_columns_that_we_know_each_once() {
        insta::assert_snapshot!(wrong("subject,boss,level,level\n"), @r"
          line 1: `boss` is no column; columns are issuer, subject, name, level, teams, addresses, logins
          line 1: column `level` is there twice
          line 1: the column `name` is missing
        ");
        assert!(wrong("").contains("first line names the columns"));
        let nobodys = read("subject,name\nben,Ben\n".as_bytes(), None).unwrap_err();
        assert!(
            nobodys.to_string().contains("COUNTERSIGN_OIDC_ISSUER"),
            "{nobodys}"
        );
    }

    #[test]
    fn nobody_and_no_account_stands_in_a_file_twice() {
        let file = "subject,name,addresses\n\
                    ben,Ben,shared@halden.example\n\
                    li,Li,Shared+ci@halden.example\n\
                    ben,Benjamin,\n";
        insta::assert_snapshot!(wrong(file), @r"
          line 3: email:shared@halden.example is given to Li and, in line 2, to Ben
          line 4, column `subject`: `ben` is in line 2, too
        ");
    }

    #[test]
    fn a_file_that_is_made_to_hurt_is_refused() {
        let head = "subject,name,teams\n";
        let long = "x".repeat(MOST_CELL + 1);
        for (file, said) in [
            (
                format!("{head}{long},Ben,\n").into_bytes(),
                "longer than 200",
            ),
            (
                format!("{head}ben,Ben,{long}\n").into_bytes(),
                "longer than 4000",
            ),
            (
                format!("{head}ben,Ben,{}\n", "a;".repeat(60)).into_bytes(),
                "more than 50",
            ),
            (format!("{head}ben,Ben\0,\n").into_bytes(), "nobody sees"),
            (
                b"subject,name\nben,B\xffn\n".to_vec(),
                "line 2: this is not UTF-8",
            ),
            (vec![b'x'; 10_000_001], "larger than"),
            (
                format!("{head}{}", "a,b,\n".repeat(MOST_ROWS + 1)).into_bytes(),
                "more than 50000 people",
            ),
        ] {
            let wrong = wrong(file);
            assert!(wrong.contains(said), "{wrong}");
        }
        let many = wrong(format!("{head}{}", ",,\n".repeat(1_000)));
        assert!(many.ends_with("and 1980 more"), "{many}");
        let open = wrong(format!("{head}ben,\"Ben,\nli,Li,\n"));
        assert!(
            open.contains("line 2: it has 2 cells"),
            "an open quote ends with the file: {open}"
        );
    }
}
