mod algorithms;
mod client_auth;
mod resumption;
mod selection;

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
