//! NSS modules of the tests' own, in the namespaces of [`super::world`].

use super::run;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What a module says is in a file of its name here, and below it are the libraries.
const FOLDER: &str = "/mnt/nss";

/// The module that is asked for one family at a time, as `sss` and `wins` are.
pub const SINGLE: &str = "keytest";
/// The module that is asked for both families at once, as `mdns4` and `resolve` are.
pub const DUAL: &str = "keytest4";

/// Builds the modules and puts them where the loader finds them; `false` where there is no compiler.
pub fn install() -> bool {
    if !super::has_compiler("cc") {
        super::skip("it needs a C compiler, for NSS modules of its own");
        return false;
    }
    let libraries = format!("{FOLDER}/lib");
    fs::create_dir_all(&libraries).unwrap();
    for folder in [FOLDER, &libraries] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/nss_module.c");
    for (module, define) in [(SINGLE, "-DWITHOUT_4"), (DUAL, "-DWITH_4")] {
        let library = format!("{libraries}/libnss_{module}.so.2");
        let (name, soname) = (format!("-DMODULE={module}"), format!("-Wl,-soname,libnss_{module}.so.2"));
        let source = source.to_str().unwrap();
        let done = run("cc", &["-shared", "-fPIC", "-O1", &name, define, &soname, "-o", &library, source]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    use_libraries(&[&libraries]);
    true
}

/// Has the loader find the libraries in these folders, beside those that it finds anyway.
pub fn use_libraries(folders: &[&str]) {
    // It writes to /etc, which is the test's own here, and to a cache beside.
    let mount = run("mount", &["-t", "tmpfs", "tmpfs", "/var/cache/ldconfig"]);
    assert!(mount.status.success(), "{}", String::from_utf8_lossy(&mount.stderr));
    let done = run("ldconfig", folders);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Has a module say this: a status, or `SUCCESS` and addresses.
pub fn says(module: &str, text: &str) {
    let path = Path::new(FOLDER).join(module);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
}
