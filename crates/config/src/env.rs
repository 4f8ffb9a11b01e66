//! Environment variables: `TRAEFIK_ENTRYPOINTS_WEB_ADDRESS`, and the same with `FERROVIA_`.
//!
//! As in Traefik, `_` separates keys and everything is lower-cased, so that names with `_` or
//! capitals cannot be spelled.

use crate::decode::schema::KnownOption;
use crate::diagnostic::{Diagnostic, Place};
use crate::node::Node;
use crate::suggest;
use crate::tree;

/// What the variables say.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The static configuration that they spell.
    pub node: Node,
    /// The variables that it comes from.
    pub names: Vec<String>,
    /// Warnings about variables that look like options and are not.
    pub diagnostics: Vec<Diagnostic>,
}

/// Picks the options out of all variables of the process.
pub fn parse(variables: &[(String, String)], options: &[KnownOption]) -> Environment {
    let sections: Vec<String> = options
        .iter()
        .filter(|option| !option.path.contains('.'))
        .map(|option| option.path.to_uppercase())
        .collect();
    let mut environment = Environment {
        node: Node::null(Place::outside_files("environment")),
        names: Vec::new(),
        diagnostics: Vec::new(),
    };
    // In the order of names, so that the result does not depend on how the process was started;
    // ours after Traefik's, so that they win.
    let mut sorted: Vec<_> = variables.iter().collect();
    sorted.sort();
    for prefix in PREFIXES {
        for (name, value) in &sorted {
            let Some(option) = name.strip_prefix(prefix) else { continue };
            let first = option.split(['_', '[']).next().unwrap_or_default();
            if !sections.iter().any(|section| section == first) {
                environment.unknown(name, prefix, first, &sections);
                continue;
            }
            let path = option.to_lowercase().replace('_', ".");
            let place = Place::outside_files(format!("environment {name}"));
            tree::insert(&mut environment.node, &path, value, &place);
            environment.names.push(name.clone());
        }
    }
    environment
}

impl Environment {
    fn unknown(&mut self, name: &str, prefix: &str, first: &str, sections: &[String]) {
        let message = format!("variable {name} is no option and is ignored");
        let mut diagnostic = Diagnostic::warning("unknown-variable", message);
        if let Some(nearest) = suggest::nearest(first, sections.iter().map(String::as_str)) {
            diagnostic = diagnostic.hint(format!("did you mean {prefix}{nearest}…?"));
        }
        self.diagnostics.push(diagnostic);
    }
}

const PREFIXES: [&str; 2] = ["TRAEFIK_", "FERROVIA_"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{decode, schema};
    use crate::static_config::StaticConfiguration;

    fn read(variables: &[(&str, &str)]) -> (Environment, Result<StaticConfiguration, String>) {
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let environment = parse(&variables, &schema::options::<StaticConfiguration>());
        let decoded = decode::<StaticConfiguration>(&environment.node, None, "");
        let rendered: Vec<_> = decoded.diagnostics.iter().map(ToString::to_string).collect();
        let configuration = decoded.clean().ok_or_else(|| rendered.join("; "));
        (environment, configuration)
    }

    /// Expects `choose` of what the variables give to be `expected`.
    fn check<T: PartialEq + std::fmt::Debug>(
        variables: &[(&str, &str)],
        choose: impl Fn(&StaticConfiguration) -> T,
        expected: T,
    ) {
        let configuration =
            read(variables).1.unwrap_or_else(|error| panic!("{variables:?}: {error}"));
        assert_eq!(choose(&configuration), expected, "{variables:?}");
    }

    #[test]
    fn variables_spell_options() {
        let address = |c: &StaticConfiguration| c.entry_points["web"].address.clone();
        check(&[("TRAEFIK_ENTRYPOINTS_WEB_ADDRESS", ":80")], address, ":80".to_owned());
        check(&[("FERROVIA_ENTRYPOINTS_WEB_ADDRESS", ":80")], address, ":80".to_owned());
        let both =
            [("FERROVIA_ENTRYPOINTS_WEB_ADDRESS", ":1"), ("TRAEFIK_ENTRYPOINTS_WEB_ADDRESS", ":2")];
        check(&both, address, ":1".to_owned());
        let insecure = |c: &StaticConfiguration| c.api.as_ref().map(|api| api.insecure);
        check(&[("TRAEFIK_API", "true"), ("TRAEFIK_API_INSECURE", "true")], insecure, Some(true));
        let middlewares = |c: &StaticConfiguration| c.entry_points["web"].http.middlewares.clone();
        check(
            &[("TRAEFIK_ENTRYPOINTS_WEB_HTTP_MIDDLEWARES", "a, b")],
            middlewares,
            vec!["a".to_owned(), "b".to_owned()],
        );
    }

    #[test]
    fn lists_of_sections_have_indices() {
        let main = |c: &StaticConfiguration| {
            let tls = c.entry_points["web"].http.tls.clone().unwrap_or_default();
            tls.domains.into_iter().map(|domain| domain.main).collect::<Vec<_>>()
        };
        let both = vec!["a".to_owned(), "b".to_owned()];
        let numbers = [
            ("TRAEFIK_ENTRYPOINTS_WEB_HTTP_TLS_DOMAINS_1_MAIN", "b"),
            ("TRAEFIK_ENTRYPOINTS_WEB_HTTP_TLS_DOMAINS_0_MAIN", "a"),
        ];
        check(&numbers, main, both.clone());
        let brackets = [
            ("TRAEFIK_ENTRYPOINTS_WEB_HTTP_TLS_DOMAINS[0]_MAIN", "a"),
            ("TRAEFIK_ENTRYPOINTS_WEB_HTTP_TLS_DOMAINS[1]_MAIN", "b"),
        ];
        check(&brackets, main, both);
    }

    #[test]
    fn other_variables_are_left_alone() {
        let (environment, _) =
            read(&[("PATH", "/bin"), ("traefik_api", "true"), ("TRAEFIK_ENTRYPOINT_X", "1")]);
        assert!(environment.names.is_empty());
        let warnings: Vec<_> = environment.diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(
            warnings,
            ["warning: variable TRAEFIK_ENTRYPOINT_X is no option and is ignored (did you mean \
              TRAEFIK_ENTRYPOINTS…?)"]
        );
    }

    #[test]
    fn mistakes_name_the_variable() {
        let (_, configuration) = read(&[("TRAEFIK_ENTRYPOINTS_WEB_FOO", "1")]);
        assert_eq!(
            configuration.err().as_deref(),
            Some(
                "error: environment TRAEFIK_ENTRYPOINTS_WEB_FOO: entryPoints.web: unknown key \"foo\""
            )
        );
    }
}
