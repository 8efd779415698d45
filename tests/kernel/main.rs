//! On this machine's kernel: a real `/sbin/request-key`, our rule, our helper, and keys read back.

#[path = "../dns/mod.rs"]
mod dns;
#[path = "../support/mod.rs"]
mod support;

mod answers;
