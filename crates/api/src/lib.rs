//! The REST API and ping.
