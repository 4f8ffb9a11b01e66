//! Provider traits, aggregation, health checks and publishing.
