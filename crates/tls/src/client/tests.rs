use config::dynamic::{
    ClientTls, ServersTransport, Spiffe, TlsCertificate, TlsConfiguration, TlsOptions,
};
use rcgen::SanType;
use rustls::CertificateError;

use crate::testing::{Authority, Broken, Directory, Issued, handshake, params};
use crate::{Certificates, ClientSettings, client_config, server_config, session};

/// Dials a server that has a certificate.
fn dial(settings: &ClientSettings, name: &str, served: &Issued) -> Result<(), Broken> {
    let config = TlsConfiguration {
        certificates: vec![served.configured()],
        stores: [(
            "default".to_owned(),
            config::dynamic::TlsStore {
                default_certificate: Some(served.pair()),
                ..config::dynamic::TlsStore::default()
            },
        )]
        .into(),
        ..TlsConfiguration::default()
    };
    let (certificates, _) = Certificates::load(&config, None);
    let (server, _) = server_config(&TlsOptions::default(), certificates, &[]).unwrap();
    let (client, _) = client_config(settings).unwrap();
    for version in ["", "VersionTLS12"] {
        let settings = ClientSettings { max_version: version.to_owned(), ..settings.clone() };
        let (other, _) = client_config(&settings).unwrap();
        let same = handshake(&other, name, &server).is_ok();
        assert_eq!(same, handshake(&client, name, &server).is_ok(), "{version}");
    }
    handshake(&client, name, &server).map(drop)
}

#[track_caller]
fn check(
    settings: &ClientSettings,
    name: &str,
    served: &Issued,
    expected: Result<(), CertificateError>,
) {
    match (dial(settings, name, served), expected) {
        (Ok(()), Ok(())) => {}
        (Err(Broken::AtClient(rustls::Error::InvalidCertificate(error))), Err(expected)) => {
            assert_eq!(error, expected);
        }
        (result, expected) => panic!("{result:?} instead of {expected:?}"),
    }
}

fn trusting(authority: &str) -> ClientSettings {
    ClientSettings { root_cas: vec![authority.to_owned()], ..ClientSettings::default() }
}

fn insecure() -> ClientSettings {
    ClientSettings { insecure_skip_verify: true, ..ClientSettings::default() }
}

/// webpki tells which names there were, so only the kind can be compared.
#[track_caller]
fn check_wrong_name(settings: &ClientSettings, name: &str, served: &Issued) {
    let result = dial(settings, name, served);
    let Err(Broken::AtClient(rustls::Error::InvalidCertificate(error))) = result else {
        panic!("{result:?}");
    };
    let is_name = matches!(
        error,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
    );
    assert!(is_name, "{error:?}");
}

#[test]
fn chain_and_name_are_verified() {
    let authority = Authority::new("ca");
    let served = authority.issue(&["a.org", "127.0.0.1"]);
    check(&trusting(&authority.pem()), "a.org", &served, Ok(()));
    check(&trusting(&authority.pem()), "127.0.0.1", &served, Ok(()));
    check_wrong_name(&trusting(&authority.pem()), "b.org", &served);
    let stranger = Authority::new("other").pem();
    check(&trusting(&stranger), "a.org", &served, Err(CertificateError::UnknownIssuer));
    check(&ClientSettings::default(), "a.org", &served, Err(CertificateError::UnknownIssuer));
    check(&insecure(), "b.org", &served, Ok(()));
}

#[test]
fn listed_certificates_are_trusted_for_themselves() {
    let served = Issued::self_signed(&["a.org"]);
    check(&trusting(&served.certificate), "a.org", &served, Ok(()));
    check_wrong_name(&trusting(&served.certificate), "b.org", &served);
}

#[test]
fn listed_certificates_expire_nevertheless() {
    let key = crate::testing::key();
    let mut params = params(&["a.org"]);
    params.not_before = rcgen::date_time_ymd(2001, 1, 1);
    params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    let served = Issued {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
        der: certificate.der().to_vec(),
    };
    check(&trusting(&served.certificate), "a.org", &served, Err(CertificateError::Expired));
    check(&insecure(), "a.org", &served, Ok(()));
}

#[test]
fn peer_uri_is_verified_with_the_chain_even_without_the_name() {
    let authority = Authority::new("ca");
    let mut with_uri = params(&["a.org"]);
    with_uri.subject_alt_names.push(SanType::URI("spiffe://org/web".try_into().unwrap()));
    let served = authority.sign(&with_uri);
    let wanting =
        |uri: &str, base: ClientSettings| ClientSettings { peer_cert_uri: uri.to_owned(), ..base };
    let trusted = || trusting(&authority.pem());
    check(&wanting("spiffe://org/web", trusted()), "a.org", &served, Ok(()));
    check_wrong_name(&wanting("spiffe://org/db", trusted()), "a.org", &served);
    check_wrong_name(&wanting("spiffe://org/web", trusted()), "b.org", &served);
    let no_name = || ClientSettings { insecure_skip_verify: true, ..trusted() };
    check(&wanting("spiffe://org/web", no_name()), "b.org", &served, Ok(()));
    let no_chain = wanting("spiffe://org/web", insecure());
    check(&no_chain, "b.org", &served, Err(CertificateError::UnknownIssuer));
}

#[test]
fn minimum_version_works_without_maximum() {
    let settings = ClientSettings { min_version: "VersionTLS13".to_owned(), ..insecure() };
    let (client, warnings) = client_config(&settings).unwrap();
    assert!(warnings.is_empty());
    let options = TlsOptions { max_version: "VersionTLS12".to_owned(), ..TlsOptions::default() };
    let (certificates, _) = Certificates::load(&TlsConfiguration::default(), None);
    let (old, _) = server_config(&options, certificates.clone(), &[]).unwrap();
    assert!(handshake(&client, "a.org", &old).is_err());
    let (new, _) = server_config(&TlsOptions::default(), certificates, &[]).unwrap();
    let ends = handshake(&client, "a.org", &new).unwrap();
    assert_eq!(session(&ends.server).version, "1.3");
}

#[test]
fn certificate_is_chosen_by_the_authorities_the_server_names() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let (first, second) = (ours.issue(&["first"]), theirs.issue(&["second"]));
    let settings = ClientSettings { certificates: vec![first.pair(), second.pair()], ..insecure() };
    let (client, _) = client_config(&settings).unwrap();
    let shown = |authority: &Authority| {
        let mut options = TlsOptions::default();
        options.client_auth.ca_files = vec![authority.pem()];
        let (certificates, _) = Certificates::load(&TlsConfiguration::default(), None);
        let (server, _) = server_config(&options, certificates, &[]).unwrap();
        let ends = handshake(&client, "a.org", &server).unwrap();
        session(&ends.server).peer_certificates[0].clone()
    };
    assert_eq!(shown(&ours), first.der);
    assert_eq!(shown(&theirs), second.der);
}

#[track_caller]
fn check_error(settings: Result<ClientSettings, crate::Error>, expected: &str) {
    let error = settings.and_then(|settings| client_config(&settings)).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn unusable_settings_are_errors() {
    let missing = "/nonexistent/ca.pem".to_owned();
    let error = "/nonexistent/ca.pem: No such file or directory (os error 2)";
    check_error(Ok(trusting(&missing)), error);
    let suites = ClientSettings { cipher_suites: vec!["nope".to_owned()], ..insecure() };
    check_error(Ok(suites), "invalid CipherSuite: nope");
    let half = ClientTls { cert: "a".to_owned(), ..ClientTls::default() };
    check_error((&half).try_into(), "both TLS cert and key must be defined");
    let spiffe =
        ServersTransport { spiffe: Some(Spiffe::default()), ..ServersTransport::default() };
    check_error((&spiffe).try_into(), "SPIFFE is enabled for this transport, but not configured");
}

#[test]
fn settings_name_their_files() {
    let directory = Directory::new();
    let authority = Authority::new("ca");
    let issued = authority.issue(&["client"]);
    let transport = ServersTransport {
        root_cas: vec![directory.write("ca.pem", &authority.pem()), authority.pem()],
        certificates: vec![TlsCertificate {
            cert_file: directory.write("c.crt", &issued.certificate),
            key_file: directory.write("c.key", &issued.key),
        }],
        ..ServersTransport::default()
    };
    let settings = ClientSettings::try_from(&transport).unwrap();
    let names: Vec<_> = settings
        .files()
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["c.crt", "c.key", "ca.pem"]);
    assert!(client_config(&settings).is_ok());
}

#[test]
fn protocols_are_offered_as_asked() {
    let (config, _) = client_config(&insecure().with_alpn(&["http/1.1"])).unwrap();
    assert_eq!(config.alpn_protocols, [b"http/1.1".to_vec()]);
}
