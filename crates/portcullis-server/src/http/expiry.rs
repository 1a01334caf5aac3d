//! Reads from an X.509 certificate the one thing that the gateway wants to know of its own: when it expires.
//!
//! Verifies nothing; the certificate is the operator's.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use portcullis_base::Timestamp;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Returns the end of a certificate's validity; `None` where it is not DER of the expected shape.
///
/// RFC 5280 §4.1: version (optional), serial number, signature algorithm and issuer come before the validity.
pub(super) fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = tagged(certificate, SEQUENCE)?;
    let (mut fields, _) = tagged(certificate, SEQUENCE)?;
    if let Some((_, rest)) = tagged(fields, VERSION) {
        fields = rest;
    }
    for _ in ["serial number", "signature algorithm", "issuer"] {
        fields = element(fields)?.2;
    }
    let (validity, _) = tagged(fields, SEQUENCE)?;
    let (_, _, after) = element(validity)?;
    let (tag, time, _) = element(after)?;
    timestamp(tag, std::str::from_utf8(time).ok()?)
}

/// Reads `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`; RFC 5280 §4.1.2.5 allows no other forms.
fn timestamp(tag: u8, text: &str) -> Option<Timestamp> {
    let year_digits = match tag {
        UTC_TIME => 2,
        GENERALIZED_TIME => 4,
        _ => return None,
    };
    let (year, rest) = text.strip_suffix('Z')?.split_at_checked(year_digits)?;
    let year: i16 = year.parse().ok()?;
    let year = match (tag, year) {
        (UTC_TIME, 50..) => 1900 + year,
        (UTC_TIME, _) => 2000 + year,
        _ => year,
    };
    let mut parts = rest.as_bytes().chunks(2).map(|digits| {
        std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse::<i8>().ok())
    });
    let mut part = || parts.next().flatten();
    let time = DateTime::new(year, part()?, part()?, part()?, part()?, part()?, 0).ok()?;
    let instant = time.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(Timestamp::from_millis(instant.as_millisecond()))
}

fn tagged(input: &[u8], expected: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(input)?;
    (tag == expected).then_some((content, rest))
}

/// Splits the first DER element off: its tag, its content, and what follows.
fn element(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = input.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let length = digits.iter().try_fold(0_usize, |length, &digit| {
            length.checked_mul(256)?.checked_add(usize::from(digit))
        })?;
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(year: i32) -> Vec<u8> {
        let mut parameters =
            rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
        parameters.not_after = rcgen::date_time_ymd(year, 2, 3);
        let key = rcgen::KeyPair::generate().expect("a key");
        parameters
            .self_signed(&key)
            .expect("a certificate")
            .der()
            .to_vec()
    }

    fn expiry(year: i32) -> Option<String> {
        let millis = not_after(&certificate(year))?.as_millis();
        Some(
            jiff::Timestamp::from_millisecond(millis)
                .expect("in range")
                .to_string(),
        )
    }

    #[test]
    fn both_forms_of_time_are_read() {
        assert_eq!(expiry(2031).as_deref(), Some("2031-02-03T00:00:00Z"));
        assert_eq!(expiry(2060).as_deref(), Some("2060-02-03T00:00:00Z"));
    }

    #[test]
    fn broken_certificates_have_no_expiry_and_no_panic() {
        let whole = certificate(2031);
        for end in 0..whole.len().min(300) {
            assert_eq!(not_after(&whole[..end]), None);
        }
        assert_eq!(not_after(&[0x30, 0xff]), None);
        assert_eq!(
            not_after(&[0x30, 0x88, 255, 255, 255, 255, 255, 255, 255, 255]),
            None
        );
    }
}
