//! Who may see a repository: said by admins, asked at every door, and for everybody else it is not there.

mod everywhere;
mod saying;
