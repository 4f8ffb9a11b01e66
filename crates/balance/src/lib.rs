//! Strategies, stickiness and health state: no I/O.
