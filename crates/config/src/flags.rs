//! Command-line flags in Traefik's syntax: `--entryPoints.web.address=:80`, `--api`, `-a.b c`.

use crate::decode::schema::{KnownOption, OptionKind};
use crate::diagnostic::{Diagnostic, Place};
use crate::node::Node;
use crate::tree;

/// What the flags say.
#[derive(Clone, Debug)]
pub struct Flags {
    /// The static configuration that they spell.
    pub node: Node,
    /// Names as written, without dashes, in order; `configFile` is not among them.
    pub names: Vec<String>,
    /// The value of `--configFile`.
    pub config_file: Option<String>,
}

/// Reads flags. `options` are the keys of the static configuration: a flag of a boolean or a switch
/// takes no second argument, a list may be repeated. Names are not checked here: the decoder knows
/// better what was meant.
pub fn parse(args: &[String], options: &[KnownOption]) -> Result<Flags, Diagnostic> {
    let mut given: Vec<Flag> = Vec::new();
    let mut config_file = None;
    let mut rest = args.iter();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            break;
        }
        let (name, value) = split(argument)?;
        let kind = kind(name, options);
        let value = match (value, kind) {
            (Some(value), _) => value,
            (None, Some(OptionKind::Boolean | OptionKind::Switch)) => "true",
            (None, _) => rest
                .next()
                .ok_or_else(|| Diagnostic::error(CODE, format!("flag --{name} needs a value")))?,
        };
        if name.eq_ignore_ascii_case(CONFIG_FILE) {
            config_file = Some(value.to_owned());
            continue;
        }
        match given.iter_mut().find(|flag| flag.name.eq_ignore_ascii_case(name)) {
            Some(flag) if kind == Some(OptionKind::List) => {
                flag.value.push(',');
                flag.value.push_str(value);
            }
            Some(flag) => flag.value = value.to_owned(),
            None => given.push(Flag { name: name.to_owned(), value: value.to_owned() }),
        }
    }

    let mut node = Node::null(Place::outside_files("flags"));
    for flag in &given {
        let place = Place::outside_files(format!("flag --{}", flag.name));
        tree::insert(&mut node, &flag.name, &flag.value, &place);
    }
    let names = given.into_iter().map(|flag| flag.name).collect();
    Ok(Flags { node, names, config_file })
}

struct Flag {
    name: String,
    value: String,
}

fn split(argument: &str) -> Result<(&str, Option<&str>), Diagnostic> {
    let Some(flag) = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-')) else {
        // Traefik: stops reading flags here without a word.
        let message = format!("unexpected argument {argument:?}");
        let hint = "flags without a value, such as --api, take true or false after \"=\"";
        return Err(Diagnostic::error(CODE, message).hint(hint));
    };
    if flag.is_empty() || flag.starts_with(['-', '=']) {
        return Err(Diagnostic::error(CODE, format!("bad flag syntax {argument:?}")));
    }
    Ok(match flag.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (flag, None),
    })
}

fn kind(name: &str, options: &[KnownOption]) -> Option<OptionKind> {
    let is_option = |option: &&KnownOption| {
        let mut pattern = option.path.split('.');
        let mut segments = name.split('.');
        loop {
            match (pattern.next(), segments.next()) {
                (None, None) => return true,
                (Some("<name>"), Some(_)) => {}
                (Some(pattern), Some(segment)) if matches(pattern, segment) => {}
                _ => return false,
            }
        }
    };
    options.iter().find(is_option).map(|option| option.kind)
}

/// `domains[n]` stands for `domains[0]`, `domains[1]` and so on.
fn matches(pattern: &str, segment: &str) -> bool {
    let Some(list) = pattern.strip_suffix("[n]") else {
        return pattern.eq_ignore_ascii_case(segment);
    };
    segment.split_once('[').is_some_and(|(name, index)| {
        let digits = index.strip_suffix(']').unwrap_or_default();
        let is_index = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_index && name.eq_ignore_ascii_case(list)
    })
}

const CODE: &str = "flag-syntax";
const CONFIG_FILE: &str = "configFile";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{decode, schema};
    use crate::static_config::StaticConfiguration;

    fn read(args: &[&str]) -> Result<StaticConfiguration, String> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let options = schema::options::<StaticConfiguration>();
        let flags = parse(&args, &options).map_err(|diagnostic| diagnostic.to_string())?;
        let decoded = decode::<StaticConfiguration>(&flags.node, None, "");
        let rendered: Vec<_> = decoded.diagnostics.iter().map(ToString::to_string).collect();
        decoded.clean().ok_or_else(|| rendered.join("; "))
    }

    /// Expects `choose` of what the flags give to be `expected`.
    fn check<T: PartialEq + std::fmt::Debug>(
        args: &[&str],
        choose: impl Fn(&StaticConfiguration) -> T,
        expected: T,
    ) {
        let configuration = read(args).unwrap_or_else(|error| panic!("{args:?}: {error}"));
        assert_eq!(choose(&configuration), expected, "{args:?}");
    }

    fn check_error(args: &[&str], expected: &str) {
        assert_eq!(read(args), Err(expected.to_owned()), "{args:?}");
    }

    #[test]
    fn values_follow_an_equals_sign_or_the_flag() {
        let address = |c: &StaticConfiguration| c.entry_points["web"].address.clone();
        check(&["--entrypoints.web.address=:80"], address, ":80".to_owned());
        check(&["--entryPoints.web.address", ":80"], address, ":80".to_owned());
        check(&["-entrypoints.web.address=:80"], address, ":80".to_owned());
        check(&["--ENTRYPOINTS.web.ADDRESS=a=b"], address, "a=b".to_owned());
    }

    #[test]
    fn booleans_and_switches_need_no_value() {
        let insecure = |c: &StaticConfiguration| c.api.as_ref().map(|api| api.insecure);
        check(&["--api"], insecure, Some(false));
        check(&["--api", "--api.insecure"], insecure, Some(true));
        check(&["--api.insecure", "--api"], insecure, Some(true));
        check(&["--api=false"], insecure, None);
        check(&["--api.insecure=false"], insecure, Some(false));
        let docker = |c: &StaticConfiguration| c.providers.docker.is_some();
        check(&["--providers.docker"], docker, true);
        check(&["--providers.docker=false"], docker, false);
    }

    #[test]
    fn lists_may_be_repeated_or_separated_by_commas() {
        let expected = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let list = |c: &StaticConfiguration| c.entry_points["web"].http.middlewares.clone();
        let flags =
            ["--entrypoints.web.http.middlewares=a,b", "--entrypoints.web.http.middlewares=c"];
        check(&flags, list, expected);
        let address = |c: &StaticConfiguration| c.entry_points["web"].address.clone();
        check(
            &["--entrypoints.web.address=a", "--entrypoints.web.address=b"],
            address,
            "b".to_owned(),
        );
    }

    #[test]
    fn lists_of_sections_have_indices() {
        let main = |c: &StaticConfiguration| {
            let tls = c.entry_points["web"].http.tls.clone().unwrap_or_default();
            tls.domains.into_iter().map(|domain| (domain.main, domain.sans)).collect::<Vec<_>>()
        };
        let flags = [
            "--entrypoints.web.http.tls.domains[1].main=b",
            "--entrypoints.web.http.tls.domains[0].main=a",
            "--entrypoints.web.http.tls.domains[0].sans=c,d",
        ];
        let sans = vec!["c".to_owned(), "d".to_owned()];
        check(&flags, main, vec![("a".to_owned(), sans), ("b".to_owned(), vec![])]);
    }

    #[test]
    fn names_of_objects_keep_their_case() {
        let names = |c: &StaticConfiguration| c.entry_points.keys().cloned().collect::<Vec<_>>();
        check(&["--entrypoints.Web=true"], names, vec!["Web".to_owned()]);
        check(&["--entrypoints.Web"], names, vec!["Web".to_owned()]);
        check(&["--entrypoints.Web.address=:1", "--", "--nonsense"], names, vec!["Web".to_owned()]);
    }

    #[test]
    fn mistakes_name_the_flag() {
        check_error(
            &["--entrypoints.web.adress=:80"],
            "error: flag --entrypoints.web.adress: entryPoints.web: unknown key \"adress\" (did you \
             mean \"address\"?)",
        );
        check_error(&["--foo=1"], "error: flag --foo: unknown key \"foo\"");
        check_error(
            &["--api.insecure=x"],
            "error: flag --api.insecure: api.insecure: expected true or false, found \"x\"",
        );
        check_error(
            &["--entrypoints.web.address"],
            "error: flag --entrypoints.web.address needs a value",
        );
        check_error(&["---a=1"], "error: bad flag syntax \"---a=1\"");
        check_error(&["--=1"], "error: bad flag syntax \"--=1\"");
        check_error(
            &["--api", "false"],
            "error: unexpected argument \"false\" (flags without a value, such as --api, take true \
             or false after \"=\")",
        );
    }

    #[test]
    fn the_configuration_file_is_not_an_option() {
        let args = ["--configfile=a.yml".to_owned(), "--api".to_owned()];
        let flags = parse(&args, &schema::options::<StaticConfiguration>()).expect("valid flags");
        assert_eq!(flags.config_file.as_deref(), Some("a.yml"));
        assert_eq!(flags.names, ["api"]);
    }
}
