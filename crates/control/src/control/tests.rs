use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use routing::compile::Status;

use super::*;
use crate::BoxFuture;
use crate::testing::{internal, static_configuration, update};

/// A provider that says what a test says.
struct Scripted(mpsc::Receiver<Update>);

impl Provider for Scripted {
    fn name(&self) -> Arc<str> {
        "file".into()
    }

    fn run(
        mut self: Box<Self>,
        updates: mpsc::Sender<Update>,
        mut signals: Signals,
    ) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            while let Some(update) = self.0.recv().await {
                if updates.send(update).await.is_err() {
                    return;
                }
            }
            signals.stopped().await;
        })
    }

    fn read_once(&mut self) -> Update {
        Update::new(self.name())
    }
}

/// A data plane that hands snapshots to the test.
struct Plane(mpsc::UnboundedSender<Arc<Snapshot>>);

impl DataPlane for Plane {
    fn publish(&self, snapshot: Arc<Snapshot>) {
        let _ = self.0.send(snapshot);
    }
}

/// A control plane with one provider.
struct Fixture {
    control: Arc<Control>,
    updates: mpsc::Sender<Update>,
    snapshots: mpsc::UnboundedReceiver<Arc<Snapshot>>,
    shutdown: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Fixture {
    fn start(static_text: &str) -> Self {
        let (updates, script) = mpsc::channel(16);
        let (sender, snapshots) = mpsc::unbounded_channel();
        let (shutdown, is_over) = watch::channel(false);
        let static_configuration = Arc::new(static_configuration(static_text));
        let plane = Arc::new(Plane(sender));
        let control = Arc::new(Control::new(static_configuration, internal(), plane));
        let providers: Vec<Box<dyn Provider>> = vec![Box::new(Scripted(script))];
        let task = tokio::spawn(Arc::clone(&control).run(providers, is_over));
        Self { control, updates, snapshots, shutdown, task }
    }

    async fn say(&self, text: &str) {
        self.updates.send(update("file", text)).await.expect("a running control plane");
    }

    /// Waits for the next snapshot and its state; expects these routers, as `name status`.
    async fn check(&mut self, expected: &[&str]) -> Arc<State> {
        let snapshot = tokio::time::timeout(TEST_PATIENCE, self.snapshots.recv()).await;
        let snapshot = snapshot.expect("a snapshot in time").expect("a running control plane");
        let state = self.state_of(snapshot.generation).await;
        let routers = state.runtime.routers.iter();
        let found: Vec<String> =
            routers.map(|(name, info)| format!("{name} {}", info.status.as_str())).collect();
        assert_eq!(found, expected);
        state
    }

    /// The state is replaced right after its snapshot is published.
    async fn state_of(&self, generation: u64) -> Arc<State> {
        let state = self.control.state();
        loop {
            let current = state.load_full();
            if current.generation == generation {
                return current;
            }
            tokio::task::yield_now().await;
        }
    }
}

const TEST_PATIENCE: Duration = Duration::from_secs(60);

const STATIC: &str = "
entryPoints: {web: {address: ':80'}}
providers: {providersThrottleDuration: 0s}
";

fn router(rule: &str) -> String {
    format!(
        "http: {{routers: {{r: {{rule: '{rule}', service: s}}}}, \
         services: {{s: {{loadBalancer: {{servers: [{{url: 'http://127.0.0.1:1'}}]}}}}}}}}"
    )
}

#[tokio::test]
async fn updates_become_snapshots() {
    let mut fixture = Fixture::start(STATIC);
    fixture.say(&router("Path(`/a`)")).await;
    let state = fixture.check(&["r@file enabled"]).await;
    assert!(state.is_complete());
    assert_eq!(state.generation, 1, "the first snapshot waited for the provider");
    fixture.say("{}").await;
    fixture.check(&[]).await;
    fixture.shutdown.send_replace(true);
    tokio::time::timeout(TEST_PATIENCE, fixture.task)
        .await
        .expect("an end in time")
        .expect("an end");
}

#[tokio::test]
async fn what_did_not_change_is_dropped() {
    let mut fixture = Fixture::start(STATIC);
    fixture.say(&router("Path(`/a`)")).await;
    fixture.check(&["r@file enabled"]).await;
    fixture.say(&router("Path(`/a`)")).await;
    fixture.say(&format!("# moved\n{}", router("Path(`/a`)"))).await;
    fixture.say(&router("Path(`/b`)")).await;
    let state = fixture.check(&["r@file enabled"]).await;
    assert_eq!(state.generation, 2);
    assert_eq!(state.runtime.routers["r@file"].router.rule, "Path(`/b`)");
}

#[tokio::test]
async fn a_broken_router_stays_in_service_and_says_so() {
    let mut fixture = Fixture::start(STATIC);
    fixture.say(&router("Path(`/a`)")).await;
    fixture.check(&["r@file enabled"]).await;
    fixture.say(&router("Path(`a`)")).await;
    let state = fixture.check(&["r@file warning"]).await;
    assert_eq!(state.runtime.routers["r@file"].status, Status::Warning);
    assert_eq!(state.diagnostics.len(), 1);
    assert_eq!(state.diagnostics[0].code, "invalid-rule");
}

#[tokio::test]
async fn another_static_configuration_is_applied() {
    let mut fixture = Fixture::start(STATIC);
    fixture.say(&router("Path(`/a`)")).await;
    fixture.check(&["r@file enabled"]).await;
    let replacement = "
entryPoints: {web: {address: ':80'}, secure: {address: ':443', http: {tls: {}}}}
providers: {providersThrottleDuration: 0s}
";
    fixture.control.replace_static(Arc::new(static_configuration(replacement)));
    fixture.check(&["r@file enabled", "secure-r@file enabled"]).await;
}

#[tokio::test]
async fn a_changed_certificate_file_makes_a_new_snapshot() {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    struct Remove<'a>(&'a Path);
    impl Drop for Remove<'_> {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(self.0);
        }
    }

    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("control-certificates-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir(&folder).expect("a new directory");
    let _remove = Remove(&folder);
    let (certificate, key) = (folder.join("a.crt"), folder.join("a.key"));
    let mut fixture = Fixture::start(STATIC);
    let text = format!(
        "tls: {{certificates: [{{certFile: '{}', keyFile: '{}'}}]}}",
        certificate.display(),
        key.display()
    );
    fixture.say(&text).await;
    let state = fixture.check(&[]).await;
    assert!(state.diagnostics[0].message.contains("a.crt"), "{:?}", state.diagnostics);
    std::fs::write(&certificate, "no certificate").expect("a written file");
    let state = fixture.check(&[]).await;
    assert_eq!(state.generation, 2);
}
