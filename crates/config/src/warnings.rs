//! Settings that are allowed but unwise.

use std::{fs::Metadata, os::unix::fs::PermissionsExt, path::Path};

use crate::{
    problem::Problem,
    reader::{Origin, Setting},
};

/// Warns about a file that other users can write to, or with a secret that other users can read.
pub(crate) fn warnings(settings: &[Setting], path: &Path, metadata: &Metadata) -> Vec<Problem> {
    const READ_BY_OTHERS: u32 = 0o004;
    const WRITTEN_BY_OTHERS: u32 = 0o002;
    let mode = metadata.permissions().mode();
    let mut warnings = Vec::new();
    if let Some((setting, line)) = secret(settings).filter(|_| mode & READ_BY_OTHERS != 0) {
        let what = format!("[{}] {}", setting.section.name(), setting.key.name());
        warnings.push(Problem::at(line, format!("everybody can read {what}; run: chmod o= {}", path.display())));
    }
    if mode & WRITTEN_BY_OTHERS != 0 {
        let message = format!("everybody can write to this file; run: chmod o-w {}", path.display());
        warnings.push(Problem { line: None, message });
    }
    warnings
}

fn secret(settings: &[Setting]) -> Option<(&Setting, usize)> {
    settings.iter().filter(|setting| setting.key.secret).find_map(|setting| match setting.origin {
        Origin::File { line } => Some((setting, line)),
        Origin::Default => None,
    })
}
