//! How many things stand in a folder.

use crate::{entries, exceptions, root};
use std::collections::BTreeMap;

const ENTRIES_MAX: usize = 12;

/// Visible entries of every folder that has source or text in it; the root is `.`.
fn folders() -> BTreeMap<String, usize> {
    let root = root();
    let mut open = vec![root.clone()];
    let mut folders = BTreeMap::new();
    while let Some(folder) = open.pop() {
        let visible =
            |path: &std::path::PathBuf| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let entries: Vec<_> = entries(&folder).into_iter().filter(visible).collect();
        let relative = folder.strip_prefix(&root).expect("found below the root").to_string_lossy().replace('\\', "/");
        let name = if relative.is_empty() { ".".to_owned() } else { relative };
        folders.insert(name, entries.len());
        open.extend(entries.into_iter().filter(|path| path.is_dir()));
    }
    folders
}

fn too_full(folders: &BTreeMap<String, usize>, exceptions: &[(&str, usize)]) -> Vec<String> {
    let maximum =
        |name: &str| exceptions.iter().find(|(folder, _)| *folder == name).map_or(ENTRIES_MAX, |(_, most)| *most);
    let show = |(name, count): (&String, &usize)| {
        (*count > maximum(name))
            .then(|| format!("{name}: {count} entries, {} at most: group what belongs together", maximum(name)))
    };
    folders.iter().filter_map(show).collect()
}

fn stale(folders: &BTreeMap<String, usize>, exceptions: &[(&str, usize)]) -> Vec<String> {
    let show = |(name, most): &(&str, usize)| {
        let count = folders.get(*name).copied().unwrap_or(0);
        (count <= ENTRIES_MAX || count < *most).then(|| format!("{name} has {count} entries: correct the list"))
    };
    exceptions.iter().filter_map(show).collect()
}

#[test]
fn folders_are_small() {
    let findings = too_full(&folders(), exceptions::FULL_FOLDERS);
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn exceptions_for_full_folders_are_still_needed() {
    let findings = stale(&folders(), exceptions::FULL_FOLDERS);
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn full_folders_are_found() {
    let folders = BTreeMap::from([("a".to_owned(), 12), ("b".to_owned(), 13), ("c".to_owned(), 15)]);
    assert_eq!(too_full(&folders, &[]).len(), 2);
    assert_eq!(too_full(&folders, &[("b", 13), ("c", 14)]).len(), 1);
    assert_eq!(stale(&folders, &[("b", 13), ("c", 15)]), [""; 0]);
    assert_eq!(stale(&folders, &[("a", 12), ("b", 14), ("gone", 13)]).len(), 3);
}
