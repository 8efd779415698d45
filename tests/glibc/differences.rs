//! The deliberate differences from glibc 2.36.
//!
//! Repeated addresses are no row here: glibc hands out what a hosts file repeats, we hand each address out
//! once, and the comparison is made after that.

use crate::generate::{Behaviour, Case};
use crate::lookups::Outcome;

/// Why this case may end differently with us than with glibc, or with queries (`extra`) that glibc doesn't make.
pub fn reason(
    case: &Case,
    ours: &Outcome,
    glibc: &Outcome,
    extra: &[(usize, String, u16)],
) -> Option<&'static str> {
    let resolv_conf = case.resolv_conf.as_deref().unwrap_or_default();
    let some = |behaviour: Behaviour| case.servers.contains(&behaviour);
    let further = extra.iter().all(|(server, ..)| *server > 0);
    let rows = [
        (
            "localhost is a loopback address without a hosts file too (RFC 6761)",
            case.name == "localhost" && extra.is_empty(),
        ),
        (
            "a comment behind the sources in nsswitch.conf is a comment (glibc takes its words for sources)",
            case.nsswitch.as_deref().is_some_and(|text| text.contains('#'))
                && matches!(glibc, Outcome::Other(_)),
        ),
        (
            "a search domain that is no domain loses itself, not the rest of the list",
            resolv_conf.contains("bad..domain") && (ours == glibc || *glibc == Outcome::Nothing),
        ),
        (
            "after FORMERR the next server is asked, or the same one without EDNS",
            (some(Behaviour::Formerr) || (some(Behaviour::FormerrIfEdns) && resolv_conf.contains("edns0")))
                && (!matches!(glibc, Outcome::Addresses(_)) || ours == glibc),
        ),
        (
            "the next server is asked where the first one fails for one family alone",
            (some(Behaviour::NoA) || some(Behaviour::NoAaaa)) && further && !extra.is_empty(),
        ),
        (
            "the next server is asked while one says nothing, which drops queries with EDNS",
            some(Behaviour::DropsEdns) && further && !extra.is_empty() && ours == glibc,
        ),
        (
            "the next server is asked where the first one fails over TCP",
            resolv_conf.contains("use-vc") && !extra.is_empty(),
        ),
        (
            "with single-request, a family is asked of all servers also where the other one failed",
            resolv_conf.contains("single-request")
                && extra.iter().all(|(_, _, qtype)| *qtype == 28)
                && (ours == glibc || *ours == Outcome::Later || *glibc == Outcome::Later),
        ),
        (
            "with SUCCESS=continue and SUCCESS=merge, the last source that has the name counts",
            case.nsswitch.as_deref().is_some_and(|text| text.contains("[SUCCESS="))
                && matches!(ours, Outcome::Addresses(_))
                && !matches!(glibc, Outcome::Addresses(_)),
        ),
        (
            "what failed for now is told so, also where another family or source has nothing",
            extra.is_empty() && *ours == Outcome::Later && *glibc == Outcome::Nothing,
        ),
    ];
    rows.into_iter().find_map(|(reason, applies)| applies.then_some(reason))
}
