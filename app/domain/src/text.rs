//! Placeholder until the rules branch lands; take that one on conflict.
