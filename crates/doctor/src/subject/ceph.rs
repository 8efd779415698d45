//! Ceph's notations for monitors.

/// The value of `mon_host`, whose name may have blanks, underscores or hyphens.
pub(super) fn mon_host(text: &str) -> Option<&str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        let name: String = name
            .trim()
            .chars()
            .map(|letter| if letter == ' ' || letter == '-' { '_' } else { letter })
            .collect();
        (name == "mon_host").then(|| value.trim()).filter(|value| !value.is_empty())
    })
}

/// The parts of a list, separated by commas, semicolons, blanks or slashes, without brackets around several, protocols
/// and nonces.
pub(super) fn parts(list: &str) -> Vec<&str> {
    let parts = list.split([',', ';', '/', ' ', '\t']).filter_map(|part| {
        let part = part.trim();
        let opened = part.strip_prefix('[').filter(|rest| protocol(rest).is_some()).unwrap_or(part);
        let bare = protocol(opened).unwrap_or(opened);
        let closed = bare.strip_suffix(']').filter(|rest| !rest.contains('[')).unwrap_or(bare);
        // A nonce follows a slash, as in v2:192.0.2.1:3300/0.
        let is_nonce = closed.bytes().all(|byte| byte.is_ascii_digit());
        (!is_nonce).then_some(closed)
    });
    parts.collect()
}

fn protocol(text: &str) -> Option<&str> {
    ["v1:", "v2:", "any:"].iter().find_map(|protocol| text.strip_prefix(protocol))
}

/// Whether slashes separate it: each part has a port or is a nonce.
pub(super) fn is_list(text: &str) -> bool {
    let with_port = |part: &&str| {
        part.rsplit_once(':')
            .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let parts = parts(text);
    !parts.is_empty() && parts.iter().all(with_port)
}

/// `0001-LENGTH-CLUSTER-POOL-UUID`, ceph-csi's volume handles.
pub(super) fn is_volume_handle(text: &str) -> bool {
    let hexadecimal =
        |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts: Vec<&str> = text.split('-').collect();
    let [version, length, .., pool, first, second, third, fourth, fifth] = parts.as_slice() else {
        return false;
    };
    let uuid = [(first, 8), (second, 4), (third, 4), (fourth, 4), (fifth, 12)];
    hexadecimal(version, 4)
        && hexadecimal(length, 4)
        && hexadecimal(pool, 16)
        && uuid.iter().all(|(part, length)| hexadecimal(part, *length))
}
