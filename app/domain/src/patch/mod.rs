//! The patch.
