/// Bounds of what a peer may send.
///
/// Every number is inclusive: a head of exactly `head_bytes` is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a whole head, start line and final empty line included. Default 1 MiB, which is
    /// Traefik's `maxHeaderBytes`; the 4096 bytes that Go adds on top are not added here.
    pub head_bytes: usize,
    /// Bytes of the request line with its line end. Default: as `head_bytes`.
    pub request_line_bytes: usize,
    /// Field lines of a head. Default 1000.
    pub fields: usize,
    /// Bytes of all chunk extensions of one body together (RFC 9112, 7.1.1). Default 16 KiB.
    pub chunk_extension_bytes: usize,
    /// Bytes of the trailer section with its final empty line. Default 8 KiB.
    pub trailer_bytes: usize,
    /// Field lines of the trailer section. Default 64.
    pub trailer_fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            head_bytes: 1 << 20,
            request_line_bytes: 1 << 20,
            fields: 1000,
            chunk_extension_bytes: 16 << 10,
            trailer_bytes: 8 << 10,
            trailer_fields: 64,
        }
    }
}
