//! Whether a change is only shown, or made: whoever has it made says that he knows what it is.

use portcullis_base::Digest;

use crate::admin::problem::Problem;

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
        dry_run: bool,
        confirm: bool,
        named: Option<&str>,
        fingerprint: &Digest,
    ) -> Result<Self, Problem> {
        match (dry_run, named) {
            (true, _) => Ok(Self::Preview),
            (false, Some(named)) if named != format!("{fingerprint:x}") => Err(Problem::conflict(
                "changed-meanwhile",
                "the change is not the one that was shown; look at it again with `dry_run`",
            )),
            (false, None) if !confirm => Err(Problem::bad_request(
                "unconfirmed",
                "look at the change with `\"dry_run\": true`, then send its `fingerprint`, or `\"confirm\": true`",
            )),
            _ => Ok(Self::Make),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_06_nothing_is_made_that_nobody_confirmed() {
        let fingerprint = Digest::of(b"change");
        let right = format!("{fingerprint:x}");
        let of = |dry_run, confirm, named: Option<&str>| {
            Decision::of(dry_run, confirm, named, &fingerprint).ok()
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
