//! The `key-dns` executable: one program, its face chosen by the name it is called under.

#![no_main]

use key_dns::sys::arena::Arena;

#[global_allocator]
static MEMORY: Arena = Arena::new();

key_dns::entry!(key_dns::face::run);
