//! Writes every target's samples to a folder `<target>` and its words to `<target>.dict`, for `cargo fuzz`.
//!
//! The first argument is the folder of both; without one it is `target/fuzz/corpus`.
#![expect(clippy::unwrap_used, reason = "a seed that cannot be written ends the program")]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use tests::targets::TARGETS;

fn main() {
    let given = std::env::args_os().nth(1);
    let default = || tests::project_folder().join("target/fuzz/corpus");
    let corpus = given.map_or_else(default, PathBuf::from);
    for target in TARGETS {
        let folder = corpus.join(target.name);
        fs::create_dir_all(&folder).unwrap();
        for (number, sample) in (target.samples)().iter().enumerate() {
            fs::write(folder.join(format!("sample-{number}")), sample).unwrap();
        }
        let mut words = String::new();
        for word in target.words {
            let bytes: String = word.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
            writeln!(words, "\"{bytes}\"").unwrap();
        }
        fs::write(corpus.join(format!("{}.dict", target.name)), words).unwrap();
    }
}
