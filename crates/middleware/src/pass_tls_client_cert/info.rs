//! What a certificate says, as Traefik writes it: `Subject="C=FR,CN=me";NB="1543404000"`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use config::dynamic::TlsClientCertificateInfo as Settings;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

/// Says which parts of a certificate are told.
pub(super) struct Info {
    settings: Settings,
    subject: Option<Vec<Attribute>>,
    issuer: Option<Vec<Attribute>>,
}

/// An attribute of a name.
struct Attribute {
    /// DER of its type.
    oid: &'static [u8],
    letters: &'static str,
    /// Of several of its kind only the last is told.
    is_single: bool,
}

const DOMAIN_COMPONENT: Attribute =
    attribute(&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19], "DC");
const COUNTRY: Attribute = attribute(&[0x55, 4, 6], "C");
const PROVINCE: Attribute = attribute(&[0x55, 4, 8], "ST");
const LOCALITY: Attribute = attribute(&[0x55, 4, 7], "L");
const ORGANIZATION: Attribute = attribute(&[0x55, 4, 10], "O");
const ORGANIZATIONAL_UNIT: Attribute = attribute(&[0x55, 4, 11], "OU");
const SERIAL_NUMBER: Attribute = Attribute { is_single: true, ..attribute(&[0x55, 4, 5], "SN") };
const COMMON_NAME: Attribute = Attribute { is_single: true, ..attribute(&[0x55, 4, 3], "CN") };

const fn attribute(oid: &'static [u8], letters: &'static str) -> Attribute {
    Attribute { oid, letters, is_single: false }
}

impl Info {
    pub(super) fn new(settings: Settings) -> Self {
        let chosen = |attributes: Vec<(bool, Attribute)>| {
            attributes.into_iter().filter_map(|(is_chosen, a)| is_chosen.then_some(a)).collect()
        };
        let subject = settings.subject.as_ref().map(|subject| {
            chosen(vec![
                (subject.domain_component, DOMAIN_COMPONENT),
                (subject.country, COUNTRY),
                (subject.province, PROVINCE),
                (subject.locality, LOCALITY),
                (subject.organization, ORGANIZATION),
                (subject.organizational_unit, ORGANIZATIONAL_UNIT),
                (subject.serial_number, SERIAL_NUMBER),
                (subject.common_name, COMMON_NAME),
            ])
        });
        let issuer = settings.issuer.as_ref().map(|issuer| {
            chosen(vec![
                (issuer.domain_component, DOMAIN_COMPONENT),
                (issuer.country, COUNTRY),
                (issuer.province, PROVINCE),
                (issuer.locality, LOCALITY),
                (issuer.organization, ORGANIZATION),
                (issuer.serial_number, SERIAL_NUMBER),
                (issuer.common_name, COMMON_NAME),
            ])
        });
        Self { settings, subject, issuer }
    }

    /// Tells about a certificate; nothing if it cannot be read.
    pub(super) fn of(&self, der: &[u8]) -> String {
        let Ok((_, certificate)) = X509Certificate::from_der(der) else { return String::new() };
        let mut fields = Vec::new();
        let mut field = |name: &str, value: String| {
            if !value.is_empty() {
                fields.push(format!("{name}=\"{value}\""));
            }
        };
        if let Some(attributes) = &self.subject {
            field("Subject", name(certificate.subject(), attributes));
        }
        if let Some(attributes) = &self.issuer {
            field("Issuer", name(certificate.issuer(), attributes));
        }
        let Settings { not_after, not_before, sans, serial_number, .. } = self.settings;
        if serial_number {
            field("SerialNumber", certificate.tbs_certificate.serial.to_string());
        }
        // Times before 1970 come out as Go's conversion to unsigned numbers has them.
        let seconds = |time: i64| (time as u64).to_string();
        if not_before {
            field("NB", seconds(certificate.validity().not_before.timestamp()));
        }
        if not_after {
            field("NA", seconds(certificate.validity().not_after.timestamp()));
        }
        if sans {
            field("SAN", alternative_names(&certificate).join(","));
        }
        fields.join(";")
    }
}

fn name(name: &X509Name<'_>, attributes: &[Attribute]) -> String {
    let mut parts = Vec::new();
    for Attribute { oid, letters, is_single } in attributes {
        let values = name
            .iter_attributes()
            .filter(|attribute| attribute.attr_type().as_bytes() == *oid)
            .filter_map(|attribute| attribute.as_str().ok());
        let first = parts.len();
        parts.extend(
            values
                .filter(|value| !value.is_empty() || *letters == DOMAIN_COMPONENT.letters)
                .map(|value| format!("{letters}={value}")),
        );
        if *is_single && parts.len() > first + 1 {
            parts.drain(first..parts.len() - 1);
        }
    }
    parts.join(",")
}

/// DNS names, then mail addresses, IP addresses and URIs.
fn alternative_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let mut kinds: [Vec<String>; 4] = Default::default();
    for name in &extension.value.general_names {
        match name {
            GeneralName::DNSName(name) => kinds[0].push((*name).to_owned()),
            GeneralName::RFC822Name(address) => kinds[1].push((*address).to_owned()),
            GeneralName::IPAddress(bytes) => kinds[2].extend(address(bytes)),
            GeneralName::URI(uri) => kinds[3].push((*uri).to_owned()),
            _ => {}
        }
    }
    kinds.into_iter().flatten().collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    let address: IpAddr = match bytes.len() {
        4 => Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into(),
        16 => Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into(),
        _ => return None,
    };
    Some(address.to_canonical().to_string())
}
