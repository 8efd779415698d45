//! The `key-dns` executable: one program, its face chosen by the name it is called under.

#![no_main]

// AddressSanitizer watches the system's allocator, and no other (fuzz/asan).
#[cfg(not(asan))]
#[global_allocator]
static MEMORY: key_dns::sys::arena::Arena = key_dns::sys::arena::Arena::new();

key_dns::entry!(key_dns::face::run);
