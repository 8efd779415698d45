use super::*;

#[test]
fn a_copy_in_the_same_folder_is_this_executable_and_another_build_is_not() {
    let own = fs::read_link(OWN).unwrap();
    let facts = own.metadata().unwrap();
    let copy = own.with_extension("copy");
    let call = |path: &Path| Call { path: path.into(), args: Vec::new() };
    assert!(is_this_executable(&call(&own)));
    assert!(!is_this_executable(&call(&copy)));
    fs::copy(&own, &copy).unwrap();
    let file = fs::File::options().write(true).open(&copy).unwrap();
    file.set_modified(facts.modified().unwrap()).unwrap();
    // What belongs to others than root may be changed by them.
    let labelled = is_labelled(fs::read("/proc/self/attr/current"));
    assert_eq!(is_this_executable(&call(&copy)), facts.uid() == 0 && !labelled);
    file.set_modified(facts.modified().unwrap() - Duration::from_secs(1)).unwrap();
    assert!(!is_this_executable(&call(&copy)));
    fs::remove_file(&copy).unwrap();
}

#[test]
fn a_process_under_a_policy_is_told_from_one_that_is_not() {
    for (label, labelled) in [
        (b"unconfined\n".as_slice(), false),
        (b"", false),
        (b"system_u:system_r:keyutils_request_t:s0\0", true),
        (b"/usr/libexec/key-dns/request-key (enforce)\n", true),
    ] {
        assert_eq!(is_labelled(Ok(label.to_vec())), labelled);
    }
    assert!(!is_labelled(Err(io::Error::from_raw_os_error(nix::libc::EINVAL))));
    assert!(is_labelled(Err(io::Error::from_raw_os_error(nix::libc::EACCES))));
}
