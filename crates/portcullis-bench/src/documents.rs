//! Reads a document, with the files that it refers to in its folder.

use std::path::Path;

use portcullis_openapi::{Bundle, Bundler, Diagnostic, Document, FileName, Limits, Tree};

/// A document, and what was found while its files were put together.
pub(crate) struct Read {
    pub(crate) document: Document,
    pub(crate) findings: Vec<Diagnostic>,
}

/// Reads a document and what it refers to.
///
/// # Errors
/// When it cannot be read at all; the text says why.
pub(crate) fn read(file: &Path, bytes: Vec<u8>, limits: &Limits) -> Result<Read, String> {
    let bundle = bundled(file, bytes, limits)?;
    let document = Document::parse(&bundle.bytes, limits).map_err(|error| error.to_string())?;
    Ok(Read {
        document,
        findings: bundle.diagnostics,
    })
}

fn bundled(file: &Path, bytes: Vec<u8>, limits: &Limits) -> Result<Bundle, String> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let main = file.file_name().unwrap_or_default().to_string_lossy();
    let main = FileName::parse(&main).map_err(|error| error.to_string())?;
    let refused = |error: portcullis_openapi::ReadError| error.to_string();
    let mut bundler = Bundler::new(main, Tree::Folder, bytes, limits).map_err(refused)?;
    loop {
        let wanted = bundler.wanted();
        if wanted.is_empty() {
            return bundler.finish().map_err(refused);
        }
        for name in wanted {
            match std::fs::read(folder.join(name.as_str())) {
                Ok(bytes) => bundler.give(&name, &bytes),
                Err(error) => bundler.withhold(&name, error.to_string()),
            }
            .map_err(refused)?;
        }
    }
}
