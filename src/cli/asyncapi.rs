//! `zoetrope asyncapi`: the MQTT API as a document.

/// Prints the MQTT API as an AsyncAPI 3 document, the one in `docs/`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Prints it.
///
/// # Errors
/// None.
pub fn run(_: &Args) -> anyhow::Result<()> {
    super::print(&format!("{:#}", crate::publication::asyncapi()));
    Ok(())
}
