//! The MCP endpoint: who calls, what is called, and the answer.
