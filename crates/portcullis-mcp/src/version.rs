//! Protocol versions, and the two eras they fall into.

/// A revision of the Model Context Protocol; later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProtocolVersion {
    /// 2024-11-05
    V2024_11_05,
    /// 2025-03-26: batches, annotations, audio
    V2025_03_26,
    /// 2025-06-18: structured results, titles, no batches
    V2025_06_18,
    /// 2025-11-25
    V2025_11_25,
    /// 2026-07-28: no handshake, `_meta` in every request
    V2026_07_28,
}

impl ProtocolVersion {
    /// Every version that is served, oldest first.
    pub const ALL: [Self; 5] = [
        Self::V2024_11_05,
        Self::V2025_03_26,
        Self::V2025_06_18,
        Self::V2025_11_25,
        Self::V2026_07_28,
    ];

    /// The version offered to a client whose `initialize` asks for one that is unknown.
    pub const LATEST_WITH_HANDSHAKE: Self = Self::V2025_11_25;

    /// The version of a request that names none (2025-06-18, transports, "Protocol Version Header").
    pub const UNNAMED: Self = Self::V2025_03_26;

    /// Returns the version as it is written on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// Reads a version; `None` when it is not served.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == text)
    }

    /// Tells whether requests of this version stand for themselves, without a handshake.
    #[must_use]
    pub fn is_modern(self) -> bool {
        self >= Self::V2026_07_28
    }

    /// Reads a version that begins with `initialize`.
    pub(crate) fn parse_legacy(text: &str) -> Option<Self> {
        Self::parse(text).filter(|v| !v.is_modern())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_reads_back_and_only_the_last_is_modern() {
        for version in ProtocolVersion::ALL {
            assert_eq!(ProtocolVersion::parse(version.as_str()), Some(version));
            assert_eq!(version.is_modern(), version == ProtocolVersion::V2026_07_28);
        }
        assert_eq!(ProtocolVersion::parse("2025-11-26"), None);
        assert_eq!(ProtocolVersion::parse_legacy("2026-07-28"), None);
    }
}
