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
    let curves = |names| TlsOptions { curve_preferences: strings(names), ..TlsOptions::default() };
    check_options(
        &suites("VersionTLS12", &["TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"]),
        Err("cipherSuites: none of them is supported, and maxVersion leaves out TLS 1.3"),
    );
    check_options(
        &version("", "VersionTLS11"),
        Err("maxVersion: VersionTLS11 is not supported, VersionTLS12 is the lowest"),
    );
    check_options(&version("VersionTLS13", "VersionTLS12"), Err("minVersion is above maxVersion"));
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
            &["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
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
        let options = TlsOptions { alpn_protocols: strings(protocols), ..TlsOptions::default() };
        let client = client(&insecure().with_alpn(&["h2", "http/1.1"]));
        let ends = handshake(&client, "a.org", &server(&options)).unwrap();
        ends.server.alpn_protocol().map(<[u8]>::to_vec)
    };
    assert_eq!(alpn(&["h2", "http/1.1"]), Some(b"http/1.1".to_vec()));
    assert_eq!(alpn(&["h2"]), None);
}
