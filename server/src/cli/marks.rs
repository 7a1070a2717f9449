//! `countersign marks`: which marks of AI tools the commits of a local repository carry, so that anybody can try the detector
//! on their own history.

use super::git::Checkout;
use anyhow::{Context, bail};
use domain::{
    commit::{Commit, Signature},
    names::CommitSha,
    provenance::{self, Beside, Mark, Note, Place, Provenance, Strength, Tool},
    text,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeSet, HashMap},
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  countersign marks
  countersign marks --range origin/main..HEAD --json
  countersign marks --facts corpus.jsonl

With --facts each line is {\"id\", \"author\": {\"name\", \"email\"}, \"committer\": {…}, \"message\"}, and each is answered by a line
{\"id\", \"assisted\", \"tools\", \"strength\", \"marks\"}; so is each commit with --json.
A mark proves that a tool took part. No mark proves nothing.
Exit codes: 0 read, whatever was found; 3 not read.")]
pub struct Options {
    /// Which commits: those of B that A has not [default: all of HEAD]
    #[arg(long, value_name = "A..B")]
    range: Option<String>,
    /// One JSON line for each commit
    #[arg(long)]
    json: bool,
    /// Read commits from this file instead, a JSON object a line; - is standard input
    #[arg(long, value_name = "FILE.jsonl", conflicts_with_all = ["range", "repo_dir"])]
    facts: Option<PathBuf>,
    /// The git checkout [default: where you are]
    #[arg(long, value_name = "DIR")]
    repo_dir: Option<PathBuf>,
}

/// Reads the commits, and prints what they carry.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut out = Output {
        out: BufWriter::new(io::stdout().lock()),
        json: options.json || options.facts.is_some(),
        counted: Counted::default(),
    };
    let printed = match &options.facts {
        Some(file) => of_facts(file, &mut out),
        None => of_history(options, &mut out),
    };
    match printed.and_then(|()| out.end()) {
        // Whoever reads us has seen enough.
        Err(error) if is_closed(&error) => Ok(()),
        other => other,
    }
}

fn is_closed(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

fn of_history(options: &Options, out: &mut Output<impl Write>) -> anyhow::Result<()> {
    let checkout = Checkout::open(options.repo_dir.as_deref())?;
    let (from, to) = ends(&checkout, options.range.as_deref().unwrap_or("HEAD"))?;
    let mut notes: HashMap<String, Vec<u8>> =
        checkout.notes(|_| true, MOST_NOTES)?.into_iter().collect();
    checkout.history(from.as_ref(), &to, |commit| {
        let mut marks = provenance::marks(std::slice::from_ref(&commit), None);
        if let Some(note) = notes.remove(commit.sha.as_str()) {
            marks.extend(of_note(&commit.sha, &note));
        }
        out.print(commit.sha.as_str(), &marks)
    })
}

/// What git-ai noted of all commits together is read up to this many bytes.
const MOST_NOTES: usize = 200_000_000;

/// The marks of what git-ai noted; of what cannot be read, none.
fn of_note(commit: &CommitSha, note: &[u8]) -> Vec<Mark> {
    let note = Note::parse(&String::from_utf8_lossy(note)).into_iter();
    provenance::beside(&Beside {
        notes: note.map(|note| (commit.clone(), note)).collect(),
        ..Beside::default()
    })
}

fn ends(checkout: &Checkout, range: &str) -> anyhow::Result<(Option<CommitSha>, CommitSha)> {
    if range.contains("...") {
        bail!("{range:?}: a range is A..B, with two dots");
    }
    let or_head = |name: &str| checkout.commit(if name.is_empty() { "HEAD" } else { name });
    match range.split_once("..") {
        Some((from, to)) => Ok((Some(or_head(from)?), or_head(to)?)),
        None => Ok((None, checkout.commit(range)?)),
    }
}

/// A commit as corpora tell it.
#[derive(Debug, Deserialize)]
struct Facts {
    id: String,
    author: Who,
    committer: Option<Who>,
    message: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Who {
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
}

fn of_facts(file: &Path, out: &mut Output<impl Write>) -> anyhow::Result<()> {
    let shown = file.display();
    let lines: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(file).with_context(|| format!("could not open {shown}"))?;
        Box::new(BufReader::with_capacity(1 << 20, opened))
    };
    for (number, line) in lines.lines().enumerate() {
        let place = || format!("line {} of {shown}", number + 1);
        let line = line.with_context(place)?;
        if !line.trim().is_empty() {
            let facts: Facts = serde_json::from_str(&line).with_context(place)?;
            let id = facts.id.clone();
            let marks = provenance::marks(&[facts.commit()?], None);
            out.print(&id, &marks)?;
        }
    }
    Ok(())
}

impl Facts {
    fn commit(self) -> anyhow::Result<Commit> {
        // Marks are judged without the ids, which a corpus need not tell.
        let nothing = CommitSha::parse("0".repeat(40)).context("an id of zeros")?;
        let signature = |who: Who| Signature {
            name: who.name,
            email: who.email,
        };
        let committer = self.committer.unwrap_or_else(|| self.author.clone());
        Ok(Commit {
            sha: nothing,
            tree: None,
            parents: Vec::new(),
            author: signature(self.author),
            authored_at: None,
            committer: signature(committer),
            message: self.message.into_bytes(),
        })
    }
}

/// What is printed of one commit, as JSON.
#[derive(Debug, Serialize)]
struct Judged<'a> {
    id: &'a str,
    assisted: bool,
    /// Those that took part; where only hints were found, those that they hint at.
    tools: BTreeSet<String>,
    strength: Option<Strength>,
    marks: Vec<Found<'a>>,
}

#[derive(Debug, Serialize)]
struct Found<'a> {
    #[serde(rename = "where")]
    place: &'static str,
    line: Option<u32>,
    tool: &'a Tool,
    model: Option<&'a str>,
    strength: Strength,
    text: &'a str,
}

impl<'a> Judged<'a> {
    fn new(id: &'a str, marks: &'a [Mark]) -> Self {
        let proved = provenance::tools(marks);
        let tools = if proved.is_empty() {
            marks.iter().map(|mark| mark.tool.clone()).collect()
        } else {
            proved
        };
        Self {
            id,
            assisted: provenance::provenance(marks) == Provenance::Assisted,
            tools: tools.into_iter().map(String::from).collect(),
            strength: marks.iter().map(|mark| mark.strength).max(),
            marks: marks.iter().map(Found::new).collect(),
        }
    }
}

impl<'a> Found<'a> {
    fn new(mark: &'a Mark) -> Self {
        Self {
            place: place(&mark.place),
            line: mark.place.line(),
            tool: &mark.tool,
            model: mark.model.as_deref(),
            strength: mark.strength,
            text: &mark.text,
        }
    }
}

/// The word for it; a corpus says `body` of what is in a message and no trailer.
fn place(place: &Place) -> &'static str {
    match place {
        Place::Message { .. } => "body",
        other => other.as_str(),
    }
}

struct Output<W: Write> {
    out: W,
    json: bool,
    counted: Counted,
}

#[derive(Debug, Default)]
struct Counted {
    commits: usize,
    assisted: usize,
    hinted: usize,
}

impl<W: Write> Output<W> {
    fn print(&mut self, id: &str, marks: &[Mark]) -> anyhow::Result<()> {
        let judged = Judged::new(id, marks);
        self.counted.add(&judged);
        if self.json {
            serde_json::to_writer(&mut self.out, &judged).map_err(io::Error::from)?;
            writeln!(self.out)?;
        } else if !judged.marks.is_empty() {
            self.sentence(&judged)?;
        }
        Ok(())
    }

    fn sentence(&mut self, judged: &Judged<'_>) -> io::Result<()> {
        let tools: Vec<&str> = judged.tools.iter().map(String::as_str).collect();
        let what = if judged.assisted {
            "assisted"
        } else {
            "hints only"
        };
        writeln!(self.out, "{} {what}: {}", judged.id, tools.join(", "))?;
        for mark in &judged.marks {
            let line = mark.line.map(|line| format!(" {line}")).unwrap_or_default();
            let text = text::one_line(&text::visible(mark.text), 120).into_owned();
            let strength = mark.strength.as_str();
            writeln!(self.out, "    {strength:8} {}{line}: {text}", mark.place)?;
        }
        Ok(())
    }

    fn end(&mut self) -> anyhow::Result<()> {
        if !self.json {
            let Counted {
                commits,
                assisted,
                hinted,
            } = self.counted;
            writeln!(
                self.out,
                "{commits} commits: {assisted} assisted, {hinted} with hints only, {} without a mark, which proves nothing",
                commits - assisted - hinted
            )?;
        }
        Ok(self.out.flush()?)
    }
}

impl Counted {
    fn add(&mut self, judged: &Judged<'_>) {
        self.commits += 1;
        self.assisted += usize::from(judged.assisted);
        self.hinted += usize::from(!judged.assisted && !judged.marks.is_empty());
    }
}
