//! Secrets and bodies come from a file, from standard input or from the environment, and never from an argument.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use secrecy::SecretString;

use crate::failure::Failure;

/// Reads a text from a file, or from standard input for `-`.
///
/// # Errors
/// [`Failure`] where it cannot be read.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    if path == Path::new("-") {
        let read = std::io::stdin().lock().read_to_string(&mut text);
        read.map_err(|error| Failure::file("read", Path::new("standard input"), &error))?;
    } else {
        text = fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
    }
    Ok(text)
}

/// Reads a secret of one line.
///
/// # Errors
/// [`Failure`] where it cannot be read, or is empty.
pub(crate) fn secret(path: &Path) -> Result<SecretString, Failure> {
    let text = text(path)?;
    let secret = text.trim();
    if secret.is_empty() {
        return Err(Failure::new("empty-secret", format!("{} is empty", path.display())));
    }
    Ok(secret.to_owned().into())
}
