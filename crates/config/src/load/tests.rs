use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// A folder of its own for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("config-load-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("the temporary folder is writable");
        for (name, text) in files {
            fs::write(path.join(name), text).expect("the temporary folder is writable");
        }
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Loads with this folder as the only one that is looked in.
    fn load(&self, args: &[&str], variables: &[(&str, &str)]) -> Loaded {
        let args: Vec<_> = args.iter().map(|arg| arg.replace("FOLDER", &self.file(""))).collect();
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        load_from(&args, &variables, &[self.0.join("ferrovia"), self.0.join("traefik")])
    }

    /// Expects a source and these diagnostics, `FOLDER` standing for the folder.
    fn check(
        &self,
        args: &[&str],
        variables: &[(&str, &str)],
        source: &str,
        expected: &[&str],
    ) -> Loaded {
        let loaded = self.load(args, variables);
        let folder = self.file("");
        let rendered: Vec<_> = loaded
            .diagnostics
            .iter()
            .map(|diagnostic| diagnostic.to_string().replace(&folder, "FOLDER"))
            .collect();
        assert_eq!(rendered, expected, "{args:?} {variables:?}");
        assert_eq!(loaded.source.to_string().replace(&folder, "FOLDER"), source);
        let has_error = expected.iter().any(|line| line.starts_with("error"));
        assert_eq!(loaded.configuration.is_none(), has_error);
        loaded
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const GOOD: &str = "entryPoints: {web: {address: ':1'}}";

#[test]
fn a_file_wins_over_flags_and_variables() {
    let folder = Folder::new(&[("traefik.yml", GOOD)]);
    let loaded = folder.check(
        &["--api", "--unknown.flag=1"],
        &[("TRAEFIK_PING", "true")],
        "file FOLDERtraefik.yml",
        &[
            "warning: flags are ignored because the file FOLDERtraefik.yml is used: --api, \
             --unknown.flag",
            "warning: variables are ignored because the file FOLDERtraefik.yml is used: TRAEFIK_PING",
        ],
    );
    let configuration = loaded.configuration.expect("no errors");
    assert_eq!(configuration.entry_points["web"].address, ":1");
    assert!(configuration.api.is_none() && configuration.ping.is_none());
}

#[test]
fn flags_win_over_variables() {
    let folder = Folder::new(&[]);
    let loaded = folder.check(
        &["--api"],
        &[("TRAEFIK_PING", "true")],
        "flags",
        &["warning: variables are ignored because flags are given: TRAEFIK_PING"],
    );
    assert!(loaded.configuration.is_some_and(|c| c.api.is_some() && c.ping.is_none()));
}

#[test]
fn variables_come_last() {
    let folder = Folder::new(&[]);
    let loaded = folder.check(&[], &[("FERROVIA_PING", "true")], "environment", &[]);
    let configuration = loaded.configuration.expect("no errors");
    assert_eq!(configuration.entry_points["traefik"].address, ":8080");
    let loaded = folder.check(&[], &[], "defaults", &[]);
    assert_eq!(
        loaded.configuration.map(|c| c.entry_points["http"].address.clone()),
        Some(":80".into())
    );
}

#[test]
fn the_first_file_that_exists_is_read() {
    let folder =
        Folder::new(&[("traefik.yml", GOOD), ("traefik.toml", "[ping]\nentryPoint = 'http'\n")]);
    folder.check(&[], &[], "file FOLDERtraefik.toml", &[]);
    let folder = Folder::new(&[("traefik.toml", "x = 1"), ("ferrovia.yml", GOOD)]);
    folder.check(&[], &[], "file FOLDERferrovia.yml", &[]);
    let folder = Folder::new(&[("traefik.toml", "x = 1"), ("other.yaml", GOOD)]);
    folder.check(&["--configFile=FOLDERother.yaml"], &[], "file FOLDERother.yaml", &[]);
}

#[test]
fn files_that_cannot_be_read_are_errors() {
    let folder =
        Folder::new(&[("a.ini", ""), ("b.yml", "# nothing"), ("c.yml", "a: ["), ("d.yml", "- a")]);
    folder.check(
        &["--configFile=FOLDERabsent.yml"],
        &[],
        "file FOLDERabsent.yml",
        &["error: configuration file \"FOLDERabsent.yml\": No such file or directory (os error 2)"],
    );
    folder.check(
        &["--configFile=FOLDERa.ini"],
        &[],
        "file FOLDERa.ini",
        &["error: configuration file \"FOLDERa.ini\": unsupported extension (use toml, yaml, yml or \
           json)"],
    );
    folder.check(
        &["--configFile=FOLDERb.yml"],
        &[],
        "file FOLDERb.yml",
        &["error: configuration file \"FOLDERb.yml\" holds no configuration"],
    );
    let loaded = folder.load(&["--configFile=FOLDERc.yml"], &[]);
    assert_eq!(loaded.diagnostics.first().map(|diagnostic| diagnostic.code), Some("syntax"));
    assert!(loaded.configuration.is_none());
    folder.check(
        &["--configFile=FOLDERd.yml"],
        &[],
        "file FOLDERd.yml",
        &["error: FOLDERd.yml:1:1: expected a mapping, found a list"],
    );
}

#[test]
fn unknown_keys_are_errors_on_every_level() {
    let folder = Folder::new(&[("traefik.yml", "entrypoint: {}\nping: {port: 1}\n")]);
    folder.check(
        &[],
        &[],
        "file FOLDERtraefik.yml",
        &[
            "error: FOLDERtraefik.yml:1:1: unknown key \"entrypoint\" (did you mean \"entryPoints\"?)",
            "error: FOLDERtraefik.yml:2:8: ping: unknown key \"port\" (known keys are entryPoint, \
             manualRouting, terminatingStatusCode)",
        ],
    );
}

#[test]
fn dynamic_sections_in_the_same_file_are_passed_over() {
    let folder = Folder::new(&[("traefik.yml", "ping: {}\nhttp: {routers: {}}\n")]);
    folder.check(
        &[],
        &[],
        "file FOLDERtraefik.yml",
        &["warning: FOLDERtraefik.yml:2:1: \"http\" belongs to the dynamic configuration (it is \
           ignored here; let providers.file read it)"],
    );
}

#[test]
fn options_of_older_versions_stop_the_start() {
    let folder = Folder::new(&[(
        "traefik.yml",
        "pilot: {token: x}\nproviders: {docker: {swarmMode: true}}\ntracing: {jaeger: {}}\n",
    )]);
    let loaded = folder.load(&[], &[]);
    let errors: Vec<_> = loaded
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .map(|diagnostic| (diagnostic.code, diagnostic.message.as_str()))
        .collect();
    assert_eq!(
        errors,
        [
            ("removed-option", "pilot was removed in v3"),
            ("removed-option", "providers.docker.swarmMode was removed in v3"),
            ("removed-option", "tracing.jaeger was removed in v3"),
        ]
    );
}

#[test]
fn deprecated_options_are_warnings() {
    let folder = Folder::new(&[]);
    folder.check(
        &["--core.defaultrulesyntax=v2"],
        &[],
        "flags",
        &["warning: flag --core.defaultrulesyntax: core.defaultRuleSyntax is deprecated and will be \
           removed (write all rules in v3 syntax, then remove it)"],
    );
}

#[test]
fn places_to_look_in_come_from_the_environment() {
    let bases = |variables: &[(&str, &str)]| {
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let bases = search_bases(&variables);
        bases.iter().map(|base| base.display().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        bases(&[("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")]),
        [
            "/etc/ferrovia/ferrovia",
            "/etc/traefik/ferrovia",
            "/etc/traefik/traefik",
            "/x/ferrovia",
            "/x/traefik",
            "/h/.config/ferrovia",
            "/h/.config/traefik",
            "./ferrovia",
            "./traefik",
        ]
    );
    assert_eq!(bases(&[])[3..5], ["/ferrovia", "/traefik"]);
}
