use names::config::host_conf::multi;

/// `host.conf`: whether all lines of a name in the hosts file count.
pub fn host_conf(input: &[u8]) {
    let _ = multi(input);
    // The last line that says something counts, and what says nothing changes nothing.
    for (line, says) in [("\nmulti on\n", true), ("\n Multi\toff", false)] {
        let file = [input, line.as_bytes()].concat();
        assert_eq!(multi(&file), says);
        assert_eq!(multi(&[&file[..], b"\n# multi\nmultiple on\nmulti maybe"].concat()), says);
    }
    if !input.windows(5).any(|word| word.eq_ignore_ascii_case(b"multi")) {
        assert!(!multi(input));
    }
}
