//! What the demo tells the person who started it.

use crate::Places;

/// Says what runs where, and how to connect.
#[expect(
    clippy::print_stdout,
    reason = "the demo talks to the person who started it"
)]
pub(crate) fn introduce(places: &Places) {
    let Places {
        gateway,
        api,
        provider,
    } = places;
    println!(
        r#"
A sample API, a harbour with berths, runs at {api}.
Portcullis publishes two MCP servers of it, until Ctrl-C.

HARBOUR, for anybody; the API wants a key that no client has

  {gateway}/harbour/mcp

  Claude Code   claude mcp add --transport http harbour {gateway}/harbour/mcp
  VS Code       code --add-mcp '{{"name":"harbour","type":"http","url":"{gateway}/harbour/mcp"}}'
  Cursor        in ~/.cursor/mcp.json: {{"mcpServers":{{"harbour":{{"url":"{gateway}/harbour/mcp"}}}}}}
  Codex         codex mcp add harbour --url {gateway}/harbour/mcp

  Then ask for a free berth of at least 15 metres.

MEMBERS, for people who sign in; the API wants the token of each person

  {gateway}/members/mcp

  The provider runs at {provider} and is for trying out only:
  its people are made up and have no passwords. It registers no client but the gateway;
  yours registers at the gateway by itself.

  MCP Inspector
    1. npx @modelcontextprotocol/inspector --transport http --server-url {gateway}/members/mcp
    2. In the page that opens, switch the server on.
    3. Portcullis asks whether MCP Inspector may use Harbour members, and shows
       that the answer goes to a program on your own computer. Allow it.
    4. The provider asks who you are. Choose Nora Quay; you come back by yourself.
    5. Under Tools, execute whoAmI. The API answers with Nora Quay and her boat.
    To be somebody else, press "Clear OAuth state and disconnect" in Connection Info.

  Claude Code
    1. claude mcp add --transport http members {gateway}/members/mcp
    2. Start claude, type /mcp, choose members, then authenticate.
    3. In the browser, allow it and choose a person, as above.
    4. Ask: who am I at the harbour? Then: book berth A2 for two nights.
"#
    );
}
