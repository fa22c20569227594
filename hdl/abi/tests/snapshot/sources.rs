//! Holds the printed ABI against the source: nothing public may be missing in it.

use crate::{in_crate, print};
use std::path::{Path, PathBuf};
use writ_abi::parse::ParseClass;
use writ_abi::record::DropCause;
use writ_abi::registers::{BLOCKS, COUNTERS, Counter, identity, rings};
use writ_abi::{Table, limits};

/// The source files of the crate: module name (empty for the crate itself) and text. A module that is a folder is one text.
fn sources() -> Vec<(String, String)> {
    let read =
        |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        entries.map(|entry| entry.expect("a readable folder").path()).collect()
    };
    let mut sources: Vec<_> = entries(&in_crate("src"))
        .into_iter()
        .map(|path| {
            let name = path.file_stem().and_then(|name| name.to_str()).expect("a plain name").to_owned();
            let text = if path.is_dir() { entries(&path).iter().map(|path| read(path)).collect() } else { read(&path) };
            (if name == "lib" { String::new() } else { name }, text)
        })
        .collect();
    sources.sort();
    assert!(sources.len() > 5, "the sources are not where they should be");
    sources
}

/// Names behind `prefix` at the start of a line, up to the first character that belongs to no name.
fn names<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
    let name = |rest: &'a str| rest.split(|c: char| c != '_' && !c.is_alphanumeric()).next().unwrap_or_default();
    text.lines().filter_map(|line| line.trim_start().strip_prefix(prefix)).map(name).collect()
}

#[test]
fn every_constant_is_printed() {
    let printed = print::abi();
    for (module, text) in sources() {
        // Registers and counters are printed as tables; the test below holds the registers' addresses against them.
        if ["registers", "counter"].contains(&module.as_str()) {
            continue;
        }
        for name in names(&text, "pub const ").into_iter().filter(|name| !["fn", "ALL"].contains(name)) {
            assert!(
                printed.contains(&format!("::{name} = ")),
                "{module}: {name} is missing in tests/snapshot/print.rs"
            );
        }
    }
}

#[test]
fn every_number_and_layout_is_printed() {
    let printed = print::abi();
    for (module, text) in sources() {
        let crosses_the_bus = |repr: &str| -> Vec<String> {
            let declarations = text.split(repr).skip(1);
            let declaration = |part: &str| {
                let mut lines = part.lines();
                lines.find(|line| line.starts_with("pub enum ") || line.starts_with("pub struct ")).map(str::to_owned)
            };
            declarations.filter_map(declaration).collect()
        };
        for line in crosses_the_bus("#[repr(u8)]").iter().chain(&crosses_the_bus("#[repr(C)]")) {
            let mut words = line.split(|c: char| c != '_' && !c.is_alphanumeric()).skip(1);
            let (kind, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let here = [format!("\n{kind} {name}\n"), format!("\n{kind} {name}:")];
            assert!(here.iter().any(|text| printed.contains(text)), "{module}: {kind} {name} is not printed");
        }
    }
}

/// The addresses by which code names registers are those of the registers of that name.
#[test]
fn addresses_and_registers_agree() {
    let sources = sources();
    let (_, text) = sources.iter().find(|(module, _)| module == "registers").expect("registers.rs");
    let mut checked = 0;
    for part in text.split("\npub mod ").skip(1) {
        let number = |text: &str| u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).expect("a number");
        let constants = part.lines().filter_map(|line| line.trim().strip_prefix("pub const ")?.split_once(": u32 = "));
        let mut block_offset = 0;
        for (name, value) in constants {
            let value = value.trim_end_matches(';');
            match (name.strip_suffix("_AT"), value.strip_prefix("OFFSET")) {
                (None, _) if name == "OFFSET" => block_offset = number(value),
                (Some(register), Some(plus)) => {
                    let address =
                        block_offset + if plus.is_empty() { 0 } else { number(plus.trim_start_matches(" + ")) };
                    let at = |name: &str| {
                        let block = BLOCKS.iter().find(|block| block.offset == block_offset)?;
                        let register = block.registers.iter().find(|register| register.name == name)?;
                        Some(block.offset + register.offset)
                    };
                    // Of registers that come several times, the constant is that of the first.
                    let first_ring = register.replacen("RECORD_", "RECORD0_", 1);
                    let found = at(register)
                        .or_else(|| at(&format!("{register}_0")))
                        .or_else(|| at(&first_ring))
                        .or_else(|| at(&register.replacen("TABLE_", "ADDRESS_", 1)));
                    assert_eq!(found, Some(address), "{name}");
                    checked += 1;
                }
                _ => {}
            }
        }
    }
    let registers: usize = BLOCKS.iter().map(|block| block.registers.len()).sum();
    // Seven words of the build hash, the sizes of six tables and the registers of three rings have no name of their own.
    let of_a_ring = 6;
    let repeated = 7 + (Table::ALL.len() - 1) + (limits::RECORD_RINGS - 1) * of_a_ring;
    assert_eq!(checked, registers - repeated, "a register has no address constant");
}

/// Registers that come once a ring, a table or a word stand where the ABI says that they do.
#[test]
fn repeated_registers_are_evenly_spaced() {
    let name_at = |address: u32| {
        BLOCKS.iter().find_map(|block| {
            let register = block.registers.iter().find(|register| block.offset + register.offset == address)?;
            Some(register.name)
        })
    };
    for ring in 0..limits::RECORD_RINGS as u32 {
        for at in [
            rings::RECORD_BASE_LO_AT,
            rings::RECORD_BASE_HI_AT,
            rings::RECORD_LINES_AT,
            rings::RECORD_INDEX_LO_AT,
            rings::RECORD_INDEX_HI_AT,
            rings::RECORD_CONSUMER_AT,
        ] {
            let first = name_at(at).expect("a register of ring 0");
            let expected = first.replacen("RECORD0_", &format!("RECORD{ring}_"), 1);
            assert_eq!(name_at(at + ring * rings::RECORD_STRIDE), Some(expected.as_str()));
        }
    }
    for table in Table::ALL {
        let name: String = format!("{table:?}")
            .char_indices()
            .flat_map(|(i, c)| (i > 0 && c.is_uppercase()).then_some('_').into_iter().chain(c.to_uppercase()))
            .collect();
        let at = identity::TABLE_ROWS_AT + 4 * table as u32;
        assert_eq!(name_at(at), Some(format!("{name}_ROWS").as_str()));
        let block = BLOCKS.iter().find(|block| block.name == "IDENTITY").expect("a block");
        let register = block.registers.iter().find(|register| register.offset == at - block.offset);
        assert_eq!(register.expect("a register").fields[0].reset, table.rows_per_way(), "{name}");
    }
    for word in 0..identity::BUILD_HASH_WORDS {
        assert_eq!(name_at(identity::BUILD_HASH_AT + 4 * word), Some(format!("BUILD_HASH_{word}").as_str()));
    }
}

/// Counters of classes and causes stand under the number of their class and cause.
#[test]
fn every_class_and_cause_has_its_counter() {
    let names = |class: &str, name: &str| name.replace('_', "").eq_ignore_ascii_case(class);
    for class in ParseClass::ALL {
        let (_, name, _) = COUNTERS.iter().find(|(each, _, _)| *each == Counter::Class(class as u8)).expect("counted");
        assert!(names(&format!("CLASS{class:?}"), name), "{class:?} is {name}");
    }
    for cause in DropCause::ALL {
        let (_, name, _) = COUNTERS.iter().find(|(each, _, _)| *each == Counter::Drop(cause as u8)).expect("counted");
        assert!(names(&format!("DROP{cause:?}"), name), "{cause:?} is {name}");
    }
}

/// Today's ticks, and those of the orders that will ever be made, are ticks that expire.
#[test]
fn ticks_of_this_century_expire() {
    use writ_abi::time;
    let year_2100_ns = 4_102_444_837_000_000_000;
    assert!(time::not_after_from_ns(year_2100_ns) < time::NOT_AFTER_NEVER);
    assert_eq!(time::not_after_from_ns(year_2100_ns), year_2100_ns >> time::NOT_AFTER_SHIFT);
}
