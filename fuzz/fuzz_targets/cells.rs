#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| key_dns_fuzz::cells(input));
