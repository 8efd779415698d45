//! The life of a request: from the kernel's upcall to the answered key, and what `request-key` does in between.

mod answer;
mod confine;
mod guard;
mod log;
mod lookup;
mod nss;
mod reply;
pub mod request_key;
mod settings;
mod sys;
#[cfg(test)]
mod testing;

/// The name of the helper, and of its messages in the log.
pub const HELPER_NAME: &str = "key.dns_resolver";

pub use answer::{HelperRequest, Unanswered, answer, answer_request, refuse};
pub use confine::{Lacking, Needs, confine, restrict_by_landlock};
pub use guard::Guard;
pub use log::{Destination, Log};
pub use lookup::{LookupReport, Purpose, look_up};
pub use reply::Reply;
pub use settings::{DEFAULT_PATH, LogChoice, NotForUsers, RootOnly, Settings};
#[cfg(target_env = "musl")]
pub use sys::memory::Memory;
pub use sys::rescue::let_signals_through;
pub use sys::user::become_nobody;
