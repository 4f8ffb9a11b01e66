//! How the program is used.

use config::decode::schema::{self, OptionKind};
use config::static_config::StaticConfiguration;

use crate::command::Topic;

/// The text for a topic, without its last newline.
pub(crate) fn text(topic: Topic) -> String {
    match topic {
        Topic::Program => PROGRAM.to_owned(),
        Topic::Flags => flags(),
        Topic::Check => CHECK.to_owned(),
        Topic::Proxy => PROXY.to_owned(),
        Topic::Quickstart => QUICKSTART.to_owned(),
        Topic::Healthcheck => HEALTHCHECK.to_owned(),
        Topic::Version => VERSION.to_owned(),
    }
}

/// Every flag there is, by section.
fn flags() -> String {
    let mut text = FLAGS.to_owned();
    let mut section = String::new();
    for option in schema::options::<StaticConfiguration>() {
        let value = match option.kind {
            OptionKind::Boolean | OptionKind::Switch => "",
            OptionKind::List => "=<value>,…",
            OptionKind::Value => "=<value>",
            // They are set by the keys below them.
            OptionKind::Section | OptionKind::Map => continue,
        };
        let first = option.path.split('.').next().unwrap_or_default();
        if first != section {
            first.clone_into(&mut section);
            text.push('\n');
        }
        text.push_str(&format!("\n  --{}{value}", option.path));
    }
    text
}

const PROGRAM: &str = "\
Ferrovia is an edge proxy and load balancer that configures itself. It reads what Traefik v3 reads.

Usage:
  ferrovia [flags]              start, as a file, the flags or the environment say
  ferrovia <command> [flags]

Commands:
  quickstart    start two small servers and a proxy before them, and say what to try
  proxy         forward one address to some servers, without any file
  check         read the whole configuration, say everything that is wrong, start nothing
  healthcheck   ask a running Ferrovia's /ping
  version       show version, build and system
  help          show this page; `help <command>` and `help flags` say more

Where the static configuration comes from: the first of these that is there, and only that one.
  1. a file: --configFile=<path>, or ferrovia or traefik .toml, .yaml, .yml in /etc/ferrovia,
     /etc/traefik, $XDG_CONFIG_HOME, $HOME/.config or the working directory
  2. the flags
  3. variables: TRAEFIK_ENTRYPOINTS_WEB_ADDRESS=:80, or the same with FERROVIA_

The flags used most (`help flags` lists all of them):
  --configFile=<path>                          the file with the static configuration
  --entryPoints.<name>.address=<host:port>     an address to listen on; without any: http on :80
  --providers.file.directory=<path>            a folder with the dynamic configuration
  --providers.file.filename=<path>             or one file
  --api.insecure                               serve the API on entry point traefik, :8080
  --ping                                       serve /ping there
  --log.level=<level>                          TRACE, DEBUG, INFO, WARN or ERROR
  --log.format=json                            log JSON lines
  -h, --help                                   show this page

Signals:
  SIGHUP             read everything again, the static configuration too
  SIGTERM, SIGINT    finish what is under way, then end; a second one ends at once
  SIGUSR1            open the log file again, after it was rotated";

const FLAGS: &str = "\
Every flag of the static configuration. Names are read in any case; <name> is yours to choose, and
[n] counts from 0. A flag without a value means true. Traefik v3.7's documentation of each key holds
here too; `ferrovia check` says which of them this version does not serve yet.";

const CHECK: &str = "\
Reads the static and the dynamic configuration as a start would, says everything that is wrong with
it, and starts nothing.

Usage:
  ferrovia check [--configFile=<path> | flags]

The exit code is 0 without errors, warnings or not, and 1 with errors.";

const PROXY: &str = "\
Forwards every request that comes to one address to some servers in turn. Needs no file.

Usage:
  ferrovia proxy --from <address> --to <url> [--to <url>…]

Flags:
  --from <address>   where to listen: :8080, 127.0.0.1:8080 or 8080; default :8080
  --to <url>         a server: http://localhost:3000, https://example.org, localhost:3000 or 3000

Example:
  ferrovia proxy --from :8080 --to http://localhost:3000 --to http://localhost:3001";

const QUICKSTART: &str = "\
Starts two small servers on free ports and a proxy before them, writes the routes into the folder
quickstart of the working directory, and says what to try. Ctrl-C ends all of it.

Usage:
  ferrovia quickstart [--port <port>]

Flags:
  --port <port>   where the proxy listens, on 127.0.0.1; default 8080";

const HEALTHCHECK: &str = "\
Asks a running Ferrovia whether it is well: HEAD /ping on ping's entry point, as the same static
configuration names it. Needs `ping` to be on.

Usage:
  ferrovia healthcheck [--configFile=<path> | flags]

The exit code is 0 if the answer is 200, else 1.";

const VERSION: &str = "\
Shows version, build and system.

Usage:
  ferrovia version";

#[cfg(test)]
mod tests {
    use super::*;

    fn check_flag(line: &str) {
        let text = flags();
        assert!(text.lines().any(|found| found == format!("  {line}")), "no flag {line}");
    }

    #[test]
    fn flags_are_listed_with_what_they_take() {
        check_flag("--api");
        check_flag("--api.insecure");
        check_flag("--entryPoints.<name>.address=<value>");
        check_flag("--entryPoints.<name>.forwardedHeaders.trustedIPs=<value>,…");
        check_flag("--providers.file.directory=<value>");
    }

    #[test]
    fn no_line_of_the_hand_written_pages_is_too_long() {
        for page in [PROGRAM, FLAGS, CHECK, PROXY, QUICKSTART, HEALTHCHECK, VERSION] {
            assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
        }
    }
}
