//! Certificates, server name selection and TLS options, as rustls wants them.
