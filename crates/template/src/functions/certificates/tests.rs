use x509_parser::prelude::{FromDer, X509Certificate};

use super::Pem;
use crate::render;

fn rendered(source: &str) -> String {
    render("test", source).expect(source)
}

fn der(text: &str) -> Vec<u8> {
    Pem::parse(text).expect("a PEM block").der
}

#[test]
fn an_authority_signs_a_certificate_for_names_and_addresses() {
    let text = rendered(concat!(
        r#"{{ $ca := genCA "my-ca" 365 }}"#,
        r#"{{ $cert := genSignedCert "leaf" (list "10.0.0.1") (list "a.test" "b.test") 30 $ca }}"#,
        "{{ $ca.Cert }}|{{ $cert.Cert }}|{{ $cert.Key }}",
    ));
    let parts: Vec<&str> = text.split('|').collect();
    let (authority, leaf) = (der(parts[0]), der(parts[1]));
    let (_, authority) = X509Certificate::from_der(&authority).expect("the authority parses");
    let (_, leaf) = X509Certificate::from_der(&leaf).expect("the certificate parses");
    assert!(authority.is_ca());
    assert!(!leaf.is_ca());
    assert_eq!(leaf.issuer().as_raw(), authority.subject().as_raw());
    assert_eq!(leaf.subject().to_string(), "CN=leaf");
    let names = leaf.subject_alternative_name().expect("extensions parse").expect("names exist");
    assert_eq!(names.value.general_names.len(), 3);
    let validity = leaf.validity();
    assert_eq!(validity.not_after.timestamp() - validity.not_before.timestamp(), 30 * 86_400);
    assert!(parts[2].starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
}

#[test]
fn given_keys_are_used_and_given_back() {
    let text = rendered(concat!(
        r#"{{ $key := genPrivateKey "ecdsa" }}"#,
        r#"{{ $ca := genCAWithKey "ca" 1 $key }}"#,
        r#"{{ $cert := genSelfSignedCertWithKey "leaf" nil (list "a.test") 1 $key }}"#,
        "{{ eq $ca.Key $key }} {{ eq $cert.Key $key }} ",
        r#"{{ $built := buildCustomCert (b64enc $ca.Cert) (b64enc $ca.Key) }}{{ eq $built.Cert $ca.Cert }} "#,
        r#"{{ $signed := genSignedCertWithKey "x" (list) (list) 1 $built $key }}{{ contains "CERTIFICATE" $signed.Cert }}"#,
    ));
    assert_eq!(text, "true true true true");
}

#[test]
fn private_keys_have_the_forms_of_their_kinds() {
    assert!(
        rendered(r#"{{ genPrivateKey "ecdsa" }}"#).starts_with("-----BEGIN EC PRIVATE KEY-----")
    );
    assert!(
        rendered(r#"{{ genPrivateKey "ed25519" }}"#).starts_with("-----BEGIN PRIVATE KEY-----")
    );
    assert_eq!(rendered(r#"{{ genPrivateKey "other" }}"#), "Unknown type other");
}

#[test]
fn what_cannot_be_a_certificate_is_refused() {
    for source in [
        r#"{{ genSelfSignedCert "x" (list "not an address") nil 1 }}"#,
        r#"{{ genSelfSignedCert "x" nil (list 1) 1 }}"#,
        r#"{{ genCA "x" 99999999 }}"#,
        r#"{{ buildCustomCert "eA==" "eA==" }}"#,
        r#"{{ genCAWithKey "x" 1 "no key" }}"#,
    ] {
        assert!(render("test", source).is_err(), "{source}");
    }
}
