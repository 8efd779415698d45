//! What is known about each error: the only table, `table.json`. It is data and not a constant, because each string of a
//! constant would have to be relocated whenever the program starts, which is mostly to answer a key.
//!
//! Sources: docs/kernel-contract.md for what the kernel does; the sources of mount.ceph(8), mount.cifs(8), mount.nfs(8),
//! runc and the kernel for their messages; messages.txt for how people meet them.

use super::row::{Cause, Row};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The row for a name that the kernel does not look up.
const TOO_SHORT: &str = "name-too-short";

/// The file. Of rows with the same number, the likeliest comes first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Causes that several rows have.
    shared: BTreeMap<String, Cause>,
    rows: Vec<Listed>,
}

/// A row in the file's form.
#[derive(Deserialize)]
struct Listed {
    #[serde(flatten)]
    row: Row,
    /// The likeliest first.
    causes: Vec<ListedCause>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ListedCause {
    Shared(String),
    Own(Cause),
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    // A test checks that there are rows.
    read(include_str!("table.json")).unwrap_or_default()
});

fn read(text: &str) -> Result<Vec<Row>, String> {
    let File { shared, rows } = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let cause = |listed| match listed {
        ListedCause::Own(cause) => Ok(cause),
        ListedCause::Shared(name) => {
            shared.get(&name).cloned().ok_or_else(|| format!("no shared cause {name}"))
        }
    };
    let row = |Listed { row, causes }| {
        Ok(Row { causes: causes.into_iter().map(cause).collect::<Result<_, String>>()?, ..row })
    };
    rows.into_iter().map(row).collect()
}

/// All rows.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter()
}

/// What is said of a name that is too short.
pub(super) fn too_short() -> Vec<&'static Row> {
    rows().filter(|row| row.id == TOO_SHORT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_valid_and_every_shared_cause_is_used() {
        let text = include_str!("table.json");
        assert_eq!(read(text).unwrap().len(), ROWS.len());
        let file: File = serde_json::from_str(text).unwrap();
        for name in file.shared.keys() {
            let of = |cause: &ListedCause| matches!(cause, ListedCause::Shared(other) if other == name);
            assert!(file.rows.iter().any(|row| row.causes.iter().any(of)), "{name}");
        }
        assert!(read(&text.replacen("\"remembered\",\n", "\"no-such\",\n", 1)).is_err());
        assert_eq!(too_short().len(), 1);
    }
}
