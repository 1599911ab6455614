//! `schema`: the JSON Schemas of every document, printed or written into a folder.

use std::path::PathBuf;

use anyhow::Context;

use super::{Exit, Helpful, Terminal};

/// Print JSON Schemas, or write them into a folder
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The schema to print, e.g. cluster; without one the names are listed
    #[arg(value_name = "NAME", conflicts_with = "write")]
    name: Option<String>,

    /// Write every schema into this folder, as NAME.schema.json
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

const END: &str = ".schema.json";

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let schemas = dataminer_schema::json_schemas();
    if let Some(folder) = &args.write {
        std::fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
        for (file, schema) in &schemas {
            let path = folder.join(file);
            let text = dataminer_schema::json_schema_text(schema);
            std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
            terminal.say(format!("wrote {}", path.display()));
        }
        return Ok(Exit::Ok);
    }
    let Some(name) = &args.name else {
        for (file, _) in &schemas {
            terminal.line(file.trim_end_matches(END))?;
        }
        return Ok(Exit::Ok);
    };
    let Some((_, schema)) =
        schemas.iter().find(|(file, _)| file.trim_end_matches(END) == name.to_lowercase())
    else {
        let names: Vec<_> = schemas.iter().map(|(file, _)| file.trim_end_matches(END)).collect();
        return Err(Helpful::new(
            format!("there is no schema `{name}`"),
            format!("there are: {}", names.join(", ")),
        )
        .into());
    };
    terminal.json(schema)?;
    Ok(Exit::Ok)
}
