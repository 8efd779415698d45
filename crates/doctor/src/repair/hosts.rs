//! Commands for `/etc/hosts`.

use super::edit::{Lines, pattern};
use crate::host_root::HostRoot;
use crate::remedy::Remedy;
use crate::shell::quoted;
use names::config;

/// Removes a name from these lines, and leaves their other names.
pub(crate) fn without(look: &HostRoot, name: &str, lines: &[usize]) -> Remedy {
    Remedy::command_or(command(look, name, lines), advice(name, lines))
}

/// Advice if DNS contradicts these lines. An entry may be meant to: to name a storage network, or this host itself
/// (127.0.1.1 on Debian).
pub(crate) fn differ(name: &str, lines: &[usize]) -> Remedy {
    Remedy::Advice(advice(name, lines))
}

fn advice(name: &str, lines: &[usize]) -> String {
    let numbers: Vec<String> = lines.iter().map(ToString::to_string).collect();
    format!("remove {name} from line {} of {}, if DNS is right", numbers.join(" and "), config::HOSTS)
}

/// The word is removed from all lines that have it with that address; a line that has no other name is deleted.
fn command(look: &HostRoot, name: &str, lines: &[usize]) -> Option<String> {
    let file = Lines::read(look, config::HOSTS)?;
    let mut script = String::new();
    for number in lines {
        let (_, line) = file.all().find(|(at, _)| at == number)?;
        let address = line.split_whitespace().next()?;
        let mut spellings = Vec::new();
        for (at, other) in file.all() {
            let mut words = other.split_whitespace();
            if words.next() != Some(address) {
                continue;
            }
            let names: Vec<&str> = words.collect();
            let found: Vec<&&str> = names.iter().filter(|word| word.eq_ignore_ascii_case(name)).collect();
            // A comment may contain the name as well; and nothing distinguishes two occurrences.
            if names.is_empty()
                || other.contains('#')
                || found.len() > 1
                || (found.len() == 1 && !lines.contains(&at))
            {
                return None;
            }
            spellings.extend(found.into_iter().copied().map(str::to_owned));
        }
        if spellings.is_empty() {
            return None;
        }
        spellings.sort_unstable();
        spellings.dedup();
        // It would end the expression.
        if line.contains('/') {
            return None;
        }
        let address = pattern(address)?;
        for spelling in spellings {
            let name = pattern(&spelling)?;
            let expression = format!(
                "/^[[:blank:]]*{address}[[:blank:]]/s/[[:blank:]]\\{{1,\\}}{name}\\([[:blank:]]\\{{1,\\}}\\|$\\)/ /;\
                 /^[[:blank:]]*{address}[[:blank:]]*$/d"
            );
            if !script.contains(&expression) {
                script = if script.is_empty() { expression } else { format!("{script};{expression}") };
            }
        }
    }
    Some(format!("sed -i {} {}", quoted(script)?, config::HOSTS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_root::tree;
    use std::fs;
    use std::process::Command;

    /// The lines after the remedies, in this order, each run twice.
    fn after(text: &str, names: &[(&str, &[usize])]) -> Option<Vec<String>> {
        let look = tree("hosts-without", &[("etc/hosts", text)]);
        let path = look.path(config::HOSTS);
        let word = quoted(&path).unwrap();
        let commands: Option<Vec<String>> = names
            .iter()
            .map(|(name, lines)| {
                without(&look, name, lines).command().map(|command| command.replace(config::HOSTS, &word))
            })
            .collect();
        for command in commands? {
            for _ in 0..2 {
                assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success(), "{command}");
            }
        }
        let text = fs::read_to_string(&path).unwrap();
        Some(text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
    }

    #[test]
    fn only_the_given_names_are_removed_in_any_order() {
        let text = "127.0.0.1\tlocalhost mon1.test\n10.0.0.1 a.test\n10.0.0.2 b.test\n10.0.0.1 c.test\n10.0.0.11 A.test\n";
        let (a, b) = (("a.test", &[2, 5][..]), ("b.test", &[3][..]));
        let expected = ["127.0.0.1 localhost mon1.test", "10.0.0.1 c.test"];
        for order in [[a, b], [b, a]] {
            assert_eq!(after(text, &order).unwrap(), expected);
        }
        let kept = after(text, &[("mon1.test", &[1])]).unwrap();
        assert_eq!(kept[..2], ["127.0.0.1 localhost", "10.0.0.1 a.test"]);
        // Two names of one line.
        let text = "10.0.0.1 x.test y.test z.test\n";
        for order in [["x.test", "y.test"], ["y.test", "x.test"]] {
            let names: Vec<(&str, &[usize])> = order.iter().map(|name| (*name, &[1][..])).collect();
            assert_eq!(after(text, &names).unwrap(), ["10.0.0.1 z.test"]);
        }
        let all: Vec<(&str, &[usize])> = ["y.test", "x.test", "z.test"].map(|name| (name, &[1][..])).to_vec();
        assert_eq!(after(text, &all).unwrap(), [] as [&str; 0]);
    }

    #[test]
    fn an_ambiguous_hosts_line_yields_no_command() {
        for text in [
            "10.0.0.1 a.test # a.test\n",
            "10.0.0.1 a.test A.test\n",
            "10.0.0.1\n10.0.0.1 a.test\n",
            "10.0.0.1 a.test\u{1}\n",
        ] {
            let line = text.lines().count();
            assert_eq!(after(text, &[("a.test", &[line])]), None, "{text:?}");
        }
    }
}
