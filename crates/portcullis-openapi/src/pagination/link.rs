//! The header `Link` (RFC 8288 §3): the target whose relation is `next`.

/// Returns the target of the first link with the relation `next`.
pub(super) fn next(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (_, from) = rest.split_once('<')?;
        let (target, after) = from.split_once('>')?;
        let (parameters, after) = after.split_at(end_of_link(after));
        if relations(parameters).any(|relation| relation.eq_ignore_ascii_case("next")) {
            return Some(target);
        }
        rest = after;
    }
}

/// Finds the comma that ends a link, outside of quotes.
fn end_of_link(parameters: &str) -> usize {
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (at, byte) in parameters.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b',' if !is_quoted => return at,
            _ => {}
        }
    }
    parameters.len()
}

/// Yields the relations of the parameter `rel`, of which there may be several in one value.
fn relations(parameters: &str) -> impl Iterator<Item = &str> {
    let mut all = parameters.split(';').filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("rel")
            .then(|| value.trim().trim_matches('"'))
    });
    // RFC 8288 §3.3: "Occurrences after the first MUST be ignored by parsers."
    all.next().unwrap_or_default().split_ascii_whitespace()
}
