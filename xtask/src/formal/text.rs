//! Changes to emitted text: properties put in, modules cut free, copies broken.

use std::collections::HashSet;

use super::plan::Broken;

/// The text of a block for a tool: properties inside its top module, unknown names an error.
pub(super) fn with_properties(emitted: &str, properties: &str) -> Result<String, String> {
    let (text, views) = emitted.split_once("\n// Views.\n").ok_or("`emit proof` gave no views")?;
    let end = text.rfind("\nendmodule").ok_or("`emit proof` gave no module")?;
    Ok(format!("`default_nettype none\n{}\n{views}{properties}{}", &text[..end], &text[end..]))
}

/// The text of a block without names for the parts of its signals.
pub(super) fn plain(emitted: &str) -> &str {
    emitted.split_once("\n// Views.\n").map_or(emitted, |(text, _)| text)
}

/// Name of the block's own module: the last in its text.
pub(super) fn top(text: &str) -> Option<&str> {
    text[text.rfind("\nmodule ")?..].split_whitespace().nth(1)
}

/// Where each module's text begins and ends, with its name.
fn modules(text: &str) -> Vec<(&str, usize, usize)> {
    let starts = text.match_indices("\nmodule ").map(|(start, _)| start + 1);
    let module = |start: usize| {
        let end = text[start..].find("\nendmodule")? + start;
        Some((text[start..].split_whitespace().nth(1)?, start, end))
    };
    starts.filter_map(module).collect()
}

/// Whether a module is called by `wanted`: the end of its name, without a number.
fn is_called(module: &str, wanted: &str) -> bool {
    let number = module.rsplit_once('_').filter(|(_, end)| !end.is_empty() && end.bytes().all(|b| b.is_ascii_digit()));
    let names = [Some(module), number.map(|(name, _)| name)];
    names
        .into_iter()
        .flatten()
        .any(|name| name.strip_suffix(wanted).is_some_and(|front| front.is_empty() || front.ends_with('_')))
}

/// Makes the outputs of some modules free: any value at any clock.
pub(super) fn cut_free(text: &str, wanted: &[String]) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    let mut used = vec![false; wanted.len()];
    for (name, start, end) in modules(text) {
        let Some(index) = wanted.iter().position(|wanted| is_called(name, wanted)) else { continue };
        used[index] = true;
        let header = text[start..end].find(");\n").ok_or("a module without ports")? + start;
        out.push_str(&text[done..header + 2]);
        for line in text[start..header].lines() {
            if let Some(output) = line.trim().strip_prefix("output logic ") {
                let output = output.trim_end_matches(',');
                let (range, name) = output.rsplit_once(' ').unwrap_or(("", output));
                out.push_str(&format!(
                    "\n    (* anyseq *) logic {range} free_{name};\n    assign {name} = free_{name};"
                ));
            }
        }
        done = end;
    }
    out.push_str(&text[done..]);
    match used.iter().position(|used| !used) {
        Some(missing) => Err(format!("there is no module `{}` to cut free", wanted[missing])),
        None => Ok(out),
    }
}

/// Takes the start values of some registers of the block's own module away.
pub(super) fn start_anyhow(text: &str, registers: &[String]) -> Result<String, String> {
    let mut out = text.to_owned();
    for register in registers {
        let own = modules(&out).last().map_or(0, |(_, start, _)| *start);
        let start = out[own..].find(&format!("    initial {register} = ")).map(|place| own + place);
        let start = start.ok_or_else(|| format!("there is no register `{register}` with a start value"))?;
        let end = out[start..].find('\n').map_or(out.len(), |length| start + length + 1);
        out.replace_range(start..end, "");
    }
    Ok(out)
}

/// A broken copy.
pub(super) fn broken(text: &str, change: &Broken) -> Result<String, String> {
    let all = modules(text);
    let parts: Vec<(usize, usize)> = match &change.module {
        None => all.last().map(|(_, start, end)| (*start, *end)).into_iter().collect(),
        Some(wanted) => {
            let named = all.iter().filter(|(name, ..)| is_called(name, wanted));
            named.map(|(_, start, end)| (*start, *end)).collect()
        }
    };
    let places: Vec<usize> = parts
        .iter()
        .flat_map(|&(start, end)| text[start..end].match_indices(&change.find).map(move |(place, _)| start + place))
        .collect();
    let [place] = places[..] else {
        return Err(format!(
            "the change that should break the block finds its text {} times, not once; the block is not what it was when the \
             change was written: `{}`",
            places.len(),
            change.find
        ));
    };
    let known: HashSet<&str> = words(text).collect();
    if let Some(unknown) = words(&change.replace).find(|word| !known.contains(word)) {
        return Err(format!("the change that should break the block names `{unknown}`, which is not in the block"));
    }
    Ok(format!("{}{}{}", &text[..place], change.replace, &text[place + change.find.len()..]))
}

/// Names and keywords; of numbers with a base, like `4'hf`, what stands behind the mark is none.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "_'".contains(letter))).filter(|word| {
        !word.contains('\'') && !word.starts_with(|letter: char| letter.is_ascii_digit()) && !word.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "head\n\nmodule b_hash (\n    input logic [3:0] a,\n    output logic [1:0] x,\n    output logic y\n);\n    \
        assign x = a[1:0];\n    assign y = a[3];\nendmodule\n\nmodule b (\n    input logic c\n);\n    assign y = c;\nendmodule\n";

    #[test]
    fn properties_go_into_the_last_module() {
        let text =
            with_properties(&format!("{TEXT}\n// Views.\n    wire v = c;\n"), "    // property\n").expect("text");
        assert!(text.starts_with("`default_nettype none\n"));
        assert!(text.ends_with("    assign y = c;\n    wire v = c;\n    // property\n\nendmodule\n"), "{text}");
        assert_eq!(text.matches("property").count(), 1);
        assert!(with_properties("module b (); endmodule", "").is_err());
        assert_eq!((plain("text\n// Views.\nviews"), plain("text")), ("text", "text"));
    }

    #[test]
    fn a_change_names_nothing_new() {
        let change = |replace: &str| Broken {
            says: String::new(),
            module: None,
            find: "= c;".to_owned(),
            replace: replace.to_owned(),
        };
        let broken_text = broken(TEXT, &change("= c & 4'hf | 1'b0;")).expect("all known");
        assert!(broken_text.contains("y = c & 4'hf"), "{broken_text}");
        assert!(broken(TEXT, &change("= c_q;")).expect_err("no such name").contains("`c_q`"));
    }

    #[test]
    fn modules_are_cut_free() {
        let text = cut_free(TEXT, &["hash".to_owned()]).expect("text");
        assert!(text.contains("(* anyseq *) logic [1:0] free_x;\n    assign x = free_x;"), "{text}");
        assert!(text.contains("(* anyseq *) logic  free_y;"), "{text}");
        assert!(!text.contains("a[1:0]") && text.contains("assign y = c;"), "{text}");
        assert_eq!(cut_free(TEXT, &[]).expect("text"), TEXT);
        assert!(cut_free(TEXT, &["ash".to_owned()]).expect_err("no such module").contains("`ash`"));
    }

    #[test]
    fn registers_may_start_with_anything() {
        let text = "\nmodule a (\n);\n    initial r_q = 1'h0;\nendmodule\n\nmodule b (\n);\n    initial r_q = 1'h1;\n    logic s;\nendmodule\n";
        let free = start_anyhow(text, &["r_q".to_owned()]).expect("text");
        assert_eq!(free, text.replace("    initial r_q = 1'h1;\n", ""), "that of the block's own module");
        assert!(start_anyhow(text, &["s".to_owned()]).expect_err("no start value").contains("`s`"));
    }

    #[test]
    fn a_change_has_to_find_its_text_once() {
        let change = |find: &str, module: Option<&str>| Broken {
            says: String::new(),
            find: find.to_owned(),
            replace: "!".to_owned(),
            module: module.map(str::to_owned),
        };
        let count = |change| broken(TEXT, &change).expect_err("not once");
        assert!(count(change("assign z", None)).contains("0 times"));
        assert!(count(change("logic", Some("hash"))).contains("3 times"));
        assert!(count(change("assign y", Some("table"))).contains("0 times"));
        let text = broken(TEXT, &change("assign y", None)).expect("once in the block's own module");
        assert!(text.contains("! = c") && text.contains("assign y = a[3]"), "{text}");
        let text = broken(TEXT, &change("assign y", Some("hash"))).expect("once in that module");
        assert!(text.contains("! = a[3]") && text.contains("assign y = c"), "{text}");
    }

    #[test]
    fn modules_are_called_by_the_end_of_their_names() {
        for module in ["hash", "writ_top_hash", "writ_top_hash_12"] {
            assert!(is_called(module, "hash"), "{module}");
        }
        for module in ["writ_top_rehash", "writ_top_hash_1b", "writ_top_hash_of_two", "hash_"] {
            assert!(!is_called(module, "hash"), "{module}");
        }
        assert!(is_called("writ_top_compare_0", "compare_0") && is_called("writ_top_compare_0", "compare"));
        assert_eq!(top(TEXT), Some("b"));
    }
}
