//! Files that change, nine times rightly and the tenth time wrongly.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::load::Load;
use super::options::Options;
use super::phase::Phase;
use super::site::{Ask, EXTRA, FILES, PATH, SERVICES, SERVICES_FILE, Site, Victim, version};
use crate::client::Client;
use crate::proxy::Proxy;
use crate::surroundings::wait_for;

/// How fast changes went live.
pub(super) struct Summary {
    valid: usize,
    wrong: usize,
    servers_left: usize,
    /// From the end of the write to the first answer of the new version, sorted.
    live_after: Vec<Duration>,
}

/// Applies all changes one after another, spread over the requests that were asked for.
pub(super) fn apply(
    site: &mut Site,
    proxy: &mut Proxy,
    load: &Load,
    options: &Options,
) -> anyhow::Result<Summary> {
    let client = Client::connect(site.web()).map_err(|failure| anyhow::anyhow!("{failure}"))?;
    let mut changes = Changes {
        site,
        proxy,
        load,
        client,
        summary: Summary { valid: 0, wrong: 0, servers_left: 0, live_after: Vec::new() },
    };
    for number in 0..options.changes as usize {
        let file = number * 7 % FILES;
        let applied = if number % 10 == 9 {
            changes.wrong(number / 10, file)
        } else {
            changes.valid(number - number / 10, file)
        };
        applied.with_context(|| format!("change {number}, of file {file}"))?;
        load.enter(Phase::Between);
        load.answer(options.requests * 8 / 10 / options.changes / 2, changes.proxy)?;
    }
    let mut summary = changes.summary;
    summary.live_after.sort();
    Ok(summary)
}

struct Changes<'a> {
    site: &'a mut Site,
    proxy: &'a mut Proxy,
    load: &'a Load,
    client: Client,
    summary: Summary,
}

impl Changes<'_> {
    fn valid(&mut self, number: usize, file: usize) -> anyhow::Result<()> {
        self.summary.valid += 1;
        match number % 6 {
            0 | 3 => self.publish(file),
            1 => self.add_routers(file),
            2 => self.add_server(number / 6 % SERVICES),
            4 => self.remove_routers(),
            _ => self.remove_server(number / 6 % SERVICES),
        }
    }

    /// Writes the next version of a file and waits until it answers.
    fn publish(&mut self, file: usize) -> anyhow::Result<()> {
        self.load.enter(Phase::Reloading);
        let version = self.site.publish(file)?;
        let written = Instant::now();
        let Self { site, proxy, client, .. } = self;
        wait_for("the new version to answer", LIVE_LIMIT, || {
            proxy.check_running()?;
            Ok((ask_version(site, client, file)? == version).then_some(()))
        })?;
        self.summary.live_after.push(written.elapsed());
        self.site.confirm(file);
        Ok(())
    }

    fn add_routers(&mut self, file: usize) -> anyhow::Result<()> {
        self.site.files[file].has_extra = true;
        self.publish(file)?;
        (0..EXTRA).try_for_each(|index| self.check(Ask::Extra(file, index)))
    }

    fn remove_routers(&mut self) -> anyhow::Result<()> {
        let with_extra = self.site.files.iter().position(|file| file.has_extra);
        let file = with_extra.context("a file with extra routers")?;
        self.site.files[file].has_extra = false;
        self.publish(file)?;
        for index in 0..EXTRA {
            let host = Ask::Extra(file, index).host();
            let answer = self.client.get(&host, PATH);
            let status = answer.map_err(|failure| anyhow::anyhow!("{failure}"))?.status;
            ensure!(status == 404, "{host}: the router left but answers {status}");
        }
        Ok(())
    }

    fn add_server(&mut self, service: usize) -> anyhow::Result<()> {
        let name = self.site.add_server(service)?;
        self.publish(SERVICES_FILE)?;
        let start = format!("{name} ");
        let Self { client, .. } = self;
        wait_for("the new server to answer", LIVE_LIMIT, || {
            let answer = client.get(&Ask::Plain(service).host(), PATH);
            let answer = answer.map_err(|failure| anyhow::anyhow!("{failure}"))?;
            Ok(answer.body.starts_with(&start).then_some(()))
        })
    }

    /// Takes a server out of the configuration and, once that is live, out of the world.
    fn remove_server(&mut self, service: usize) -> anyhow::Result<()> {
        if self.site.servers(service) < 2 {
            return self.publish(SERVICES_FILE);
        }
        let server = self.site.take_server(service)?;
        self.publish(SERVICES_FILE)?;
        server.stop()?;
        self.summary.servers_left += 1;
        Ok(())
    }

    /// Writes something wrong and expects that everything else goes on, then mends it.
    fn wrong(&mut self, number: usize, file: usize) -> anyhow::Result<()> {
        self.summary.wrong += 1;
        let text = self.site.text(file);
        match number % 6 {
            0 => self.wrong_file(file, |site| site.write(file, &syntax_error(&text)))?,
            1 => self.wrong_victim(file, Victim::UnknownKey)?,
            2 => self.wrong_victim(file, Victim::BadRule)?,
            3 => self.wrong_victim(file, Victim::DanglingService)?,
            4 => self.wrong_file(file, |site| site.overwrite(file, half(&text)))?,
            _ => self.wrong_file(file, |site| site.overwrite(file, ""))?,
        }
        self.site.files[file].victim = Victim::Sound;
        self.publish(file)?;
        self.check(Ask::Victim(file))
    }

    /// A file that cannot be read as a whole: its last good version stays, and other files change.
    fn wrong_file(
        &mut self,
        file: usize,
        write: impl FnOnce(&Site) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let version = self.site.files[file].version;
        self.load.enter(Phase::Reloading);
        write(self.site)?;
        // Whoever saw this change has looked at the wrong file as well.
        self.publish((file + 1) % FILES)?;
        let answered = ask_version(self.site, &mut self.client, file)?;
        ensure!(
            answered == version,
            "version {answered} answers instead of the last good {version}"
        );
        self.check(Ask::Victim(file))
    }

    /// A router that cannot be used: its last good version stays, and the rest of the file changes.
    fn wrong_victim(&mut self, file: usize, victim: Victim) -> anyhow::Result<()> {
        self.site.files[file].victim = victim;
        self.publish(file).with_context(|| format!("with the victim's {victim:?}"))?;
        self.check(Ask::Victim(file))
    }

    fn check(&mut self, ask: Ask) -> anyhow::Result<()> {
        let live = self.site.expected.live(ask);
        let answer = self.client.get(&ask.host(), PATH);
        let answer = answer.map_err(|failure| anyhow::anyhow!("{ask:?}: {failure}"))?;
        self.site.expected.judge(ask, live, &answer)
    }
}

fn ask_version(site: &Site, client: &mut Client, file: usize) -> anyhow::Result<u32> {
    let ask = Ask::Marker(file);
    let live = site.expected.live(ask);
    let answer = client.get(&ask.host(), PATH);
    let answer = answer.map_err(|failure| anyhow::anyhow!("{ask:?}: {failure}"))?;
    site.expected.judge(ask, live, &answer)?;
    version(&answer).context("a version")
}

fn syntax_error(text: &str) -> String {
    text.replacen("  middlewares:\n", "  middlewares: ]\n", 1)
}

/// As a writer leaves it that was interrupted within a router. Half a file that ends with a whole
/// line would be a configuration like any other.
fn half(text: &str) -> &str {
    let middle = text.len() / 2;
    let end = text[middle..].find("{").map_or(middle, |brace| middle + brace + 3);
    &text[..end]
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |share: f64| {
            let last = self.live_after.len().saturating_sub(1);
            let index = (last as f64 * share).round() as usize;
            self.live_after.get(index).map_or(0.0, |after| after.as_secs_f64() * 1e3)
        };
        write!(
            f,
            "  {} valid and {} wrong changes, {} servers left and stopped; {} times live after: \
             median {:.1} ms, p90 {:.1} ms, max {:.1} ms",
            self.valid,
            self.wrong,
            self.servers_left,
            self.live_after.len(),
            at(0.5),
            at(0.9),
            at(1.0)
        )
    }
}

/// Longer than any reload on a busy machine takes.
const LIVE_LIMIT: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_file_ends_within_a_router() {
        let line = "    r: {rule: \"Host(`r`)\", service: a}\n";
        let text = format!("http:\n  routers:\n{}", line.repeat(10));
        let half = half(&text);
        assert!(half.len() < text.len() * 2 / 3 && half.ends_with("{ru"), "{half}");
    }

    #[test]
    fn a_syntax_error_is_not_yaml_any_more() {
        assert_eq!(syntax_error("  middlewares:\n    a: b\n"), "  middlewares: ]\n    a: b\n");
    }
}
