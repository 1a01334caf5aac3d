//! Gives tools the definitions that they refer to, and keeps what models are shown of them within the document's limits.

use std::sync::Arc;

use crate::diagnostic::Diagnostics;
use crate::limits::Limits;
use crate::model::Tool;
use crate::schema::Definitions;

/// Tools that one finding names.
const MAX_NAMED: usize = 10;

/// Completes the tools; those whose schemas exceed the document's limit are left out and reported, those that are shown in part are reported together.
pub(super) fn fit(
    tools: Vec<Tool>,
    definitions: &Arc<Definitions>,
    limits: &Limits,
    diagnostics: &mut Diagnostics,
) -> Vec<Tool> {
    let mut left = limits.max_total_schema_bytes;
    let (mut cut, mut lean) = (Several::default(), Several::default());
    let mut fitting = Vec::with_capacity(tools.len());
    for mut tool in tools {
        tool.input.refer_to(definitions);
        let outline = tool.input.outline();
        let output = tool.output_schema.as_ref();
        let size = outline.size + output.map_or(0, |output| output.get().len());
        let Some(rest) = left.checked_sub(size) else {
            let message = format!(
                "the schemas of the document's tools exceed {} bytes; the operation does not become a tool",
                limits.max_total_schema_bytes
            );
            diagnostics.error("schemas-too-large", &tool.pointer, message);
            continue;
        };
        left = rest;
        if outline.cut > 0 {
            cut.add(&tool);
        } else if outline.is_lean {
            lean.add(&tool);
        }
        fitting.push(tool);
    }
    let limit = limits.max_input_schema_bytes;
    if let Some(tools) = cut.text() {
        let message = format!(
            "the input schemas of {tools} exceed {limit} bytes: models are shown them with parts left open that say so, and calls are held against the whole of them"
        );
        diagnostics.note("schema-cut", "", message);
    }
    if let Some(tools) = lean.text() {
        let message = format!(
            "the input schemas of {tools} exceed {limit} bytes: models are shown them without the descriptions of what lies deep within"
        );
        diagnostics.note("descriptions-cut", "", message);
    }
    fitting
}

/// Some tools: how many, and the names of the first.
#[derive(Default)]
struct Several {
    count: usize,
    names: Vec<String>,
}

impl Several {
    fn add(&mut self, tool: &Tool) {
        self.count += 1;
        if self.names.len() < MAX_NAMED {
            self.names.push(format!("`{}`", tool.name));
        }
    }

    fn text(&self) -> Option<String> {
        let names = self.names.join(", ");
        match self.count {
            0 => None,
            1 => Some(format!("one tool ({names})")),
            count if count > MAX_NAMED => Some(format!("{count} tools ({names} and others)")),
            count => Some(format!("{count} tools ({names})")),
        }
    }
}
