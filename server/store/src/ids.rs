//! New ids: UUIDv7, so that rows arrive roughly in index order. Never a secret, and never an order to rely on.

use uuid::Uuid;

/// A new id, to be wrapped in the type it is for.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where ids are made"
)]
pub fn new() -> Uuid {
    Uuid::now_v7()
}
