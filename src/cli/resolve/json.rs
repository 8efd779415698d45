//! A lookup as JSON; docs/tools.md has the fields.

use super::report::ResolveReport;
use crate::cli::subcommand;
use key::{Server, ServerList};
use names::message::rcode;
use names::{Address, Answer, Content, Event, Origin, TraceStep, TurnOutcome};
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// The version of the format. A new one comes when a field goes or means something else; fields are added without.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document {
    version: u32,
    description: String,
    callout: String,
    addresses: Vec<OneAddress>,
    servers: Option<Cell>,
    error: Option<OneError>,
    /// As debug mode of the helper prints it.
    payload: String,
    ttl: Option<u32>,
    expiry: u32,
    took_ms: f64,
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<Vec<OneStep>>,
}

#[derive(Serialize)]
struct OneAddress {
    address: IpAddr,
    source: &'static str,
    /// The record's owner, the line of the hosts file, the service that getent asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<u32>,
}

#[derive(Serialize)]
struct Cell {
    source: &'static str,
    status: &'static str,
    #[serde(rename = "servers")]
    list: Vec<OneServer>,
}

#[derive(Serialize)]
struct OneServer {
    name: String,
    port: u16,
    priority: u16,
    weight: u16,
    status: &'static str,
    addresses: Vec<IpAddr>,
}

#[derive(Serialize)]
struct OneError {
    errno: u16,
    text: String,
    message: String,
}

#[derive(Serialize)]
struct OneStep {
    at_ms: f64,
    took_ms: f64,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<Query>,
}

#[derive(Serialize)]
struct Query {
    name: String,
    #[serde(rename = "type")]
    record_type: String,
    server: SocketAddr,
    rcode: Option<String>,
    records: Option<usize>,
    error: Option<String>,
}

pub(super) fn render(told: &ResolveReport<'_>) -> String {
    let mut document = Document {
        version: VERSION,
        description: told.request.description.name.escape_ascii().to_string(),
        callout: told.request.callout.escape_ascii().to_string(),
        addresses: Vec::new(),
        servers: None,
        error: None,
        payload: told.reply.payload.to_string(),
        ttl: None,
        expiry: told.reply.expiry.as_secs(),
        took_ms: told.took.as_secs_f64() * 1000.0,
        warnings: told.lookup.warnings.clone(),
        trace: told.trace.then(|| {
            let steps = told.lookup.trace.steps();
            steps.iter().map(|step| one_step(step, told.start)).collect()
        }),
    };
    match &told.lookup.outcome {
        Ok(Answer { content, ttl }) => {
            document.ttl = ttl.map(key::Ttl::as_secs);
            match content {
                Content::Addresses(found) => document.addresses = found.iter().map(one_address).collect(),
                Content::Servers(list) | Content::Endpoints(list) => document.servers = Some(servers(list)),
            }
        }
        Err(failure) => {
            let errno = failure.verdict().0;
            document.error = Some(OneError {
                errno: errno.number(),
                text: errno.to_string(),
                message: failure.to_string(),
            });
        }
    }
    subcommand::json(&document)
}

fn one_address(Address { ip, origin }: &Address) -> OneAddress {
    let plain = |source| OneAddress { address: *ip, source, detail: None, server: None, ttl: None };
    match origin {
        Origin::Literal => plain("literal"),
        Origin::Localhost => plain("localhost"),
        Origin::Hosts(_) => OneAddress { detail: Some(origin.to_string()), ..plain("hosts") },
        Origin::Getent(source) => OneAddress { detail: Some(source.clone()), ..plain("getent") },
        Origin::Dns { owner, ttl, server } => OneAddress {
            detail: Some(owner.to_ascii()),
            server: *server,
            ttl: Some(ttl.as_secs()),
            ..plain("dns")
        },
    }
}

fn servers(list: &ServerList) -> Cell {
    let one = |server: &Server| OneServer {
        name: server.name.clone(),
        port: server.port,
        priority: server.priority,
        weight: server.weight,
        status: server.status.word(),
        addresses: server.addresses.clone(),
    };
    Cell {
        source: list.source.word(),
        status: list.status.word(),
        list: list.servers.iter().map(one).collect(),
    }
}

fn one_step(step: &TraceStep, start: Instant) -> OneStep {
    OneStep {
        at_ms: step.began.saturating_duration_since(start).as_secs_f64() * 1000.0,
        took_ms: step.took.as_secs_f64() * 1000.0,
        text: step.to_string(),
        query: match &step.event {
            Event::Turn { question, server, outcome } => {
                let (rcode, records, error) = match outcome {
                    TurnOutcome::Response { rcode, records } => {
                        (Some(rcode::name(*rcode)), Some(*records), None)
                    }
                    other => (None, None, Some(other.to_string())),
                };
                let shown = question.to_string();
                let (name, record_type) = shown.split_once(' ').unwrap_or((&shown, ""));
                let (name, record_type) = (name.to_owned(), record_type.to_owned());
                Some(Query { name, record_type, server: *server, rcode, records, error })
            }
            _ => None,
        },
    }
}
