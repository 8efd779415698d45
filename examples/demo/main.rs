//! The helper at work: requests as file systems make them, a DNS zone on loopback, and what the kernel gets.
//!
//! Without root, the helper runs in debug mode, and shows its answers. As root on a kernel with `dns_resolver` keys,
//! the kernel then runs it itself: real calls of request_key(2), through a real upcall, with everything restored
//! afterwards.

#[path = "../../tests/dns/mod.rs"]
mod dns;
#[path = "../../tests/support/initial.rs"]
#[allow(unreachable_pub)]
mod initial;

mod helper;
mod kernel;
mod page;
mod questions;
mod server_list;
mod undo;
mod world;

use helper::Helper;
use page::Page;
use questions::{QUESTIONS, Question};
use std::env;
use std::ffi::OsString;
use std::process::ExitCode;
use world::World;

fn main() -> ExitCode {
    // The helper is part of this executable, so cargo builds only one program.
    let mut args: Vec<OsString> = env::args_os().collect();
    if args.get(1).is_some_and(|word| word == helper::NAME) {
        args.remove(0);
    }
    if helper::is_meant_by(args.first()) {
        return key_dns::run(args);
    }
    // Before any thread starts, so that all of them leave signals to one.
    undo::on_signals();
    let page = Page::new();
    let mut outcome = show(&page);
    if !undo::put_back() {
        outcome = outcome.and(Err("something could not be put back".to_owned()));
    }
    match outcome {
        Ok(Tally { wrong: 0, right }) => {
            page.blank();
            page.good(&format!("All {right} answers are as expected."));
            ExitCode::SUCCESS
        }
        Ok(Tally { wrong, right }) => {
            page.blank();
            page.bad(&format!("{wrong} of {} answers are not as expected.", wrong + right));
            ExitCode::FAILURE
        }
        Err(error) => {
            page.blank();
            page.bad(&format!("The demo can't go on: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// How many answers were as expected.
#[derive(Default)]
struct Tally {
    right: usize,
    wrong: usize,
}

impl Tally {
    fn count(&mut self, fault: Option<&String>) {
        match fault {
            None => self.right += 1,
            Some(_) => self.wrong += 1,
        }
    }
}

fn show(page: &Page) -> Result<Tally, String> {
    if let Some(reason) = world::obstacle().or_else(helper::obstacle) {
        return Err(reason);
    }
    let world = World::start();
    let helper = Helper::prepare(&world.settings())?;
    introduce(page, &world, &helper);
    let mut tally = Tally::default();
    page.heading("1. The helper by itself: debug mode, which needs no key and no root");
    for question in &QUESTIONS {
        let fault = put(page, &world, &helper, question, tally.right + tally.wrong + 1)?;
        tally.count(fault.as_ref());
    }
    page.heading("2. Through the kernel: request_key(2), a real upcall, a real key");
    page.blank();
    match kernel::obstacle() {
        Some(reason) => page.skipped(&reason),
        None => kernel::show(page, &world, &helper, &mut tally),
    }
    Ok(tally)
}

fn introduce(page: &Page, world: &World, helper: &Helper) {
    page.title("key-dns: host names for the kernel's file systems");
    page.blank();
    page.text("A mount that names its server by host name makes the kernel ask user space:");
    page.text("it creates a key of type dns_resolver, whose description is the name, and");
    page.text("starts a helper that must fill it in. This is that helper. The name servers");
    page.text("that it asks are part of this demo, on loopback.");
    page.blank();
    page.pair("helper", &helper.version);
    page.pair("command", &helper.shown());
    for (index, line) in world.settings().lines().enumerate() {
        page.pair(if index == 0 { "settings" } else { "" }, line);
    }
}

/// Makes one request to the helper, and shows the result. Returns what is wrong with the answer, if anything.
fn put(
    page: &Page,
    world: &World,
    helper: &Helper,
    question: &Question,
    number: usize,
) -> Result<Option<String>, String> {
    world.forget();
    page.numbered(number, question.title);
    page.pair("kernel asks", &question.asked());
    if World::is_silent(question.description) {
        page.pair("settings", world::HASTE);
    }
    let answer = helper.ask(question.description, question.callout)?;
    page.list("DNS says", &world.said(question.name()));
    let fault = question.fault(&answer.payload, answer.expiry);
    let gets = format!("{} for {} s", answer.payload.shown(), answer.expiry);
    page.verdict("kernel gets", &gets, fault.as_deref(), answer.took);
    page.pair("then", &question.asker.does(&answer.payload));
    Ok(fault)
}
