//! Every call that a browser can make; writes only. Who reads this folder knows who can do what.

mod accounts;
mod decide;
mod deliveries;
mod policies;
mod refusal;
mod settle;
mod stand_ins;
mod theme;

pub use accounts::{
    LinkAccount, NameAccount, UnlinkAccount, link_account, name_account, unlink_account,
};
pub use decide::{Decide, decide};
pub use deliveries::{WorkAgain, work_again};
pub use policies::{
    DraftPolicy, RulePolicy, SetMode, SetPolicy, SetReaders, UnsetPolicy, draft_policy,
    rule_policy, set_mode, set_policy, set_readers, unset_policy,
};
pub use refusal::Refusal;
pub use settle::{Settle, settle};
pub use stand_ins::{EndStandIn, StandIn, end_stand_in, stand_in};
pub use theme::{SetTheme, Theme, set_theme};

#[cfg(feature = "ssr")]
pub use theme::COOKIE as THEME_COOKIE;
