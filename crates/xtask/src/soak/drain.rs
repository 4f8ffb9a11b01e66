//! SIGTERM under load: what was asked is answered, what is new is refused, and the process ends.

use std::fmt;
use std::iter::Sum;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};

use super::Expected;
use super::options::Options;
use super::site::{Ask, PATH, Site};
use super::upstream::{SLOW, SLOW_PATH};
use crate::client::{Client, Failure};
use crate::surroundings::wait_for;

/// Starts and ends the proxy some times. Gives what went wrong.
pub(super) fn run(binary: &Path, options: &Options) -> anyhow::Result<Vec<String>> {
    let site = Site::create()?;
    let mut problems = Vec::new();
    let mut tally = Tally::default();
    let mut longest = Duration::ZERO;
    for number in 0..options.rounds {
        let (of_round, took) = round(binary, &site).with_context(|| format!("round {number}"))?;
        tally = [tally, of_round].into_iter().sum();
        longest = longest.max(took);
    }
    println!(
        "{tally}\n  the process ended at most {:.0} ms after SIGTERM",
        longest.as_secs_f64() * 1e3
    );
    problems.append(&mut tally.failures);
    match twice(binary, &site) {
        Ok(took) => {
            println!("  a second SIGTERM ended it after {:.0} ms", took.as_secs_f64() * 1e3);
        }
        Err(error) => problems.push(format!("second SIGTERM: {error:#}")),
    }
    Ok(problems)
}

/// What became of the requests of some connections.
#[derive(Default)]
struct Tally {
    answered: u64,
    answered_after_signal: u64,
    /// Connections refused once the listener was closed.
    refused: u64,
    /// Requests on a reused connection that crossed with its orderly end. Clients send them again
    /// (RFC 9112 section 9.3.1), and so did these.
    met_end: u64,
    /// The same, but with a reset: the request came when the server had just closed.
    met_reset: u64,
    failures: Vec<String>,
}

/// What all clients of a round know.
struct Round<'a> {
    address: SocketAddr,
    expected: &'a Expected,
    /// SIGTERM is on its way.
    told: AtomicBool,
}

fn round(binary: &Path, site: &Site) -> anyhow::Result<(Tally, Duration)> {
    let mut proxy = site.start(binary)?;
    let round =
        Round { address: site.web(), expected: &site.expected, told: AtomicBool::new(false) };
    let ready = Barrier::new(SLOW_CLIENTS + 2);
    thread::scope(|scope| {
        let (round, ready) = (&round, &ready);
        let mut clients = Vec::new();
        for number in 0..STEADY_CLIENTS {
            clients.push(scope.spawn(move || round.keep_alive(number)));
            clients.push(scope.spawn(move || round.fresh(number)));
        }
        clients.push(scope.spawn(move || round.crowd()));
        let host = Ask::Plain(0).host();
        for _ in 0..SLOW_CLIENTS {
            let slow = get(&host, SLOW_PATH);
            clients.push(scope.spawn(move || round.across(ready, &slow, "")));
        }
        let upload =
            format!("POST {PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 10\r\n\r\n01234");
        clients.push(scope.spawn(move || round.across(ready, &upload, "56789")));
        ready.wait();
        thread::sleep(UNDER_WAY);
        round.told.store(true, Ordering::SeqCst);
        let signalled = Instant::now();
        let ended = proxy.signal("TERM").and_then(|()| proxy.wait(END_LIMIT));
        let took = signalled.elapsed();
        if ended.is_err() {
            let _ = proxy.signal("KILL");
        }
        let tallies =
            clients.into_iter().map(|client| client.join().expect("clients do not panic"));
        let mut tally: Tally = tallies.sum();
        let status = ended?;
        if !status.success() {
            tally.failures.push(format!("after SIGTERM: {status}: {}", proxy.log_tail()));
        }
        Ok((tally, took))
    })
}

/// The second SIGTERM ends what the first one would let finish.
fn twice(binary: &Path, site: &Site) -> anyhow::Result<Duration> {
    let mut proxy = site.start(binary)?;
    let mut client = Client::connect(site.web()).map_err(|failure| anyhow!("{failure}"))?;
    client.send(get(&Ask::Plain(0).host(), SLOW_PATH).as_bytes());
    thread::sleep(UNDER_WAY);
    let first = Instant::now();
    proxy.signal("TERM")?;
    wait_for("the listener to close", END_LIMIT, || {
        proxy.check_running().context("before the request under way was answered")?;
        Ok(matches!(Client::connect(site.web()), Err(Failure::Refused)).then_some(()))
    })?;
    proxy.signal("TERM")?;
    let second = Instant::now();
    proxy.wait(END_LIMIT)?;
    let took = second.elapsed();
    ensure!(first.elapsed() < SLOW - UNDER_WAY, "it waited for the request under way: {took:?}");
    Ok(took)
}

impl Round<'_> {
    /// One connection after another, a request on each.
    fn fresh(&self, number: usize) -> Tally {
        let mut tally = Tally::default();
        for count in 0.. {
            let ask = Ask::Plain(number * 100 + count % 100);
            let was_told = self.told.load(Ordering::SeqCst);
            let mut client = match self.connect(&mut tally) {
                Some(client) => client,
                None => return tally,
            };
            let host = ask.host();
            client.send(
                format!("GET {PATH} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
                    .as_bytes(),
            );
            // The connection is new: whoever took it has to answer.
            self.take_answer(&mut client, ask, was_told, &mut tally).unwrap_or_else(|failure| {
                tally.failures.push(format!("on a new connection: {failure}"));
                false
            });
        }
        tally
    }

    /// Requests without a pause over a connection that is only left when it ends.
    fn keep_alive(&self, number: usize) -> Tally {
        let mut tally = Tally::default();
        while let Some(mut client) = self.connect(&mut tally) {
            self.reuse(&mut client, number, &mut tally);
        }
        tally
    }

    fn reuse(&self, client: &mut Client, number: usize, tally: &mut Tally) {
        for count in 0.. {
            if client.is_closed() {
                return;
            }
            let ask = Ask::Plain(number * 100 + count % 100);
            let was_told = self.told.load(Ordering::SeqCst);
            client.send(get(&ask.host(), PATH).as_bytes());
            match self.take_answer(client, ask, was_told, tally) {
                Ok(true) => {}
                Ok(false) => return,
                Err(failure) => return self.note_crossing(failure, count > 0, tally),
            }
        }
    }

    /// Many connections by turns, some with a request under way, most idle for the moment.
    fn crowd(&self) -> Tally {
        let mut tally = Tally::default();
        let mut clients: Vec<_> = (0..CROWD).map(|_| self.connect(&mut tally)).collect();
        let mut asked = vec![None; CROWD];
        let mut has_answered = vec![false; CROWD];
        for step in 0.. {
            let (to_ask, to_hear) = (step % CROWD, (step + CROWD - CROWD_UNDER_WAY) % CROWD);
            if let Some(client) = &mut clients[to_ask] {
                asked[to_ask] = Some(self.told.load(Ordering::SeqCst));
                client.send(get(&Ask::Plain(to_ask).host(), PATH).as_bytes());
            }
            if let (Some(client), Some(was_told)) = (&mut clients[to_hear], asked[to_hear].take()) {
                match self.take_answer(client, Ask::Plain(to_hear), was_told, &mut tally) {
                    Ok(true) => has_answered[to_hear] = true,
                    Ok(false) => clients[to_hear] = None,
                    Err(failure) => {
                        self.note_crossing(failure, has_answered[to_hear], &mut tally);
                        clients[to_hear] = None;
                    }
                }
            }
            if step % CROWD == 0 && clients.iter().all(Option::is_none) {
                break;
            }
        }
        tally
    }

    /// A request that is under way at the signal: begun before, and answered long after.
    fn across(&self, ready: &Barrier, begin: &str, end: &str) -> Tally {
        let mut tally = Tally::default();
        let mut client = Client::connect(self.address);
        if let Ok(client) = &mut client {
            client.send(begin.as_bytes());
        }
        ready.wait();
        let exchange = || {
            let mut client = client.map_err(|failure| anyhow!("{failure}"))?;
            while !self.told.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(UNDER_WAY);
            client.send(end.as_bytes());
            let answer = client.answer().map_err(|failure| anyhow!("{failure}"))?;
            ensure!(answer.status == 200, "status {}: {:?}", answer.status, answer.body);
            anyhow::Ok(())
        };
        match exchange() {
            Ok(()) => tally.count(true),
            Err(error) => tally.failures.push(format!("under way at the signal: {error:#}")),
        }
        tally
    }

    /// Connects; `None` once the listener is closed.
    fn connect(&self, tally: &mut Tally) -> Option<Client> {
        let was_told = self.told.load(Ordering::SeqCst);
        match Client::connect(self.address) {
            Ok(client) => return Some(client),
            Err(Failure::Refused) if was_told || self.told.load(Ordering::SeqCst) => {
                tally.refused += 1;
            }
            Err(failure) => tally.failures.push(format!("connecting: {failure}")),
        }
        None
    }

    /// Reads an answer and checks it; tells whether the connection stays.
    fn take_answer(
        &self,
        client: &mut Client,
        ask: Ask,
        was_told: bool,
        tally: &mut Tally,
    ) -> Result<bool, Failure> {
        let answer = client.answer()?;
        tally.count(was_told);
        if let Err(error) = self.expected.judge(ask, 0, &answer) {
            tally.failures.push(format!("{error:#}"));
        }
        Ok(!answer.closes)
    }

    /// Tells a request that crossed with the end of an idle connection from one that got lost.
    fn note_crossing(&self, failure: Failure, is_reused: bool, tally: &mut Tally) {
        let is_ending = self.told.load(Ordering::SeqCst);
        match failure {
            Failure::Ended if is_reused && is_ending => tally.met_end += 1,
            Failure::Reset if is_reused && is_ending => tally.met_reset += 1,
            failure => {
                let connection = if is_reused { "reused" } else { "new" };
                tally.failures.push(format!("on a {connection} connection: {failure}"));
            }
        }
    }
}

impl Tally {
    fn count(&mut self, was_told: bool) {
        self.answered += 1;
        self.answered_after_signal += u64::from(was_told);
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |mut sum, mut tally| {
            sum.answered += tally.answered;
            sum.answered_after_signal += tally.answered_after_signal;
            sum.refused += tally.refused;
            sum.met_end += tally.met_end;
            sum.met_reset += tally.met_reset;
            sum.failures.append(&mut tally.failures);
            sum
        })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "  {} requests answered, {} of them sent after SIGTERM, {} failed; {} connections \
             refused in the end\n  on idle connections that the proxy closed at that moment: {} \
             requests met an orderly end, {} a reset",
            self.answered,
            self.answered_after_signal,
            self.failures.len(),
            self.refused,
            self.met_end,
            self.met_reset
        )
    }
}

fn get(host: &str, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

const STEADY_CLIENTS: usize = 4;
const SLOW_CLIENTS: usize = 8;
const CROWD: usize = 300;
/// How many of the crowd wait for an answer at any time.
const CROWD_UNDER_WAY: usize = 60;
/// Time for requests to reach the upstream servers; far less than [`SLOW`].
const UNDER_WAY: Duration = Duration::from_millis(200);
const END_LIMIT: Duration = Duration::from_secs(15);
