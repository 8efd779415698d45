//! The search list: the absolute names that a name stands for, in order.
//!
//! The order, and when to stop, are glibc's (resolv/res_query.c, `__res_context_search()`), as resolv.conf(5) describes
//! under `search` and `ndots`.

use crate::config::nsswitch::NssStatus;
use key::Failure;

/// The outcome of one candidate, as far as it matters to the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The name exists, but has no such record.
    NoData,
    /// The name does not exist.
    NoSuchName,
    /// The servers answered with SERVFAIL.
    ServFail,
    /// No server could be reached at all: trying another name is pointless.
    NobodyThere,
    /// Anything else: the rest of the list is skipped, but the name itself is still tried.
    Other,
}

/// The candidates for one name. Ask for the next one, report its outcome, and so on.
#[derive(Debug)]
pub struct Search<'a> {
    name: &'a str,
    domains: std::slice::Iter<'a, String>,
    no_tld_query: bool,
    tried_as_is: bool,
    searched: bool,
    phase: Phase,
    as_is_first: Option<Failure>,
    no_data: Option<Failure>,
    passing: Option<Failure>,
    last: Option<Failure>,
    status: NssStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    AsIsFirst,
    List,
    AsIsLast,
    Done,
}

impl<'a> Search<'a> {
    /// The candidates of `name`. `domains` is the search list; a domain `.` is the root.
    #[must_use]
    pub fn new(name: &'a str, domains: &'a [String], ndots: u32, no_tld_query: bool) -> Self {
        let dots = name.bytes().filter(|&byte| byte == b'.').count();
        let enough = u32::try_from(dots).is_ok_and(|dots| dots >= ndots);
        Self {
            name,
            domains: domains.iter(),
            no_tld_query,
            tried_as_is: false,
            searched: false,
            phase: if enough || name.ends_with('.') { Phase::AsIsFirst } else { Phase::List },
            as_is_first: None,
            no_data: None,
            passing: None,
            last: None,
            status: NssStatus::NotFound,
        }
    }

    /// The next name to query, absolute but without its trailing dot; `None` at the end.
    #[must_use]
    pub fn next_candidate(&mut self) -> Option<String> {
        if self.phase == Phase::AsIsFirst && !self.tried_as_is {
            self.tried_as_is = true;
            return Some(self.name.trim_end_matches('.').to_owned());
        }
        if self.phase == Phase::List {
            for domain in self.domains.by_ref() {
                self.searched = true;
                match domain.trim_matches('.') {
                    // glibc queries it again.
                    "" if self.tried_as_is => {}
                    "" => {
                        self.tried_as_is = true;
                        return Some(self.name.to_owned());
                    }
                    domain => return Some(format!("{}.{domain}", self.name)),
                }
            }
            self.phase = Phase::AsIsLast;
        }
        if self.phase == Phase::AsIsLast {
            self.phase = Phase::Done;
            let allowed = self.name.contains('.') || !self.searched || !self.no_tld_query;
            if allowed && !self.tried_as_is {
                return Some(self.name.to_owned());
            }
        }
        None
    }

    /// Reports the outcome of the last candidate, which did not answer.
    pub fn report(&mut self, verdict: Verdict, failure: Failure) {
        self.status = match verdict {
            Verdict::NoData | Verdict::NoSuchName => NssStatus::NotFound,
            Verdict::ServFail | Verdict::NobodyThere | Verdict::Other => NssStatus::Unavail,
        };
        match self.phase {
            Phase::AsIsFirst => {
                self.as_is_first = Some(failure);
                self.phase = if self.name.ends_with('.') { Phase::Done } else { Phase::List };
                return;
            }
            Phase::List => match verdict {
                Verdict::NobodyThere => self.phase = Phase::Done,
                Verdict::Other => {
                    // glibc forgets that failure; but "nobody could tell" is not "no such name".
                    remember(&mut self.passing, &failure);
                    self.phase = Phase::AsIsLast;
                }
                Verdict::NoData => remember(&mut self.no_data, &failure),
                Verdict::ServFail => remember(&mut self.passing, &failure),
                Verdict::NoSuchName => {}
            },
            Phase::AsIsLast | Phase::Done => {}
        }
        self.last = Some(failure);
    }

    /// The failure of the whole search: that of the name itself, if it was tried first; otherwise a temporary one,
    /// which glibc ranks below "no such record"; otherwise the most promising one. The status is that of the last
    /// candidate.
    #[must_use]
    pub fn failure(self) -> (NssStatus, Failure) {
        let found = self.as_is_first.or(self.passing).or(self.no_data).or(self.last);
        (self.status, found.unwrap_or(Failure::NoSuchName { ttl: None }))
    }
}

fn remember(place: &mut Option<Failure>, failure: &Failure) {
    if place.is_none() {
        *place = Some(failure.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(name: &str, domains: &[&str], ndots: u32, verdict: Verdict) -> Vec<String> {
        let domains: Vec<String> = domains.iter().map(|&domain| domain.to_owned()).collect();
        let mut search = Search::new(name, &domains, ndots, false);
        let mut candidates = Vec::new();
        while let Some(candidate) = search.next_candidate() {
            candidates.push(candidate);
            search.report(verdict, Failure::NoSuchName { ttl: None });
        }
        candidates
    }

    #[test]
    fn a_bare_name_is_searched_before_it_is_tried_as_is() {
        assert_eq!(
            walk("mon", &["a.test", "b.test"], 1, Verdict::NoSuchName),
            ["mon.a.test", "mon.b.test", "mon"]
        );
    }

    #[test]
    fn a_name_with_enough_dots_is_tried_as_it_is_first() {
        assert_eq!(walk("mon.x", &["a.test"], 1, Verdict::NoData), ["mon.x", "mon.x.a.test"]);
        assert_eq!(walk("mon.x", &["a.test"], 2, Verdict::NoData), ["mon.x.a.test", "mon.x"]);
        assert_eq!(walk("mon", &["a.test"], 0, Verdict::NoData), ["mon", "mon.a.test"]);
    }

    #[test]
    fn a_trailing_dot_ends_the_search() {
        assert_eq!(walk("mon.", &["a.test"], 1, Verdict::NoSuchName), ["mon"]);
        assert_eq!(walk("mon.", &["a.test"], 5, Verdict::NoSuchName), ["mon"]);
    }

    #[test]
    fn the_root_in_the_search_list_means_the_name_as_is() {
        assert_eq!(walk("mon", &[".", "a.test."], 1, Verdict::NoSuchName), ["mon", "mon.a.test"]);
        assert_eq!(walk("mon.x", &[".", "a"], 1, Verdict::NoSuchName), ["mon.x", "mon.x.a"]);
    }

    #[test]
    fn a_server_failure_does_not_end_the_search_but_other_failures_do() {
        assert_eq!(walk("mon", &["a", "b"], 1, Verdict::ServFail), ["mon.a", "mon.b", "mon"]);
        assert_eq!(walk("mon", &["a", "b"], 1, Verdict::Other), ["mon.a", "mon"]);
        assert_eq!(walk("mon", &["a", "b"], 1, Verdict::NobodyThere), ["mon.a"]);
    }

    #[test]
    fn no_tld_query_never_tries_a_bare_name_as_is() {
        let domains = ["a".to_owned()];
        let mut search = Search::new("mon", &domains, 1, true);
        assert_eq!(search.next_candidate().as_deref(), Some("mon.a"));
        search.report(Verdict::NoSuchName, Failure::NoSuchName { ttl: None });
        assert_eq!(search.next_candidate(), None);
        assert_eq!(Search::new("mon", &[], 1, true).next_candidate().as_deref(), Some("mon"));
    }

    #[test]
    fn the_failure_is_that_of_the_name_as_is_or_a_more_significant_one() {
        let domains = ["a".to_owned(), "b".to_owned()];
        let no_data = Failure::NoAddress { ttl: None };
        let nothing = Failure::NoSuchName { ttl: None };
        let servfail = Failure::Temporary("SERVFAIL".into());
        let mut search = Search::new("mon", &domains, 1, false);
        for (verdict, failure) in
            [(Verdict::ServFail, &servfail), (Verdict::NoData, &no_data), (Verdict::NoSuchName, &nothing)]
        {
            assert!(search.next_candidate().is_some());
            search.report(verdict, failure.clone());
        }
        assert_eq!(search.failure(), (NssStatus::NotFound, servfail.clone()));

        for (first, last, expected) in [
            // What the servers did not answer for one of the names, the others don't say.
            ((Verdict::ServFail, &servfail), (Verdict::NoSuchName, &nothing), &servfail),
            ((Verdict::Other, &servfail), (Verdict::NoSuchName, &nothing), &servfail),
            ((Verdict::Other, &servfail), (Verdict::NoData, &no_data), &servfail),
            ((Verdict::NoData, &no_data), (Verdict::NoSuchName, &nothing), &no_data),
        ] {
            let mut search = Search::new("mon", &domains[..1], 1, false);
            for (verdict, failure) in [first, last] {
                assert!(search.next_candidate().is_some());
                search.report(verdict, failure.clone());
            }
            assert_eq!(search.next_candidate(), None);
            assert_eq!(search.failure(), (NssStatus::NotFound, expected.clone()), "{first:?} {last:?}");
        }

        let mut search = Search::new("mon.x", &domains, 1, false);
        for (verdict, failure) in [(Verdict::NoSuchName, &nothing), (Verdict::ServFail, &servfail)] {
            assert!(search.next_candidate().is_some());
            search.report(verdict, failure.clone());
        }
        assert_eq!(search.failure(), (NssStatus::Unavail, nothing));
    }
}
