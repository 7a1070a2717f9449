//! Changes to submit, as a pipeline would after reading them out of git.

use serde_json::{Value, json};

/// A change with one commit over `main`.
#[derive(Debug, Clone)]
pub struct Change {
    pub key: String,
    pub head: String,
    pub base: String,
    pub target: String,
    pub patch: Vec<u8>,
    pub author: (String, String),
    pub message: String,
    /// Laid over the JSON that follows from the rest.
    pub over: Value,
}

/// `142` by `ana`, with an AI trailer.
pub fn change() -> Change {
    Change {
        key: "142".to_owned(),
        head: sha("c1"),
        base: sha("b"),
        target: "main".to_owned(),
        patch: patch("one"),
        author: ("Ana".to_owned(), "ana@halden.example".to_owned()),
        message: "Retry settlement\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n".to_owned(),
        over: json!({}),
    }
}

/// A full commit id that begins with the hexadecimal digits of `name`.
pub fn sha(name: &str) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(name.as_bytes());
    hash.iter()
        .take(20)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A patch that adds one file with one line.
pub fn patch(line: &str) -> Vec<u8> {
    let (zero, blob) = ("0".repeat(40), sha(line));
    format!(
        "diff --git a/notes.txt b/notes.txt\nnew file mode 100644\nindex {zero}..{blob}\n--- /dev/null\n+++ b/notes.txt\n@@ -0,0 +1 @@\n+{line}\n"
    )
    .into_bytes()
}

impl Change {
    /// Where it belongs.
    pub fn repository(&self) -> &str {
        self.over["repository"].as_str().unwrap_or("acme/payments")
    }

    pub fn key(self, key: &str) -> Self {
        Self {
            key: key.to_owned(),
            ..self
        }
    }

    pub fn by(self, name: &str) -> Self {
        Self {
            author: (name.to_owned(), format!("{name}@halden.example")),
            ..self
        }
    }

    /// Another head with another patch.
    pub fn pushed(self, name: &str) -> Self {
        Self {
            head: sha(name),
            patch: patch(name),
            ..self
        }
    }

    pub fn to(self, target: &str) -> Self {
        Self {
            target: target.to_owned(),
            ..self
        }
    }

    pub fn over(self, base: &str) -> Self {
        Self {
            base: sha(base),
            ..self
        }
    }

    pub fn message(self, message: &str) -> Self {
        Self {
            message: message.to_owned(),
            ..self
        }
    }

    /// With nothing in it that says that a tool took part.
    pub fn unmarked(self) -> Self {
        self.message("Retry settlement\n")
    }

    /// With these fields of the JSON set.
    pub fn with(self, over: Value) -> Self {
        Self { over, ..self }
    }

    pub fn json(&self) -> Value {
        let who = json!({ "name": self.author.0, "email": self.author.1 });
        let mut json = json!({
            "repository": self.repository(), "key": self.key, "title": "Retry settlement", "target": self.target,
            "base": self.base, "head": self.head, "author": who,
            "commits": [{ "sha": self.head, "tree": sha("tree"), "parents": [self.base], "author": who, "committer": who,
                          "message": self.message }],
        });
        for (name, value) in self.over.as_object().into_iter().flatten() {
            json[name] = value.clone();
        }
        json
    }
}
