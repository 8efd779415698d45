//! From a name to addresses, as `getaddrinfo()` finds them on this host.
//!
//! Unlike `getaddrinfo()`, a lookup says how long the answer lasts, where each address came from, and why there is
//! none. It reads `nsswitch.conf`, `hosts`, `resolv.conf`, `host.conf` and `gai.conf`, queries DNS itself, and loads no
//! NSS module. It also finds the servers of AFS cells.
//!
//! ```no_run
//! use key::{Family, Preference, Query};
//! use names::{Host, Lookup, LookupOptions, Trace};
//!
//! let query = Query::parse(b"mon1.example.org", b"list", Preference::First(Family::Ipv4))?.query;
//! let (options, trace) = (LookupOptions::default(), Trace::default());
//! let host = Host::open(Some(&query), &options, &trace);
//! match Lookup::open(&query, &host)?.finish() {
//!     Ok(answer) => println!("{} for {:?}", answer.origins().join(", "), answer.ttl),
//!     Err(failure) => println!("{failure}; tried {trace}"),
//! }
//! # Ok::<(), key::Failure>(())
//! ```

mod address;
mod afs;
mod answer;
pub mod config;
pub mod dns;
pub mod file;
mod host;
mod host_files;
pub mod hosts;
pub mod literal;
mod lookup;
pub mod message;
mod modules;
pub mod name;
mod obstacle;
mod options;
pub mod order;
pub mod plan;
mod protocol;
mod reject;
#[cfg(any(test, feature = "script"))]
pub mod script;
pub mod special;
#[cfg(test)]
mod test_host;
mod trace;

pub use address::{Address, AddressSet, Families, Origin};
pub use answer::{Answer, Content, answer, literal_answer};
pub use host::{Host, NameKind};
pub use lookup::Lookup;
pub use modules::{ModuleAnswer, NssModules};
pub use obstacle::{Obstacle, ServerError};
pub use options::{DomainServers, LookupOptions};
pub use reject::Reject;
pub use trace::{Event, Trace, TraceStep, TurnOutcome};
