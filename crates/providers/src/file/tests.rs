use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use config::decode_dynamic::Kind;
use tokio::sync::watch;

use super::*;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A directory of a test's own, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("providers-file-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a new directory");
        Self(path.canonicalize().expect("an existing directory"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        let parent = path.parent().expect("a file in the folder");
        fs::create_dir_all(parent).expect("a directory");
        fs::write(path, text).expect("a written file");
    }

    fn directory_provider(&self) -> FileProvider {
        provider(Settings { directory: self.0.display().to_string(), ..Settings::default() })
    }

    fn file_provider(&self, name: &str) -> FileProvider {
        let filename = self.path(name).display().to_string();
        provider(Settings { filename, ..Settings::default() })
    }

    /// Expects these routers and rejected objects, and these diagnostics, in which `DIR` stands
    /// for the folder.
    fn check(&self, update: &Update, objects: &[&str], diagnostics: &[&str]) {
        let routers = update.configuration.http.routers.keys().cloned();
        let rejected = update.rejected.iter().map(|object| format!("!{}", object.name));
        let found: Vec<String> = routers.chain(rejected).collect();
        assert_eq!(found, objects);
        let folder = self.0.display().to_string();
        let rendered: Vec<String> = update
            .diagnostics
            .iter()
            .map(|diagnostic| diagnostic.to_string().replace(&folder, "DIR"))
            .collect();
        assert_eq!(rendered, diagnostics);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn provider(settings: Settings) -> FileProvider {
    FileProvider::new(&settings).expect("a configured provider")
}

/// A configuration with these routers.
fn routers(names: &[&str]) -> String {
    let lines: Vec<String> = names
        .iter()
        .map(|name| format!("    {name}: {{rule: Path(`/{name}`), service: s}}\n"))
        .collect();
    format!("http:\n  routers:\n{}", lines.concat())
}

#[test]
fn a_directory_is_read_with_those_below() {
    let folder = Folder::new();
    folder.write("b.yml", &routers(&["b"]));
    folder.write("a/deep/er.yaml", &routers(&["deep"]));
    folder.write("c.toml", "[http.routers.c]\nrule = \"Path(`/c`)\"\nservice = \"s\"\n");
    folder.write(
        "d.json",
        "{\"http\": {\"routers\": {\"d\": {\"rule\": \"Path(`/`)\", \"service\": \"s\"}}}}",
    );
    folder.write("notes.txt", "nothing");
    folder.write("..2026/b.yml", &routers(&["hidden"]));
    let update = folder.directory_provider().read_once();
    folder.check(&update, &["b", "c", "d", "deep"], &[]);
}

#[test]
fn the_first_of_two_with_one_name_wins() {
    let folder = Folder::new();
    folder.write("a.yml", &routers(&["r"]));
    folder.write("b.yml", &routers(&["other", "r"]));
    let update = folder.directory_provider().read_once();
    folder.check(
        &update,
        &["other", "r"],
        &["warning: DIR/b.yml:4:5: router \"r\": is already defined at DIR/a.yml:3:5; that one is used, this one not"],
    );
}

#[test]
fn every_file_stands_alone() {
    let folder = Folder::new();
    folder.write("a.yml", &routers(&["a"]));
    folder.write("b.yml", &routers(&["b"]));
    let mut provider = folder.directory_provider();
    folder.check(&provider.read_once(), &["a", "b"], &[]);
    folder.write("a.yml", "http:\n  routers: [\n");
    folder.write("b.yml", &routers(&["b", "c"]));
    let update = provider.read_once();
    assert_eq!(update.diagnostics.len(), 1, "{:?}", update.diagnostics);
    let hint = update.diagnostics[0].hint.as_deref();
    assert_eq!(hint, Some("its last good content stays in service"));
    let routers: Vec<_> = update.configuration.http.routers.keys().collect();
    assert_eq!(routers, ["a", "b", "c"]);
    fs::remove_file(folder.path("a.yml")).expect("a removed file");
    folder.check(&provider.read_once(), &["b", "c"], &[]);
}

#[test]
fn a_file_that_never_was_good_gives_nothing() {
    let folder = Folder::new();
    folder.write("a.yml", "half");
    let update = folder.directory_provider().read_once();
    folder.check(&update, &[], &["error: DIR/a.yml:1:1: expected a mapping, found a single value"]);
}

#[test]
fn an_emptied_file_keeps_its_objects_and_a_deliberately_empty_one_does_not() {
    let folder = Folder::new();
    let empty = "warning: DIR/a.yml:1:1: the file is empty (to remove its objects, write {} or \
                 delete it; its last good content stays in service)";
    folder.write("a.yml", &routers(&["a"]));
    let mut provider = folder.file_provider("a.yml");
    folder.check(&provider.read_once(), &["a"], &[]);
    folder.write("a.yml", "");
    folder.check(&provider.read_once(), &["a"], &[empty]);
    folder.write("a.yml", " \n");
    folder.check(&provider.read_once(), &["a"], &[empty]);
    folder.write("a.yml", "{}");
    folder.check(&provider.read_once(), &[], &[]);
    folder.write("a.yml", "");
    folder.check(&provider.read_once(), &[], &[]);
    folder.write("a.yml", &routers(&["a"]));
    folder.check(&provider.read_once(), &["a"], &[]);
    folder.write("a.yml", "# nothing any more\n");
    folder.check(&provider.read_once(), &[], &[]);
}

#[test]
fn a_path_that_is_gone_keeps_everything() {
    let folder = Folder::new();
    folder.write("a.yml", &routers(&["a"]));
    let mut file = folder.file_provider("a.yml");
    let mut directory = folder.directory_provider();
    folder.check(&file.read_once(), &["a"], &[]);
    folder.check(&directory.read_once(), &["a"], &[]);
    fs::remove_dir_all(&folder.0).expect("a removed directory");
    folder.check(
        &file.read_once(),
        &["a"],
        &["error: file \"DIR/a.yml\": No such file or directory (os error 2) \
           (its last good content stays in service)"],
    );
    folder.check(
        &directory.read_once(),
        &["a"],
        &["error: directory \"DIR\": No such file or directory (os error 2) (what was read from \
           it before stays; it is read once that works again)"],
    );
}

#[test]
fn objects_of_an_unreadable_section_count_as_unreadable() {
    let folder = Folder::new();
    folder.write("a.yml", &routers(&["a", "b"]));
    let mut provider = folder.file_provider("a.yml");
    folder.check(&provider.read_once(), &["a", "b"], &[]);
    let error = "error: DIR/a.yml:1:1: unknown key \"htpp\" (did you mean \"http\"?)";
    folder.write("a.yml", &routers(&["a"]).replace("http", "htpp"));
    folder.check(&provider.read_once(), &["!a", "!b"], &[error]);
    folder.write("a.yml", &(routers(&["a"]).replace("http", "htpp") + &routers(&["b"])));
    folder.check(&provider.read_once(), &["b", "!a"], &[error]);
    folder.write("a.yml", &routers(&["b"]));
    folder.check(&provider.read_once(), &["b"], &[]);
}

#[test]
fn files_are_templates() {
    let folder = Folder::new();
    let text = "http:\n  routers:\n{{ range $i := until 2 }}\n    r{{ $i }}: {rule: Path(`/`), service: s}\n{{ end }}";
    folder.write("a.yml", text);
    let mut provider = folder.file_provider("a.yml");
    folder.check(&provider.read_once(), &["r0", "r1"], &[]);
    folder.write("a.yml", "http:\n  {{ nothing }}\n");
    let update = provider.read_once();
    let place = update.diagnostics[0].place.clone().expect("a place");
    assert_eq!((update.diagnostics[0].code, place.line), ("template", 2));
    assert_eq!(update.configuration.http.routers.len(), 2);
}

#[test]
fn what_did_not_change_is_found_on_its_new_line() {
    let folder = Folder::new();
    let text = "\
http:
  routers:
    one:
      rule: Path(`/1`)
      service: s
    two:
      rul: Path(`/2`)
      service: s
    three:
      rule: Path(`/3`)
      service: s
";
    folder.write("a.yml", text);
    let mut provider = folder.file_provider("a.yml");
    let before = provider.read_once();
    folder.check(
        &before,
        &["one", "three", "!two"],
        &["error: DIR/a.yml:7:7: router \"two\": unknown key \"rul\" (did you mean \"rule\"?)"],
    );
    let longer = text.replacen("      service: s\n", "      middlewares:\n        - m\n", 1);
    folder.write("a.yml", &longer);
    let after = provider.read_once();
    folder.check(
        &after,
        &["one", "three", "!two"],
        &["error: DIR/a.yml:8:7: router \"two\": unknown key \"rul\" (did you mean \"rule\"?)"],
    );
    let line = |update: &Update, name: &str, path: &str| {
        update.places.find(Kind::Router, name, path).map(|place| place.line)
    };
    assert_eq!(line(&before, "three", "service"), Some(11));
    assert_eq!(line(&after, "three", ""), Some(10));
    assert_eq!(line(&after, "three", "service"), Some(12));
    let three = |update: &Update| Arc::clone(&update.configuration.http.routers["three"]);
    assert!(Arc::ptr_eq(&three(&before), &three(&after)), "not decoded again");
}

#[test]
fn certificates_are_located_in_their_files() {
    let folder = Folder::new();
    folder.write(
        "a.yml",
        "tls:\n  certificates:\n    - {certFlie: x}\n    - {certFile: a, keyFile: a}\n",
    );
    folder.write("b.yml", "tls:\n  certificates:\n    - {certFile: b, keyFile: b}\n");
    let update = folder.directory_provider().read_once();
    let places: Vec<_> = update
        .places
        .certificates
        .iter()
        .map(|place| place.as_ref().map(|place| (Path::new(&*place.file).file_name(), place.line)))
        .collect();
    let name = |name: &'static str| Some(std::ffi::OsStr::new(name));
    assert_eq!(places, [Some((name("a.yml"), 4)), Some((name("b.yml"), 3))]);
}

/// A provider that runs.
struct Running {
    updates: mpsc::Receiver<Update>,
    reload: watch::Sender<u64>,
    _shutdown: watch::Sender<bool>,
}

impl Running {
    fn start(provider: FileProvider) -> Self {
        let (sender, updates) = mpsc::channel(16);
        let (shutdown, is_over) = watch::channel(false);
        let (reload, reloads) = watch::channel(0);
        let signals = Signals { shutdown: is_over, reload: reloads };
        tokio::spawn(Box::new(provider).run(sender, signals));
        Self { updates, reload, _shutdown: shutdown }
    }

    /// Waits for an update with these routers; others may come before.
    async fn wait_for(&mut self, routers: &[&str]) -> Update {
        let found = async {
            loop {
                let update = self.updates.recv().await.expect("a running provider");
                if update.configuration.http.routers.keys().eq(routers) {
                    return update;
                }
            }
        };
        tokio::time::timeout(PATIENCE, found).await.expect("the update in time")
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn written_renamed_and_removed_files_are_noticed() {
    let folder = Folder::new();
    folder.write("a.yml", &routers(&["a"]));
    let mut running = Running::start(folder.directory_provider());
    running.wait_for(&["a"]).await;
    folder.write("a.yml", &routers(&["b"]));
    running.wait_for(&["b"]).await;
    folder.write("new.tmp", &routers(&["c"]));
    fs::rename(folder.path("new.tmp"), folder.path("a.yml")).expect("a renamed file");
    running.wait_for(&["c"]).await;
    folder.write("below/d.yml", &routers(&["d"]));
    running.wait_for(&["c", "d"]).await;
    folder.write("below/d.yml", &routers(&["e"]));
    running.wait_for(&["c", "e"]).await;
    fs::remove_file(folder.path("a.yml")).expect("a removed file");
    running.wait_for(&["e"]).await;
}

#[tokio::test]
async fn swapped_links_are_noticed() {
    let folder = Folder::new();
    // As Kubernetes mounts a ConfigMap.
    folder.write("..1/a.yml", &routers(&["a"]));
    folder.write("..2/a.yml", &routers(&["b"]));
    symlink("..1", folder.path("..data")).expect("a new link");
    symlink("..data/a.yml", folder.path("a.yml")).expect("a new link");
    let mut by_directory = Running::start(folder.directory_provider());
    let mut by_file = Running::start(folder.file_provider("a.yml"));
    by_directory.wait_for(&["a"]).await;
    by_file.wait_for(&["a"]).await;
    symlink("..2", folder.path("..data_tmp")).expect("a new link");
    fs::rename(folder.path("..data_tmp"), folder.path("..data")).expect("a renamed link");
    by_directory.wait_for(&["b"]).await;
    by_file.wait_for(&["b"]).await;
}

#[tokio::test]
async fn a_file_that_comes_later_is_noticed() {
    let folder = Folder::new();
    let mut running = Running::start(folder.file_provider("later/a.yml"));
    let update = running.wait_for(&[]).await;
    assert!(update.diagnostics[0].is_error());
    folder.write("later/a.yml", &routers(&["a"]));
    running.wait_for(&["a"]).await;
}

#[tokio::test]
async fn without_a_watch_only_a_reload_reads_again() {
    let folder = Folder::new();
    folder.write("a.yml", &routers(&["a"]));
    let filename = folder.path("a.yml").display().to_string();
    let mut running =
        Running::start(provider(Settings { filename, watch: false, ..Settings::default() }));
    running.wait_for(&["a"]).await;
    folder.write("a.yml", &routers(&["b"]));
    running.reload.send_modify(|count| *count += 1);
    running.wait_for(&["b"]).await;
}
