//! Whether a change is only shown, or made: whoever has it made says that he knows what it is.

use portcullis_base::Digest;
use serde::Deserialize;

use crate::admin::problem::Problem;

/// What a body says by its `dry_run`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(from = "bool")]
pub(super) enum Run {
    /// The change is only shown.
    Dry,
    /// The change is made, if it may be.
    #[default]
    Real,
}

/// What a body says by its `confirm`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(from = "bool")]
pub(super) enum Confirmation {
    /// The change is made, whatever it is.
    Given,
    /// The change is made if it is the one that was shown.
    #[default]
    Missing,
}

impl From<bool> for Run {
    fn from(dry_run: bool) -> Self {
        if dry_run { Self::Dry } else { Self::Real }
    }
}

impl From<bool> for Confirmation {
    fn from(confirm: bool) -> Self {
        if confirm { Self::Given } else { Self::Missing }
    }
}

/// What becomes of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is shown.
    Preview,
    /// It is made.
    Make,
}

impl Decision {
    /// Decides by what a request says, and by the `fingerprint` that the change has.
    pub(super) fn of(
        run: Run,
        confirmation: Confirmation,
        named: Option<&str>,
        fingerprint: &Digest,
    ) -> Result<Self, Problem> {
        match (run, named) {
            (Run::Dry, _) => Ok(Self::Preview),
            (Run::Real, Some(named)) if named != format!("{fingerprint:x}") => {
                Err(Problem::conflict(
                    "changed-meanwhile",
                    "the change is not the one that was shown; look at it again with `dry_run`",
                ))
            }
            (Run::Real, None) if confirmation == Confirmation::Missing => {
                Err(Problem::bad_request(
                    "unconfirmed",
                    "look at the change with `\"dry_run\": true`, then send its `fingerprint`, or `\"confirm\": true`",
                ))
            }
            _ => Ok(Self::Make),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_body_says_is_not_taken_for_its_opposite() {
        let read = |json: &str| serde_json::from_str::<Run>(json).ok();
        assert_eq!(read("true"), Some(Run::Dry));
        assert_eq!(read("false"), Some(Run::Real));
        assert_eq!(read("\"true\""), None);
        let read = |json: &str| serde_json::from_str::<Confirmation>(json).ok();
        assert_eq!(read("true"), Some(Confirmation::Given));
        assert_eq!(read("false"), Some(Confirmation::Missing));
        assert_eq!(read("1"), None);
        assert_eq!(Confirmation::default(), Confirmation::Missing);
    }

    #[test]
    fn a_06_nothing_is_made_that_nobody_confirmed() {
        let fingerprint = Digest::of(b"change");
        let right = format!("{fingerprint:x}");
        let of = |dry_run: bool, confirm: bool, named: Option<&str>| {
            Decision::of(dry_run.into(), confirm.into(), named, &fingerprint).ok()
        };
        assert_eq!(of(true, false, None), Some(Decision::Preview));
        assert_eq!(of(true, true, Some(&right)), Some(Decision::Preview));
        assert_eq!(of(false, true, None), Some(Decision::Make));
        assert_eq!(of(false, false, Some(&right)), Some(Decision::Make));
        assert_eq!(of(false, false, None), None);
        for confirm in [false, true] {
            assert_eq!(of(false, confirm, Some("another")), None);
            assert_eq!(of(false, confirm, Some("")), None);
        }
    }
}
