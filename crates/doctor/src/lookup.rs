//! The way of a lookup, step by step, as the kernel would go it.

use crate::cache::Cache;
use crate::host_root::HostRoot;
use crate::kernel::{Kernel, Whereabouts, place};
use crate::live::Live;
use crate::remedy::Remedy;
use crate::report::{AskedName, Report, ReportKind, Step};
use crate::request_key::RequestKey;
use crate::rule::{Choice, Winner};
use crate::subject::{KeyRequest, NoSubject, Subject};
use crate::{answer, kernel, live, logs, remembered, request_key, rule, servers, settings};
use upcall::{DEFAULT_PATH, Settings};

/// The key whose rule is determined if no name is given.
const SAMPLE: &str = "host.example";

/// Follows the lookups for `text`: a name, a mount source, a mount point. Without one, checks what all lookups share.
///
/// # Errors
/// If it contains no name.
pub fn report(look: &HostRoot, text: Option<&str>) -> Result<Report, NoSubject> {
    let subject = match text {
        Some(text) => Subject::parse(text, look)?,
        None => Subject::nobody(),
    };
    let mut steps = Vec::new();
    if let Some(step) = said(&subject) {
        steps.push(step);
    }
    let place = look.is_host().then(|| place(look));
    let elsewhere = place.as_ref().is_some_and(Whereabouts::is_elsewhere);
    let kernel = kernel::check(look, &subject, nix::unistd::getuid().as_raw(), elsewhere);
    let mut way = Way { look, subject: &subject, steps, names: Vec::new(), kernel, elsewhere: None };
    way.where_we_are(place);
    way.go();
    let Way { mut steps, names, .. } = way;
    if elsewhere {
        // A command would change what is here, and not what the helper reads.
        for finding in steps.iter_mut().flat_map(|step| &mut step.findings) {
            if finding.remedy.command().is_some() {
                finding.remedy = Remedy::advice("run key-dns doctor on the host; it shows how to repair it");
            }
        }
    }
    Ok(Report { names, ..Report::new(ReportKind::Lookup, text.map(str::to_owned), steps) })
}

/// What became of the subject.
fn said(subject: &Subject) -> Option<Step> {
    let mut step = Step::new("subject");
    for address in &subject.addresses {
        step.fact(format!("{address} is an address: it needs no lookup"));
    }
    step.facts.extend(subject.origin.clone());
    for question in &subject.questions {
        step.fact(format!(
            "{} requests \"{}\", callout \"{}\"",
            subject.consumer.name(),
            question.description,
            question.callout
        ));
    }
    let names: Vec<&str> = subject.questions.iter().map(|question| question.description.as_str()).collect();
    match (names.as_slice(), subject.addresses.as_slice(), &subject.origin) {
        ([], [], _) | ([_], [], None) => return None,
        ([], addresses, _) => {
            step.sum(format!("{}: addresses, which need no lookup", addresses.join(", ")));
        }
        (names, _, Some(origin)) => step.sum(format!("{}, from {origin}", names.join(", "))),
        (names, _, None) => step.sum(names.join(", ")),
    }
    Some(step)
}

/// A diagnosis in progress.
struct Way<'a> {
    look: &'a HostRoot,
    subject: &'a Subject,
    steps: Vec<Step>,
    names: Vec<AskedName>,
    kernel: Kernel,
    /// Why what is seen here of files and the network is not what the helper sees.
    elsewhere: Option<String>,
}

impl Way<'_> {
    fn go(&mut self) {
        self.steps.push(self.kernel.step.clone());
        let cache = Cache::look();
        let request_key = self.request_key();
        self.steps.push(request_key.step.clone());
        let questions = self.subject.questions.clone();
        let sample = [KeyRequest { description: SAMPLE.to_owned(), callout: "" }];
        let asked = if questions.is_empty() { sample.as_slice() } else { &questions };
        let choices: Vec<Choice> = asked.iter().map(|question| self.rule(question, &request_key)).collect();
        self.push_all(asked, choices.iter().map(|choice| choice.step.clone()).collect());
        let path = choices.iter().find_map(|choice| choice.winner.as_ref()?.settings.clone());
        let (step, settings) = self.settings(path.as_deref());
        self.steps.push(step);
        let path = path.unwrap_or_else(|| DEFAULT_PATH.to_owned());
        if questions.is_empty() {
            if self.subject.addresses.is_empty() {
                let steps = self.servers(&[], &settings, &path);
                self.steps.extend(steps);
            }
        } else {
            self.names(&questions, &choices, &request_key, &settings, &path, cache.as_ref().ok());
        }
        self.steps.push(self.hidden(logs::NAME).unwrap_or_else(|| logs::check(self.look)));
    }

    /// The steps that each name needs separately.
    fn names(
        &mut self,
        questions: &[KeyRequest],
        choices: &[Choice],
        request_key: &RequestKey,
        settings: &Settings,
        path: &str,
        cache: Option<&Cache>,
    ) {
        let services = self.servers(questions, settings, path);
        let mut dry = Vec::new();
        let mut answers = Vec::new();
        for (question, service) in questions.iter().zip(&services) {
            if let Some(step) = self.hidden(answer::NAME) {
                answers.push(step);
                dry.push(None);
            } else if service.is_broken() {
                answers.push(after(answer::NAME, servers::NAME));
                dry.push(None);
            } else {
                let found = answer::check(self.look, question, self.subject.consumer, settings, path);
                answers.push(found.step.clone());
                dry.push(Some(found));
            }
        }
        let mut lives = Vec::new();
        let mut caches = Vec::new();
        for (index, question) in questions.iter().enumerate() {
            let choice = choices.get(index);
            let own = dry.get(index).and_then(Option::as_ref);
            let before =
                [Some(&self.kernel.step), Some(&request_key.step), choice.map(|choice| &choice.step)];
            let broken = before.into_iter().flatten().chain(services.get(index)).chain(answers.get(index));
            let broken = broken.filter(|step| step.is_broken()).map(|step| step.name).next();
            let asked = match broken {
                Some(name) => Live { answered: Some(false), ..Live::unasked(after(live::NAME, name)) },
                None => self.live(question, settings, own, choice.and_then(|choice| choice.winner.as_ref())),
            };
            let Live { step, answered, took } = asked;
            self.names.push(AskedName { description: question.description.clone(), answered, took });
            lives.push(step);
            caches.push(remembered::check(cache, question, own));
        }
        for steps in [services, answers, lives, caches] {
            self.push_all(questions, steps);
        }
    }

    /// Adds the steps of one name, each with what it is about; identical ones only once.
    fn push_all(&mut self, questions: &[KeyRequest], steps: Vec<Step>) {
        let several = questions.len() > 1;
        if several && steps.windows(2).all(|pair| pair.first() == pair.last()) {
            self.steps.extend(steps.into_iter().next());
            return;
        }
        for (question, step) in questions.iter().zip(steps) {
            self.steps.push(if several { step.about(question.description.clone()) } else { step });
        }
    }

    /// Whether files and network are those of the helper.
    fn where_we_are(&mut self, place: Option<Whereabouts>) {
        let Some(place) = place else { return };
        match place {
            Whereabouts::Host(why) => self.kernel.step.fact(format!("in the initial namespaces: {why}")),
            Whereabouts::Unknown(why) => {
                self.kernel.step.fact(format!("possibly not in the helper's namespaces: {why}"));
            }
            Whereabouts::Container(why) => {
                self.kernel.step.unseen(
                    "the host's files and network",
                    format!(
                        "this is a container, a chroot or another namespace; the kernel runs the helper on the host, \
                         where key-dns doctor can check everything; {why}"
                    ),
                );
                self.elsewhere = Some("the host's files can't be seen from here".to_owned());
            }
        }
    }

    /// The step if it can't be checked from here.
    fn hidden(&self, name: &'static str) -> Option<Step> {
        let why = self.elsewhere.as_ref()?;
        Some(Step::skip(name, format!("not checked: {why}")))
    }

    fn request_key(&self) -> RequestKey {
        match self.hidden(request_key::NAME) {
            Some(step) => RequestKey { step, ours: false },
            None => request_key::check(self.look),
        }
    }

    fn rule(&self, question: &KeyRequest, request_key: &RequestKey) -> Choice {
        if let Some(step) = self.hidden(rule::NAME) {
            return Choice { step, winner: None };
        }
        if request_key.step.is_broken() {
            return Choice { step: after(rule::NAME, request_key::NAME), winner: None };
        }
        rule::check(self.look, question, request_key.ours)
    }

    fn settings(&self, path: Option<&str>) -> (Step, Settings) {
        match self.hidden(settings::NAME) {
            Some(step) => (step, Settings::default()),
            None => settings::check(self.look, path),
        }
    }

    fn servers(&self, questions: &[KeyRequest], settings: &Settings, path: &str) -> Vec<Step> {
        match self.hidden(servers::NAME) {
            Some(step) => vec![step; questions.len().max(1)],
            None => servers::check(self.look, questions, settings, path),
        }
    }

    fn live(
        &self,
        question: &KeyRequest,
        settings: &Settings,
        dry: Option<&answer::DryRun>,
        winner: Option<&Winner>,
    ) -> Live {
        if !self.kernel.has_type {
            let mut step = Step::new(live::NAME);
            step.sum("the request could not be made");
            step.unseen("the result of request_key(2)", "the module is not loaded (modprobe dns_resolver)");
            return Live::unasked(step);
        }
        let consumer = self.subject.consumer;
        live::check(self.look, live::Before { question, consumer, settings, dry, winner })
    }
}

/// A step that is pointless after one that is broken.
fn after(name: &'static str, broken: &str) -> Step {
    Step::skip(name, format!("not checked: {broken} is broken"))
}
