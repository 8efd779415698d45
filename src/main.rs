//! The `key-dns` executable: one program, its face chosen by the name it is called under.

#![no_main]

key_dns::entry!(key_dns::face::run);
