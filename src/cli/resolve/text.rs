//! A lookup as text.

use super::report::ResolveReport;
use key::{Server, ServerList};
use names::{Address, Answer, Content, Event, Origin, TraceStep};
use std::fmt::{self, Write};
use std::time::Duration;

/// The steps, where they are wanted; the answer; and how long it lasts and took. Then what went wrong, if there is no
/// answer.
pub(super) fn render(told: &ResolveReport<'_>) -> (String, Option<String>) {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, told);
    let failure = told.lookup.outcome.as_ref().err();
    (out, failure.map(|failure| format!("{}: {failure}", failure.verdict().0)))
}

fn write(out: &mut String, told: &ResolveReport<'_>) -> fmt::Result {
    if told.trace {
        for step in told.lookup.trace.steps() {
            write_step(out, &step, told)?;
        }
    }
    match &told.lookup.outcome {
        Ok(Answer { content: Content::Addresses(addresses), .. }) => {
            for address in addresses {
                write_address(out, address)?;
            }
        }
        Ok(Answer { content: Content::Servers(list) | Content::Endpoints(list), .. }) => {
            write_servers(out, list)?;
        }
        // On standard error.
        Err(_) => {}
    }
    write!(out, "lasts {} s", told.reply.expiry)?;
    if let Ok(Answer { ttl, .. }) = &told.lookup.outcome {
        match ttl {
            None => write!(out, " (default_ttl, as the source has no TTL)")?,
            Some(ttl) if *ttl > told.settings.max_ttl => write!(out, " (max_ttl; the TTL is {ttl} s)")?,
            Some(_) => {}
        }
    }
    writeln!(out, ", took {}", Milliseconds(told.took))
}

fn write_step(out: &mut String, step: &TraceStep, told: &ResolveReport<'_>) -> fmt::Result {
    // When it ended, which is the order of the steps.
    let at = Milliseconds((step.began + step.took).saturating_duration_since(told.start)).to_string();
    write!(out, "{at:>10}  {step}")?;
    match step.event {
        Event::Turn { .. } => writeln!(out, " ({})", Milliseconds(step.took)),
        _ => writeln!(out),
    }
}

fn write_address(out: &mut String, Address { ip, origin }: &Address) -> fmt::Result {
    match origin {
        Origin::Dns { owner, ttl, server: Some(server) } => {
            writeln!(out, "{ip}  from DNS server {server}: {}, TTL {ttl} s", owner.to_ascii())
        }
        origin => writeln!(out, "{ip}  from {origin}"),
    }
}

fn write_servers(out: &mut String, list: &ServerList) -> fmt::Result {
    writeln!(out, "{} servers, from {}", list.servers.len(), list.source.word())?;
    for Server { name, priority, weight, port, status, addresses, .. } in &list.servers {
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let addresses = match addresses.as_slice() {
            [] => format!("no address ({})", status.word()),
            some => some.join(", "),
        };
        writeln!(out, "{name} port {port}, priority {priority}, weight {weight}: {addresses}")?;
    }
    Ok(())
}

struct Milliseconds(Duration);

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} ms", self.0.as_secs_f64() * 1000.0)
    }
}
