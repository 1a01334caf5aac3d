//! The demo: it fails until the gateway can be started; `demo.rs` is what it will be.

fn main() -> anyhow::Result<()> {
    anyhow::bail!("the demo cannot run yet: this version has no gateway to start")
}
