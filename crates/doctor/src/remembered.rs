//! What the kernel has cached for a name: mounts get that, without a lookup.

use crate::answer::DryRun;
use crate::cache::{Cache, CachedAnswer, CachedKey, KeyOwner};
use crate::explain::name_of;
use crate::remedy::Remedy;
use crate::report::{Finding, Step};
use crate::shell;
use crate::subject::KeyRequest;
use key::Payload;

/// The name of the step.
pub const NAME: &str = "cache";

/// Checks the keys for one request. `cache` was read before the request was made.
#[must_use]
pub fn check(cache: Option<&Cache>, question: &KeyRequest, dry: Option<&DryRun>) -> Step {
    let mut step = Step::new(NAME);
    let Some(cache) = cache else {
        step.sum("the kernel's cache can't be seen");
        step.unseen("the kernel's keys", "/proc/keys can't be read");
        return step;
    };
    let own = |entry: &&CachedKey| {
        let plain = |text: &[u8]| text.strip_suffix(b".").unwrap_or(text).to_ascii_lowercase();
        plain(&entry.name) == plain(question.description.as_bytes())
    };
    let (kernel, people): (Vec<&CachedKey>, Vec<&CachedKey>) =
        cache.entries.iter().filter(own).partition(|entry| entry.place == KeyOwner::Kernel);
    for entry in &people {
        step.fact(format!(
            "key {:08x} of user {}, which no mount sees: {}",
            entry.serial,
            entry.uid,
            said(entry)
        ));
    }
    for unseen in &cache.unseen {
        let (what, why) = unseen.split_once(": ").unwrap_or((unseen, "it could not be seen"));
        step.unseen(what, why);
    }
    let texts: Vec<String> = kernel.iter().map(|entry| said(entry)).collect();
    step.sum(match (texts.is_empty(), cache.unseen.is_empty()) {
        (false, _) => format!("the kernel has cached {}", texts.join(", ")),
        (true, true) => "the kernel has cached nothing for the name: the next mount looks it up".to_owned(),
        (true, false) => "the kernel's cache can't be seen".to_owned(),
    });
    for entry in kernel {
        if let Some(finding) = judge(entry, question, dry) {
            step.find(finding);
        }
    }
    step
}

fn said(entry: &CachedKey) -> String {
    let what = match &entry.answer {
        CachedAnswer::Data(_, Some(payload)) if payload.first() != Some(&0) => text(payload),
        CachedAnswer::Data(length, _) => format!("{length} bytes"),
        CachedAnswer::Error(errno) => name_of(*errno),
        CachedAnswer::Rejected(Some(errno)) => format!("a rejection with {}", name_of(*errno)),
        CachedAnswer::Rejected(None) => "a rejection".to_owned(),
        CachedAnswer::UnderConstruction => "a key under construction".to_owned(),
        CachedAnswer::Expired => "an expired key".to_owned(),
        CachedAnswer::Gone => "a dropped key".to_owned(),
    };
    match (&entry.answer, &entry.left) {
        (CachedAnswer::UnderConstruction | CachedAnswer::Expired | CachedAnswer::Gone, _) => what,
        (_, Some(left)) => format!("{what}, for {left} more"),
        (_, None) => format!("{what}, forever"),
    }
}

fn text(payload: &[u8]) -> String {
    payload.strip_suffix(b"\0").unwrap_or(payload).escape_ascii().to_string()
}

/// Whether the cached answer prevents what would be found now.
fn judge(entry: &CachedKey, question: &KeyRequest, dry: Option<&DryRun>) -> Option<Finding> {
    let evidence = || format!("/proc/keys: {:08x} {}: {}", entry.serial, question.description, said(entry));
    let remedy = || {
        let words = "flush the cache (key-dns cache flush), or wait";
        Remedy::command_or(shell::command("key-dns cache flush", &[question.name()]), words)
    };
    let found = dry.is_some_and(|dry| dry.found);
    match &entry.answer {
        CachedAnswer::Error(_) | CachedAnswer::Rejected(_) if found => Some(Finding::broken(
            "failure-remembered",
            "the kernel has cached a failure, and looks nothing up until it expires",
            evidence(),
            remedy(),
        )),
        CachedAnswer::Data(_, Some(payload)) if found && payload.first() != Some(&0) => {
            let Some(Payload::Addresses(addresses)) = dry.map(|dry| &dry.reply.payload) else { return None };
            let remembered = text(payload);
            if addresses.iter().any(|ip| ip.to_string() == remembered) {
                return None;
            }
            let problem = format!(
                "the kernel has cached a different address than the one found now ({})",
                addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
            );
            Some(if entry.left.is_none() {
                Finding::broken("address-remembered-for-ever", problem, evidence(), remedy())
            } else {
                Finding::warn("address-remembered", problem, evidence(), remedy())
            })
        }
        CachedAnswer::UnderConstruction => Some(Finding::warn(
            "under-construction",
            "a lookup of the name is in progress; a program that never exits would block it forever",
            evidence(),
            Remedy::advice("see the program's messages: journalctl -t request-key -t key.dns_resolver -n 20"),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Severity;
    use key::Errno;
    use key::Ttl;
    use upcall::Reply;

    fn entry(answer: CachedAnswer, left: Option<&str>, place: KeyOwner) -> CachedKey {
        let name = b"MON1.example.".to_vec();
        CachedKey { serial: 0x1234, name, uid: "0".to_owned(), place, answer, left: left.map(str::to_owned) }
    }

    fn found(payload: Payload) -> DryRun {
        let found = !matches!(payload, Payload::Error(_));
        DryRun { step: Step::new("answer"), reply: Reply { payload, expiry: Ttl::MIN, left_out: 0 }, found }
    }

    fn ids(entry: CachedKey, dry: &DryRun) -> Vec<(&'static str, Severity)> {
        let mut cache = Cache::default();
        cache.entries.push(entry);
        let question = KeyRequest { description: "mon1.example".to_owned(), callout: "" };
        let step = check(Some(&cache), &question, Some(dry));
        step.findings.iter().map(|finding| (finding.id, finding.severity)).collect()
    }

    #[test]
    fn cached_answers_are_compared_with_a_fresh_lookup() {
        let address = found(Payload::Addresses(vec!["192.0.2.1".parse().unwrap()]));
        let nothing = found(Payload::Error(Errno::ENODATA));
        let old = || CachedAnswer::Data(11, Some(b"192.0.2.99\0".to_vec()));
        let same = CachedAnswer::Data(10, Some(b"192.0.2.1\0".to_vec()));
        for (answer, left, dry, expected) in [
            (CachedAnswer::Error(61), Some("1m"), &address, Some(("failure-remembered", Severity::Broken))),
            (
                CachedAnswer::Rejected(Some(126)),
                Some("1m"),
                &address,
                Some(("failure-remembered", Severity::Broken)),
            ),
            (CachedAnswer::Error(61), Some("1m"), &nothing, None),
            (old(), Some("4m"), &address, Some(("address-remembered", Severity::Warn))),
            (old(), None, &address, Some(("address-remembered-for-ever", Severity::Broken))),
            (same, Some("4m"), &address, None),
            (CachedAnswer::Expired, None, &address, None),
            (CachedAnswer::UnderConstruction, None, &address, Some(("under-construction", Severity::Warn))),
        ] {
            let found = ids(entry(answer.clone(), left, KeyOwner::Kernel), dry);
            assert_eq!(found, Vec::from_iter(expected), "{answer:?}");
        }
    }

    #[test]
    fn a_cached_failure_that_no_mount_finds_is_not_a_finding() {
        let address = found(Payload::Addresses(vec!["192.0.2.1".parse().unwrap()]));
        assert_eq!(ids(entry(CachedAnswer::Error(61), Some("1m"), KeyOwner::People), &address), []);
    }
}
