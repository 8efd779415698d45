//! Each target with its seeds, without libFuzzer: past failures stay fixed.

use std::fs;
use std::path::Path;

#[test]
fn every_seed_of_every_target_holds() {
    for (name, target) in key_dns_fuzz::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
        let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!files.is_empty(), "{name} has no seeds");
        for file in files {
            eprintln!("{}", file.display());
            target(&fs::read(&file).unwrap());
        }
    }
}
