//! RustHDL's simulator against Verilator, on what `emit` makes of the same design.
//!
//! All designs go into one Verilator model, built with all warnings as errors; each test runs it with inputs of its own.

mod bench;
mod crossings;
mod dynamic;
mod expressions;
mod kernels;
mod operations;
mod primitives;
mod random_blocks;
mod rows;
mod simulated;
mod verilator;

/// Seed of all that is random; `WRIT_DIFFERENTIAL_SEED` tries others.
fn seed() -> u64 {
    std::env::var("WRIT_DIFFERENTIAL_SEED").map_or(1, |seed| seed.parse().expect("WRIT_DIFFERENTIAL_SEED is a number"))
}

#[test]
fn rusthdl_and_verilator_agree() {
    let seed = seed();
    let mut cases = vec![rows::case()];
    cases.extend(kernels::cases());
    cases.extend(primitives::cases());
    cases.extend(random_blocks::expression_cases(2 * seed, 50, 12));
    cases.extend(random_blocks::statement_cases(2 * seed + 1, 50));
    bench::compare(cases, 600, seed, |_| [true, false]);
}

#[test]
fn they_agree_on_two_clocks() {
    bench::compare(crossings::cases(), 4000, seed(), crossings::edges);
}
