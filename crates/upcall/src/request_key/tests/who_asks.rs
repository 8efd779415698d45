use super::*;

/// A key of this type that this user asks for.
fn ring(key_type: &str, owner: Option<u32>) -> FakeKeyring {
    let mut request = request(key_type, b"pid=1;uid=0x0;creduid=0x0", b"");
    request.description.owner = owner;
    FakeKeyring::new(request)
}

const RULES: &str = "create * * * |/bin/echo x";

#[test]
fn a_key_type_of_root_only_is_rejected_for_users() {
    for (owner, shown) in [(Some(1000), "1000"), (None, "(unknown)")] {
        let host = Host::with(RULES);
        let ring = ring("cifs.spnego", owner);
        assert_eq!(host.answer(&ring).unwrap(), Disposition::Rejected);
        assert_eq!(ring.calls(), [KeyCall::AssumeAuthority, KeyCall::Request, KeyCall::Reject(1, 10)]);
        let line = format!(
            "error: key 7: user {shown} requests a key of type \"cifs.spnego\", which root_only \
             reserves for the kernel and root; rejected with EPERM (1) for 10 s"
        );
        assert_eq!(host.messages(), [line]);
    }
}

#[test]
fn root_is_answered_for_every_type_and_users_for_other_types() {
    for (key_type, owner) in
        [("cifs.spnego", Some(0)), ("id_resolver", Some(0)), ("user", Some(1000)), ("logon", None)]
    {
        let host = Host::with(RULES);
        let ring = ring(key_type, owner);
        assert_eq!(host.answer(&ring).unwrap(), Disposition::Done, "{key_type}");
        assert_eq!(host.messages(), [""; 0]);
    }
}

#[test]
fn the_settings_list_the_types_of_root_only() {
    let held = |settings: &str, key_type: &str| {
        let host = Host::with(RULES);
        host.add("settings", settings);
        let ring = ring(key_type, Some(1000));
        host.answer(&ring).unwrap();
        ring.held().unwrap()
    };
    let (answer, refusal) = (Held::Payload(b"x\n".to_vec(), None), Held::Rejection(1, 10));
    assert_eq!(held("root_only = none", "cifs.spnego"), answer);
    assert_eq!(held("root_only = dns_resolver, user", "cifs.spnego"), answer);
    assert_eq!(held("root_only = dns_resolver, user", "user"), refusal);
    assert_eq!(held("root_only = dns_resolver, user", "dns_resolver"), refusal);
    assert_eq!(held("", "dns_resolver"), answer);
}
