use std::time::Duration;
use upcall::Settings;

/// The helper's settings file.
pub fn settings(input: &[u8]) {
    let (settings, warnings) = Settings::parse(input);
    crate::check_lines(&warnings, input);
    assert!((1..=3600).contains(&settings.lookup.deadline));
    assert!((Duration::from_millis(10)..=Duration::from_mins(1)).contains(&settings.lookup.hedge));
    for ttl in [settings.lookup.default_ttl, settings.max_ttl, settings.lookup.negative_ttl] {
        assert!(ttl.as_secs() >= 1);
    }
    for entry in &settings.lookup.name_servers {
        assert!(!entry.servers.is_empty());
        assert!(!entry.domain.starts_with('.') && !entry.domain.ends_with('.'));
        // A name in the domain is asked of the servers of the longest domain that it lies in.
        let found = settings.lookup.name_servers_for(&format!("X.{}.", entry.domain.to_ascii_uppercase()));
        assert!(found.is_some_and(|found| found.domain.len() >= entry.domain.len()));
    }
    // What --dump-config prints sets the same.
    let (again, warnings) = Settings::parse(settings.to_string().as_bytes());
    assert_eq!(warnings, []);
    assert_eq!(again, settings);
}
