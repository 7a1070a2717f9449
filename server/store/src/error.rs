//! What can go wrong between us and Postgres.

/// A failure of the database or of what it holds. What callers can act on is a value, never one of these.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    #[error(transparent)]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("{table}.{column} holds something that this version does not understand")]
    Inconsistent {
        table: &'static str,
        column: &'static str,
    },
    #[error("could not pack or unpack a patch: {0}")]
    Pack(#[from] std::io::Error),
    #[error("could not read or write facts as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("there are {0} revisions with this head already")]
    Crowded(i64),
}

impl Error {
    /// Whether the database could not be asked at all, which is a 503 and not a 500.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Error::Sql(sqlx::Error::Database(error)) => {
                // Class 57 is operator intervention (shutdown, a time limit), 53 is lack of resources, 40 a transaction that
                // lost against another, 55P03 a lock that was not to be had in time: each may go through when tried again.
                let passing =
                    |code: &str| ["57", "53", "40"].contains(&&code[..2]) || code == "55P03";
                error.code().is_some_and(|code| passing(&code))
            }
            Error::Sql(error) => matches!(
                error,
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    // Postgres that is killed while it is greeted says nothing, which is not what was expected of it.
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
            ),
            _ => false,
        }
    }

    /// The named constraint that was violated, if that is what went wrong.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Error::Sql(sqlx::Error::Database(error)) => error.constraint(),
            _ => None,
        }
    }
}

/// Reads a word of a closed set out of a column.
pub(crate) fn known<T>(
    value: Option<T>,
    table: &'static str,
    column: &'static str,
) -> Result<T, Error> {
    value.ok_or(Error::Inconsistent { table, column })
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncReadExt as _, net::TcpListener};

    #[tokio::test]
    async fn a_database_that_goes_away_while_it_is_greeted_cannot_be_asked() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("postgres://app@{}/db", listener.local_addr().unwrap());
        let dying = async {
            let (mut greeted, _) = listener.accept().await.unwrap();
            greeted.read_exact(&mut [0; 8]).await.unwrap();
        };
        let (connected, ()) = tokio::join!(crate::Db::connect(&url, 1), dying);
        let error = connected.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
    }
}
