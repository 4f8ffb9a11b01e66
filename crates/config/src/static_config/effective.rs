//! What holds although nobody wrote it.

use super::{EntryPoint, StaticConfiguration};

/// Name of the entry point of the API, ping and metrics.
pub const INTERNAL_ENTRY_POINT: &str = "traefik";

impl StaticConfiguration {
    /// Adds the implicit entry points: `http` on `:80` when there is none, and `traefik` on `:8080`
    /// when something that is switched on lives there.
    pub fn set_effective(&mut self) {
        if self.entry_points.is_empty() {
            self.entry_points.insert("http".to_owned(), listening_on(":80"));
        }
        if self.needs_internal_entry_point() {
            let internal = INTERNAL_ENTRY_POINT.to_owned();
            self.entry_points.entry(internal).or_insert_with(|| listening_on(":8080"));
        }
    }

    fn needs_internal_entry_point(&self) -> bool {
        let api = self.api.as_ref().is_some_and(|api| api.insecure);
        let ping = self
            .ping
            .as_ref()
            .is_some_and(|ping| !ping.manual_routing && ping.entry_point == INTERNAL_ENTRY_POINT);
        let prometheus = self.metrics.as_ref().and_then(|metrics| metrics.prometheus.as_ref());
        let prometheus = prometheus
            .is_some_and(|page| !page.manual_routing && page.entry_point == INTERNAL_ENTRY_POINT);
        let rest = self.providers.rest.as_ref().is_some_and(|rest| rest.insecure);
        api || ping || prometheus || rest
    }

    /// Names of the entry points that take routers which name none: those marked `asDefault`, or
    /// else all TCP ones but `traefik`.
    pub fn default_entry_points(&self) -> Vec<&str> {
        let tcp = || self.entry_points.iter().filter(|(_, entry_point)| !entry_point.is_udp());
        let marked: Vec<_> = tcp()
            .filter(|(_, entry_point)| entry_point.as_default)
            .map(|(name, _)| name.as_str())
            .collect();
        if !marked.is_empty() {
            return marked;
        }
        tcp().map(|(name, _)| name.as_str()).filter(|name| *name != INTERNAL_ENTRY_POINT).collect()
    }
}

fn listening_on(address: &str) -> EntryPoint {
    EntryPoint { address: address.to_owned(), ..EntryPoint::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::parse::{Format, parse};

    /// Expects these entry points with their addresses, and these defaults.
    fn check(text: &str, entry_points: &[(&str, &str)], defaults: &[&str]) {
        let node = parse(text, "f", Format::Yaml).expect("well-formed YAML");
        let mut configuration: StaticConfiguration =
            decode(&node, None, "").clean().unwrap_or_else(|| panic!("bad sample: {text}"));
        configuration.set_effective();
        let found: Vec<_> = configuration
            .entry_points
            .iter()
            .map(|(name, entry_point)| (name.as_str(), entry_point.address.as_str()))
            .collect();
        assert_eq!(found, entry_points, "text: {text}");
        assert_eq!(configuration.default_entry_points(), defaults, "text: {text}");
    }

    #[test]
    fn entry_points_nobody_wrote() {
        check("", &[("http", ":80")], &["http"]);
        check("ping: {}", &[("http", ":80"), ("traefik", ":8080")], &["http"]);
        check("ping: {manualRouting: true}", &[("http", ":80")], &["http"]);
        check("ping: {entryPoint: http}", &[("http", ":80")], &["http"]);
        check("api: {}", &[("http", ":80")], &["http"]);
        check("api: {insecure: true}", &[("http", ":80"), ("traefik", ":8080")], &["http"]);
        check("metrics: {prometheus: {}}", &[("http", ":80"), ("traefik", ":8080")], &["http"]);
        check(
            "providers: {rest: {insecure: true}}",
            &[("http", ":80"), ("traefik", ":8080")],
            &["http"],
        );
        check(
            "{entryPoints: {a: {address: ':1'}, traefik: {address: ':2'}}, ping: {}}",
            &[("a", ":1"), ("traefik", ":2")],
            &["a"],
        );
    }

    #[test]
    fn default_entry_points_are_the_marked_ones() {
        check(
            "entryPoints: {a: {address: ':1'}, b: {address: ':2', asDefault: true}}",
            &[("a", ":1"), ("b", ":2")],
            &["b"],
        );
        check(
            "entryPoints: {a: {address: ':1'}, u: {address: ':2/UDP'}}",
            &[("a", ":1"), ("u", ":2/UDP")],
            &["a"],
        );
    }
}
