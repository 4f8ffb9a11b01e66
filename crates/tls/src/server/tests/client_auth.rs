use super::*;

struct Clients {
    authority: Authority,
    trusted: Issued,
    stranger: Issued,
    listed: Issued,
}

fn clients() -> Clients {
    let authority = Authority::new("clients");
    let trusted = authority.issue(&["trusted"]);
    let stranger = Authority::new("strangers").issue(&["stranger"]);
    Clients { authority, trusted, stranger, listed: Issued::self_signed(&["listed"]) }
}

fn options(mode: &str, authorities: &[String]) -> TlsOptions {
    let client_auth =
        ClientAuth { client_auth_type: mode.to_owned(), ca_files: authorities.to_vec() };
    TlsOptions { client_auth, ..TlsOptions::default() }
}

/// Which of no certificate, a stranger's, a trusted and a listed one are let in.
#[track_caller]
fn check(mode: &str, with_authorities: bool, expected: [bool; 4]) {
    let clients = clients();
    let authorities = [clients.authority.pem(), clients.listed.certificate.clone()];
    let authorities = if with_authorities { &authorities[..] } else { &[] };
    let server = server(&options(mode, authorities));
    let shown = [None, Some(&clients.stranger), Some(&clients.trusted), Some(&clients.listed)];
    for version in ["VersionTLS12", "VersionTLS13"] {
        let let_in = shown.map(|shown| {
            let settings = ClientSettings {
                certificates: shown.map(Issued::pair).into_iter().collect(),
                max_version: version.to_owned(),
                ..insecure()
            };
            let ends = handshake(&client(&settings), "a.org", &server);
            if let (Ok(ends), Some(shown)) = (&ends, shown)
                && mode != "NoClientCert"
            {
                assert_eq!(session(&ends.server).peer_certificates[0], shown.der);
            }
            ends.is_ok()
        });
        assert_eq!(let_in, expected, "{mode} {version}");
    }
}

#[test]
fn modes_let_in_whom_go_lets_in() {
    check("NoClientCert", false, [true, true, true, true]);
    check("RequestClientCert", false, [true, true, true, true]);
    check("RequireAnyClientCert", false, [false, true, true, true]);
    check("VerifyClientCertIfGiven", true, [true, false, true, true]);
    check("RequireAndVerifyClientCert", true, [false, false, true, true]);
    check("", true, [false, false, true, true]);
}

#[track_caller]
fn check_error(options: &TlsOptions, expected: &str) {
    let error = server_config(options, no_certificates(), HTTP).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn unusable_modes_are_errors() {
    check_error(
        &options("RequireAndVerifyClientCert", &[]),
        "invalid clientAuthType: RequireAndVerifyClientCert, CAFiles is required",
    );
    check_error(&options("Maybe", &[]), "unknown client auth type \"Maybe\"");
    let not_a_certificate = "-----BEGIN NOTHING-----\n-----END NOTHING-----\n".to_owned();
    check_error(&options("", &[not_a_certificate]), "invalid certificate(s) in inline PEM");
}

#[test]
fn a_client_without_the_key_of_its_certificate_is_refused() {
    let clients = clients();
    let trusted = clients.trusted.clone();
    let settings = ClientSettings { certificates: vec![trusted.pair()], ..insecure() };
    let mut config = ClientConfig::clone(&client(&settings));
    let chain = vec![rustls::pki_types::CertificateDer::from(trusted.der)];
    let other_key = crate::testing::key().serialize_der().try_into().unwrap();
    let key = config.crypto_provider().key_provider.load_private_key(other_key).unwrap();
    let forged = rustls::sign::CertifiedKey::new(chain, key);
    config.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(forged));
    let config = Arc::new(config);
    for mode in ["RequireAnyClientCert", "RequireAndVerifyClientCert"] {
        let server = server(&options(mode, &[clients.authority.pem()]));
        let broken = handshake(&config, "a.org", &server).unwrap_err();
        assert!(matches!(broken, Broken::AtServer(_)), "{mode}: {broken:?}");
    }
}

#[test]
fn missing_authorities_refuse_unless_there_were_some_before() {
    let directory = Directory::new();
    let clients = clients();
    let path = directory.write("ca.pem", &clients.authority.pem());
    let options = named(&[("mtls", options("", std::slice::from_ref(&path)))]);
    let certificates = no_certificates();
    let build = |previous| ServerConfigs::build(&options, &certificates, HTTP, previous);
    let (first, problems) = build(None);
    assert_eq!(problems, []);
    assert_eq!(first.files(), [std::path::PathBuf::from(&path)]);

    directory.remove("ca.pem");
    let (second, problems) = build(Some(&first));
    assert!(second.is_usable("mtls"));
    assert!(problems[0].message.ends_with("the previous authorities stay in force"));
    let (fresh, problems) = build(None);
    assert!(!fresh.is_usable("mtls"));
    assert!(problems[0].message.contains(&path));
}
