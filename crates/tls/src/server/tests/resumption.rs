use super::*;

fn build(
    options: &TlsOptions,
    certificates: &Arc<Certificates>,
    previous: Option<&ServerConfigs>,
) -> (ServerConfigs, Vec<Problem>) {
    let options = named(&[("a@file", options.clone()), ("b@file", options.clone())]);
    ServerConfigs::build(&options, certificates, HTTP, previous)
}

fn config(configs: &ServerConfigs, name: &str) -> Arc<ServerConfig> {
    Arc::clone(&configs.find(name).unwrap().config)
}

/// Whether a session made with the first configuration resumes with the second.
fn resumes(first: &Arc<ServerConfig>, second: &Arc<ServerConfig>, version: &str) -> bool {
    let settings = ClientSettings { max_version: version.to_owned(), ..insecure() };
    let client = client(&settings);
    let ends = handshake(&client, "a.org", first).unwrap();
    assert_ne!(ends.server.handshake_kind(), Some(HandshakeKind::Resumed));
    let ends = handshake(&client, "a.org", second).unwrap();
    ends.server.handshake_kind() == Some(HandshakeKind::Resumed)
}

#[track_caller]
fn check(first: &Arc<ServerConfig>, second: &Arc<ServerConfig>, expected: bool) {
    for version in ["VersionTLS12", "VersionTLS13"] {
        assert_eq!(resumes(first, second, version), expected, "{version}");
    }
}

#[test]
fn sessions_resume_only_under_their_own_options() {
    let (configs, _) = build(&TlsOptions::default(), &no_certificates(), None);
    check(&config(&configs, "a@file"), &config(&configs, "a@file"), true);
    check(&config(&configs, "a@file"), &config(&configs, "b@file"), false);
}

#[test]
fn sessions_resume_over_reloads_that_leave_the_options_alone() {
    let options = TlsOptions::default();
    let certificates = no_certificates();
    let (first, _) = build(&options, &certificates, None);
    let (same, _) = build(&options, &certificates, Some(&first));
    assert!(Arc::ptr_eq(&config(&first, "a@file"), &config(&same, "a@file")));

    let issued = Authority::new("ca").issue(&["a.org"]);
    let renewed = super::certificates(&[&issued]);
    let (second, _) = build(&options, &renewed, Some(&first));
    check(&config(&first, "a@file"), &config(&second, "a@file"), true);
    let fresh = client(&insecure());
    let ends = handshake(&fresh, "a.org", &config(&second, "a@file")).unwrap();
    assert_eq!(peer(&ends), issued.der);
}

#[test]
fn sessions_do_not_outlive_their_options() {
    let certificates = no_certificates();
    let options = TlsOptions::default();
    let (first, _) = build(&options, &certificates, None);
    let stricter = TlsOptions {
        client_auth: ClientAuth {
            client_auth_type: "RequestClientCert".to_owned(),
            ca_files: Vec::new(),
        },
        ..options
    };
    let (second, _) = build(&stricter, &certificates, Some(&first));
    check(&config(&first, "a@file"), &config(&second, "a@file"), false);
}

#[test]
fn nothing_resumes_without_tickets() {
    let options = TlsOptions { disable_session_tickets: true, ..TlsOptions::default() };
    let (configs, _) = build(&options, &no_certificates(), None);
    check(&config(&configs, "a@file"), &config(&configs, "a@file"), false);
}

#[test]
fn warnings_are_repeated_at_each_reload() {
    let options = TlsOptions { min_version: "VersionTLS10".to_owned(), ..TlsOptions::default() };
    let certificates = no_certificates();
    let (first, problems) = build(&options, &certificates, None);
    assert_eq!(problems.len(), 2);
    assert_eq!(build(&options, &certificates, Some(&first)).1, problems);
}
