//! `ferrovia version`, and what the API says of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::clock;

pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Each minor version is named after a railway pass or tunnel.
pub(crate) const CODENAME: &str = "gotthard";

/// The five lines of `ferrovia version`, as Traefik writes its own.
pub(crate) fn text() -> String {
    let built = UNIX_EPOCH + Duration::from_secs(env!("FERROVIA_BUILT").parse().unwrap_or(0));
    format!(
        "Version:      {VERSION}\n\
         Codename:     {CODENAME}\n\
         Rust version: {}\n\
         Built:        {}\n\
         OS/Arch:      {}/{}",
        env!("FERROVIA_RUST_VERSION"),
        clock::rfc3339(built),
        go_name(std::env::consts::OS),
        go_name(std::env::consts::ARCH),
    )
}

/// What the API shows.
pub(crate) fn info(started: SystemTime) -> api::VersionInfo {
    api::VersionInfo {
        version: VERSION.to_owned(),
        codename: CODENAME.to_owned(),
        start_date: clock::rfc3339_nanos(started),
    }
}

/// What Go, and with it Traefik, calls a system or processor.
fn go_name(name: &'static str) -> &'static str {
    match name {
        "macos" => "darwin",
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_five_lines_with_aligned_values() {
        let text = text();
        let labels: Vec<_> = text.lines().map(|line| &line[..14]).collect();
        let expected = [
            "Version:      ",
            "Codename:     ",
            "Rust version: ",
            "Built:        ",
            "OS/Arch:      ",
        ];
        assert_eq!(labels, expected);
        assert!(text.lines().all(|line| line.len() > 14 && !line[14..].starts_with(' ')));
    }
}
