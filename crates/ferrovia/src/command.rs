//! Which command the arguments name.

/// A command and the arguments that are left to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// No command: run as the static configuration says.
    Start(&'a [String]),
    Check(&'a [String]),
    Proxy(&'a [String]),
    Quickstart(&'a [String]),
    Healthcheck(&'a [String]),
    Version,
    /// How the program, or one of its commands, is used.
    Help(Topic),
    Unknown(&'a str),
}

/// What help is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Program,
    /// All flags.
    Flags,
    Check,
    Proxy,
    Quickstart,
    Healthcheck,
    Version,
}

impl<'a> Command<'a> {
    /// Reads the arguments after the program's name.
    pub(crate) fn parse(args: &'a [String]) -> Self {
        let (name, rest) = match args.split_first() {
            Some((first, rest)) if !first.starts_with('-') => (first.as_str(), rest),
            _ => ("", args),
        };
        if name == "help" {
            let topic = rest.first().map_or(Some(Topic::Program), |name| Topic::parse(name));
            return match (topic, rest.first()) {
                (Some(topic), _) => Self::Help(topic),
                (None, Some(unknown)) => Self::Unknown(unknown),
                (None, None) => Self::Help(Topic::Program),
            };
        }
        let Some(topic) = Topic::parse(name) else { return Self::Unknown(name) };
        if asks_for_help(rest) {
            return Self::Help(topic);
        }
        match topic {
            Topic::Program => Self::Start(rest),
            Topic::Flags => Self::Unknown(name),
            Topic::Check => Self::Check(rest),
            Topic::Proxy => Self::Proxy(rest),
            Topic::Quickstart => Self::Quickstart(rest),
            Topic::Healthcheck => Self::Healthcheck(rest),
            // Traefik: ignores every flag of `version`.
            Topic::Version => Self::Version,
        }
    }
}

impl Topic {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "" => Self::Program,
            "flags" => Self::Flags,
            "check" => Self::Check,
            "proxy" => Self::Proxy,
            "quickstart" => Self::Quickstart,
            "healthcheck" => Self::Healthcheck,
            "version" => Self::Version,
            _ => return None,
        })
    }
}

fn asks_for_help(args: &[String]) -> bool {
    let mut before_end = args.iter().take_while(|argument| *argument != "--");
    before_end.any(|argument| matches!(argument.as_str(), "-h" | "--help" | "-help"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(args: &[&str], expected: Command<'_>) {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        assert_eq!(Command::parse(&args), expected, "{args:?}");
    }

    #[test]
    fn flags_alone_start_the_program() {
        check(&[], Command::Start(&[]));
        let flags = ["--api".to_owned(), "--ping".to_owned()];
        check(&["--api", "--ping"], Command::Start(&flags));
        check(&["check", "--api"], Command::Check(&flags[..1]));
        check(&["version", "--nonsense"], Command::Version);
    }

    #[test]
    fn help_is_given_wherever_it_is_asked_for() {
        check(&["--api", "-h"], Command::Help(Topic::Program));
        check(&["help"], Command::Help(Topic::Program));
        check(&["help", "flags"], Command::Help(Topic::Flags));
        check(&["quickstart", "--help"], Command::Help(Topic::Quickstart));
        let flags = ["--".to_owned(), "-h".to_owned()];
        check(&["--", "-h"], Command::Start(&flags));
    }

    #[test]
    fn other_words_are_unknown() {
        check(&["foo", "--api"], Command::Unknown("foo"));
        check(&["help", "foo"], Command::Unknown("foo"));
        check(&["flags"], Command::Unknown("flags"));
    }
}
