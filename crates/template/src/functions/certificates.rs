//! Private keys and certificates, in the forms sprig writes: PKCS#1 for RSA, SEC 1 for ECDSA.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gtmpl_ng::{FuncError, Value};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256,
    RsaKeySize, SanType, SerialNumber,
};
use x509_parser::asn1_rs::Tag;
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

use crate::functions::{Arguments, Outcome, UNSUPPORTED, random, table};
use crate::value;

table! { pub(super) TABLE:
    "genPrivateKey", 1..=1 => generate_private_key;
    "buildCustomCert", 2..=2 => build_custom;
    "genCA", 2..=2 => |arguments| authority(arguments, Key::generate(arguments)?);
    "genCAWithKey", 3..=3 => |arguments| authority(arguments, Key::parse(arguments, arguments.text(2)?)?);
    "genSelfSignedCert", 4..=4 => |arguments| self_signed(arguments, Key::generate(arguments)?);
    "genSelfSignedCertWithKey", 5..=5 => |arguments| {
        self_signed(arguments, Key::parse(arguments, arguments.text(4)?)?)
    };
    "genSignedCert", 5..=5 => |arguments| signed(arguments, Key::generate(arguments)?);
    "genSignedCertWithKey", 6..=6 => |arguments| {
        signed(arguments, Key::parse(arguments, arguments.text(5)?)?)
    };
}

/// Go's name of sprig's certificate type, which has the fields `Cert` and `Key`.
const CERTIFICATE_TYPE: &str = "sprig.certificate";

fn certificate(cert: String, key: String) -> Value {
    let text = format!("{{{cert} {key}}}");
    value::object(CERTIFICATE_TYPE, text, [("Cert", cert.into()), ("Key", key.into())])
}

fn generate_private_key(arguments: &Arguments) -> Outcome {
    let failed = |_| arguments.error("the key could not be generated");
    let key = match arguments.text(0)? {
        "" | "rsa" => Key::generate_rsa(arguments, RsaKeySize::_4096)?.pem,
        "ecdsa" => {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(failed)?;
            let der: EcPrivateKeyRfc5915Der = key.private_key().as_der().map_err(failed)?;
            pem("EC PRIVATE KEY", der.as_ref())
        }
        "ed25519" => {
            let key = Ed25519KeyPair::generate().map_err(failed)?;
            pem("PRIVATE KEY", key.to_pkcs8v1().map_err(failed)?.as_ref())
        }
        "dsa" => {
            let reason = UNSUPPORTED.first().map_or("", |(_, reason)| reason);
            return Err(arguments.error(format!("dsa is not supported: {reason}")));
        }
        other => format!("Unknown type {other}"),
    };
    Ok(key.into())
}

fn build_custom(arguments: &Arguments) -> Outcome {
    let decode = |index: usize, what: &str| -> Result<String, FuncError> {
        STANDARD
            .decode(arguments.text(index)?)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| arguments.error(format!("unable to decode base64 {what}")))
    };
    let cert = decode(0, "certificate")?;
    let key = decode(1, "private key")?;
    let der = Pem::parse(&cert).ok_or_else(|| arguments.error("unable to decode certificate"))?.der;
    parse_certificate(arguments, &der)?;
    Key::parse(arguments, &key)?;
    Ok(certificate(cert, key))
}

fn authority(arguments: &Arguments, key: Key) -> Outcome {
    let mut params = base_params(arguments, arguments.integer(1)?, &[], &[])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages.push(KeyUsagePurpose::KeyCertSign);
    let cert = params.self_signed(&key.pair).map_err(|error| not_created(arguments, &error))?;
    Ok(certificate(pem("CERTIFICATE", cert.der()), key.pem))
}

fn self_signed(arguments: &Arguments, key: Key) -> Outcome {
    let params = leaf_params(arguments)?;
    let cert = params.self_signed(&key.pair).map_err(|error| not_created(arguments, &error))?;
    Ok(certificate(pem("CERTIFICATE", cert.der()), key.pem))
}

fn signed(arguments: &Arguments, key: Key) -> Outcome {
    let (ca_cert, ca_key) = match arguments.any(4) {
        Value::Object(fields) if value::object_type(arguments.any(4)) == Some(CERTIFICATE_TYPE) => {
            (fields.get("Cert").map(value::text), fields.get("Key").map(value::text))
        }
        other => return Err(arguments.wrong_type(CERTIFICATE_TYPE, other)),
    };
    let der = Pem::parse(&ca_cert.unwrap_or_default())
        .ok_or_else(|| arguments.error("unable to decode certificate"))?
        .der;
    let authority = parse_certificate(arguments, &der)?;
    let authority_key = Key::parse(arguments, &ca_key.unwrap_or_default())?;
    let mut params = leaf_params(arguments)?;
    params.use_authority_key_identifier_extension = true;
    let issuer = Issuer::new(issuer_params(arguments, &authority)?, authority_key.pair);
    let cert =
        params.signed_by(&key.pair, &issuer).map_err(|error| not_created(arguments, &error))?;
    Ok(certificate(pem("CERTIFICATE", cert.der()), key.pem))
}

fn not_created(arguments: &Arguments, error: &rcgen::Error) -> FuncError {
    arguments.error(format!("error creating certificate: {error}"))
}

fn parse_certificate<'a>(
    arguments: &Arguments,
    der: &'a [u8],
) -> Result<X509Certificate<'a>, FuncError> {
    X509Certificate::from_der(der)
        .map(|(_, certificate)| certificate)
        .map_err(|error| arguments.error(format!("error parsing certificate: {error}")))
}

fn leaf_params(arguments: &Arguments) -> Result<CertificateParams, FuncError> {
    let names = |index: usize| match arguments.any(index) {
        Value::Nil => Ok(&[][..]),
        Value::Array(items) => Ok(items.as_slice()),
        other => Err(arguments.wrong_type("[]interface {}", other)),
    };
    base_params(arguments, arguments.integer(3)?, names(1)?, names(2)?)
}

fn base_params(
    arguments: &Arguments,
    days_valid: i64,
    addresses: &[Value],
    names: &[Value],
) -> Result<CertificateParams, FuncError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, arguments.text(0)?);
    for name in names {
        let Value::String(name) = name else {
            let message = format!("error processing alternate dns name: {name} is not a string");
            return Err(arguments.error(message));
        };
        let name = name.as_str().try_into().map_err(|error| {
            arguments.error(format!("error processing alternate dns name {name:?}: {error}"))
        })?;
        params.subject_alt_names.push(SanType::DnsName(name));
    }
    for address in addresses {
        let parsed: Option<IpAddr> = match address {
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let parsed =
            parsed.ok_or_else(|| arguments.error(format!("error parsing ip: {address}")))?;
        params.subject_alt_names.push(SanType::IpAddress(parsed));
    }
    let mut serial = random::bytes(arguments, 16)?;
    serial[0] &= 0x7f;
    params.serial_number = Some(SerialNumber::from(serial));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::KeyEncipherment, KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    set_validity(arguments, &mut params, days_valid)?;
    Ok(params)
}

fn set_validity(
    arguments: &Arguments,
    params: &mut CertificateParams,
    days_valid: i64,
) -> Result<(), FuncError> {
    /// The end of the year 9999, which a certificate cannot exceed (RFC 5280 section 4.1.2.5).
    const LAST: u64 = 253_402_300_799;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let end = days_valid
        .checked_mul(86_400)
        .and_then(|seconds| now.checked_add_signed(seconds))
        .filter(|end| *end <= LAST)
        .ok_or_else(|| {
            arguments.error(format!("a validity of {days_valid} days is out of range"))
        })?;
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(now);
    params.not_after = epoch + Duration::from_secs(end);
    Ok(())
}

/// What an issued certificate takes over from its authority: the name and the key's identifier.
fn issuer_params(
    arguments: &Arguments,
    authority: &X509Certificate,
) -> Result<CertificateParams, FuncError> {
    let unusable = || arguments.error("the authority's subject cannot be used as an issuer");
    let mut name = DistinguishedName::new();
    for attribute in authority.subject().iter_attributes() {
        let oid: Vec<u64> =
            attribute.attr_type().iter().map(|parts| parts.collect()).ok_or_else(unusable)?;
        let text = attribute.as_str().map_err(|_| unusable())?;
        // The issuer must be spelled as the subject is, down to the kind of string.
        let spelled = match attribute.attr_value().tag() {
            Tag::Utf8String => DnValue::Utf8String(text.to_owned()),
            Tag::PrintableString => {
                DnValue::PrintableString(text.try_into().map_err(|_| unusable())?)
            }
            Tag::Ia5String => DnValue::Ia5String(text.try_into().map_err(|_| unusable())?),
            _ => return Err(unusable()),
        };
        name.push(DnType::from_oid(&oid), spelled);
    }
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let identifier =
        authority.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier.0.to_vec()),
            _ => None,
        });
    if let Some(identifier) = identifier {
        params.key_identifier_method = KeyIdMethod::PreSpecified(identifier);
    }
    Ok(params)
}

/// A private key and the text it is given out as.
struct Key {
    pair: KeyPair,
    pem: String,
}

impl Key {
    fn generate(arguments: &Arguments) -> Result<Self, FuncError> {
        Self::generate_rsa(arguments, RsaKeySize::_2048)
    }

    fn generate_rsa(arguments: &Arguments, size: RsaKeySize) -> Result<Self, FuncError> {
        let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size)
            .map_err(|error| arguments.error(format!("error generating rsa key: {error}")))?;
        let pem = rsa_pem(pair.serialized_der())
            .ok_or_else(|| arguments.error("error generating rsa key"))?;
        Ok(Self { pair, pem })
    }

    fn parse(arguments: &Arguments, text: &str) -> Result<Self, FuncError> {
        let fail = |message: String| arguments.error(format!("parsing private key: {message}"));
        let block = Pem::parse(text).ok_or_else(|| fail("no PEM data in input".to_owned()))?;
        if !matches!(block.label, "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY") {
            return Err(fail(format!("no private key data in PEM block of type {}", block.label)));
        }
        // Without what may surround the block in the text.
        let written = pem(block.label, &block.der);
        let pair = KeyPair::from_pem(&written).map_err(|error| fail(error.to_string()))?;
        let is_rsa = pair.algorithm() == &PKCS_RSA_SHA256 && block.label == "PRIVATE KEY";
        let pem = if is_rsa { rsa_pem(&block.der) } else { None };
        Ok(Self { pair, pem: pem.unwrap_or(written) })
    }
}

/// Writes the PKCS#1 key that a PKCS#8 one (RFC 5958 section 2) holds.
fn rsa_pem(pkcs8: &[u8]) -> Option<String> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    const OCTET_STRING: u8 = 0x04;
    let (body, _) = element(pkcs8, SEQUENCE)?;
    let (_version, rest) = element(body, INTEGER)?;
    let (_algorithm, rest) = element(rest, SEQUENCE)?;
    let (pkcs1, _) = element(rest, OCTET_STRING)?;
    Some(pem("RSA PRIVATE KEY", pkcs1))
}

/// Reads one DER element of the given tag: its content and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, short], rest) = der.split_first_chunk()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match short {
        0..=0x7f => (usize::from(short), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// The first block of a PEM text (RFC 7468).
struct Pem<'a> {
    label: &'a str,
    der: Vec<u8>,
}

impl<'a> Pem<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (_, after) = text.split_once("-----BEGIN ")?;
        let (label, after) = after.split_once("-----")?;
        let (body, _) = after.split_once(&format!("-----END {label}-----"))?;
        let encoded: String = body.split_ascii_whitespace().collect();
        Some(Self { label, der: STANDARD.decode(encoded).ok()? })
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, remaining) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = remaining;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests;
