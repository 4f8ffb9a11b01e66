use std::collections::BTreeMap;
use std::time::Instant;

use config::Severity;
use config::dynamic::{CertificateAndStores, TlsDomain, TlsStore};

use crate::testing::{Authority, Directory, Issued, configured, key, params};
use crate::{Subject, certificate};

use super::*;

fn configuration(certificates: Vec<CertificateAndStores>) -> TlsConfiguration {
    TlsConfiguration { certificates, ..TlsConfiguration::default() }
}

fn with_default(store: TlsStore) -> TlsConfiguration {
    let stores = BTreeMap::from([("default".to_owned(), store)]);
    TlsConfiguration { stores, ..TlsConfiguration::default() }
}

fn load(certificates: Vec<CertificateAndStores>) -> Arc<Certificates> {
    let (loaded, problems) = Certificates::load(&configuration(certificates), None);
    assert_eq!(problems, []);
    loaded
}

#[track_caller]
fn check(certificates: &Certificates, server_name: &str, expected: Option<&Issued>) {
    let found = certificates.find(server_name).map(|found| found.chain()[0].to_vec());
    assert_eq!(found, expected.map(|issued| issued.der.clone()), "{server_name}");
}

#[test]
fn names_match_exactly_or_by_a_wildcard_for_one_label() {
    let authority = Authority::new("ca");
    let one = authority.issue(&["one.example.org"]);
    let any = authority.issue(&["*.example.net", "example.net"]);
    let certificates = load(vec![one.configured(), any.configured()]);
    check(&certificates, "one.example.org", Some(&one));
    check(&certificates, "ONE.Example.org.", Some(&one));
    check(&certificates, "two.example.org", None);
    check(&certificates, "two.example.net", Some(&any));
    check(&certificates, "example.net", Some(&any));
    check(&certificates, "a.b.example.net", None);
    check(&certificates, "", None);
    check(&certificates, "net", None);
}

#[test]
fn common_name_counts() {
    let authority = Authority::new("ca");
    let mut params = params(&["san.example.org"]);
    params.distinguished_name.push(rcgen::DnType::CommonName, "CN.example.org");
    let issued = authority.sign(&params);
    let certificates = load(vec![issued.configured()]);
    check(&certificates, "cn.example.org", Some(&issued));
    let info = certificates.iter().next().unwrap().info();
    assert_eq!(info.names, ["cn.example.org", "san.example.org"]);
    assert_eq!(info.common_name, "CN.example.org");
    assert_eq!(info.sans, ["san.example.org"]);
    assert_eq!(info.fingerprint.len(), 64);
    assert!(info.not_before < info.not_after);
}

#[test]
fn addresses_are_found_as_addresses() {
    let authority = Authority::new("ca");
    let issued = authority.issue(&["192.0.2.1", "2001:db8::1"]);
    let certificates = load(vec![issued.configured()]);
    let find = |ip: &str| certificates.find_address(ip.parse().unwrap()).is_some();
    assert!(find("192.0.2.1") && find("::ffff:192.0.2.1") && find("2001:db8::1"));
    assert!(!find("192.0.2.2"));
}

/// The index must find what Traefik's scan over all certificates finds.
#[test]
fn index_agrees_with_the_scan() {
    let universe = ["a.org", "b.a.org", "*.a.org", "c.b.a.org", "*.b.a.org", "*", "z", "10.0.0.1"];
    let key = key();
    let mut issued: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut configured_all = Vec::new();
    for (position, first) in universe.iter().enumerate() {
        for second in &universe[position..] {
            let mut names = vec![*first, *second];
            names.sort_unstable();
            names.dedup();
            let certificate = params(&names).self_signed(&key).unwrap();
            issued.insert(names.join(","), certificate.der().to_vec());
            configured_all.push(configured(&certificate.pem(), &key.serialize_pem()));
        }
    }
    let certificates = load(configured_all);
    let scan = |name: &str| {
        let labels: Vec<&str> = name.split('.').collect();
        let starred = [&["*"], &labels[1..]].concat().join(".");
        issued
            .iter()
            .rev()
            .find(|(key, _)| key.split(',').any(|domain| domain == name || domain == starred))
            .map(|(_, der)| der.clone())
    };
    for name in ["a.org", "b.a.org", "x.a.org", "c.b.a.org", "x.b.a.org", "z", "y", "q.q"] {
        let found = certificates.find(name).map(|found| found.chain()[0].to_vec());
        assert_eq!(found, scan(name), "{name}");
    }
}

#[test]
fn of_two_certificates_with_the_same_names_the_first_is_used() {
    let authority = Authority::new("ca");
    let (first, second) = (authority.issue(&["a.org"]), authority.issue(&["A.org"]));
    let config = configuration(vec![first.configured(), second.configured()]);
    let (certificates, problems) = Certificates::load(&config, None);
    check(&certificates, "a.org", Some(&first));
    assert_eq!(problems[0].subject, Subject::Certificate(1));
    assert_eq!(problems[0].severity, Severity::Warning);
}

#[test]
fn only_the_default_store_is_served() {
    let authority = Authority::new("ca");
    let issued = authority.issue(&["a.org"]);
    let in_store = |store: &str| {
        let mut configured = issued.configured();
        configured.stores = vec![store.to_owned()];
        Certificates::load(&configuration(vec![configured]), None)
    };
    let (certificates, problems) = in_store("default");
    check(&certificates, "a.org", Some(&issued));
    assert_eq!(problems, []);
    let (certificates, problems) = in_store("other");
    check(&certificates, "a.org", None);
    assert_eq!(problems[0].severity, Severity::Warning);
    let (certificates, problems) = in_store("acme-tls/1");
    check(&certificates, "a.org", None);
    assert!(certificates.find_challenge("a.org").is_some());
    assert_eq!(problems, []);
}

#[test]
fn files_that_become_unusable_keep_their_last_good_certificate() {
    let directory = Directory::new();
    let authority = Authority::new("ca");
    let (old, new) = (authority.issue(&["a.org"]), authority.issue(&["a.org"]));
    let cert = directory.write("a.crt", &old.certificate);
    let key = directory.write("a.key", &old.key);
    let config = configuration(vec![configured(&cert, &key)]);
    let (first, problems) = Certificates::load(&config, None);
    assert_eq!(problems, []);
    assert_eq!(first.files(), [PathBuf::from(&cert), PathBuf::from(&key)]);

    directory.write("a.crt", &new.certificate);
    let (second, problems) = Certificates::load(&config, Some(&first));
    check(&second, "a.org", Some(&old));
    assert!(problems[0].message.contains(&key) && problems[0].message.contains(&cert));
    assert!(problems[0].message.ends_with("the previous certificate stays in use"));

    directory.remove("a.key");
    let (third, problems) = Certificates::load(&config, Some(&second));
    check(&third, "a.org", Some(&old));
    assert_eq!(problems[0].severity, Severity::Error);

    directory.write("a.key", &new.key);
    let (fourth, problems) = Certificates::load(&config, Some(&third));
    check(&fourth, "a.org", Some(&new));
    assert_eq!(problems, []);
}

#[track_caller]
fn check_problem(cert: &str, key: &str, expected: &str) {
    let authority = Authority::new("ca");
    let good = authority.issue(&["good.org"]);
    let config = configuration(vec![configured(cert, key), good.configured()]);
    let (certificates, problems) = Certificates::load(&config, None);
    check(&certificates, "good.org", Some(&good));
    let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(messages, [expected]);
    assert_eq!(problems[0].subject, Subject::Certificate(0));
}

#[test]
fn broken_certificates_are_reported_and_skipped() {
    let issued = Authority::new("ca").issue(&["a.org"]);
    let other = key().serialize_pem();
    let (cert, key) = (issued.certificate.as_str(), issued.key.as_str());
    check_problem("", key, "certFile is empty; it is skipped");
    check_problem(cert, "", "keyFile is empty; it is skipped");
    check_problem(
        cert,
        &other,
        "inline PEM: private key does not belong to inline PEM; it is skipped",
    );
    check_problem(
        "/nonexistent/a.crt",
        key,
        "/nonexistent/a.crt: No such file or directory (os error 2); it is skipped",
    );
    check_problem(key, key, "inline PEM: no certificate found; it is skipped");
    check_problem(
        cert,
        cert,
        "inline PEM: no private key found (encrypted keys are not supported); it is skipped",
    );
    check_problem(
        cert,
        "-----BEGIN PRIVATE KEY-----\nnot!base64\n-----END PRIVATE KEY-----\n",
        "inline PEM: not valid PEM: broken base64; it is skipped",
    );
}

#[test]
fn unreadable_der_is_reported() {
    let cert = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let config = configuration(vec![configured(cert, &key().serialize_pem())]);
    let (certificates, problems) = Certificates::load(&config, None);
    assert_eq!(certificates.iter().count(), 0);
    assert!(problems[0].message.starts_with("inline PEM: unable to parse certificate: "));
}

#[test]
fn nothing_changed_means_the_same_store() {
    let authority = Authority::new("ca");
    let (a, b) = (authority.issue(&["a.org"]), authority.issue(&["b.org"]));
    let config = configuration(vec![a.configured(), b.configured()]);
    let (first, _) = Certificates::load(&config, None);
    let (second, _) = Certificates::load(&config, Some(&first));
    assert!(Arc::ptr_eq(&first, &second));

    let config = configuration(vec![b.configured()]);
    let (third, _) = Certificates::load(&config, Some(&first));
    assert!(!Arc::ptr_eq(&first, &third));
    assert!(Arc::ptr_eq(first.find("b.org").unwrap(), third.find("b.org").unwrap()));
}

#[test]
fn default_certificate_is_generated_once_per_process() {
    let (first, _) = Certificates::load(&configuration(Vec::new()), None);
    let (second, _) = Certificates::load(&configuration(Vec::new()), None);
    let (first, second) = (first.default_certificate(), second.default_certificate());
    assert!(Arc::ptr_eq(first.unwrap(), second.unwrap()));
    let info = first.unwrap().info();
    assert_eq!(info.common_name, "FERROVIA DEFAULT CERT");
    assert!(info.sans[0].ends_with(".ferrovia.default"));
}

#[test]
fn clients_without_ecdsa_get_the_rsa_twin_of_the_generated_certificate() {
    let generated = generated::Generated::shared().unwrap();
    let twin = generated.rsa();
    let rsa_only = [SignatureScheme::RSA_PSS_SHA256];
    assert!(Arc::ptr_eq(generated.key(&rsa_only), twin.key()));
    let both = [SignatureScheme::RSA_PSS_SHA256, SignatureScheme::ECDSA_NISTP256_SHA256];
    assert!(Arc::ptr_eq(generated.key(&both), generated.certificate.key()));
}

#[test]
fn default_certificate_comes_from_its_store_and_survives_broken_files() {
    let directory = Directory::new();
    let issued = Authority::new("ca").issue(&["default.org"]);
    let pair = config::dynamic::TlsCertificate {
        cert_file: directory.write("d.crt", &issued.certificate),
        key_file: directory.write("d.key", &issued.key),
    };
    let config = with_default(TlsStore { default_certificate: Some(pair), ..TlsStore::default() });
    let (first, problems) = Certificates::load(&config, None);
    assert_eq!(problems, []);
    assert_eq!(first.default_certificate().unwrap().chain()[0].as_ref(), issued.der);
    assert_eq!(first.files().len(), 2);
    check(&first, "default.org", None);

    directory.remove("d.crt");
    let (second, problems) = Certificates::load(&config, Some(&first));
    assert_eq!(problems[0].subject, Subject::DefaultStore);
    assert_eq!(second.default_certificate().unwrap().chain()[0].as_ref(), issued.der);
    let (third, _) = Certificates::load(&config, None);
    assert_eq!(third.default_certificate().unwrap().info().common_name, "FERROVIA DEFAULT CERT");
}

#[test]
fn ordered_default_certificate_is_one_that_has_all_its_names() {
    let authority = Authority::new("ca");
    let issued = authority.issue(&["a.org", "b.org", "c.org"]);
    let order = |main: &str, san: &str| TlsStore {
        default_generated_cert: Some(config::dynamic::GeneratedCertificate {
            resolver: "le".to_owned(),
            domain: Some(TlsDomain { main: main.to_owned(), sans: vec![san.to_owned()] }),
        }),
        ..TlsStore::default()
    };
    let mut config = with_default(order("C.org", "a.org"));
    config.certificates = vec![issued.configured()];
    let (found, problems) = Certificates::load(&config, None);
    assert_eq!(problems, []);
    assert_eq!(found.default_certificate().unwrap().chain()[0].as_ref(), issued.der);

    let (missing, problems) = Certificates::load(&with_default(order("d.org", "a.org")), None);
    assert_eq!(problems[0].severity, Severity::Warning);
    assert_ne!(missing.default_certificate().unwrap().chain()[0].as_ref(), issued.der);
}

#[test]
fn ten_thousand_certificates_are_found_without_scanning_and_reused() {
    let key = key();
    let key_pem = key.serialize_pem();
    let all: Vec<CertificateAndStores> = (0..10_000)
        .map(|number| {
            let names = [format!("n{number}.example.org"), format!("*.w{number}.example.org")];
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            configured(&params(&names).self_signed(&key).unwrap().pem(), &key_pem)
        })
        .collect();
    let config = configuration(all);
    let (loaded, problems) = Certificates::load(&config, None);
    assert_eq!(problems, []);
    let (again, _) = Certificates::load(&config, Some(&loaded));
    assert!(Arc::ptr_eq(&loaded, &again));

    let found = |name: &str| loaded.find(name).unwrap().info().names[1].clone();
    assert_eq!(found("n9999.example.org"), "n9999.example.org");
    assert_eq!(found("x.w77.example.org"), "n77.example.org");
    let start = Instant::now();
    for _ in 0..100_000 {
        assert!(loaded.find("x.w5000.example.org").is_some());
    }
    // A scan would compare two thousand million names.
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

#[test]
fn sha256_is_rendered_in_lower_case() {
    let digest = certificate::hexadecimal(&certificate::sha256(b"abc"));
    assert!(digest.starts_with("ba7816bf8f01cfea"));
}
