//! The one zone, in the formats that servers read.

/// How many addresses `many` has: more than fit into 1232 bytes, and as many as BIND takes.
pub const MANY: u8 = 100;
/// How AFSDB records are written where they have a name: one, and that of the root.
pub const AFSDB: [&str; 2] = ["AFSDB 1 db1", "AFSDB 1 ."];
/// The same as RFC 3597 writes records of types that a server does not know.
pub const TYPE18: [&str; 2] =
    ["TYPE18 \\# 20 0001 03646231 076578616d706c65 047465737400", "TYPE18 \\# 3 000100"];

/// The zone as a file of RFC 1035, with AFSDB records in this form.
pub fn file([afsdb, of_the_root]: [&str; 2]) -> String {
    let many: Vec<String> = (0..MANY).map(|last| format!("many 30 IN A 10.0.0.{last}\n")).collect();
    format!(
        "$ORIGIN example.test.\n$TTL 60\n\
         @ 3600 IN SOA ns hostmaster 1 7200 3600 1209600 25\n@ 3600 IN NS ns\nns 3600 IN A 127.53.0.1\n\
         mon 50 IN A 192.0.2.1\nmon 40 IN AAAA 2001:db8::1\nv6 45 IN AAAA 2001:db8::6\ntext 30 IN TXT \"x\"\n\
         alias 35 IN CNAME middle\nmiddle 15 IN CNAME mon\ngone 55 IN CNAME nosuch\n\
         *.wild 33 IN A 192.0.2.33\n\
         _afs3-vlserver._udp.cell 33 IN SRV 1 2 7003 db1\n_afs3-vlserver._udp.cell 33 IN SRV 2 2 7003 db2\n\
         old 60 IN {afsdb}\nnone 60 IN {of_the_root}\ndb1 50 IN A 192.0.2.21\ndb1 50 IN AAAA 2001:db8::21\ndb2 50 IN A 192.0.2.22\n{}",
        many.concat()
    )
}

/// The zone as options of dnsmasq, which has no SOA and no wildcard for A records alone.
pub fn dnsmasq() -> Vec<String> {
    let mut options: Vec<String> = [
        "--local=/example.test/",
        "--local-ttl=33",
        "--host-record=mon.example.test,192.0.2.1,2001:db8::1,50",
        "--host-record=v6.example.test,2001:db8::6,45",
        "--txt-record=text.example.test,x",
        "--cname=alias.example.test,mon.example.test,15",
        "--cname=gone.example.test,nosuch.example.test,55",
        "--address=/wild.example.test/192.0.2.33",
        "--srv-host=_afs3-vlserver._udp.cell.example.test,db1.example.test,7003,1,2",
        "--srv-host=_afs3-vlserver._udp.cell.example.test,db2.example.test,7003,2,2",
        "--dns-rr=old.example.test,18,000103646231076578616d706c65047465737400",
        "--dns-rr=none.example.test,18,000100",
        "--host-record=db1.example.test,192.0.2.21,2001:db8::21,50",
        "--host-record=db2.example.test,192.0.2.22,50",
    ]
    .map(str::to_owned)
    .to_vec();
    options.extend((0..MANY).map(|last| format!("--host-record=many.example.test,10.0.0.{last},30")));
    options
}

/// The zone as the `data` file of tinydns.
pub fn tinydns() -> String {
    let many: Vec<String> = (0..MANY).map(|last| format!("+many.example.test:10.0.0.{last}:30\n")).collect();
    let ipv6 = |last: &str| format!("\\040\\001\\015\\270{}\\{last}", "\\000".repeat(11));
    format!(
        "Zexample.test:ns.example.test:hostmaster.example.test:1:7200:3600:1209600:25:3600\n\
         &example.test:127.53.0.1:ns.example.test:3600\n\
         +mon.example.test:192.0.2.1:50\n:mon.example.test:28:{}:40\n:v6.example.test:28:{}:45\n\
         'text.example.test:x:30\nCalias.example.test:middle.example.test:35\n\
         Cmiddle.example.test:mon.example.test:15\nCgone.example.test:nosuch.example.test:55\n\
         +*.wild.example.test:192.0.2.33:33\n\
         :_afs3-vlserver._udp.cell.example.test:33:\\000\\001\\000\\002\\033\\133\\003db1\\007example\\004test\\000:33\n\
         :_afs3-vlserver._udp.cell.example.test:33:\\000\\002\\000\\002\\033\\133\\003db2\\007example\\004test\\000:33\n\
         :old.example.test:18:\\000\\001\\003db1\\007example\\004test\\000:33\n\
         :none.example.test:18:\\000\\001\\000:60\n\
         +db1.example.test:192.0.2.21:50\n:db1.example.test:28:{}:50\n+db2.example.test:192.0.2.22:50\n{}",
        ipv6("001"),
        ipv6("006"),
        ipv6("041"),
        many.concat()
    )
}
