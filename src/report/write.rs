//! Files are written whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// The extension of files that are being written.
const PART: &str = "part";

/// Writes `bytes` to a file aside of `path`, then renames it to `path`; what was there before stays
/// whole until then. An error names the file.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{}.{PART}", std::process::id()));
    let aside = Path::new(&aside);
    let write = || -> io::Result<()> {
        let mut file = fs::File::create(aside)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        fs::rename(aside, path)
    };
    write().map_err(|error| {
        // What is left aside is of no use; that it cannot be removed either adds nothing to the error.
        let _ = fs::remove_file(aside);
        io::Error::new(error.kind(), format!("{}: {error}", path.display()))
    })
}

/// The name that a file aside is to have, by the name that it has while it is being written.
pub fn whole_name(aside: &str) -> Option<&str> {
    let (name, process) = aside.strip_suffix(PART)?.strip_suffix('.')?.rsplit_once('.')?;
    (!process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}
