use super::*;

fn settings(options: &[(&str, TlsOptions)], certificates: &Arc<Certificates>) -> ServerSettings {
    let (configs, _) = ServerConfigs::build(&named(options), certificates, HTTP, None);
    let host = |host: &str, name: Option<&str>| (host.to_owned(), name.map(str::to_owned));
    ServerSettings::new(
        &configs,
        [
            host("exact.org", Some("exact@file")),
            host("*.wild.org", Some("wild@file")),
            host("broken.org", Some("broken@file")),
            host("unknown.org", Some("unknown@file")),
            host("refused.org", None),
        ],
    )
}

fn broken() -> TlsOptions {
    TlsOptions { cipher_suites: strings(&["nope"]), ..TlsOptions::default() }
}

fn all() -> Vec<(&'static str, TlsOptions)> {
    let plain = TlsOptions::default;
    vec![("exact@file", plain()), ("wild@file", plain()), ("broken@file", broken())]
}

#[track_caller]
fn check(settings: &ServerSettings, name: Option<&str>, expected: Result<&str, Refusal>) {
    let selected = match settings.select(name, None) {
        Selected::Options { name, .. } => Ok(name.to_string()),
        Selected::Refused(refusal) => Err(refusal),
    };
    assert_eq!(selected, expected.map(str::to_owned), "{name:?}");
}

#[test]
fn options_go_by_server_name() {
    let settings = settings(&all(), &no_certificates());
    check(&settings, Some("exact.org"), Ok("exact@file"));
    check(&settings, Some("EXACT.org."), Ok("exact@file"));
    check(&settings, Some("a.wild.org"), Ok("wild@file"));
    check(&settings, Some("A.Wild.ORG"), Ok("wild@file"));
    check(&settings, Some("a.b.wild.org"), Ok("default"));
    check(&settings, Some("wild.org"), Ok("default"));
    check(&settings, Some(""), Ok("default"));
    check(&settings, Some(&"x".repeat(70_000)), Ok("default"));
    check(&settings, None, Ok("default"));
}

#[test]
fn broken_options_refuse_only_their_hosts() {
    let settings = settings(&all(), &no_certificates());
    for host in ["broken.org", "unknown.org", "refused.org", "BROKEN.org."] {
        check(&settings, Some(host), Err(Refusal::BrokenOptions));
    }
    check(&settings, Some("exact.org"), Ok("exact@file"));
    assert_eq!(Refusal::BrokenOptions.alert(), None);
}

#[test]
fn broken_default_refuses_what_no_host_matches() {
    let options = [("default", broken()), ("exact@file", TlsOptions::default())];
    let settings = settings(&options, &no_certificates());
    check(&settings, Some("exact.org"), Ok("exact@file"));
    check(&settings, Some("other.org"), Err(Refusal::BrokenOptions));
    check(&settings, None, Err(Refusal::BrokenOptions));
}

fn selected(settings: &ServerSettings, name: Option<&str>, ip: &str) -> Arc<ServerConfig> {
    let ip: IpAddr = ip.parse().unwrap();
    match settings.select(name, Some(ip)) {
        Selected::Options { config, .. } => config,
        Selected::Refused(refusal) => panic!("{refusal:?}"),
    }
}

/// The certificate a client sees that asks for a name at an address.
fn served(settings: &ServerSettings, name: Option<&str>, ip: &str) -> Vec<u8> {
    let mut client = ClientConfig::clone(&client(&insecure()));
    client.enable_sni = name.is_some();
    let config = selected(settings, name, ip);
    peer(&handshake(&Arc::new(client), name.unwrap_or("a.org"), &config).unwrap())
}

#[test]
fn certificates_go_by_server_name_else_by_address() {
    let authority = Authority::new("ca");
    let exact = authority.issue(&["exact.org"]);
    let wild = authority.issue(&["*.wild.org"]);
    let address = authority.issue(&["127.0.0.1"]);
    let certificates = certificates(&[&exact, &wild, &address]);
    let default = certificates.default_certificate().unwrap().chain()[0].to_vec();
    let settings = settings(&all(), &certificates);
    assert_eq!(served(&settings, Some("Exact.org"), "127.0.0.1"), exact.der);
    assert_eq!(served(&settings, Some("a.WILD.org"), "127.0.0.1"), wild.der);
    assert_eq!(served(&settings, Some("other.org"), "127.0.0.1"), default);
    assert_eq!(served(&settings, None, "127.0.0.1"), address.der);
    assert_eq!(served(&settings, None, "::ffff:127.0.0.1"), address.der);
    assert_eq!(served(&settings, None, "127.0.0.2"), default);
}

#[test]
fn strict_options_refuse_names_without_a_certificate() {
    let exact = Authority::new("ca").issue(&["exact.org", "127.0.0.1"]);
    let strict = TlsOptions { sni_strict: true, ..TlsOptions::default() };
    let options = [("default", strict.clone()), ("exact@file", strict)];
    let settings = settings(&options, &certificates(&[&exact]));
    check(&settings, Some("exact.org"), Ok("exact@file"));
    check(&settings, Some("other.org"), Err(Refusal::UnrecognizedName));
    check(&settings, None, Err(Refusal::UnrecognizedName));
    assert_eq!(served(&settings, None, "127.0.0.1"), exact.der);
    assert_eq!(served(&settings, Some("exact.org"), "127.0.0.9"), exact.der);
}

#[test]
fn refused_names_are_told_by_an_alert() {
    let name = rustls::pki_types::ServerName::try_from("a.org").unwrap();
    let mut client = rustls::ClientConnection::new(client(&insecure()), name).unwrap();
    let mut alert = Refusal::UnrecognizedName.alert().unwrap();
    client.read_tls(&mut alert).unwrap();
    let error = client.process_new_packets().unwrap_err();
    assert_eq!(error, rustls::Error::AlertReceived(AlertDescription::UnrecognisedName));
}

#[test]
fn acme_challenges_get_only_their_certificate() {
    let authority = Authority::new("ca");
    let (usual, challenge) = (authority.issue(&["a.org"]), authority.issue(&["a.org"]));
    let mut in_store = challenge.configured();
    in_store.stores = vec!["acme-tls/1".to_owned()];
    let config = TlsConfiguration {
        certificates: vec![usual.configured(), in_store],
        ..TlsConfiguration::default()
    };
    let (certificates, _) = Certificates::load(&config, None);
    let options = TlsOptions::default();
    let (server, _) = server_config(&options, certificates, &["acme-tls/1"]).unwrap();
    let challenger = client(&insecure().with_alpn(&["acme-tls/1"]));
    assert_eq!(peer(&handshake(&challenger, "a.org", &server).unwrap()), challenge.der);
    assert_eq!(peer(&handshake(&client(&insecure()), "a.org", &server).unwrap()), usual.der);
    assert!(handshake(&challenger, "b.org", &server).is_err());
}

#[test]
fn strict_configurations_have_no_default_certificate() {
    let exact = Authority::new("ca").issue(&["exact.org"]);
    let options = TlsOptions { sni_strict: true, ..TlsOptions::default() };
    let (server, _) = server_config(&options, certificates(&[&exact]), HTTP).unwrap();
    let client = client(&insecure());
    assert!(handshake(&client, "exact.org", &server).is_ok());
    assert!(matches!(handshake(&client, "other.org", &server), Err(Broken::AtServer(_))));
}
