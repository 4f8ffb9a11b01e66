use std::time::Duration;

use config::dynamic::{RateLimit as Settings, SourceCriterion};

use super::*;
use crate::fixture;

fn settings(average: i64, burst: i64) -> Settings {
    let period = config::Duration::from_secs(3600);
    Settings { average, burst, period, ..Settings::default() }
}

fn limit(settings: &Settings) -> Buckets {
    let limit = RateLimit::new(&"m@file".into(), settings).expect("valid settings");
    Buckets::new(Arc::new(limit))
}

fn ask(middleware: &Buckets, who: &str) -> Option<Response> {
    let mut exchange = fixture::exchange("GET", "http://h/");
    exchange.request.headers = fixture::headers(&[("X-Who", who)]);
    fixture::async_request_phase(middleware, &mut exchange, &mut None)
}

/// Sends a request of each source; tells which of them pass.
fn check(settings: &Settings, sources: &[&str], expected: &[bool]) {
    let middleware = limit(settings);
    let passed: Vec<bool> = sources.iter().map(|who| ask(&middleware, who).is_none()).collect();
    assert_eq!(passed, expected);
}

#[test]
fn a_burst_passes_and_no_more() {
    check(&settings(1, 2), &["", "", "", ""], &[true, true, false, false]);
    check(&settings(1, 0), &["", ""], &[true, false]);
    check(&settings(1, -5), &["", ""], &[true, false]);
}

#[test]
fn without_an_average_all_pass() {
    check(&settings(0, 1), &["", "", ""], &[true; 3]);
    check(&settings(-1, 1), &["", "", ""], &[true; 3]);
}

#[test]
fn sources_have_buckets_of_their_own() {
    let criterion =
        SourceCriterion { request_header_name: "X-Who".to_owned(), ..SourceCriterion::default() };
    let settings = Settings { source_criterion: Some(criterion), ..settings(1, 1) };
    check(&settings, &["a", "b", "a", "", ""], &[true, true, false, true, false]);
}

#[test]
fn report_only_lets_all_pass() {
    let settings = Settings { report_only: true, ..settings(1, 1) };
    check(&settings, &["", "", ""], &[true; 3]);
}

#[test]
fn chains_do_not_share_their_buckets() {
    let limit = RateLimit::new(&"m@file".into(), &settings(1, 1)).map(Arc::new);
    let limit = limit.expect("valid settings");
    assert!(ask(&Buckets::new(Arc::clone(&limit)), "").is_none());
    assert!(ask(&Buckets::new(limit), "").is_none());
}

#[test]
fn a_refusal_tells_when_to_come_again() {
    let middleware = limit(&settings(1, 1));
    assert!(ask(&middleware, "").is_none());
    let refused = ask(&middleware, "").expect("an empty bucket");
    let header = |name: &str| refused.headers[name].to_str().expect("text").to_owned();
    assert_eq!(header("retry-after"), "3600");
    assert!(header("x-retry-in").starts_with("59m59."));
    assert_eq!(refused.headers.len(), 2);
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(fixture::read(refused.body), b"Too Many Requests");
    assert_eq!(refusal(Duration::from_secs(2)).headers["retry-after"], "2");
}

#[test]
fn a_flood_of_sources_stays_bounded() {
    let pace = Pace::new(1, Duration::from_secs(3600), 1);
    let buckets = limit(&settings(1, 1));
    for number in 0..200_000_u32 {
        let source = SourceKey::new(&number.to_le_bytes());
        buckets.take(&pace, source, 1);
    }
    assert!(buckets.full_at.length() <= SOURCES_MAX);
    // The last one is among those that are remembered.
    let last = SourceKey::new(&199_999_u32.to_le_bytes());
    assert!(matches!(buckets.take(&pace, last, 1), Taken::Refused { .. }));
}

#[test]
fn threads_together_get_no_more_than_the_burst() {
    let pace = Pace::new(1, Duration::from_secs(3600), 1000);
    let buckets = limit(&settings(1, 1000));
    let source = SourceKey::new(b"one");
    let count = || {
        let takes = (0..1000).map(|_| buckets.take(&pace, source, 1));
        takes.filter(|taken| matches!(taken, Taken::Token { .. })).count()
    };
    let passed: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(count)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    assert_eq!(passed, 1000);
}

#[test]
fn broken_settings_are_refused_with_traefiks_words() {
    let error = |settings: &Settings| RateLimit::new(&"m@file".into(), settings).err();
    let criterion = SourceCriterion {
        ip_strategy: Some(config::dynamic::IpStrategy::default()),
        request_header_name: "X-Who".to_owned(),
        request_host: false,
    };
    let exclusive = Settings { source_criterion: Some(criterion), ..settings(1, 1) };
    assert_eq!(
        error(&exclusive).as_deref(),
        Some("getting source extractor: iPStrategy and RequestHeaderName are mutually exclusive")
    );
    let negative = Settings { period: config::Duration::from_secs(-1), ..settings(1, 1) };
    assert_eq!(error(&negative).as_deref(), Some("negative value not valid for period: -1s"));
    let redis = Settings { redis: Some(Default::default()), ..settings(1, 1) };
    assert!(error(&redis).is_some_and(|text| text.contains("redis is not supported yet")));
}
