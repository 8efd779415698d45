//! A lookup for a key, or for nobody: what it needs is opened, it is started, and the process gives up its rights before
//! it reads what others say.

use crate::confine::{Lacking, Needs, allow_descriptors, confine};
use crate::log::Log;
use crate::nss::GetentModules;
use crate::settings::Settings;
use key::{Failure, KeySerial, ParsedQuery, Query, Request};
use names::{Answer, Host, Lookup, Trace, literal_answer};

/// A lookup that has ended: how, and what it took.
#[derive(Debug)]
pub struct LookupReport {
    /// The addresses, or why there are none.
    pub outcome: Result<Answer, Failure>,
    /// What was tried.
    pub trace: Trace,
    /// What was passed over: callout words, lines of configuration files.
    pub warnings: Vec<String>,
    /// What could not be had of the confinement.
    pub lacking: Vec<Lacking>,
}

/// Who a lookup is for, which decides what the process keeps when it gives up its rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To answer this key, which is all that can be answered afterwards.
    Answer(KeySerial),
    /// To be shown: standard output and standard error stay.
    Show,
    /// To go on afterwards: the process keeps all its rights.
    GoOn,
}

/// Parses and resolves what is asked. Steps are noted in `trace`.
#[must_use]
pub fn look_up(
    request: &Request,
    settings: &Settings,
    trace: Trace,
    purpose: Purpose,
    log: &Log,
) -> LookupReport {
    let (mut warnings, mut lacking) = (Vec::new(), Vec::new());
    let Request { description, callout } = request;
    let outcome = Query::parse(&description.name, callout, settings.family).and_then(|parsed| {
        let ParsedQuery { query, unknown_words } = parsed;
        for word in &unknown_words {
            warnings.push(format!("callout word \"{word}\" means nothing here and is ignored"));
        }
        if let Some(answer) = literal_answer(&query) {
            return answer;
        }
        let mut host = Host::open(Some(&query), &settings.lookup, &trace);
        let modules = modules_for(&query, &host, &mut warnings);
        if let Some(modules) = &modules {
            host.ask_modules_by(modules);
        }
        let mut lookup = Lookup::open(&query, &host)?;
        log.connect();
        allow_descriptors();
        let answer = lookup.start().unwrap_or_else(|| {
            // All is open and the question is sent; no byte of an answer has been read.
            lacking = give_up_rights(settings, purpose, &host);
            lookup.finish()
        });
        warnings.extend(host.warnings());
        answer
    });
    LookupReport { outcome, trace, warnings, lacking }
}

/// The process that asks NSS modules, where it may come to that.
fn modules_for(query: &Query, host: &Host<'_>, warnings: &mut Vec<String>) -> Option<GetentModules> {
    if !host.may_ask_modules(query) {
        return None;
    }
    let modules = GetentModules::start();
    modules
        .inspect_err(|error| warnings.push(format!("can't start a process to ask NSS modules: {error}")))
        .ok()
}

/// Confines the process, where it is to be.
fn give_up_rights(settings: &Settings, purpose: Purpose, host: &Host<'_>) -> Vec<Lacking> {
    let key = match purpose {
        Purpose::Answer(key) => Some(key),
        Purpose::Show => None,
        Purpose::GoOn => return Vec::new(),
    };
    // AddressSanitizer needs more memory, and other calls, than are left then (fuzz/asan).
    if !settings.confine || cfg!(asan) {
        return Vec::new();
    }
    confine(&Needs { key, ports: host.name_server_ports() })
}
