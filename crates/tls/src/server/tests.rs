use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use config::dynamic::{ClientAuth, TlsConfiguration, TlsOptions};
use rustls::{AlertDescription, ClientConfig, HandshakeKind, ServerConfig};

use crate::testing::{Authority, Broken, Directory, Ends, Issued, handshake};
use crate::{
    Certificates, ClientSettings, Problem, Refusal, Selected, ServerConfigs, ServerSettings,
    client_config, server_config, session,
};

const HTTP: &[&str] = &["http/1.1"];

fn certificates(issued: &[&Issued]) -> Arc<Certificates> {
    let certificates = issued.iter().map(|issued| issued.configured()).collect();
    let config = TlsConfiguration { certificates, ..TlsConfiguration::default() };
    Certificates::load(&config, None).0
}

fn no_certificates() -> Arc<Certificates> {
    certificates(&[])
}

fn insecure() -> ClientSettings {
    ClientSettings { insecure_skip_verify: true, ..ClientSettings::default() }
}

fn client(settings: &ClientSettings) -> Arc<ClientConfig> {
    client_config(settings).unwrap().0
}

fn server(options: &TlsOptions) -> Arc<ServerConfig> {
    server_config(options, no_certificates(), HTTP).unwrap().0
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn named(options: &[(&str, TlsOptions)]) -> BTreeMap<String, TlsOptions> {
    options.iter().map(|(name, options)| ((*name).to_owned(), options.clone())).collect()
}

fn peer(ends: &Ends) -> Vec<u8> {
    ends.client.peer_certificates().unwrap()[0].to_vec()
}

mod algorithms {
    use super::*;

    /// Versions of options against those of a client.
    #[track_caller]
    fn check_version(options: (&str, &str), client: (&str, &str), expected: Option<&str>) {
        let options = TlsOptions {
            min_version: options.0.to_owned(),
            max_version: options.1.to_owned(),
            ..TlsOptions::default()
        };
        let settings = ClientSettings {
            min_version: client.0.to_owned(),
            max_version: client.1.to_owned(),
            ..insecure()
        };
        let ends = handshake(&super::client(&settings), "a.org", &server(&options));
        let version = ends.ok().map(|ends| session(&ends.server).version);
        assert_eq!(version, expected);
    }

    #[test]
    fn versions_are_negotiated_within_the_options() {
        const V12: &str = "VersionTLS12";
        const V13: &str = "VersionTLS13";
        check_version(("", ""), ("", ""), Some("1.3"));
        check_version(("", ""), ("", V12), Some("1.2"));
        check_version(("", V12), ("", ""), Some("1.2"));
        check_version((V13, ""), ("", V12), None);
        check_version((V13, ""), ("", ""), Some("1.3"));
        check_version(("", V12), (V13, ""), None);
        check_version(("VersionTLS10", ""), ("", V12), Some("1.2"));
    }

    #[track_caller]
    fn check_options(options: &TlsOptions, expected: Result<&[&str], &str>) {
        let result = server_config(options, no_certificates(), HTTP);
        match (result, expected) {
            (Ok((_, warnings)), Ok(expected)) => assert_eq!(warnings, expected),
            (Err(error), Err(expected)) => assert_eq!(error.to_string(), expected),
            (Ok((_, warnings)), Err(expected)) => panic!("{expected}: {warnings:?}"),
            (Err(error), Ok(_)) => panic!("{error}"),
        }
    }

    fn suites(max_version: &str, names: &[&str]) -> TlsOptions {
        TlsOptions {
            max_version: max_version.to_owned(),
            cipher_suites: strings(names),
            ..TlsOptions::default()
        }
    }

    #[test]
    fn what_rustls_lacks_is_left_out_with_a_warning() {
        let options = TlsOptions {
            min_version: "VersionTLS11".to_owned(),
            curve_preferences: strings(&["CurveP521", "secp384r1"]),
            ..suites("nonsense", &["TLS_RSA_WITH_AES_128_CBC_SHA"])
        };
        let expected: &[&str] = &[
            "maxVersion: unknown version \"nonsense\" is ignored",
            "minVersion: VersionTLS11 is not supported, VersionTLS12 is used",
            "cipherSuites: TLS_RSA_WITH_AES_128_CBC_SHA is not supported and left out",
            "curvePreferences: CurveP521 is not supported and left out",
            "cipherSuites: none is left for TLS 1.2, which is off",
        ];
        check_options(&options, Ok(expected));
    }

    #[test]
    fn options_that_leave_nothing_are_errors() {
        let version =
            |min: &str, max: &str| TlsOptions { min_version: min.to_owned(), ..suites(max, &[]) };
        let curves =
            |names| TlsOptions { curve_preferences: strings(names), ..TlsOptions::default() };
        check_options(
            &suites("VersionTLS12", &["TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"]),
            Err("cipherSuites: none of them is supported, and maxVersion leaves out TLS 1.3"),
        );
        check_options(
            &version("", "VersionTLS11"),
            Err("maxVersion: VersionTLS11 is not supported, VersionTLS12 is the lowest"),
        );
        check_options(
            &version("VersionTLS13", "VersionTLS12"),
            Err("minVersion is above maxVersion"),
        );
        check_options(
            &curves(&["CurveP521"]),
            Err("curvePreferences: none of the curves is supported"),
        );
        check_options(&suites("", &["nope"]), Err("invalid CipherSuite: nope"));
        check_options(&curves(&["nope"]), Err("invalid CurveID in curvePreferences: nope"));
    }

    #[test]
    fn suites_and_curves_limit_what_is_negotiated() {
        let options = TlsOptions {
            curve_preferences: strings(&["CurveP384"]),
            ..suites(
                "VersionTLS12",
                &[
                    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                ],
            )
        };
        let ends = handshake(&client(&insecure()), "a.org", &server(&options)).unwrap();
        assert_eq!(session(&ends.server).cipher, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
        let group = ends.server.negotiated_key_exchange_group().unwrap().name();
        assert_eq!(group, rustls::NamedGroup::secp384r1);
    }

    #[test]
    fn suites_of_tls13_have_their_iana_names_and_cannot_be_configured() {
        let options = suites("", &["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]);
        let ends = handshake(&client(&insecure()), "a.org", &server(&options)).unwrap();
        let session = session(&ends.server);
        assert_eq!((session.version, session.cipher), ("1.3", "TLS_AES_256_GCM_SHA384"));
        assert_eq!(session.server_name.as_deref(), Some("a.org"));
    }

    #[test]
    fn protocols_are_those_the_caller_speaks() {
        let alpn = |protocols: &[&str]| {
            let options =
                TlsOptions { alpn_protocols: strings(protocols), ..TlsOptions::default() };
            let client = client(&insecure().with_alpn(&["h2", "http/1.1"]));
            let ends = handshake(&client, "a.org", &server(&options)).unwrap();
            ends.server.alpn_protocol().map(<[u8]>::to_vec)
        };
        assert_eq!(alpn(&["h2", "http/1.1"]), Some(b"http/1.1".to_vec()));
        assert_eq!(alpn(&["h2"]), None);
    }
}

mod client_auth {
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
}

mod selection {
    use super::*;

    fn settings(
        options: &[(&str, TlsOptions)],
        certificates: &Arc<Certificates>,
    ) -> ServerSettings {
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
}

mod resumption {
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
        let options =
            TlsOptions { min_version: "VersionTLS10".to_owned(), ..TlsOptions::default() };
        let certificates = no_certificates();
        let (first, problems) = build(&options, &certificates, None);
        assert_eq!(problems.len(), 2);
        assert_eq!(build(&options, &certificates, Some(&first)).1, problems);
    }
}
