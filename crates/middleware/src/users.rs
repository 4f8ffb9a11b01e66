//! Lists of users as `htpasswd` writes them.

/// Gives the lines of a file, if there is one, and then those of a list.
pub(crate) fn load(file: &str, list: &[String]) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    if !file.is_empty() {
        let text = std::fs::read(file).map_err(|error| in_gos_words(file, &error))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let written = text.lines().map(str::trim);
        lines.extend(
            written.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned),
        );
    }
    lines.extend_from_slice(list);
    Ok(lines)
}

/// Splits `name:hash`.
pub(crate) fn split_basic(line: &str) -> Result<(&str, &str), String> {
    match line.split_once(':') {
        Some((user, hash)) if !hash.contains(':') => Ok((user, hash)),
        _ => Err(format!("error parsing BasicUser: {line}")),
    }
}

fn in_gos_words(file: &str, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => format!("open {file}: no such file or directory"),
        std::io::ErrorKind::PermissionDenied => format!("open {file}: permission denied"),
        std::io::ErrorKind::IsADirectory => format!("read {file}: is a directory"),
        _ => format!("open {file}: {error}"),
    }
}
