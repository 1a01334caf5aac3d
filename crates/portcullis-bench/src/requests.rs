//! Calls every tool of a document through a gateway, with arguments made from its input schema, and writes down what arrives behind it.
//!
//! Prints a line of JSON for each call.
//! Whether a request is what the document allows is for judges that others wrote: Prism is asked here, in passing; the next reads what is printed.

mod broken;
mod calls;
mod generate;
mod merge;
mod prism;
mod random;
mod recorder;
mod text;

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use portcullis_openapi::{Limits, Place, Tool};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use self::broken::Break;
use self::calls::{Answered, Caller};
use self::generate::{Alphabet, Generator, Variant};
use self::prism::Prism;
use self::recorder::{Recorded, Recorder};
use crate::documents;

/// What is called, and through what.
#[derive(clap::Args)]
pub(crate) struct RequestArguments {
    /// The OpenAPI document.
    document: PathBuf,
    /// The endpoint of the toolset that has it.
    #[arg(long)]
    endpoint: Url,
    /// The port on loopback that the gateway takes for the API.
    #[arg(long)]
    port: u16,
    /// The port on loopback of a Prism that judges.
    #[arg(long)]
    prism: Option<u16>,
    /// The port on loopback that Prism takes for the API.
    #[arg(long)]
    behind_prism: Option<u16>,
    /// A list of calls to make, in place of made arguments: objects with `tool` and `arguments`.
    #[arg(long)]
    given: Option<PathBuf>,
    /// Every so many tools are called.
    #[arg(long, default_value_t = 1)]
    every: usize,
}

/// What became of a call.
#[derive(Serialize)]
struct Line {
    tool: String,
    /// Where the operation stands.
    pointer: String,
    variant: &'static str,
    /// No arguments were made: why.
    not_generated: Option<String>,
    arguments: Option<Value>,
    /// What the gateway said, where no request arrived.
    refused: Option<String>,
    request: Option<Recorded>,
    /// The same request, broken in each way that it has something for.
    broken: Vec<Broken>,
}

/// A request that the judges have to find fault with.
#[derive(Serialize)]
struct Broken {
    kind: Break,
    request: Recorded,
}

/// Makes the calls.
pub(crate) async fn run(arguments: RequestArguments) -> anyhow::Result<()> {
    let bytes = std::fs::read(&arguments.document)?;
    let read = documents::read(&arguments.document, bytes, &Limits::default());
    let (tools, _) = read.map_err(|cause| anyhow!(cause))?.document.tools();
    let prism = arguments.prism.map(Prism);
    let recorder = Recorder::serve(arguments.port, prism).await?;
    if let Some(port) = arguments.behind_prism {
        Recorder::serve(port, None).await?;
    }
    let mut calling = Calling {
        caller: Caller::new(arguments.endpoint),
        recorder,
        prism,
        out: BufWriter::new(std::io::stdout().lock()),
    };
    match arguments.given {
        Some(file) => calling.given(&tools, &file).await?,
        None => {
            for tool in tools.iter().step_by(arguments.every.max(1)) {
                calling.made(tool).await?;
            }
        }
    }
    calling.out.flush()?;
    Ok(())
}

/// Calls one after another.
struct Calling<W> {
    caller: Caller,
    recorder: Recorder,
    prism: Option<Prism>,
    out: W,
}

impl<W: Write> Calling<W> {
    /// Makes the calls of a list.
    async fn given(&mut self, tools: &[Tool], file: &Path) -> anyhow::Result<()> {
        let text =
            std::fs::read(file).with_context(|| format!("{} is not there", file.display()))?;
        let list: Vec<Given> = serde_json::from_slice(&text)?;
        for given in list {
            let tool = tools.iter().find(|tool| tool.name == given.tool);
            let tool = tool.with_context(|| format!("there is no tool {}", given.tool))?;
            let line = self.call(Line::of(tool, "given"), given.arguments).await?;
            self.print(&line)?;
        }
        Ok(())
    }

    /// Makes the calls of a tool that its input schema gives rise to.
    async fn made(&mut self, tool: &Tool) -> anyhow::Result<()> {
        let mut before: Vec<Map<String, Value>> = Vec::new();
        for variant in Variant::EACH {
            let mut line = Line::of(tool, variant.as_str());
            match made(tool, variant) {
                Ok(values) if before.contains(&values) => continue,
                Ok(values) => {
                    before.push(values.clone());
                    line = self.call(line, values).await?;
                }
                Err(cause) => line.not_generated = Some(cause),
            }
            if variant == Variant::All {
                self.break_what_was_sent(tool, &mut line).await;
            }
            self.print(&line)?;
        }
        Ok(())
    }

    async fn call(&mut self, mut line: Line, values: Map<String, Value>) -> anyhow::Result<Line> {
        let values = Value::Object(values);
        let Answered { text } = self.caller.call(&line.tool, &values).await?;
        line.request = self.recorder.last();
        if line.request.is_none() {
            line.refused = Some(text);
        }
        line.arguments = Some(values);
        Ok(line)
    }

    /// Adds what the judges have to find fault with.
    async fn break_what_was_sent(&self, tool: &Tool, line: &mut Line) {
        let (Some(sent), Some(arguments)) = (&line.request, &line.arguments) else {
            return;
        };
        for (kind, mut request) in broken::broken(tool, arguments, sent) {
            if let Some(prism) = self.prism {
                request.violations = prism.violations(&request).await;
            }
            line.broken.push(Broken { kind, request });
        }
    }

    fn print(&mut self, line: &Line) -> anyhow::Result<()> {
        serde_json::to_writer(&mut self.out, line)?;
        Ok(writeln!(self.out)?)
    }
}

/// A call whose arguments somebody wrote.
#[derive(Deserialize)]
struct Given {
    tool: String,
    arguments: Map<String, Value>,
}

impl Line {
    fn of(tool: &Tool, variant: &'static str) -> Self {
        Self {
            tool: tool.name.clone(),
            pointer: tool.pointer.clone(),
            variant,
            not_generated: None,
            arguments: None,
            refused: None,
            request: None,
            broken: Vec::new(),
        }
    }
}

/// Makes the arguments of a call, and holds them against the input schema.
fn made(tool: &Tool, variant: Variant) -> Result<Map<String, Value>, String> {
    let schema: Value =
        serde_json::from_str(tool.whole_input_schema().get()).map_err(|error| error.to_string())?;
    let properties = schema.get("properties").and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array);
    let mut values = Map::new();
    for (name, of_argument) in properties.into_iter().flatten() {
        let is_required = required.is_some_and(|it| it.contains(&Value::String(name.clone())));
        if variant == Variant::Required && !is_required {
            continue;
        }
        let seed = random::seed(&format!("{} {name} {}", tool.name, variant.as_str()));
        match Generator::new(&schema, variant, alphabet(tool, name), seed).value(of_argument) {
            Ok(Value::Null) if !is_required => {}
            Ok(value) => {
                values.insert(name.clone(), value);
            }
            Err(cause) if is_required => return Err(format!("{name}: {cause}")),
            Err(_) => {}
        }
    }
    let validator = validator(&schema).map_err(|error| error.to_string())?;
    choose(tool, &mut values);
    let made = Value::Object(values);
    if let Some(error) = validator.iter_errors(&made).next() {
        return Err(format!("{}: {error}", error.instance_path()));
    }
    match made {
        Value::Object(values) => Ok(values),
        _ => Err("no object".to_owned()),
    }
}

/// Chooses another media type where the body was made for that: the whole schema takes bodies of any.
fn choose(tool: &Tool, values: &mut Map<String, Value>) {
    let Some(body) = tool.request.body.as_ref() else {
        return;
    };
    let Some(chooser) = body
        .chooser
        .as_ref()
        .filter(|_| values.contains_key(&body.argument))
    else {
        return;
    };
    let made = values.get(chooser).cloned();
    let all = body.choices.iter().map(|it| it.media_type.as_str().into());
    for choice in made.into_iter().chain(all) {
        values.insert(chooser.clone(), choice);
        let arguments = serde_json::value::to_raw_value(&*values);
        if arguments.is_ok_and(|arguments| tool.plan(Some(&arguments)).is_ok()) {
            return;
        }
    }
}

fn alphabet(tool: &Tool, argument: &str) -> Alphabet {
    let mut parameters = tool.request.parameters.iter();
    match parameters
        .find(|it| it.argument == argument)
        .map(|it| it.place)
    {
        Some(Place::Path) => Alphabet::Segment,
        Some(Place::Header | Place::Cookie) => Alphabet::Header,
        Some(Place::Query | Place::QueryString) | None => Alphabet::Any,
    }
}

/// Compiles a schema as the gateway does.
fn validator(schema: &Value) -> anyhow::Result<jsonschema::Validator> {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .with_pattern_options(jsonschema::PatternOptions::regex())
        .build(schema)
        .map_err(|error| anyhow!(error.to_string()))
        .context("the schema does not compile")
}
