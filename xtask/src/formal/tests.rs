use super::*;

const PLAN: &str = "
emit = ['fifo']
depth = 2
cover_depth = 3
[[property]]
name = 'order'
mode = 'prove'
says = 's'
broken = { says = 'b', find = 'f', replace = 'r' }
[[property]]
name = 'count'
mode = 'prove'
says = 's'
broken = { says = 'b', find = 'f', replace = 'r' }
[[property]]
name = 'full'
mode = 'cover'
says = 's'
broken = { says = 'b', find = 'f', replace = 'r' }
";

fn labels(labels: &[&str]) -> Vec<String> {
    labels.iter().map(|&label| label.to_owned()).collect()
}

/// The rows for outcomes of: proof, cover, and the broken copies of order, count, full.
fn rows(outcomes: [Outcome; 5]) -> Vec<(String, Status, bool)> {
    let block: Block = toml::from_str(PLAN).expect("a plan");
    let run = |what| Run { block: &block, emitted: "", properties: "", what };
    let mut runs = vec![run(What::All(Question::Prove)), run(What::All(Question::Reach))];
    runs.extend(block.property.iter().map(|property| run(What::Broken(property))));
    let outcomes = outcomes.map(Ok);
    judge(&runs, &outcomes).into_iter().map(|row| (row.property, row.status, row.broken_copy_fails)).collect()
}

#[test]
fn a_row_needs_the_proof_and_the_broken_copy() {
    let fail = || Outcome::Fail(Vec::new());
    let good = rows([Outcome::Pass, Outcome::Pass, fail(), fail(), fail()]);
    assert!(good.iter().all(|(_, status, noticed)| *status == Status::Pass && *noticed), "{good:?}");
    assert_eq!(good.len(), 3);
    let not_noticed = rows([Outcome::Pass, Outcome::Pass, Outcome::Pass, Outcome::Unknown(Vec::new()), Outcome::Pass]);
    assert!(not_noticed.iter().all(|(_, status, noticed)| *status == Status::Pass && !noticed), "{not_noticed:?}");
}

#[test]
fn properties_of_a_block_are_proved_together() {
    let of = |outcome| rows([outcome, Outcome::Pass, Outcome::Pass, Outcome::Pass, Outcome::Pass]);
    let failed = of(Outcome::Fail(labels(&["order__same"])));
    let statuses: Vec<Status> = failed.iter().map(|row| row.1).collect();
    assert_eq!(statuses, [Status::Fail, Status::Unknown, Status::Pass], "the cover does not depend on it");
    let open = of(Outcome::Unknown(labels(&["help__pointers"])));
    assert_eq!(open[0].1, Status::Unknown);
    assert_eq!(open[1].1, Status::Unknown);
    let other_name = of(Outcome::Fail(labels(&["orderly"])));
    assert_eq!(other_name[0].1, Status::Unknown, "`orderly` is not `order`");
}

#[test]
fn covers_stand_alone() {
    let missed = rows([Outcome::Pass, Outcome::Fail(labels(&["full"])), Outcome::Pass, Outcome::Pass, Outcome::Pass]);
    let statuses: Vec<Status> = missed.iter().map(|row| row.1).collect();
    assert_eq!(statuses, [Status::Pass, Status::Pass, Status::Fail]);
}

#[test]
fn the_report_has_the_agreed_form() {
    let proof = Proof {
        block: "fifo".to_owned(),
        property: "order".to_owned(),
        mode: Mode::Prove,
        status: Status::Pass,
        broken_copy_fails: true,
        notes: vec!["not in the report".to_owned()],
    };
    let text = serde_json::to_string(&Report { proofs: vec![proof] }).expect("JSON");
    assert_eq!(
        text,
        r#"{"proofs":[{"block":"fifo","property":"order","mode":"prove","status":"pass","broken_copy_fails":true}]}"#
    );
}

/// Names of the assertions and covers in a harness, up to the two underscores.
fn labelled(harness: &str, statement: &str) -> Vec<String> {
    let marker = format!(": {statement} (");
    let labels = harness.match_indices(&marker).filter_map(|(place, _)| harness[..place].split_whitespace().last());
    labels.map(|label| label.split("__").next().unwrap_or(label).to_owned()).collect()
}

#[test]
fn the_plans_and_their_properties_fit_together() {
    let folder = workspace::root().join("hdl/formal");
    let blocks = plan::read(&folder, &[]).expect("plans");
    let mut known: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for block in blocks.iter().filter(|block| !block.property.is_empty()) {
        let files = block.harness_files();
        let read = |file: &PathBuf| std::fs::read_to_string(folder.join(file)).expect("a harness");
        let harness: String = files.iter().map(read).collect();
        for property in &block.property {
            let statement = if property.mode == Mode::Prove { "assert" } else { "cover" };
            assert!(labelled(&harness, statement).contains(&property.name), "{}: no {}", block.name, property.name);
        }
        let names = block.property.iter().map(|property| property.name.clone());
        for file in files {
            known.entry(file).or_default().extend(names.clone());
        }
    }
    for (file, names) in known {
        let harness = std::fs::read_to_string(folder.join(&file)).expect("a harness");
        for label in ["assert", "cover"].iter().flat_map(|statement| labelled(&harness, statement)) {
            assert!(label == "help" || names.contains(&label), "{}: `{label}` is in no plan", file.display());
        }
    }
}
