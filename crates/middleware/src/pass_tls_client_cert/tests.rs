use std::rc::Rc;
use std::sync::Arc;

use config::dynamic::{
    PassTlsClientCert as Settings, TlsClientCertificateInfo, TlsClientCertificateIssuer,
    TlsClientCertificateSubject,
};
use exchange::Connection;
use rcgen::{CertificateParams, DnType, KeyPair, SanType, SerialNumber};

use super::*;
use crate::fixture;

fn certificate() -> Vec<u8> {
    let mut params = CertificateParams::new(vec!["b.example".to_owned(), "10.0.0.1".to_owned()])
        .expect("valid names");
    let name = &mut params.distinguished_name;
    name.push(DnType::CustomDnType(vec![0, 9, 2342, 19200300, 100, 1, 25]), "org");
    name.push(DnType::CommonName, "me & you");
    name.push(DnType::CountryName, "FR");
    name.push(DnType::OrganizationalUnitName, "unit");
    name.push(DnType::OrganizationName, "Org, \"quoted\"");
    name.push(DnType::CustomDnType(vec![2, 5, 4, 5]), "0042");
    let text = |text: &str| text.try_into().expect("ASCII");
    params.subject_alt_names.push(SanType::Rfc822Name(text("me@example.org")));
    params.subject_alt_names.push(SanType::URI(text("spiffe://a/b")));
    params.serial_number = Some(SerialNumber::from_slice(&[1; 17]));
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2030, 1, 1);
    let key = KeyPair::generate().expect("a key");
    params.self_signed(&key).expect("a certificate").der().to_vec()
}

/// Runs a request on a connection with that chain; gives the header lines.
fn ask(settings: &Settings, chain: &[Vec<u8>]) -> Vec<String> {
    let mut exchange = fixture::exchange("GET", "https://h/");
    let connection = &exchange.connection;
    let mut tls = connection.tls.clone().expect("a TLS connection");
    tls.peer_certificates = Arc::from(chain);
    exchange.connection = Rc::new(Connection::new(
        connection.peer,
        connection.local,
        Arc::clone(&connection.entry_point),
        Some(tls),
    ));
    exchange.request.headers =
        fixture::headers(&[("X-Forwarded-Tls-Client-Cert", "from a trusted proxy")]);
    let middleware = PassTlsClientCert::new(settings);
    fixture::request_phase(&middleware, &mut exchange);
    fixture::lines(&exchange.request.headers)
}

fn check_info(info: TlsClientCertificateInfo, chain: &[Vec<u8>], expected: &str) {
    let lines = ask(&Settings { pem: false, info: Some(info) }, chain);
    let escaped = query_escape(expected.as_bytes());
    assert_eq!(lines[0], format!("x-forwarded-tls-client-cert-info: {escaped}"));
}

#[test]
fn the_chain_is_told_as_base64() {
    let settings = Settings { pem: true, info: None };
    let lines = ask(&settings, &[vec![1, 2, 3], vec![255; 3]]);
    assert_eq!(lines, ["x-forwarded-tls-client-cert: AQID,////"]);
}

#[test]
fn without_a_certificate_nothing_changes() {
    let settings = Settings { pem: true, info: Some(TlsClientCertificateInfo::default()) };
    assert_eq!(ask(&settings, &[]), ["x-forwarded-tls-client-cert: from a trusted proxy"]);
}

#[test]
fn all_parts_are_told_in_traefiks_order() {
    let info = TlsClientCertificateInfo {
        not_after: true,
        not_before: true,
        sans: true,
        serial_number: true,
        subject: Some(TlsClientCertificateSubject {
            country: true,
            province: true,
            locality: true,
            organization: true,
            organizational_unit: true,
            common_name: true,
            serial_number: true,
            domain_component: true,
        }),
        issuer: Some(TlsClientCertificateIssuer {
            common_name: true,
            domain_component: true,
            ..TlsClientCertificateIssuer::default()
        }),
    };
    check_info(
        info,
        &[certificate()],
        "Subject=\"DC=org,C=FR,O=Org, \"quoted\",OU=unit,SN=0042,CN=me & you\";\
         Issuer=\"DC=org,CN=me & you\";SerialNumber=\"341616807575530379006368233343265341697\";\
         NB=\"1577836800\";NA=\"1893456000\";\
         SAN=\"b.example,me@example.org,10.0.0.1,spiffe://a/b\"",
    );
}

#[test]
fn parts_that_are_not_there_are_left_out() {
    let none = TlsClientCertificateInfo {
        subject: Some(TlsClientCertificateSubject { province: true, ..Default::default() }),
        ..TlsClientCertificateInfo::default()
    };
    check_info(none, &[certificate()], "");
    let serial = TlsClientCertificateInfo { not_before: true, ..Default::default() };
    check_info(
        serial,
        &[certificate(), b"no certificate".to_vec(), certificate()],
        "NB=\"1577836800\",,NB=\"1577836800\"",
    );
}
