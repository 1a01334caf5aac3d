//! Looks after the listener's certificate while the gateway serves: takes new files up, and warns before the end.
//!
//! Files are read at an interval rather than watched: certificates come as renamed files, swapped links and mounted volumes, and a look costs nothing.

use std::sync::Arc;
use std::time::Duration;

use portcullis_base::{Clock, Timestamp};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::tls::{Certificates, Reload};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_secs(30);
/// Days before the end at which to warn, the nearest first.
const WARNING_DAYS: [u32; 3] = [1, 7, 14];
const DAY: Duration = Duration::from_hours(24);

/// Looks after `certificates` until `shutdown` is cancelled.
pub async fn watch(
    certificates: Arc<Certificates>,
    shutdown: CancellationToken,
    clock: Arc<dyn Clock>,
) {
    let mut watch = Watch::new(certificates);
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shutdown.cancelled() => return,
        }
        for notice in watch.look(clock.now()) {
            notice.log();
        }
    }
}

/// What a look found; each is told once.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Notice {
    Replaced,
    Unusable(String),
    ExpiresWithin { days: u32 },
    Expired,
}

impl Notice {
    fn log(&self) {
        match self {
            Self::Replaced => tracing::info!("took up the new TLS certificate"),
            Self::Unusable(reason) => {
                tracing::warn!(
                    reason,
                    "kept the old TLS certificate: the new one cannot be used"
                );
            }
            Self::ExpiresWithin { days } => {
                tracing::warn!(days, "the TLS certificate expires soon; renew it");
            }
            Self::Expired => tracing::error!("the TLS certificate has expired; renew it"),
        }
    }
}

struct Watch {
    certificates: Arc<Certificates>,
    unusable: Option<String>,
    warned_days: Option<u32>,
}

impl Watch {
    fn new(certificates: Arc<Certificates>) -> Self {
        Self {
            certificates,
            unusable: None,
            warned_days: None,
        }
    }

    fn look(&mut self, now: Timestamp) -> Vec<Notice> {
        let mut notices = Vec::new();
        match self.certificates.reload() {
            Ok(Reload::Unchanged) => self.unusable = None,
            Ok(Reload::Replaced) => {
                self.unusable = None;
                self.warned_days = None;
                notices.push(Notice::Replaced);
            }
            Err(error) => {
                let reason = error.to_string();
                if self.unusable.as_ref() != Some(&reason) {
                    notices.push(Notice::Unusable(reason.clone()));
                    self.unusable = Some(reason);
                }
            }
        }
        notices.extend(self.expiry(now));
        notices
    }

    fn expiry(&mut self, now: Timestamp) -> Option<Notice> {
        let left = self.certificates.not_after()?.since(now);
        let days = if left.is_zero() {
            0
        } else {
            WARNING_DAYS.into_iter().find(|&days| left <= DAY * days)?
        };
        if self.warned_days.is_some_and(|warned| warned <= days) {
            return None;
        }
        self.warned_days = Some(days);
        Some(match days {
            0 => Notice::Expired,
            days => Notice::ExpiresWithin { days },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::http::settings::CertificateFiles;

    fn write(folder: &Path, year: i32) {
        let mut parameters =
            rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
        parameters.not_after = rcgen::date_time_ymd(year, 1, 31);
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = parameters.self_signed(&key).expect("a certificate");
        std::fs::write(folder.join("tls.crt"), certificate.pem()).expect("written");
        std::fs::write(folder.join("tls.key"), key.serialize_pem()).expect("written");
    }

    fn watch(folder: &Path) -> Watch {
        let files = CertificateFiles {
            certificate: folder.join("tls.crt"),
            key: folder.join("tls.key"),
        };
        Watch::new(Arc::new(Certificates::load(files).expect("usable files")))
    }

    fn at(text: &str) -> Timestamp {
        let instant: jiff::Timestamp = text.parse().expect("an instant");
        Timestamp::from_millis(instant.as_millisecond())
    }

    #[test]
    fn the_end_is_told_once_at_each_threshold() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), 2030);
        let mut watch = watch(folder.path());
        let within = |days| vec![Notice::ExpiresWithin { days }];
        for (now, expected) in [
            ("2030-01-16T23:00:00Z", vec![]),
            ("2030-01-17T01:00:00Z", within(14)),
            ("2030-01-20T00:00:00Z", vec![]),
            ("2030-01-25T00:00:00Z", within(7)),
            ("2030-01-30T00:00:00Z", within(1)),
            ("2030-01-30T12:00:00Z", vec![]),
            ("2030-01-31T00:00:00Z", vec![Notice::Expired]),
            ("2030-02-01T00:00:00Z", vec![]),
        ] {
            assert_eq!(watch.look(at(now)), expected, "{now}");
        }
        write(folder.path(), 2031);
        assert_eq!(
            watch.look(at("2030-02-01T00:00:00Z")),
            vec![Notice::Replaced]
        );
    }

    #[test]
    fn files_that_cannot_be_used_are_told_once_and_change_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), 2030);
        let mut watch = watch(folder.path());
        let now = at("2029-01-01T00:00:00Z");
        std::fs::write(folder.path().join("tls.key"), "nothing").expect("written");
        let notices = watch.look(now);
        assert!(
            matches!(notices.as_slice(), [Notice::Unusable(_)]),
            "{notices:?}"
        );
        assert_eq!(watch.look(now), vec![]);
        assert!(watch.certificates.not_after().is_some());
    }
}
