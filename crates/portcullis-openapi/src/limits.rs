//! How much of a document is accepted, and how much text its tools may grow to.
//!
//! Each limit turns an attack or an accident into a message; none of them fails a document that real APIs publish.

/// Bounds on reading a document and on compiling its tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the document, with the files that it refers to.
    pub max_bytes: usize,
    /// Values in the document and its files, after aliases have been expanded.
    pub max_nodes: usize,
    /// Values within values.
    pub max_depth: usize,
    /// Files that a document refers to.
    pub max_files: usize,
    /// Operations of one document; the others are reported.
    pub max_operations: usize,
    /// Parameters of one operation; an operation with more is reported.
    pub max_parameters: usize,
    /// Parameters of all operations together; an operation beyond is reported.
    pub max_total_parameters: usize,
    /// Bytes of one tool's input schema as models are shown it; what is held against arguments is whole.
    pub max_input_schema_bytes: usize,
    /// Bytes of one tool's output schema, beyond which members are not named.
    pub max_output_schema_bytes: usize,
    /// Bytes of all schemas of one document's tools together, as models are shown them, and of what they refer to; what does not fit is reported.
    pub max_total_schema_bytes: usize,
    /// Diagnostics kept; the rest is counted.
    pub max_diagnostics: usize,
}

impl Default for Limits {
    /// Limits that GitHub's, Stripe's and Microsoft Graph's documents keep with room to spare.
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            max_nodes: 5_000_000,
            max_depth: 100,
            max_files: 10_000,
            max_operations: 50_000,
            max_parameters: 1_000,
            max_total_parameters: 1_000_000,
            max_input_schema_bytes: 16 << 10,
            max_output_schema_bytes: 8 << 10,
            max_total_schema_bytes: 256 << 20,
            max_diagnostics: 10_000,
        }
    }
}
