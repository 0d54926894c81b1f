//! Writes the table of the built web client's files: `files/built`, which vite makes, as constants.
//!
//! Without a build the table is empty and the server says so on the page; nothing else depends on it.

use std::{
    env,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

fn main() -> Result<()> {
    // The folder is part of the repository, what is in it is not.
    println!("cargo::rerun-if-changed=files");
    println!("cargo::rerun-if-changed=build.rs");
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("files/built");
    let mut files = Vec::new();
    if folder.is_dir() {
        collect(&folder, &mut files)?;
    }
    // As text, which is how they are looked for.
    files.sort_by_key(|file| file.to_string_lossy().into_owned());
    let mut table = String::from("&[\n");
    for file in &files {
        if !belongs_to_another(file) {
            describe(&mut table, &folder, file)?;
        }
    }
    table.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("files.rs"), table)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Whether this is the compressed form of another file.
fn belongs_to_another(file: &Path) -> bool {
    file.extension()
        .is_some_and(|extension| extension == "br" || extension == "gz")
}

fn describe(table: &mut String, folder: &Path, file: &Path) -> Result<()> {
    let name = file.strip_prefix(folder)?;
    let name = name
        .to_str()
        .context("file names are text")?
        .replace('\\', "/");
    let hash = Sha256::digest(fs::read(file)?);
    let tag: String = hash[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let compressed = |extension: &str| {
        let mut path = file.as_os_str().to_owned();
        path.push(extension);
        if Path::new(&path).exists() {
            format!("Some(include_bytes!({path:?}))")
        } else {
            "None".to_owned()
        }
    };
    writeln!(
        table,
        "    File {{ path: {name:?}, tag: {:?}, plain: include_bytes!({:?}), brotli: {}, gzip: {} }},",
        format!("\"{tag}\""),
        file,
        compressed(".br"),
        compressed(".gz"),
    )?;
    Ok(())
}
