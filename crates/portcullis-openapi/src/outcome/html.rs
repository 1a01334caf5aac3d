//! The words of an HTML page.

/// Returns a page's words: tags, scripts and styles left out, white space collapsed, no more than about `max_bytes`.
pub(super) fn words(html: &str, max_bytes: usize) -> String {
    let mut words = Words {
        text: String::new(),
        max_bytes,
    };
    let mut rest = html;
    while let Some((text, tag)) = rest.split_once('<') {
        words.add(text);
        let skipped = ["script", "style"].into_iter().find(|name| {
            tag.get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name))
        });
        rest = match skipped {
            Some(name) => after_element(tag, name),
            None => tag.split_once('>').map_or("", |(_, after)| after),
        };
        if words.is_full() {
            break;
        }
    }
    words.add(rest);
    words.text
}

fn after_element<'a>(tag: &'a str, name: &str) -> &'a str {
    let end = format!("</{name}");
    let position = tag
        .as_bytes()
        .windows(end.len())
        .position(|window| window.eq_ignore_ascii_case(end.as_bytes()));
    position
        .and_then(|position| tag.get(position..)?.split_once('>'))
        .map_or("", |(_, after)| after)
}

struct Words {
    text: String,
    max_bytes: usize,
}

impl Words {
    fn is_full(&self) -> bool {
        self.text.len() > self.max_bytes
    }

    fn add(&mut self, text: &str) {
        for word in text.split_whitespace() {
            if self.is_full() {
                return;
            }
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push_str(word);
        }
    }
}
