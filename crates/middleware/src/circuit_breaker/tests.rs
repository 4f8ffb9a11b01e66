use config::dynamic::CircuitBreaker as Settings;

use super::*;
use crate::fixture;

fn settings(expression: &str) -> Settings {
    Settings {
        expression: expression.to_owned(),
        check_period: config::Duration::from_secs(1),
        ..Settings::default()
    }
}

fn circuit(settings: &Settings) -> Circuit {
    let breaker = CircuitBreaker::new(settings).expect("valid settings");
    Circuit::new(&"m@file".into(), Arc::new(breaker))
}

const SECOND: Duration = Duration::from_secs(1);

/// Takes responses at seconds into account; tells whether a request passes at a later one.
fn check(circuit: &Circuit, responses: &[(u16, u64)], at: u64, expected: bool) {
    for (status, second) in responses {
        let status = StatusCode::from_u16(*status).expect("valid status");
        circuit.note(status, Some(SECOND / 10), *second as u32 * SECOND);
    }
    assert_eq!(circuit.lets_pass(at as u32 * SECOND), expected, "at {at}");
}

#[test]
fn a_circuit_opens_recovers_and_closes() {
    let circuit = circuit(&settings("NetworkErrorRatio() > 0.5"));
    check(&circuit, &[(200, 0), (502, 0), (504, 0)], 0, true);
    check(&circuit, &[(504, 1)], 1, false);
    check(&circuit, &[], 10, false);
    // Recovering: at first nothing passes, then about half.
    check(&circuit, &[], 11, false);
    check(&circuit, &[], 20, false);
    check(&circuit, &[], 20, true);
    check(&circuit, &[(200, 20)], 22, true);
    assert!(circuit.is_standby.load(Ordering::Relaxed));
}

#[test]
fn a_failure_during_recovery_opens_it_again() {
    let circuit = circuit(&settings("ResponseCodeRatio(500, 600, 0, 600) > 0.5"));
    check(&circuit, &[(500, 0)], 0, false);
    check(&circuit, &[], 10, false);
    check(&circuit, &[(500, 12)], 12, false);
    check(&circuit, &[], 21, false);
    assert!(matches!(*circuit.state.lock().expect("no panic"), State::Tripped { .. }));
}

#[test]
fn latencies_open_it() {
    check(&circuit(&settings("LatencyAtQuantileMS(50.0) > 99")), &[(200, 0)], 0, false);
    check(&circuit(&settings("LatencyAtQuantileMS(50.0) > 101")), &[(200, 0)], 0, true);
}

#[test]
fn the_condition_is_looked_at_once_a_period() {
    let circuit = circuit(&settings("NetworkErrorRatio() > 0.5"));
    check(&circuit, &[(200, 0), (502, 0), (502, 0), (502, 0)], 0, true);
    check(&circuit, &[(502, 1)], 1, false);
}

#[test]
fn the_answer_is_the_response_code_and_its_text() {
    let settings = Settings { response_code: 418, ..settings("NetworkErrorRatio() > 0.5") };
    let circuit = circuit(&settings);
    let mut exchange = fixture::exchange("GET", "http://h/");
    exchange.response = fixture::response(502, &[], "");
    circuit.on_response(&mut exchange, &mut None);
    let answer = fixture::request_phase(&circuit, &mut exchange);
    assert_eq!(answer.map(fixture::told).as_deref(), Some("418\nI'm a teapot"));
}

#[test]
fn durations_that_are_none_are_the_defaults() {
    let none = config::Duration::from_secs(-1);
    let settings = Settings {
        check_period: none,
        fallback_duration: none,
        recovery_duration: config::Duration::ZERO,
        ..settings("NetworkErrorRatio() > 0.5")
    };
    let breaker = CircuitBreaker::new(&settings).expect("valid settings");
    assert_eq!(breaker.check_period, SECOND / 10);
    assert_eq!(breaker.fallback_duration, 10 * SECOND);
    assert_eq!(breaker.recovery_duration, 10 * SECOND);
}

#[test]
fn threads_do_not_lose_the_failure_that_counts() {
    let circuit = circuit(&settings("NetworkErrorRatio() > 0.5"));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    circuit.note(StatusCode::BAD_GATEWAY, None, SECOND);
                }
            });
        }
    });
    assert!(!circuit.lets_pass(SECOND));
}

fn check_error(expression: &str, expected: &str) {
    let error = CircuitBreaker::new(&settings(expression)).err();
    assert_eq!(error.as_deref(), Some(expected), "{expression}");
}

#[test]
fn broken_expressions_are_refused_with_traefiks_words() {
    check_error("", "1:1: expected operand, found 'EOF'");
    check_error("1", "expected predicate, got int");
    check_error("NetworkErrorRatio()", "expected predicate, got cbreaker.toFloat64");
    check_error("NetworkErrorRatio() > 1", "expected int, got int");
    check_error("NetworkErrorRatio() > \"a\"", "expected int, got string");
    check_error("0.5 < NetworkErrorRatio()", "lt: unsupported argument: float64");
    check_error(
        "NetworkErrorRatio() && NetworkErrorRatio() > 0.5",
        "reflect: cannot use cbreaker.toFloat64 as type cbreaker.hpredicate in Call",
    );
    check_error("!(NetworkErrorRatio() > 0.5)", "! is not supported");
    check_error("Foo() > 1", "unsupported function: Foo");
    check_error("RequestThreshold() > 5", "unsupported function: RequestThreshold");
    check_error("NetworkErrorRatio(1) > 0.5", "reflect: Call with too many input arguments");
    check_error("NetworkErrorRatio(foo) > 0.5", "foo is not defined");
    check_error("ResponseCodeRatio(500, 600) > 0.5", "reflect: Call with too few input arguments");
    check_error(
        "ResponseCodeRatio(500, 600, 0, 600.5) > 0.5",
        "reflect: Call using float64 as type int",
    );
    check_error("LatencyAtQuantileMS(50) > 100", "reflect: Call using int as type float64");
    check_error("LatencyAtQuantileMS(50.0) > 100.5", "expected int, got float64");
    check_error("LatencyAtQuantileMS(-50.0) > 5", "*ast.UnaryExpr is not supported");
    check_error("NetworkErrorRatio() > -0.5", "- is not supported");
    check_error("NetworkErrorRatio() + 0.5 > 1", "+ is not supported");
    check_error("NetworkErrorRatio() = 0.5", "1:21: expected '==', found '='");
    check_error("NetworkErrorRatio() > 0.5 > 0.6", "gt: unsupported argument: cbreaker.hpredicate");
    check_error("NetworkErrorRatio() > 0.5 && true", "true is not defined");
    check_error("NetworkErrorRatio() > (0.5", "1:27: expected ')', found newline");
}

#[test]
fn codes_that_no_response_has_are_refused() {
    for code in [0, 99, 100, 1000] {
        let settings = Settings { response_code: code, ..settings("NetworkErrorRatio() > 0.5") };
        let error = CircuitBreaker::new(&settings).err();
        assert_eq!(error, Some(format!("invalid response code {code}")));
    }
}

#[test]
fn whole_expressions_are_understood() {
    for expression in [
        "(NetworkErrorRatio() > 0.5)",
        "NetworkErrorRatio() > (0.5)",
        "NetworkErrorRatio() > 0x1p-2",
        "NetworkErrorRatio() >\n 0.5 // why not",
        "NetworkErrorRatio() == 0.5 || NetworkErrorRatio() != 0.25 && NetworkErrorRatio() >= 0.1",
    ] {
        assert!(CircuitBreaker::new(&settings(expression)).is_ok(), "{expression}");
    }
    let long = vec!["NetworkErrorRatio() > 0.5"; 20_000].join(" || ");
    check(&circuit(&settings(&long)), &[(502, 0)], 0, false);
}
